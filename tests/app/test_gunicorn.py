"""The service as production runs it, with its own worker and with Gunicorn's threads."""

import contextlib
import json
import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.app.gunicorn import GUNICORN, Process, receive_all, wait_for
from tests.factories import valid_row
from tests.precision import as_rounded

WORKERS = ["loop", "gthread"]
CANNOT_START = 4  # as Gunicorn says where an application cannot be loaded


@pytest.fixture(params=WORKERS)
def serve(request, serve):
    """Return the function that starts a service, here with each kind of worker."""

    def begin(*arguments, **environ):
        return serve(*arguments, FRAUDSCORE_WORKER=request.param, **environ)

    return begin


@pytest.fixture(scope="module", params=WORKERS)
def standing(request, serve_for_long):
    """Return a service that several tests share."""
    return serve_for_long(FRAUDSCORE_WORKER=request.param)


@pytest.fixture
def damaged(model_dir, tmp_path):
    """Return a copy of the champion's folder, to be damaged."""
    return Path(shutil.copytree(model_dir, tmp_path / "damaged"))


def refused_start(directory, **environ):
    """Start on a folder that cannot work; return the exit code and the lines on stderr."""
    with contextlib.closing(Process(directory, **environ)) as process:
        code, _, errors = process.end()
    return code, errors


def test_cold_start_without_a_model_ends_in_one_line(tmp_path):
    code, lines = refused_start(tmp_path / "nowhere")

    assert code == CANNOT_START
    assert len(lines) == 1
    assert lines[0].startswith("fraudscore cannot start: ")
    assert "nowhere" in lines[0]


class PlainProcess(Process):
    """Gunicorn as somebody starts it who knows nothing of our configuration."""

    def command(self, *arguments):
        return [GUNICORN, "--bind", f"127.0.0.1:{self.port}", "app:wsgi()", *arguments]


def test_cold_start_without_our_configuration_ends_too(tmp_path):
    """Each worker then loads the application, and a new one would try for ever."""
    with contextlib.closing(PlainProcess(tmp_path / "nowhere")) as process:
        code, _, errors = process.end()

    assert code == CANNOT_START
    assert len([line for line in errors if line.startswith("fraudscore cannot start: ")]) == 1


def test_bare_address_leads_to_the_documentation(standing):
    answer = standing.get("/")

    assert [found.status_code for found in answer.history] == [302]
    assert answer.url == f"{standing.url}/docs"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def flip_a_byte(artifact):
    data = bytearray(artifact.read_bytes())
    data[len(data) // 2] ^= 1
    artifact.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda artifact: artifact.unlink(),
        lambda artifact: artifact.write_bytes(b""),
        lambda artifact: artifact.write_bytes(artifact.read_bytes()[:-100]),
        lambda artifact: artifact.write_text("not an artifact"),
        flip_a_byte,
    ],
    ids=["missing", "empty", "truncated", "text", "one flipped byte"],
)
def test_cold_start_with_a_damaged_model_ends_in_one_line(damaged, damage):
    artifact = next(damaged.glob("*.npz"))
    damage(artifact)

    code, lines = refused_start(damaged)

    assert code == CANNOT_START
    assert len(lines) == 1
    assert str(artifact) in lines[0]


def test_cold_start_with_a_damaged_pointer_ends_in_one_line(damaged):
    (damaged / "champion.json").write_text('{"version":\n')

    code, lines = refused_start(damaged)

    assert code == CANNOT_START
    assert len(lines) == 1
    assert "champion.json" in lines[0]


def test_cold_start_with_a_misspelt_setting_ends_in_one_line(model_dir):
    code, lines = refused_start(model_dir, FRAUDSCORE_MAX_ROW="5")

    assert code == CANNOT_START
    assert lines == [
        "fraudscore cannot start: FRAUDSCORE_MAX_ROW is not a setting: "
        "did you mean FRAUDSCORE_MAX_ROWS?"
    ]


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "http"), ("WEB_CONCURRENCY", "0"), ("FRAUDSCORE_WORKER", "sync")]
)
def test_cold_start_with_a_wrong_value_ends_in_one_line(model_dir, name, value):
    code, lines = refused_start(model_dir, **{name: value})

    assert code != 0
    assert len(lines) == 1
    assert lines[0].startswith(f"fraudscore cannot start: {name} must be ")


def test_service_answers_logs_json_lines_and_stops_when_told(serve):
    server = serve()

    answers = [server.post("/predict", valid_row(transaction_id=i)) for i in range(5)]
    server.popen.terminate()
    code, out, errors = server.end()

    assert [answer.json()["transaction_id"] for answer in answers] == list(range(5))
    assert code == 0
    assert errors == []
    lines = [json.loads(line) for line in out]
    scored = [line for line in lines if line.get("route") == "/predict"]
    assert [line["request_id"] for line in scored] == [
        answer.headers["X-Request-ID"] for answer in answers
    ]
    assert any("Starting gunicorn" in line["message"] for line in lines)


