"""Connections that bring no request, or only a part of one, hold nobody up."""

import contextlib
import socket
import time

import pytest

from benchmarks import closed_loop, empty_connections
from benchmarks.generator import generating
from benchmarks.serving_health import UNFINISHED
from tests.app.gunicorn import DEADLINE_S
from tests.app.soak.traffic import Footprint, reads_proc

pytestmark = [pytest.mark.soak, reads_proc]

LASTING_S = 5
IDLE = 2_000  # as many as two workers take; what comes then needs room
IDLE_FOR_S = 1.5  # those that were opened a moment ago are not ended for others
SLOWER_S = 0.03  # clients pause so long beside a flood, which takes much of a small machine
SLOW = 300
DRIP_EVERY_S = 0.2


@pytest.mark.parametrize("rate", [600, 1_000, 2_000])
def test_empty_connections_hold_nobody_up(serve_two, load, rate):
    server = serve_two()
    footprint = Footprint(server)
    flood = empty_connections.Plan(server.port, rate, LASTING_S)
    with (
        generating(empty_connections.command(flood)) as flooding,
        load(server.port, pause_s=SLOWER_S) as seen,
    ):
        flooded = flooding.outcome()

    assert flooded["opened"] > rate * LASTING_S / 2, flooded
    seen.assert_nothing_lost()
    seen.assert_healthy()
    footprint.assert_not_larger()


@pytest.mark.parametrize("clients", [1, 4, 16])
def test_clients_that_keep_no_connection_are_all_answered(serve_two, load, clients):
    server = serve_two()
    footprint = Footprint(server)
    with load(
        server.port, clients=clients, keeps_connection=False, pause_s=0, seconds=LASTING_S
    ) as seen:
        time.sleep(LASTING_S)

    seen.assert_nothing_lost()
    seen.assert_healthy()
    footprint.assert_not_larger()


@contextlib.contextmanager
def holding(port, number, sent=b""):
    """Hold connections open that have sent something; yield them."""
    with contextlib.ExitStack() as stack:
        held = []
        for _ in range(number):
            connection = socket.create_connection(("127.0.0.1", port), DEADLINE_S)
            held.append(stack.enter_context(connection))
            if sent:
                connection.sendall(sent)
        yield held


def test_idle_connections_make_room_for_others(serve_two, load):
    server = serve_two()
    footprint = Footprint(server)
    with holding(server.port, IDLE):
        time.sleep(IDLE_FOR_S)
        with load(server.port) as seen:
            time.sleep(LASTING_S)

    seen.assert_nothing_lost()
    seen.assert_healthy()
    footprint.assert_not_larger()


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
def test_unfinished_requests_hold_nobody_up(serve_two, load, sent):
    server = serve_two()
    footprint = Footprint(server)
    with holding(server.port, SLOW, sent), load(server.port) as seen:
        time.sleep(LASTING_S)

    seen.assert_nothing_lost()
    seen.assert_healthy()
    footprint.assert_not_larger()


def test_requests_that_drip_are_ended_and_hold_nobody_up(serve_two, load):
    """A head and a body of which a byte comes now and then; each phase has a time of its own."""
    server = serve_two(FRAUDSCORE_HEAD_TIMEOUT="2", FRAUDSCORE_BODY_TIMEOUT="2")
    footprint = Footprint(server)
    head, body = UNFINISHED["half a head"], UNFINISHED["half a body"]
    with (
        holding(server.port, SLOW, head) as heads,
        holding(server.port, SLOW, body) as bodies,
        load(server.port) as seen,
    ):
        ends = time.monotonic() + LASTING_S
        while time.monotonic() < ends:
            for connection in (*heads, *bodies):
                with contextlib.suppress(OSError):
                    connection.send(b"x")
            time.sleep(DRIP_EVERY_S)
        answers = {connection.recv(100)[9:12] for connection in (*heads, *bodies)}

    assert answers == {b"408"}
    seen.assert_nothing_lost()
    seen.assert_healthy()
    footprint.assert_not_larger()


def test_clients_that_take_no_answer_hold_nobody_up(serve_two, load, transactions):
    """They send one request after the other and read nothing."""
    server = serve_two()
    footprint = Footprint(server)
    plan = closed_loop.Plan(server.port, "/openapi.json", transactions.files[:1], 1, 1)
    request = closed_loop.ClosedLoop(plan).requests[0].replace(b"POST", b"GET", 1)
    with holding(server.port, 40) as held, load(server.port) as seen:
        for connection in held:
            connection.setblocking(False)
        ends = time.monotonic() + LASTING_S
        while time.monotonic() < ends:
            for connection in held:
                with contextlib.suppress(OSError):
                    connection.send(request * 10)
            time.sleep(DRIP_EVERY_S)

    seen.assert_nothing_lost()
    seen.assert_healthy()
    footprint.assert_not_larger()
