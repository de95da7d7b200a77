"""What is read from /proc, against processes and connections that the test makes itself."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.process_tree import (
    connections,
    cpu_seconds,
    machine_seconds,
    processes,
    proportional_bytes,
    sockets_of,
    stat_fields,
)

pytestmark = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="there is no /proc")

MARK = f"BENCHMARK_TEST={os.getpid()}"
DEADLINE_S = 30


def wait_for(condition):
    """Ask again and again until a condition holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


@pytest.fixture
def start():
    """Return a function that runs Python code in a process of its own, until the test ends."""
    started = []

    def run(code, **environ):
        process = subprocess.Popen(  # noqa: S603 (ourselves)
            [sys.executable, "-c", code],
            env=os.environ | environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.communicate()  # closes its input, which it waits for


def test_command_with_brackets_and_blanks_does_not_shift_the_fields():
    fields = stat_fields("7 (a ) (b) S 3 7 7 0 -1 0 0 0 0 0 11 12 13 14 20")

    assert fields[:2] == ["S", "3"]
    assert fields[11:15] == ["11", "12", "13", "14"]


def test_children_and_marked_strangers_belong_to_the_tree(start):
    waits = "import sys; sys.stdin.read()"
    name, _, value = MARK.partition("=")
    parent = start(
        "import subprocess, sys;"
        f"child = subprocess.Popen([sys.executable, '-c', {waits!r}]);"
        "print(child.pid, flush=True); child.wait()"
    )
    child = int(parent.stdout.readline())
    marked = start(waits, **{name: value})
    stranger = start(waits)

    found = wait_for(lambda: (pids := processes(parent.pid, MARK)) >= {child, marked.pid} and pids)

    assert parent.pid in found
    assert stranger.pid not in found


def test_process_that_has_ended_is_in_no_tree(start):
    process = start("")
    process.wait(timeout=DEADLINE_S)

    assert processes(process.pid, MARK) == set()


def test_processor_time_and_memory_are_those_of_the_process(start):
    idle = start("import sys; sys.stdin.read()")
    busy = start(
        "import sys, time; block = b'x' * 50_000_000\n"
        "while time.process_time() < 0.3: pass\n"
        "print(flush=True); sys.stdin.read()"
    )
    busy.stdout.readline()

    assert cpu_seconds({busy.pid}) >= 0.29
    assert proportional_bytes({busy.pid}) > 50e6
    assert proportional_bytes({busy.pid, idle.pid}) > proportional_bytes({busy.pid})
    assert cpu_seconds({2**22 + 1}) == 0  # such a process cannot be


def test_time_stolen_from_the_machine_is_busy_and_waiting_for_a_disk_is_not():
    ticks = os.sysconf("SC_CLK_TCK")
    row = " ".join(str(ticks * seconds) for seconds in (1, 2, 3, 40, 50, 6, 7, 8))

    busy, whole = machine_seconds(f"cpu  {row} 0 0\ncpu0 9 9 9 9 9 9 9 9 9 9\n")

    assert (busy, whole) == (27, 117)


def test_connections_are_counted_by_the_process_that_accepted_them():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        accepted = [listener.accept()[0] for _ in range(2)]  # one stays in the queue

        held = connections({os.getpid()}, port)

        for connection in (*clients, *accepted):
            connection.close()
    assert held == {os.getpid(): 2}


def test_sockets_of_other_ports_states_and_of_nobody_are_left_out():
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
    row = "   {n}: 0100007F:{port:04X} 0100007F:9999 {state} 0:0 00:0 0 0 0 {inode} 1 0 20 4\n"
    rows = [(8000, "01", 51), (8000, "0A", 52), (8001, "01", 53), (8000, "01", 0)]
    table = head + "".join(
        row.format(n=n, port=port, state=state, inode=inode)
        for n, (port, state, inode) in enumerate(rows)
    )

    assert sockets_of(table, 8000) == {"51"}