def test_settings_reach_the_service(serve):
    server = serve(FRAUDSCORE_MAX_ROWS="2", FRAUDSCORE_MAX_BODY_BYTES="2048")

    assert server.post("/predict", [valid_row()] * 2).status_code == 200
    assert server.post("/predict", [valid_row()] * 3).status_code == 422
    assert server.post("/predict", {"x": "y" * 3000}).status_code == 413


POST = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "chunks",
    [b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n", b"2\r\n{}xx0\r\n\r\n", b"\r\n{}", b"2;\rx\r\n{}"],
    ids=["size", "negative size", "terminator", "no size", "extension"],
)
def test_malformed_chunk_is_400_and_ends_the_connection(standing, chunks):
    status, head, body = standing.raw(CHUNKED, chunks)

    assert status == 400
    assert "application/problem+json" in head
    assert json.loads(body)["status"] == 400


def test_valid_chunks_are_one_body(standing):
    data = json.dumps(valid_row()).encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (1, data[i : i + 1]) for i in range(len(data)))
    closing = CHUNKED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

    status, _, body = standing.raw(closing, chunks, b"0\r\n\r\n")

    assert status == 200
    assert 0 <= json.loads(body)["probability"] <= 1


@pytest.mark.parametrize("framing", ["stated", "chunked"])
def test_body_over_the_limit_is_413_while_the_service_goes_on(serve, framing):
    server = serve(FRAUDSCORE_MAX_BODY_BYTES="2048")
    size = 200_000
    whole = {
        "stated": POST + b"Content-Length: %d\r\n\r\n" % size + b" " * size,
        "chunked": CHUNKED + b"%x\r\n" % size + b" " * size + b"\r\n0\r\n\r\n",
    }[framing]

    status, head, _ = server.raw(whole)

    assert status == 413
    assert "application/problem+json" in head
    assert server.get("/health").status_code == 200


def test_http_1_1_without_a_host_is_400(standing):
    status, _, body = standing.raw(b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n")
    old_status, _, _ = standing.raw(b"GET /health HTTP/1.0\r\n\r\n")

    assert (status, old_status) == (400, 200)
    assert "Host" in json.loads(body)["detail"]


def test_head_has_the_headers_and_no_body(standing):
    status, head, body = standing.raw(
        b"HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )

    assert status == 200
    assert body == b""
    assert f"content-length: {len(standing.get('/health').content)}" in head


def test_killed_worker_is_replaced_even_when_the_model_on_disk_is_gone(serve, damaged):
    server = serve(directory=damaged, WEB_CONCURRENCY="2")
    before = server.get("/health").json()
    next(damaged.glob("*.npz")).write_bytes(b"damaged after the start")
    (damaged / "champion.json").unlink()

    first_workers = set(server.workers())
    for pid in first_workers:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(set(server.workers()) - first_workers) == 2, "two new workers")

    after = wait_for(lambda: server.get("/health"), "an answer").json()
    assert after["model"] == before["model"]
    assert after["status"] == "degraded"


def test_stop_lets_a_request_that_has_begun_finish(serve):
    """Send the head, tell the service to stop, send the rest: the answer still comes."""
    server = serve()
    body = json.dumps(valid_row()).encode()

    with server.connect() as connection:
        connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body[:10])
        # Connections are taken in their order: this one was, once a later one has its answer.
        server.get("/health")
        server.popen.terminate()
        connection.sendall(body[10:])
        received = receive_all(connection)

    assert received.startswith(b"HTTP/1.1 200")
    assert server.end()[0] == 0


def test_answers_of_concurrent_requests_are_never_mixed_up(serve):
    server = serve(WEB_CONCURRENCY="2")
    rows = [valid_row(transaction_id=i, Amount=i / 7) for i in range(64)]
    expected = server.post("/anomaly", rows).json()["predictions"]

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda row: server.post("/anomaly", row).json(), rows * 6))

    for number, answer in enumerate(answers):
        alone = expected[number % 64]
        assert answer["transaction_id"] == alone["transaction_id"]
        assert answer["reconstruction_error"] == as_rounded(alone["reconstruction_error"])


def test_forwarded_address_is_nobodys_way_around_a_limit(serve):
    """Not even that of a client on this machine, unless the machine is said to be a proxy."""
    server = serve(FRAUDSCORE_RATE_LIMIT="2/hour")
    spoofed = [f"192.0.2.{number}" for number in range(4)]

    answers = [server.get("/model", X_Forwarded_For=address) for address in spoofed]

    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
