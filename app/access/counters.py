"""Counters of the rate limits in this worker's memory, however many clients there are."""

from __future__ import annotations

import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from threading import Lock

from limits.storage import Storage

_MOST_COUNTERS = 20_000  # a window length; about 5 MB


class WorkerCounters(Storage):
    """Fixed windows in memory, for the strategies of ``limits``.

    The memory storage of ``limits`` itself grows with the number of clients and walks over all of
    them every ten milliseconds from a thread; here each request drops what has run out before it.
    """

    STORAGE_SCHEME = None

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, most_counters: int = _MOST_COUNTERS
    ) -> None:
        super().__init__()
        self._clock = clock
        self._most_counters = most_counters
        self._lock = Lock()
        # window length → key → [count, end]; the oldest window first, which is the first to end
        self._windows: defaultdict[float, OrderedDict[str, list[float]]] = defaultdict(OrderedDict)

    @property
    def base_exceptions(self) -> type[Exception]:
        """Name what a storage may raise; this one has nothing that can fail."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count a request and return how many this window has seen."""
        now = self._clock()
        with self._lock:
            counters = self._windows[expiry]
            while counters and next(iter(counters.values()))[1] <= now:
                counters.popitem(last=False)
            counter = counters.get(key)
            if counter is None:
                if len(counters) >= self._most_counters:
                    counters.popitem(last=False)
                counter = counters[key] = [0, now + expiry]
            counter[0] += amount
            return int(counter[0])

    def get(self, key: str) -> int:
        """Return how many requests the window of a key has seen."""
        return int(self._find(key)[0])

    def get_expiry(self, key: str) -> float:
        """Return when the window of a key ends."""
        return self._find(key)[1]

    def clear(self, key: str) -> None:
        """Forget a key."""
        with self._lock:
            for counters in self._windows.values():
                counters.pop(key, None)

    def check(self) -> bool:
        """Return whether the storage can be reached, which memory always is."""
        return True

    def reset(self) -> int:
        """Forget everything; return how much that was."""
        with self._lock:
            forgotten = sum(map(len, self._windows.values()))
            self._windows.clear()
        return forgotten

    def _find(self, key: str) -> list[float]:
        """Return the counter of a key; one that has run out is none."""
        now = self._clock()
        with self._lock:
            found = (counters[key] for counters in self._windows.values() if key in counters)
            return next((counter for counter in found if counter[1] > now), [0, now])
