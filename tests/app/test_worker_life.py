"""How workers begin, share connections, and end: nothing that was accepted is lost."""

import contextlib
import os
import select
import signal
import socket
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.app.gunicorn import (
    DEADLINE_S,
    Process,
    receive_answer,
    receive_answers,
    wait_for,
    with_constant,
)

GET = b"GET /x HTTP/1.1\r\nHost: x\r\n"
ECHO = "tests.app.echo:application()"


@pytest.fixture
def load():
    """Return a function that keeps clients busy until it is told to stop."""
    with contextlib.ExitStack() as running:

        def begin(server, **options):
            clients = Clients(server, **options)
            running.callback(clients.stop)
            return clients

        yield begin


class Clients:
    """Clients in threads, half of them on kept-alive connections, each counting what it gets."""

    def __init__(self, server, number=8):
        self.server = server
        self.outcomes = Counter()
        self.pids = set()
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(bool(n % 2),)) for n in range(number)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self):
        """End all clients."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self, keeps):
        """Send one request after the other; a new connection whenever the old one was ended."""
        request = GET + (b"" if keeps else b"Connection: close\r\n") + b"\r\n"
        while not self._ended.is_set():
            try:
                connection = self.server.connect()
            except ConnectionError:  # nobody listens any more: nothing was accepted
                return
            with connection, connection.makefile("rb") as stream:
                is_new = True
                while not self._ended.is_set():
                    try:
                        connection.sendall(request)
                        status, headers, _ = receive_answer(stream)
                    except (OSError, IndexError) as error:
                        self.outcomes["never accepted" if is_new else repr(error)] += 1
                        break
                    is_new = False
                    self.outcomes[status] += 1
                    self.pids.add(headers["x-pid"])
                    if headers.get("connection") == "close":
                        break


@pytest.fixture(scope="module")
def pair(serve_for_long):
    """Return a service of two workers for the tests that leave it running."""
    return serve_for_long(ECHO, WEB_CONCURRENCY="2")


@pytest.mark.parametrize("number", [16, 64])
def test_connections_opened_together_spread_over_the_workers(pair, number):
    wait_for(lambda: len(both_pids(pair)) == 2, "both workers")

    with contextlib.ExitStack() as opened:
        connections = [opened.enter_context(pair.connect()) for _ in range(number)]
        for connection in connections:
            connection.sendall(GET + b"\r\n")
        pids = Counter(receive_answers(one, 1)[0][1]["x-pid"] for one in connections)

    assert sum(pids.values()) == number
    assert max(pids.values()) <= 0.6 * number


def test_first_connections_of_all_spread_too(serve):
    server = serve(ECHO, WEB_CONCURRENCY="2")  # it has answered once, and that is all

    with contextlib.ExitStack() as opened:
        connections = [opened.enter_context(server.connect()) for _ in range(16)]
        for connection in connections:
            connection.sendall(GET + b"\r\n")
        pids = Counter(receive_answers(one, 1)[0][1]["x-pid"] for one in connections)

    assert len(pids) == 2
    assert max(pids.values()) <= 12


def both_pids(server):
    """Return the workers that answer two connections which are open at the same time."""
    with server.connect() as first, server.connect() as second:
        first.sendall(GET + b"\r\n")
        second.sendall(GET + b"\r\n")
        return {receive_answers(one, 1)[0][1]["x-pid"] for one in (first, second)}


def test_busy_worker_leaves_new_connections_to_its_sibling(pair, tmp_path):
    wait_for(lambda: len(both_pids(pair)) == 2, "both workers")

    gate = tmp_path / "gate"

    with pair.connect() as busy:
        busy.sendall(b"GET /hold?until=%b HTTP/1.1\r\nHost: x\r\n\r\n" % bytes(gate))
        wait_for(lambda: is_held(pair), "a busy worker")
        answers = [pair.get("/x") for _ in range(20)]
        gate.touch()
        ((status, headers, _),) = receive_answers(busy, 1)

    assert status == 200
    assert headers["x-pid"] not in {answer.headers["X-Pid"] for answer in answers}
    assert len({answer.headers["X-Pid"] for answer in answers}) == 1


def test_killed_worker_holds_nobody_up_and_is_replaced(pair, load):
    clients = load(pair)
    first, second = pair.workers()
    wait_for(lambda: {str(first), str(second)} <= clients.pids, "both workers")

    os.kill(first, signal.SIGKILL)
    wait_for(lambda: len(clients.pids) == 3, "the new worker")
    clients.stop()

    lost = sum(clients.outcomes.values()) - clients.outcomes[200]
    assert lost <= 8  # what was in its hands: at most one request a client


def test_frozen_worker_holds_nobody_up(pair):
    wait_for(lambda: len(both_pids(pair)) == 2, "both workers")
    frozen = pair.workers()[0]

    os.kill(frozen, signal.SIGSTOP)
    try:
        with contextlib.ExitStack() as opened:
            connections = [opened.enter_context(pair.connect()) for _ in range(40)]
            for connection in connections:
                connection.sendall(GET + b"\r\n")
            answers = [receive_answers(connection, 1)[0] for connection in connections]
    finally:
        os.kill(frozen, signal.SIGCONT)

    assert {(status, headers["x-pid"] == str(frozen)) for status, headers, _ in answers} == {
        (200, False)
    }


def test_connections_that_send_nothing_cost_the_others_no_pause(serve, tmp_path):
    """With a pause of a second for each, or for every tenth, this would take very long."""
    long_pause = with_constant(tmp_path, "app.worker.listener._MOMENT_S", 1.0)
    server = serve(*long_pause, ECHO, WEB_CONCURRENCY="2")
    began = time.monotonic()

    for _ in range(30):
        for _ in range(30):
            server.connect().close()
        assert server.raw(GET + b"Connection: close\r\n\r\n")[0] == 200

    assert time.monotonic() - began < 30


def test_reload_told_to_the_workers_too_loses_nothing(serve, load):
    server = serve(ECHO, WEB_CONCURRENCY="2")
    clients = load(server)
    wait_for(lambda: len(clients.pids) == 2, "both workers")

    for expected in (4, 6):
        os.killpg(server.popen.pid, signal.SIGHUP)
        wait_for(lambda: len(clients.pids) >= expected, "new workers")  # noqa: B023
    clients.stop()

    assert set(clients.outcomes) == {200}
    assert not any("was sent" in line["message"] for line in server.log())


def test_signals_that_are_the_masters_are_nothing_to_a_worker(serve):
    server = serve(ECHO)
    (pid,) = server.workers()
    names = ("ALRM", "HUP", "INT", "PIPE", "TTIN", "TTOU", "USR1", "USR2", "WINCH")

    with server.connect() as connection:
        connection.sendall(GET)
        for name in names:
            os.kill(pid, signal.Signals[f"SIG{name}"])
        server.get("/x")  # by then the worker has got them all
        connection.sendall(b"\r\n")
        ((status, headers, _),) = receive_answers(connection, 1)

    assert (status, headers["x-pid"]) == (200, str(pid))
    assert server.workers() == [pid]


def test_reloads_under_load_lose_nothing(pair, load):
    clients = load(pair)
    wait_for(lambda: len(clients.pids) == 2, "both workers")

    for expected in (4, 6):
        pair.popen.send_signal(signal.SIGHUP)
        wait_for(lambda: len(clients.pids) >= expected, "new workers")  # noqa: B023
    clients.stop()

    assert set(clients.outcomes) == {200}


def test_upgrade_to_a_second_master_loses_nothing(serve, load):
    server = serve(ECHO, WEB_CONCURRENCY="2")
    clients = load(server)
    wait_for(lambda: len(clients.pids) == 2, "both workers")
    old = clients.pids.copy()

    server.popen.send_signal(signal.SIGUSR2)
    wait_for(lambda: clients.pids - old, "a worker of the new master")
    server.popen.terminate()
    server.popen.wait(DEADLINE_S)
    clients.pids.clear()
    wait_for(lambda: len(clients.pids - old) == 2, "both new workers")
    clients.stop()

    assert set(clients.outcomes) == {200}


def test_workers_make_way_after_their_share_of_requests(serve, load):
    server = serve(ECHO, "--max-requests", "50", "--max-requests-jitter", "20", WEB_CONCURRENCY="2")
    clients = load(server)

    wait_for(lambda: len(clients.pids) >= 6, "four replacements")
    clients.stop()

    assert set(clients.outcomes) == {200}
    assert any("Autorestarting" in line["message"] for line in server.log())


def test_stop_under_load_answers_everything_that_was_accepted(serve, load):
    server = serve(ECHO, WEB_CONCURRENCY="2")
    clients = load(server, number=16)
    wait_for(lambda: len(clients.pids) == 2, "both workers")

    server.popen.terminate()
    code, _, errors = server.end()
    clients.stop()

    assert (code, errors) == (0, [])
    # The kernel may complete handshakes between the last accept and the close; after that nobody
    # listens, so this happens to a client once at most.
    assert clients.outcomes.pop("never accepted", 0) <= 16
    assert set(clients.outcomes) == {200}


def test_stop_answers_connections_that_nobody_had_accepted(serve):
    """They wait in the kernel while the only worker is busy, and the stop comes first."""
    server = serve(ECHO)

    with contextlib.ExitStack() as opened:
        busy = opened.enter_context(server.connect())
        busy.sendall(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(lambda: is_held(server), "a busy worker")
        waiting = [opened.enter_context(server.connect()) for _ in range(30)]
        for connection in waiting:
            connection.sendall(GET + b"\r\n")
        server.popen.terminate()
        answers = [receive_answers(connection, 1)[0] for connection in (busy, *waiting)]

    assert [status for status, _, _ in answers] == [200] * 31
    assert {headers["connection"] for _, headers, _ in answers[1:]} == {"close"}
    assert server.end()[0] == 0


def is_held(server):
    """Return whether a worker is held by a request."""
    return any(line["message"] == "held" for line in server.log())


def test_kept_connections_may_still_ask_while_the_service_stops(serve, tmp_path):
    patient = with_constant(tmp_path, "app.worker.shared._STOP_LINGER_S", DEADLINE_S)
    server = serve(*patient, ECHO, "--graceful-timeout", str(DEADLINE_S))

    with server.connect() as connection, connection.makefile("rb") as stream:
        connection.sendall(GET + b"\r\n")
        first = receive_answer(stream)
        server.popen.terminate()
        wait_for(lambda: not _accepts(server), "a closed door")
        closed_early, _, _ = select.select([connection], [], [], 0.8)
        connection.sendall(GET + b"\r\n")
        second = receive_answer(stream)
        rest = stream.read()

    assert not closed_early
    assert "connection" not in first[1]
    assert (second[0], second[1]["connection"], rest) == (200, "close", b"")
    assert server.end()[0] == 0


def _accepts(server):
    """Return whether a new connection is possible."""
    with contextlib.suppress(ConnectionError), server.connect():
        return True
    return False


def test_silent_connections_do_not_hold_up_the_stop(serve):
    server = serve(ECHO, "--graceful-timeout", "1")

    with server.connect(), server.connect() as half:
        half.sendall(GET)
        server.get("/x")
        server.popen.terminate()
        code, _, _ = server.end()

    assert code == 0


def test_hung_worker_is_replaced(serve):
    server = serve(ECHO, "--timeout", "1")
    (hung,) = server.workers()

    with server.connect() as connection:
        connection.sendall(b"GET /hold?until=never HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(lambda: server.workers() not in ([hung], []), "a new worker")

    wait_for(lambda: server.get("/x").ok, "an answer")
    assert any("WORKER TIMEOUT" in line["message"] for line in server.log())


def test_worker_hung_in_a_large_request_is_replaced(serve):
    server = serve(ECHO, "--timeout", "1")
    (hung,) = server.workers()
    size = 2_000_000
    head = b"POST /hold?until=never HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size

    with server.connect() as connection:
        connection.sendall(head + b" " * size)
        wait_for(lambda: server.workers() not in ([hung], []), "a new worker")

    wait_for(lambda: server.get("/x").ok, "an answer")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_quick_stop_waits_for_nobody(serve, number):
    server = serve(ECHO)

    with server.connect() as connection:
        connection.sendall(GET)
        server.popen.send_signal(number)
        code, _, _ = server.end()

    assert code == 0


def test_workers_end_with_their_master(serve):
    server = serve(ECHO)
    (pid,) = server.workers()

    server.popen.kill()

    wait_for(lambda: not Path(f"/proc/{pid}/exe").is_symlink() or _is_dead(pid), "its end")


def _is_dead(pid):
    """Return whether a process has ended, though nobody has asked for its exit code yet."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.fixture
