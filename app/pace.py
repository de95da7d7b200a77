"""Heavy work beside requests, a little at a time."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

SLICE_SECONDS = 0.001  # of work
PAUSE_SECONDS = 0.004  # after each, in which requests have the interpreter to themselves


@contextmanager
def paced() -> Iterator[None]:
    """Let this thread pause whenever it has run for a slice, at the next call of a function.

    A thread that computes gives up the interpreter only now and then, and a request asks for it
    several times: it would wait several times. The interpreter calls the profile hook at every
    call of a function, in this thread alone, so that what is computed needs no pauses of its own.
    """
    resumed = time.perf_counter()

    def pause_when_due(*_event: object) -> None:
        nonlocal resumed
        if time.perf_counter() - resumed > SLICE_SECONDS:
            time.sleep(PAUSE_SECONDS)
            resumed = time.perf_counter()

    before = sys.getprofile()
    sys.setprofile(pause_when_due)
    try:
        yield
    finally:
        sys.setprofile(before)
