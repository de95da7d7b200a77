"""The open-loop load generator, against servers that misbehave in a known way."""

import socket
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

from benchmarks.open_loop import OpenLoop, Plan, arrivals
from benchmarks.percentiles import percentile

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
BODY = b'{"Amount":1}'


@contextmanager
def answering(respond):
    """Serve each connection in a thread; ``respond(number)`` says what to send, None hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    numbers = iter(range(1_000_000))

    def converse(connection):
        with connection:
            received = b""
            while piece := connection.recv(65536):
                received += piece
                while BODY in received:
                    received = received.partition(BODY)[2]
                    answer = respond(next(numbers))
                    if answer is None:
                        return
                    connection.sendall(answer)

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed below
                return
            threading.Thread(target=converse, args=(connection,), daemon=True).start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()


def outcome_of(port, tmp_path, **facts):
    """Send a small plan and return what was seen."""
    body = tmp_path / "body.json"
    body.write_bytes(BODY)
    common = {"rate": 100, "seconds": 0.5, "connections": 1, "seed": 0}
    loop = OpenLoop(Plan(port, "/predict", str(body), **common | facts))
    loop.run()
    for connection in loop.idle:
        connection.socket.close()
    return loop.outcome()


def test_arrivals_have_exponential_gaps_and_the_rate_asked_for():
    moments = arrivals(1000, 20, np.random.default_rng(0))
    gaps = np.diff(moments)

    assert len(moments) == pytest.approx(20_000, abs=5 * 20_000**0.5)
    assert gaps.min() >= 0
    assert moments[-1] < 20
    assert gaps.std() == pytest.approx(0.001, rel=0.05)  # as large as the mean
    assert (gaps > 0.001).mean() == pytest.approx(np.exp(-1), abs=0.02)


def test_arrivals_are_those_of_their_seed():
    first, again, other = (arrivals(50, 2, np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_every_request_is_answered_and_counted(tmp_path):
    with answering(lambda number: CHUNKED if number % 2 else ANSWER) as port:
        seen = outcome_of(port, tmp_path, connections=4)

    n_sent = len(arrivals(100, 0.5, np.random.default_rng(0)))
    assert len(seen["latencies"]) == n_sent
    assert seen["answers"] == {"{}": n_sent}
    assert seen["statuses"] == {"200": n_sent}
    assert seen["lost"] == 0


def test_requests_due_while_the_server_stalls_are_charged_the_wait(tmp_path):
    stall = 0.3

    def respond(number):
        if number == 0:
            time.sleep(stall)
        return ANSWER

    with answering(respond) as port:
        seen = outcome_of(port, tmp_path)

    due = arrivals(100, 0.5, np.random.default_rng(0))
    waited = int((due < due[0] + stall).sum())
    late = [latency for latency in seen["latencies"] if latency > stall / 10]
    assert waited > 20
    assert len(late) >= 0.8 * waited  # a closed loop would have seen a single slow answer


def test_requests_that_get_no_answer_are_lost_and_the_rest_goes_on(tmp_path):
    with answering(lambda number: None if number == 3 else ANSWER) as port:
        seen = outcome_of(port, tmp_path)

    assert seen["lost"] == 1
    assert len(seen["latencies"]) == len(arrivals(100, 0.5, np.random.default_rng(0))) - 1


def test_percentile_is_a_value_that_was_seen():
    values = [5.0, 1.0, 4.0, 2.0, 3.0]

    assert [percentile(values, p) for p in (0, 20, 50, 99, 100)] == [1, 1, 3, 5, 5]
    assert percentile(list(range(1000)), 99.9) == 998
