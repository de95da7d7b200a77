"""Clients that send slowly, take slowly, or come in crowds never hold up the others."""

import contextlib
import json
import os
import select
from pathlib import Path

import pytest

from tests.app.gunicorn import receive_all, receive_answer, receive_answers, wait_for
from tests.factories import valid_row

GET = b"GET /x HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: x\r\n"
ECHO = "tests.app.echo:application()"


@pytest.fixture
def crowd():
    """Return a function that opens connections and sends the same on each; close them after."""
    with contextlib.ExitStack() as opened:

        def gather(server, number, *parts):
            connections = [opened.enter_context(server.connect()) for _ in range(number)]
            for connection in connections:
                connection.sendall(b"".join(parts))
            return connections

        yield gather


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /health HT", GET, POST + b"Content-Length: 9\r\n\r\nab"],
    ids=["nothing", "half a line", "half a head", "half a body"],
)
def test_forty_stuck_clients_hold_nobody_up(standing, crowd, sent):
    crowd(standing, 40, sent)

    for _ in range(5):
        assert standing.get("/health").ok
        assert standing.post("/predict", valid_row()).ok


@pytest.fixture(scope="module")
def standing(serve_for_long):
    """Return a service that several tests share."""
    return serve_for_long()


@pytest.fixture(scope="module")
def impatient(serve_for_long):
    """Return a service that waits for nothing longer than a second."""
    return serve_for_long(
        ECHO,
        "--keep-alive",
        "1",
        FRAUDSCORE_HEAD_TIMEOUT="1",
        FRAUDSCORE_BODY_TIMEOUT="1",
        FRAUDSCORE_ANSWER_TIMEOUT="1",
    )


@pytest.mark.parametrize(
    "sent",
    [
        GET,
        POST + b"Content-Length: 9\r\n\r\nab",
        POST + b"Transfer-Encoding: chunked\r\n\r\n9\r\nab",
        GET + b"\r\n" + GET,
    ],
    ids=["head", "body", "chunk", "second head"],
)
def test_request_that_does_not_arrive_in_time_is_408(impatient, crowd, sent):
    (connection,) = crowd(impatient, 1, sent)

    received = receive_all(connection)

    last = received[received.rindex(b"HTTP/1.1 ") :]
    assert last.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nConnection: close\r\n" in last
    assert json.loads(last.partition(b"\r\n\r\n")[2])["status"] == 408


def test_bytes_now_and_then_do_not_prolong_the_time_for_a_head(impatient, crowd):
    (connection,) = crowd(impatient, 1, GET)

    def ended():
        if answered([connection], 0.05):
            return connection.recv(1000)
        connection.sendall(b"X")
        return b""

    assert wait_for(ended, "an answer").startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("sent", [b"", GET + b"\r\n"], ids=["new", "kept alive"])
def test_idle_connection_is_closed_without_a_word(impatient, crowd, sent):
    (connection,) = crowd(impatient, 1, sent)

    assert receive_all(connection).count(b"HTTP/1.1 200") == (1 if sent else 0)


