"""What became of the master's attempts to start workers, in memory that all processes share."""

from __future__ import annotations

import mmap


class Starts:
    """Two numbers that the master writes and every worker may read.

    Memory that was there before the first fork needs nothing more to be written to, also where no
    file, descriptor or process can be had.
    """

    def __init__(self) -> None:
        self._cells = memoryview(mmap.mmap(-1, 16)).cast("d")

    @property
    def failed(self) -> float:
        """How many starts of workers have failed."""
        return self._cells[0]

    @property
    def missing(self) -> float:
        """How many workers are missing because they could not be started."""
        return self._cells[1]

    def count_failure(self) -> None:
        """Count one more start that failed; in the master."""
        self._cells[0] += 1

    def report_missing(self, workers: int) -> None:
        """Say how many workers are missing; in the master."""
        self._cells[1] = workers
