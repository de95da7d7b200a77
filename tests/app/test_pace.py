"""Heavy work gives way to requests."""

import sys
import threading

import pytest

from app import pace
from app.pace import PAUSE_SECONDS, SLICE_SECONDS, paced


class Clock:
    """A clock that only work moves, and the pauses that were made by it."""

    def __init__(self):
        self.now = 0.0
        self.naps = []

    def work(self, slices):
        """Call four functions a slice."""
        for _ in range(4 * slices):
            self.now += SLICE_SECONDS / 4
            abs(self.now)


@pytest.fixture
def clock(monkeypatch):
    """Return what takes the place of time."""
    clock = Clock()
    monkeypatch.setattr(pace.time, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(pace.time, "sleep", clock.naps.append)
    return clock


def test_thread_pauses_after_each_slice_of_work(clock):
    with paced():
        clock.work(slices=10)

    assert set(clock.naps) == {PAUSE_SECONDS}
    assert (
        8 <= len(clock.naps) <= 10
    )  # a slice ends with the fourth call after it began, or the fifth


def test_thread_runs_on_afterwards_whatever_happened(clock):
    def fail():
        with paced():
            raise ValueError("something in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        fail()

    clock.work(slices=5)
    assert clock.naps == []


def test_other_threads_are_left_alone():
    found = []

    with paced():
        other = threading.Thread(target=lambda: found.append(sys.getprofile()))
        other.start()
        other.join()

    assert found == [None]
