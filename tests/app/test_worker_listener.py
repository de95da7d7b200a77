"""Which connections a worker accepts, and when: real sockets and ledger, a loop that only notes."""

import contextlib
import errno
import os
import socket
from types import SimpleNamespace

import pytest

from app.worker import ledger as ledger_module
from app.worker.head import HeadReader
from app.worker.ledger import Ledger
from app.worker.listener import _EXHAUSTED_S, _MOMENT_S, _MOST_A_TURN, Listener
from app.worker.places import Places
from app.worker.shared import Shared

PLENTY = Places(1000, 128)


class Timer:
    """Something that an event loop would call later."""

    def __init__(self, timers, seconds, call):
        self.timers, self.seconds, self.call = timers, seconds, call
        timers.append(self)

    def cancel(self):
        if self in self.timers:
            self.timers.remove(self)


class Opening:
    """A task that never ends: the connection is there from the beginning."""

    def add_done_callback(self, call):
        pass


class NotedLoop:
    """An event loop whose readers and timers the test calls itself."""

    def __init__(self):
        self.readers = {}
        self.timers = []
        self.n_pauses = 0
        self.accepted = []

    def time(self):
        return 0.0

    def add_reader(self, number, call, *arguments):
        self.readers[number] = lambda: call(*arguments)

    def remove_reader(self, number):
        self.n_pauses += self.readers.pop(number, None) is not None

    def call_later(self, seconds, call, *arguments):
        return Timer(self.timers, seconds, lambda: call(*arguments))

    def connect_accepted_socket(self, make, accepted):
        self.accepted.append(accepted)
        make()

    def create_task(self, _opening):
        return Opening()


class Worker:
    """A listener with its loop, as one of the processes that share a socket."""

    def __init__(self, listening, ledger, places=PLENTY):
        self.loop = NotedLoop()
        self.shared = Shared(
            loop=self.loop,
            application=None,
            takes_long=None,
            large=None,
            pages=None,
            settings=SimpleNamespace(max_body_bytes=1000, answer_timeout=5),
            keepalive=65,
            heads=HeadReader(1000, 100, 1000),
            environ={},
            count_request=None,
            report=lambda: self.listener.report(),
            end=None,
        )
        slot = ledger.take()
        self.listener = Listener([listening], self.shared, ledger, slot, places)
        self.listener.start(1)

    @property
    def size(self):
        """Return how many connections it has."""
        return len(self.shared.connections)

    @property
    def is_listening(self):
        """Return whether it would hear of a connection."""
        return bool(self.loop.readers)

    def turn(self):
        """Let it hear that connections are waiting; return how many it accepted."""
        before = len(self.loop.accepted)
        for call in list(self.loop.readers.values()):
            call()
        return len(self.loop.accepted) - before

    def let_time_pass(self):
        """Let its one pause end; return how many connections it accepted then."""
        before = len(self.loop.accepted)
        (timer,) = self.loop.timers
        self.loop.timers.clear()
        timer.call()
        return len(self.loop.accepted) - before

    def lose(self):
        """Let one connection end."""
        next(iter(self.shared.connections)).connection_lost(None)


