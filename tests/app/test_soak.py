"""Hours of traffic in a minute: whatever comes, a worker's memory stays what it was."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.app.gunicorn import receive_all, receive_answer
from tests.factories import valid_row

N_REQUESTS = 200_000
WARM_UP = 40_000
ROUND = 1_000  # requests of one client on one connection; the last of them ends it
PIPELINED = 20
CLIENTS = 4
MOST_GROWTH = 5_000_000


def request(method, path, body=b"", *fields):
    """Return a request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *fields, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def post(path, document, *fields):
    """Return a request with a body of JSON."""
    body = json.dumps(document).encode()
    return request("POST", path, body, "Content-Type: application/json", *fields)


def mixture(number):
    """Return one of the requests that arrive in a long life; no two heads or rows are the same."""
    row = valid_row(Amount=number / 7, merchant_category=f"m-{number}", transaction_id=number)
    own = f"X-Request-ID: r-{number}"
    kinds = [
        lambda: post("/predict", row, own),
        lambda: post("/predict?explain=true&anomaly=true", [row] * 20, own),
        lambda: post("/anomaly", row, f"X-Filler: {'x' * (number % 3000)}"),
        lambda: post("/predict", row | {f"unknown-{number}": 1}, own),
        lambda: post("/predict", [row, {"Amount": f"{number}"}], own),
        lambda: post("/predict", {}, "Content-Encoding: gzip"),
        lambda: request("POST", "/predict", b'{"Amount":', "Content-Type: application/json"),
        lambda: request("GET", f"/nothing/{number}?a={number}", b"", own),
        lambda: request("PUT", "/predict", b"x" * (number % 10_000), own),
        lambda: request("GET", "/health"),
    ]
    if number % 2_000 == 0:
        return post("/predict?explain=true", [row] * 5_000, own)  # answered beside the loop
    if number % 500 == 0:
        return request("GET", "/metrics" if number % 1_000 else "/openapi.json", b"", own)
    return kinds[number % len(kinds)]()


REFUSED = [
    b"GET /health HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01",
    request("GET", "/health", b"", "X-Long: " + "x" * 9_000),
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
    b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
]


def converse(server, first):
    """Send a round of requests on one connection and count the answers."""
    statuses = Counter()
    with server.connect() as connection, connection.makefile("rb") as stream:
        for start in range(first, first + ROUND - PIPELINED, PIPELINED):
            connection.sendall(b"".join(map(mixture, range(start, start + PIPELINED))))
            statuses.update(receive_answer(stream)[0] for _ in range(PIPELINED))
    for number in range(PIPELINED):
        with server.connect() as connection:
            connection.sendall(REFUSED[number % len(REFUSED)])
            connection.shutdown(1)
            statuses[int(receive_all(connection).split()[1])] += 1
    return statuses


def resident_memory(pid):
    """Return what a process holds in memory, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@pytest.mark.soak
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_memory_stays_flat_over_two_hundred_thousand_requests(serve):
    server = serve()
    (pid,) = server.workers()
    statuses = Counter()

    def go_on(numbers):
        with ThreadPoolExecutor(CLIENTS) as clients:
            for counted in clients.map(lambda first: converse(server, first), numbers):
                statuses.update(counted)

    go_on(range(0, WARM_UP, ROUND))
    before = resident_memory(pid)
    go_on(range(WARM_UP, N_REQUESTS, ROUND))
    after = resident_memory(pid)

    assert server.workers() == [pid]
    assert sum(statuses.values()) == N_REQUESTS
    assert set(statuses) == {200, 400, 404, 405, 413, 415, 422, 431}
    assert after - before < MOST_GROWTH
