"""How often each client has passed in its window: bounded memory that never lets a limit slip.

At most so many clients have a counter of their own. Where one more comes, the client that has used
least of its limit loses its counter, and what it had used is kept for its neighbourhood: whoever
begins there, it or another, begins with that much used (the algorithm *Space-Saving* of Metwally,
Agrawal and El Abbadi, 2005, with one remainder for each neighbourhood). A count is therefore never
too low, and too high for nobody until the limit was passed through more often than there are
counters. Nobody loses a counter that is used up while any other is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from app.access.limits import Limit

MOST_COUNTERS = 20_000  # of each limit; about 7 MB
# Networks of providers, /16 of IPv4 and /32 of IPv6, share remainders. Python mixes a secret into
# the hash of a text, so that nobody can choose with whom.
_NEIGHBOURHOODS = 1024
_DROPPED_AT_ONCE = 8  # of the windows that have ended, so that no request pays for thousands


@dataclass(slots=True, eq=False)
class Counter:
    """One window of a client; times are those of a monotonic clock."""

    table: CounterTable
    client: str
    used: int  # at least as often as the client has passed
    end: float
    untold: int = 0  # of these, those that Redis has not been told of


@dataclass(slots=True)
class _Remainder:
    """The most that a client without a counter may have used, and until when."""

    used: int
    end: float


class CounterTable:
    """The counters of all clients of one kind, for one limit. The caller holds a lock."""

    def __init__(self, kind: str, limit: Limit, most_counters: int = MOST_COUNTERS) -> None:
        self.limit = limit
        self._kind = kind
        self._most_counters = most_counters
        self._counters: dict[str, Counter] = {}  # what began first comes first
        # The same by how much is used: to give up another than the least used would let a network
        # raise its remainder by one client, and then all that come after it.
        self._by_use: dict[int, dict[str, Counter]] = {}
        self._remainders: dict[int, _Remainder] = {}

    def __len__(self) -> int:
        return len(self._counters)

    def used_up_until(self, client: str, now: float) -> float | None:
        """Return when a client may come back, None where it need not wait."""
        counter: Counter | _Remainder | None = self._counters.get(client)
        if counter is None or counter.end <= now:
            counter = self._remainder(client, now)
        if counter is None or counter.used < self.limit.amount:
            return None
        return counter.end

    def count(self, client: str, now: float) -> Counter:
        """Count a request that passes."""
        counter = self._counters.get(client)
        if counter is None or counter.end <= now:
            counter = self._begin(client, now)
        self._use(counter, counter.used + 1)
        return counter

    def learn(self, counter: Counter, total: int, end: float) -> None:
        """Take over what all workers together have counted, and when their window ends."""
        counter.end = min(counter.end, end)
        self._use(counter, max(counter.used, total + counter.untold))

    def shared_name(self, client: str) -> str:
        """Return under which name all workers count a client."""
        limit = self.limit
        return (
            f"fraudscore:LIMITER/{self._kind}/{client}"
            f"/{limit.amount}/{limit.multiples}/{limit.unit}"
        )

    def _begin(self, client: str, now: float) -> Counter:
        """Open a window, with what a client without a counter may have used before."""
        ended = [c for c in islice(self._counters.values(), _DROPPED_AT_ONCE) if c.end <= now]
        for counter in ended:
            self._drop(counter)
        if client in self._counters:
            self._drop(self._counters[client])
        if len(self._counters) >= self._most_counters:
            self._give_up_one(now)
        before = self._remainder(client, now)
        used = 0 if before is None else before.used
        counter = Counter(self, client, used, now + self.limit.window_s)
        self._counters[client] = counter
        self._sort_in(counter)
        return counter

    def _use(self, counter: Counter, used: int) -> None:
        """Note how much is used, of a counter that may have been given up meanwhile."""
        if self._counters.get(counter.client) is counter:
            self._sort_out(counter)
            counter.used = used
            self._sort_in(counter)

    def _sort_in(self, counter: Counter) -> None:
        """Find a counter by its use from now on."""
        use = min(counter.used, self.limit.amount)
        self._by_use.setdefault(use, {})[counter.client] = counter

    def _sort_out(self, counter: Counter) -> None:
        """Find a counter by its use no more."""
        use = min(counter.used, self.limit.amount)
        same = self._by_use[use]
        del same[counter.client]
        if not same:
            del self._by_use[use]

    def _drop(self, counter: Counter) -> None:
        """Let a counter go."""
        del self._counters[counter.client]
        self._sort_out(counter)

    def _give_up_one(self, now: float) -> None:
        """Keep of the counter that has used least only its remainder."""
        counter = next(iter(self._by_use[min(self._by_use)].values()))
        self._drop(counter)
        if counter.end > now:
            before = self._remainder(counter.client, now) or _Remainder(0, now)
            self._remainders[_neighbourhood(counter.client)] = _Remainder(
                max(before.used, counter.used), max(before.end, counter.end)
            )

    def _remainder(self, client: str, now: float) -> _Remainder | None:
        """Return what counters of a neighbourhood left behind, while it counts."""
        if not self._remainders:
            return None
        place = _neighbourhood(client)
        remainder = self._remainders.get(place)
        if remainder is not None and remainder.end <= now:
            del self._remainders[place]
            return None
        return remainder


def _neighbourhood(client: str) -> int:
    """Return where clients share a remainder: by the first two groups of an address."""
    return hash(tuple(re.split("[.:]", client, maxsplit=2)[:2])) % _NEIGHBOURHOODS