def test_reader_that_takes_nothing_is_cut(impatient, crowd):
    (pid,) = impatient.workers()
    files = len(os.listdir(f"/proc/{pid}/fd"))

    (connection,) = crowd(impatient, 1, b"GET /large?bytes=50000000 HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_for(lambda: answered([connection]), "the first bytes")
    wait_for(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= files, "the cut")

    received = 0
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            received += len(piece)
    assert received < 50_000_000


def test_slow_reader_gets_everything_and_the_worker_makes_one_answer_at_a_time(serve, crowd):
    server = serve(ECHO)
    size = 20_000_000
    request = b"GET /large?bytes=%d HTTP/1.1\r\nHost: x\r\n\r\n" % size

    (connection,) = crowd(server, 1, request * 12)
    assert [server.get("/x").status_code for _ in range(20)] == [200] * 20
    memory = memory_of(server)
    answers = receive_answers(connection, 12)

    assert memory < 150_000_000
    assert [len(body) for _, _, body in answers] == [size] * 12


def memory_of(server):
    """Return the resident memory of the one worker, in bytes."""
    (pid,) = server.workers()
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def test_connections_beyond_the_limit_get_503_at_once(serve, crowd):
    server = serve(ECHO, "--worker-connections", "4")
    server.raw(GET + b"Connection: close\r\n\r\n")  # who asked before it is gone by now
    busy = crowd(server, 4, GET)
    wait_for(lambda: server.get("/x").status_code == 503, "a full house")

    (refused,) = crowd(server, 1)
    ((status, headers, body),) = receive_answers(refused, 1)
    for connection in busy:
        connection.sendall(b"\r\n")

    assert (status, headers["retry-after"], headers["connection"]) == (503, "1", "close")
    assert json.loads(body)["request_id"] == headers["x-request-id"]
    assert [receive_answers(connection, 1)[0][0] for connection in busy] == [200] * 4


def test_idle_connections_make_room_for_new_ones(serve, crowd):
    server = serve(ECHO, "--worker-connections", "4")
    crowd(server, 4, GET + b"\r\n")

    wait_for(lambda: server.get("/x").ok, "room")


def test_connections_that_never_sent_anything_make_room_first(serve, crowd):
    """A client that is between two requests keeps its connection, however long the others sat."""
    server = serve(ECHO, "--worker-connections", "4")
    (kept,) = crowd(server, 1, GET + b"\r\n")
    receive_answers(kept, 1)
    silent = crowd(server, 3)

    wait_for(lambda: server.get("/x").ok, "room")
    kept.sendall(GET + b"\r\n")

    assert receive_answers(kept, 1)[0][0] == 200
    assert answered(silent, 1)


def test_large_bodies_beyond_the_memory_for_them_get_503(serve, crowd):
    """Eight of the largest may be on their way at a time; small requests need none of that."""
    server = serve(ECHO, FRAUDSCORE_MAX_BODY_BYTES="1000000")
    head = POST + b"Content-Length: 1000000\r\n\r\n"

    large = crowd(server, 12, head, b" " * 999_000)
    wait_for(lambda: len(answered(large)) == 4, "four refusals")
    small = server.post("/x", {})
    waiting = [connection for connection in large if connection not in answered(large)]
    for connection in waiting:
        connection.sendall(b" " * 1000)
    answers = [receive_answers(connection, 1)[0] for connection in large]

    assert small.ok
    assert sorted(status for status, _, _ in answers) == [200] * 8 + [503] * 4
    assert {h["retry-after"] for status, h, _ in answers if status == 503} == {"1"}


def answered(connections, patience=0):
    """Return the connections on which something has arrived, or does within so many seconds."""
    return select.select(connections, [], [], patience)[0]


@pytest.mark.parametrize("body", [b" " * 2_000_000, b"{}," * 2000], ids=["bytes", "rows"])
def test_large_request_leaves_the_loop_to_the_small_ones(serve, crowd, body, tmp_path):
    server = serve(ECHO)
    gate = tmp_path / "gate"
    head = b"POST /hold?until=%b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"

    (large,) = crowd(server, 1, head % (bytes(gate), len(body)), body, GET + b"\r\n")
    assert [server.get("/x").status_code for _ in range(20)] == [200] * 20
    assert not answered([large])
    gate.touch()

    assert [status for status, _, _ in receive_answers(large, 2)] == [200, 200]


def test_rows_that_take_long_leave_the_loop_to_the_small_requests(serve, crowd):
    """Sixty batches that are small in bytes take seconds; who asks after them waits for none."""
    server = serve()
    body = json.dumps([valid_row()] * 1000).encode()
    head = b"POST /predict?explain=1&anomaly=1 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"

    batches = crowd(server, 60, head % len(body), b"Content-Type: application/json\r\n\r\n", body)
    health = server.get("/health").status_code
    n_waiting = len(batches) - len(answered(batches))

    assert health == 200
    assert n_waiting > 30


def test_large_requests_beyond_those_that_may_wait_get_503(serve, crowd, tmp_path):
    server = serve(ECHO)
    gate = tmp_path / "gate"
    body = b" " * 70_000
    head = b"POST /hold?until=%b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"

    many = crowd(server, 64 + 3, head % (bytes(gate), len(body)), body)
    wait_for(lambda: len(answered(many)) == 3, "three refusals")
    pages = [server.get("/metrics") for _ in range(3)]  # which do not wait behind them
    gate.touch()
    answers = [receive_answers(connection, 1)[0] for connection in many]

    assert [page.status_code for page in pages] == [200] * 3
    assert sorted(status for status, _, _ in answers) == [200] * 64 + [503] * 3
    assert {h["retry-after"] for status, h, _ in answers if status == 503} == {"1"}
    assert server.post("/x", {"a": "b" * 70_000}).ok


def test_client_that_asks_for_much_at_once_takes_turns_with_the_others(serve, crowd, tmp_path):
    server = serve(ECHO)
    gates = [tmp_path / str(number) for number in range(30)]
    held = [b"GET /hold?until=%b HTTP/1.1\r\nHost: x\r\n\r\n" % bytes(gate) for gate in gates]
    (greedy,) = crowd(server, 1, *held)
    wait_for(lambda: any(line["message"] == "held" for line in server.log()), "the first turn")
    (modest,) = crowd(server, 1, GET + b"\r\n")

    n_answered = 0
    with greedy.makefile("rb") as stream:
        while not answered([modest]):
            gates[n_answered].touch()
            assert receive_answer(stream)[0] == 200
            n_answered += 1

    assert n_answered < 15
    for gate in gates[n_answered:]:
        gate.touch()
