"""Heavy work gives way to requests."""

import sys
import threading
import time

import pytest

from app import pace
from app.pace import PAUSE_SECONDS, SLICE_SECONDS, paced


@pytest.fixture
def naps(monkeypatch):
    """Return the list of the pauses that are made, without waiting for them."""
    found = []
    monkeypatch.setattr(pace.time, "sleep", found.append)
    return found


def work(slices):
    """Call functions until some slices have gone by."""
    until = time.perf_counter() + slices * SLICE_SECONDS
    while time.perf_counter() < until:
        str(until)


def test_thread_pauses_after_each_slice_of_work(naps):
    with paced():
        work(slices=10)

    assert 1 <= len(naps) <= 11
    assert set(naps) == {PAUSE_SECONDS}


def test_thread_runs_on_afterwards_whatever_happened(naps):
    def fail():
        with paced():
            raise ValueError("something in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        fail()

    naps.clear()
    work(slices=5)
    assert naps == []


def test_other_threads_are_left_alone():
    found = []

    with paced():
        other = threading.Thread(target=lambda: found.append(sys.getprofile()))
        other.start()
        other.join()

    assert found == [None]