def late(tmp_path):
    """Return the arguments for a configuration that loads the application after the fork."""
    conf = tmp_path / "late.conf.py"
    conf.write_text("exec(open('gunicorn.conf.py').read())\npreload_app = False\n")
    return "-c", str(conf)


def test_application_may_be_loaded_by_each_worker(serve, late):
    server = serve(*late, WEB_CONCURRENCY="2")

    assert server.get("/health").json()["status"] == "ok"


def test_application_that_each_worker_fails_to_load_ends_the_start(model_dir, late):
    with contextlib.closing(Process(model_dir, *late, "tests.app.echo:missing")) as process:
        code, _, errors = process.end()

    assert code == 4
    assert "Failed to find attribute 'missing' in 'tests.app.echo'." in errors


def test_tls_is_refused_in_one_line(model_dir):
    with contextlib.closing(Process(model_dir, "--certfile", "README.md")) as process:
        code, _, errors = process.end()

    assert code == 1
    assert errors == [
        "fraudscore cannot start: this worker speaks no TLS; put a proxy in front of it"
    ]


def test_service_may_listen_on_a_local_socket(serve, tmp_path):
    path = tmp_path / "service"
    proxies = {"FRAUDSCORE_TRUSTED_PROXIES": "10.0.0.1"}
    server = serve(ECHO, "--bind", f"unix:{path}", "--bind", "127.0.0.1:{port}", **proxies)

    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(GET + b"X-Forwarded-For: 192.0.2.7\r\n\r\n")
        ((status, _, body),) = receive_answers(connection, 1)

    assert status == 200
    assert b'"REMOTE_ADDR": "192.0.2.7"' in body
    assert server.popen.poll() is None
