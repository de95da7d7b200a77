"""What the processes of a server use, read from /proc: processor time, memory, connections."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
ESTABLISHED = "01"
GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


def stat_fields(text: str) -> list[str]:
    """Return what follows the command in a ``stat`` file; a command may hold blanks and brackets.

    The first field is the state; the parent is number 1, processor times are numbers 11 to 14.
    """
    return text[text.rindex(")") + 2 :].split()


def processes(root: int, mark: str) -> set[int]:
    """Return the living descendants of a process, itself too, and all that carry a mark.

    The mark is text in the environment that they inherited: daemons that left the tree keep it.
    """
    children: dict[int, list[int]] = {}
    living: set[int] = set()
    todo = [root]
    for folder in PROC.glob("[0-9]*"):
        with suppress(*GONE):
            fields = stat_fields((folder / "stat").read_text())
            if fields[0] == "Z":
                continue
            living.add(int(folder.name))
            children.setdefault(int(fields[1]), []).append(int(folder.name))
            if mark.encode() in (folder / "environ").read_bytes():
                todo.append(int(folder.name))
    found: set[int] = set()
    while todo:
        pid = todo.pop()
        if pid in living and pid not in found:
            found.add(pid)
            todo += children.get(pid, [])
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the user and system time of processes and of their children that have ended."""
    ticks = 0
    for pid in pids:
        with suppress(*GONE):
            fields = stat_fields((PROC / str(pid) / "stat").read_text())
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS_A_SECOND


def machine_seconds(text: str) -> tuple[float, float]:
    """Return the busy and the whole time of all processors, from the text of ``/proc/stat``.

    Waiting for a disk is idle; what a hypervisor gave to others is busy.
    """
    ticks = [int(field) for field in text.split("\n", 1)[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return (sum(ticks) - idle) / TICKS_A_SECOND, sum(ticks) / TICKS_A_SECOND


def proportional_bytes(pids: Iterable[int]) -> int:
    """Return the memory of processes, where a page that n of them share counts 1/n in each."""
    total = 0
    for pid in pids:
        with suppress(*GONE):
            for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def sockets_of(table: str, port: int) -> set[str]:
    """Return the inodes of a server's open connections, from the text of ``/proc/net/tcp``.

    Those that nobody has accepted yet have no inode, or number 0.
    """
    found = set()
    for line in table.splitlines()[1:]:
        fields = line.split()
        local_port = int(fields[1].rpartition(":")[2], 16)
        if local_port == port and fields[3] == ESTABLISHED and fields[9] != "0":
            found.add(fields[9])
    return found


def connections(pids: Iterable[int], port: int) -> Counter[int]:
    """Return how many of a server's open connections each of its processes holds."""
    names = {f"socket:[{inode}]" for inode in sockets_of((PROC / "net/tcp").read_text(), port)}
    held: Counter[int] = Counter()
    for pid in pids:
        with suppress(*GONE):
            for descriptor in (PROC / str(pid) / "fd").iterdir():
                with suppress(*GONE):
                    held[pid] += os.readlink(descriptor) in names
    return +held