@pytest.fixture
def listening():
    """Return a socket that many can wait at."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield server


@pytest.fixture
def connect(listening):
    """Return a function that lets clients connect, whom nobody has accepted yet."""
    with contextlib.ExitStack() as opened:

        def begin(number):
            for _ in range(number):
                opened.enter_context(socket.create_connection(listening.getsockname()))

        yield begin


@pytest.fixture
def start(listening):
    """Return a function that starts a worker; what it accepted is closed in the end."""
    ledger, workers = Ledger(), []

    def begin(places=PLENTY):
        workers.append(Worker(listening, ledger, places))
        return workers[-1]

    yield begin
    for accepted in (one for worker in workers for one in worker.loop.accepted):
        accepted.close()


def test_worker_without_siblings_takes_all_that_wait_a_turn_after_the_other(start, connect):
    worker = start()
    connect(2 * _MOST_A_TURN + 3)

    assert [worker.turn() for _ in range(4)] == [_MOST_A_TURN, _MOST_A_TURN, 3, 0]
    assert worker.loop.n_pauses == 0


def test_connections_that_come_and_go_cost_no_pause_beside_an_idle_sibling(start, connect):
    worker, _idle = start(), start()

    for _ in range(50):
        connect(1)
        worker.turn()
        worker.lose()

    assert len(worker.loop.accepted) == 50
    assert worker.loop.n_pauses == 0


def test_worker_takes_its_share_and_leaves_the_next_to_its_sibling(start, connect):
    worker, sibling = start(), start()
    connect(5)

    assert worker.turn() == 2
    assert worker.is_listening
    assert worker.turn() == 0
    assert not worker.is_listening
    assert [timer.seconds for timer in worker.loop.timers] == [_MOMENT_S]
    assert sibling.turn() == 3


def test_share_grows_with_what_the_sibling_has(start, connect, listening):
    worker, sibling = start(), start()
    connect(90)
    while sibling.size < 40:
        sibling.listener._accept_up_to(40 - sibling.size, listening)

    assert sibling.size == 40
    assert sum(worker.turn() for _ in range(5)) == 45


def test_pause_ends_as_soon_as_the_worker_has_few_again(start, connect):
    worker, _idle = start(), start()
    connect(4)
    worker.turn()
    worker.turn()

    worker.lose()

    assert worker.is_listening
    assert worker.loop.timers == []
    assert worker.turn() == 1


def test_stop_in_a_pause_takes_what_waits_and_listens_no_more(start, connect):
    """A closed socket that the event loop still watches ends the whole process."""
    worker, sibling = start(), start()
    connect(5)
    worker.turn()
    worker.turn()
    sibling.turn()
    connect(2)

    worker.shared.is_stopping = True
    worker.listener.stop(100)

    assert worker.size == 4
    assert not worker.is_listening


def test_what_a_busy_sibling_leaves_is_taken_faster_and_faster(start, connect):
    worker, _busy = start(), start()
    connect(60)
    worker.turn()

    taken = []
    for _ in range(6):
        worker.turn()
        assert not worker.is_listening
        taken.append(worker.let_time_pass())

    assert taken == [1, 2, 4, 8, 16, 16]
    connect(1)  # the backlog has been empty at some time after these
    while worker.turn() or worker.let_time_pass():
        pass
    connect(9)
    worker.turn()
    assert worker.let_time_pass() == 1


def test_sibling_that_is_frozen_is_forgotten(start, connect, monkeypatch):
    worker, _frozen = start(), start()
    now = ledger_module.time.monotonic()
    monkeypatch.setattr(ledger_module.time, "monotonic", lambda: now + 10)
    connect(12)

    assert worker.turn() == 12


@pytest.mark.parametrize("number", [16, 64])
@pytest.mark.parametrize("ahead", [1, 5])
def test_connections_opened_at_once_spread_whoever_is_awake_more_often(
    start, connect, number, ahead
):
    """The one runs several turns of its loop for each of the other's; pauses end as they fall."""
    eager, lazy = start(), start()
    connect(number)

    for _ in range(number):
        for _ in range(ahead):
            eager.turn()
        lazy.turn()
        for worker in (eager, lazy):
            if worker.loop.timers:
                worker.let_time_pass()

    assert eager.size + lazy.size == number
    assert max(eager.size, lazy.size) <= 0.6 * number


def test_connection_that_was_told_enough_makes_place_for_a_new_one(start, connect):
    worker = start(Places(1, 1))
    connect(2)
    worker.turn()
    told, other = worker.shared.connections
    told._is_leaving = True
    told._transport = SimpleNamespace(abort=lambda: told.connection_lost(None))
    connect(1)

    assert (worker.turn(), worker.turn()) == (0, 1)
    assert told not in worker.shared.connections
    assert other in worker.shared.connections
    assert worker.loop.n_pauses == 0


def test_without_any_place_nobody_is_accepted_until_a_connection_ends(start, connect):
    worker = start(Places(1, 1))
    connect(3)

    assert (worker.turn(), worker.turn()) == (2, 0)
    assert not worker.is_listening
    assert [timer.seconds for timer in worker.loop.timers] == [_EXHAUSTED_S]
    worker.lose()
    assert worker.turn() == 1


def test_machine_without_descriptors_is_asked_again(start, connect, listening, caplog):
    worker = start()
    connect(1)
    error = OSError(errno.ENFILE, os.strerror(errno.ENFILE))
    failing = SimpleNamespace(fileno=listening.fileno, accept=lambda: raise_(error))
    worker.listener._sockets = [failing]
    worker.listener._resume()

    assert worker.turn() == 0
    assert not worker.is_listening
    assert "cannot accept" in caplog.text
    worker.listener._sockets = [listening]
    assert worker.let_time_pass() == 1
    assert worker.is_listening


def raise_(error):
    raise error
