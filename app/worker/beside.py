"""A thread beside the event loop, which takes what would hold the loop for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from app.refusal import overloaded
from app.worker.exchange import Exchange

# Those that wait take memory, and the last of them its patience.
_MOST = 64


class Beside:
    """Makes answers one after the other; all but the making happens on the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = ThreadPoolExecutor(1)
        self._thread.submit(int)  # begins now: where no thread can be had no request meets this
        self._n_given = 0  # being made or waiting
        self._since = float("inf")  # when the one at hand was begun

    def make(self, answer: Callable[[], Exchange], then: Callable[[Exchange], None]) -> None:
        """Have an answer made and then handed over; refuse it where too many wait already."""
        if self._n_given >= _MOST:
            raise overloaded("There are too many large requests just now.")
        self._n_given += 1
        self._thread.submit(self._make, answer, then)

    def is_overdue(self, timeout: float) -> bool:
        """Whether the answer at hand has taken longer than a worker may be silent."""
        return timeout > 0 and self._loop.time() - self._since > timeout

    def end(self) -> None:
        """Make no more answers."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _make(self, answer: Callable[[], Exchange], then: Callable[[Exchange], None]) -> None:
        """Make one answer, in the thread."""
        self._since = self._loop.time()
        exchange = answer()
        self._since = float("inf")
        self._loop.call_soon_threadsafe(self._hand_over, exchange, then)

    def _hand_over(self, exchange: Exchange, then: Callable[[Exchange], None]) -> None:
        """Give an answer to who asked for it, on the loop."""
        self._n_given -= 1
        then(exchange)
