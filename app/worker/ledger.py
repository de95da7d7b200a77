"""How many connections each worker holds, in memory that all of them share."""

from __future__ import annotations

import mmap
import time

_SLOTS = 128
# A worker reports twice a second; silent for longer, it is busy, hung or dead.
_SILENT_S = 2.0
# A worker that was killed leaves its slot behind. It is taken again once Gunicorn would have ended
# even a hung owner; until then new workers get others.
_ABANDONED_S = 120.0


class Ledger:
    """One slot a worker: when it last reported, and its connections; -1 until it accepts any.

    The master takes the slots, one after the other, so no two workers get the same. Each worker
    writes its own alone; eight aligned bytes are written as a whole.
    """

    def __init__(self) -> None:
        self._cells = memoryview(mmap.mmap(-1, 16 * _SLOTS + 8)).cast("d")  # the last: slots in use
        for slot in range(_SLOTS):
            self._cells[2 * slot] = float("-inf")

    def take(self) -> int:
        """Return a slot that no living worker has; in the master, before the fork."""
        now = time.monotonic()
        slot = min(range(_SLOTS), key=lambda slot: self._cells[2 * slot])
        if self._cells[2 * slot] > now - _ABANDONED_S:
            slot = _SLOTS - 1  # shared by all that come now: they spread less evenly, that is all
        self._cells[2 * slot] = now
        self._cells[2 * slot + 1] = -1
        self._cells[-1] = max(self._cells[-1], slot + 1)
        return slot

    def report(self, slot: int, connections: int) -> None:
        """Say that the worker of a slot is alive and how many connections it has."""
        self._cells[2 * slot] = time.monotonic()
        self._cells[2 * slot + 1] = connections

    def leave(self, slot: int) -> None:
        """Say that the worker of a slot accepts no more, and needs the slot no more."""
        self._cells[2 * slot + 1] = -1
        self._cells[2 * slot] = float("-inf")

    def n_ready(self) -> int:
        """Return how many workers accept connections, or would."""
        oldest = time.monotonic() - _SILENT_S
        slots = range(int(self._cells[-1]))
        return sum(self._cells[2 * s] > oldest and self._cells[2 * s + 1] >= 0 for s in slots)

    def smallest_other(self, slot: int) -> float:
        """Return the connections of the sibling that has fewest, infinity where there is none."""
        oldest = time.monotonic() - _SILENT_S
        smallest = float("inf")
        for other in range(int(self._cells[-1])):
            count = self._cells[2 * other + 1]
            if 0 <= count < smallest and other != slot and self._cells[2 * other] > oldest:
                smallest = count
        return smallest
