"""Rate limits: how many requests a client may send in a window of time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from math import ceil
from threading import Lock
from typing import Any, Literal

from werkzeug.exceptions import TooManyRequests

from app.access.counters import MOST_COUNTERS, CounterTable
from app.access.limits import Limit, parse_limits

logger = logging.getLogger(__name__)

Kind = Literal["key", "address"]


class RateLimited(TooManyRequests):
    """A limit is used up; the headers say which one, and when to come back."""

    def __init__(self, limits: list[Limit], exceeded: Limit, wait_s: int) -> None:
        super().__init__(f"More than {exceeded}. Try again in {wait_s} s.")
        self._limits = limits
        self._exceeded = exceeded
        self._wait_s = wait_s

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        """Add Retry-After and the fields of draft-ietf-httpapi-ratelimit-headers."""
        policies = (f'"{limit}";q={limit.amount};w={limit.window_s}' for limit in self._limits)
        return [
            *super().get_headers(*args, **kwargs),
            ("Retry-After", str(self._wait_s)),
            ("RateLimit-Policy", ", ".join(policies)),
            ("RateLimit", f'"{self._exceeded}";r=0;t={self._wait_s}'),
        ]


class RateLimits:
    """Counts the requests of each client against the limits, in memory and at once.

    A window begins with a client's first request. Windows are fixed, which costs one number a
    client; the price is that twice the limit can pass around the end of a window.

    With Redis the workers tell each other what they have counted, a little later and beside the
    requests: no request waits for Redis, however it behaves. Keys and addresses have tables of
    their own, so that no number of addresses touches the count of a key.
    """

    def __init__(
        self,
        limits: str,
        redis_url: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        most_counters: int = MOST_COUNTERS,
    ) -> None:
        self._limits = parse_limits(limits)
        self._clock = clock
        self._lock = Lock()
        self._tables: dict[Kind, list[CounterTable]] = {
            "key": [CounterTable("key", limit, most_counters) for limit in self._limits],
            "address": [CounterTable("address", limit, most_counters) for limit in self._limits],
        }
        self.exchange = None
        if redis_url is not None:
            from app.access.redis_exchange import RedisExchange  # its library takes 0.1 s to load

            self.exchange = RedisExchange(redis_url, self._lock, clock)
        where = "in each worker" if redis_url is None else "over all workers, in Redis"
        logger.info("rate limits: %s, counted %s", "; ".join(map(str, self._limits)), where)

    @property
    def failures(self) -> int:
        """How often Redis failed."""
        return 0 if self.exchange is None else self.exchange.failures

    def open(self) -> None:
        """Begin to count with the other workers; after the fork, which no thread survives."""
        if self.exchange is not None:
            self.exchange.open()

    def count(self, kind: Kind, client: str) -> None:
        """Count a request of a client; raise ``RateLimited`` where it is one too many.

        A request that is refused is not counted.
        """
        tables = self._tables[kind]
        with self._lock:
            now = self._clock()
            waits = [(table.used_up_until(client, now) or 0.0, table.limit) for table in tables]
            end, exceeded = max(waits, key=lambda wait: wait[0])
            if end <= now:
                counters = [table.count(client, now) for table in tables]
                if self.exchange is not None:
                    self.exchange.tell(counters)
                return
        raise RateLimited(self._limits, exceeded, max(1, ceil(end - now)))
