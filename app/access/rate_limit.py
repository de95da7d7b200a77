"""Rate limits: how many requests a client may send in a window of time."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from math import ceil
from typing import Any

from limits import RateLimitItem, parse_many
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from app.access.counters import WorkerCounters
from model.errors import ConfigurationError

logger = logging.getLogger(__name__)

_LIMIT = r" *[0-9]{1,9} */ *([1-9][0-9]{0,4} *)?(second|minute|hour|day)s? *"
_LIMITS = re.compile(f"{_LIMIT}(;{_LIMIT})*")
_SCHEMES = ("redis://", "rediss://", "redis+unix://")
# A request waits for Redis, and with it everything else in the worker's loop: not for long, and
# not again and again.
_REDIS_TIMEOUT_S = 0.1
_REDIS_PAUSE_S = 5.0


class RateLimited(TooManyRequests):
    """A limit is used up; the headers say which one, and when to come back."""

    def __init__(self, limits: list[RateLimitItem], exceeded: RateLimitItem, wait_s: int) -> None:
        super().__init__(f"More than {_named(exceeded)}. Try again in {wait_s} s.")
        self._limits = limits
        self._exceeded = exceeded
        self._wait_s = wait_s

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        """Add Retry-After and the fields of draft-ietf-httpapi-ratelimit-headers."""
        policies = (f'"{_named(i)}";q={i.amount};w={i.get_expiry()}' for i in self._limits)
        return [
            *super().get_headers(*args, **kwargs),
            ("Retry-After", str(self._wait_s)),
            ("RateLimit-Policy", ", ".join(policies)),
            ("RateLimit", f'"{_named(self._exceeded)}";r=0;t={self._wait_s}'),
        ]


class RateLimits:
    """Counts the requests of each client against the limits.

    Windows are fixed: half the cost of a moving window in memory, and one short command for each
    limit in Redis. The price is that twice the limit can pass around the end of a window.

    With Redis all workers count together. While it does not answer, each worker counts by itself,
    which refuses nobody whom Redis would have let pass.
    """

    def __init__(
        self, limits: str, redis_url: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.failures = 0  # how often Redis did not answer
        self._limits = parse_limits(limits)
        self._clock = clock
        self._local = FixedWindowRateLimiter(WorkerCounters(clock))
        self._shared = None if redis_url is None else FixedWindowRateLimiter(_connect(redis_url))
        self._is_failing = False
        self._ask_redis_at = 0.0
        where = "in each worker" if redis_url is None else "over all workers, in Redis"
        logger.info("rate limits: %s, counted %s", "; ".join(map(_named, self._limits)), where)

    def count(self, client: str) -> None:
        """Count a request of a client; raise ``RateLimited`` where it is one too many."""
        if self._shared is not None and self._clock() >= self._ask_redis_at:
            try:
                self._count_in(self._shared, client)
            except self._shared.storage.base_exceptions as error:
                self._note_failure(error)
            else:
                self._note_success()
                return
        self._count_in(self._local, client)

    def _count_in(self, limiter: FixedWindowRateLimiter, client: str) -> None:
        """Count in one place; the shortest window first, so that a burst uses up only that one."""
        for limit in self._limits:
            if not limiter.hit(limit, client):
                ends = limiter.get_window_stats(limit, client).reset_time
                now = self._clock() if limiter is self._local else time.time()
                raise RateLimited(self._limits, limit, max(1, ceil(ends - now)))

    def _note_failure(self, error: Exception) -> None:
        """Leave Redis alone for a while; log only the first time."""
        self.failures += 1
        self._ask_redis_at = self._clock() + _REDIS_PAUSE_S
        if not self._is_failing:
            self._is_failing = True
            kind = type(error).__name__  # the text could repeat the address with its password
            logger.error("Redis does not answer (%s): each worker counts rate limits alone", kind)

    def _note_success(self) -> None:
        """Log that Redis is back."""
        if self._is_failing:
            self._is_failing = False
            logger.info("Redis answers again: rate limits are counted over all workers")


def parse_limits(text: str) -> list[RateLimitItem]:
    """Read limits such as ``100/second;5000/minute``, shortest window first."""
    limits = parse_many(text) if _LIMITS.fullmatch(text) else []
    if not limits or any(limit.amount < 1 for limit in limits):
        example = "FRAUDSCORE_RATE_LIMIT must be like 100/second;5000/minute"
        raise ConfigurationError(f"{example}, not {text!r}")
    return sorted(limits, key=RateLimitItem.get_expiry)


def _connect(url: str) -> RedisStorage:
    """Return the storage; it connects with the first request, so that no fork shares a socket."""
    problem = "FRAUDSCORE_REDIS_URL must be like redis://host:6379/0"
    if not url.startswith(_SCHEMES):
        raise ConfigurationError(problem)
    try:
        return RedisStorage(
            url,
            key_prefix="fraudscore",
            socket_timeout=_REDIS_TIMEOUT_S,
            socket_connect_timeout=_REDIS_TIMEOUT_S,
        )
    except ValueError:  # its text would repeat the address with its password
        raise ConfigurationError(problem) from None


def _named(limit: RateLimitItem) -> str:
    """Return the name of a limit as an operator writes it."""
    multiples = f"{limit.multiples} " if limit.multiples > 1 else ""
    return f"{limit.amount}/{multiples}{limit.GRANULARITY.name}"
