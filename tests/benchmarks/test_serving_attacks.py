"""What attacks a service in the benchmark, and how what was seen is put into a table."""

import asyncio
import json
import socket
import threading
import time

import pytest

from benchmarks import empty_connections, health_probe, slow_link
from benchmarks.serving_attacks import UNKNOWN_KEYS, UNKNOWN_ROWS, Seen, seen, table, unknown_rows
from tests.benchmarks.test_open_loop import answering

HEALTHY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def test_unknown_rows_are_eight_kilobytes_of_names_that_all_differ():
    body = unknown_rows()
    rows = json.loads(body)

    assert 7_000 < len(body) < 10_000
    assert len(rows) == UNKNOWN_ROWS
    assert len({name for row in rows for name in row}) == UNKNOWN_ROWS * UNKNOWN_KEYS


def test_only_answers_with_200_count_and_all_others_are_failures():
    outcome = {
        "seconds": 2.0,
        "answers": [[[200, "{}", 5], [429, "", 1]], [[200, "[]", 3]]],
        "lost": {"ConnectionResetError": 2},
    }

    found = seen([1.0], outcome)

    assert found == Seen(health_ms=[1.0], per_second=4.0, failures=3)


def test_table_has_the_services_side_by_side_under_each_attack():
    ours, other = "fraudscore", "fraudscore, gthread"
    found = {
        (ours, "nothing else"): [Seen([1.0, 2.0], 100, 0), Seen([9.0], 200, 1)],
        (other, "nothing else"): [Seen([3.0], 50, 0)],
        (ours, "a flood"): [Seen([5.0], 10, 0)],
        (other, "a flood"): [Seen([4.0], 20, 0)],
    }

    _, _, *lines = table(found).splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]

    assert [line[:2] for line in cells] == [
        ["nothing else", ours],
        ["nothing else", other],
        ["a flood", ours],
        ["a flood", other],
    ]
    assert cells[0][2:] == ["2.0", "9.0", "9.0", "150", "1"]


def test_flood_opens_as_many_connections_as_planned_and_sends_nothing():
    received = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept():
            while True:
                connection, _ = listener.accept()
                with connection:
                    received.append(connection.recv(1))
                    if received[-1]:
                        return

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        port = listener.getsockname()[1]
        outcome = asyncio.run(empty_connections.carry_out(empty_connections.Plan(port, 500, 0.2)))
        with socket.create_connection(("127.0.0.1", port)) as last:
            last.sendall(b"x")
            acceptor.join()

    assert outcome["failed"] == outcome["held_back"] == 0
    assert 0 < outcome["opened"] <= 500 * outcome["seconds"]
    assert received == [b""] * outcome["opened"] + [b"x"]


def test_health_is_asked_at_its_moments_however_slow_the_answers_are():
    is_over = threading.Event()

    def respond():
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ports.append(listener.getsockname()[1])
            is_ready.set()
            held = [listener.accept()[0] for _ in range(5)]
            for connection in held:  # only when all have asked
                connection.recv(4096)
                connection.sendall(HEALTHY)
            is_over.wait()
            for connection in held:
                connection.close()

    ports, is_ready = [], threading.Event()
    server = threading.Thread(target=respond)
    server.start()
    is_ready.wait()
    outcome = asyncio.run(health_probe.carry_out(health_probe.Plan(ports[0], 0.02, 0.1)))
    is_over.set()
    server.join()

    assert len(outcome["milliseconds"]) == 5
    assert outcome["failures"] == []
    assert max(outcome["milliseconds"]) >= 60  # the first waited for the last question


def test_health_that_cannot_be_asked_counts_as_the_whole_patience():
    with answering(lambda _: HEALTHY) as port:
        pass

    outcome = asyncio.run(health_probe.carry_out(health_probe.Plan(port, 0.01, 0.01)))

    assert outcome == {"milliseconds": [10_000.0], "failures": ["ConnectionRefusedError"]}


def test_slow_link_passes_everything_on_and_lets_answers_wait():
    async def ask(port):
        link = slow_link.SlowLink(slow_link.Plan(0, port, 0.05, 0.06))
        server = await asyncio.start_server(link._meet, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            began = time.perf_counter()
            writer.write(b'{"Amount":1}')
            answer = await reader.readexactly(len(HEALTHY))
            waited = time.perf_counter() - began
            writer.close()
            await writer.wait_closed()
        return answer, waited

    with answering(lambda _: HEALTHY) as port:
        answer, waited = asyncio.run(ask(port))

    assert answer == HEALTHY
    assert waited >= 0.05


@pytest.mark.parametrize("module", [empty_connections, health_probe, slow_link])
def test_program_is_told_its_plan_as_json(module):
    facts = {"port": 1, "rate": 2.0, "seconds": 3.0, "every_s": 0.1, "behind": 4}
    facts |= {"least_s": 0.0, "most_s": 1.0}
    fields = module.Plan.__dataclass_fields__
    plan = module.Plan(**{name: value for name, value in facts.items() if name in fields})

    *_, name, text = module.command(plan)

    assert name == module.__name__
    assert module.Plan(**json.loads(text)) == plan
