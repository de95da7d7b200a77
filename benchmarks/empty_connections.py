"""Connections that are opened and closed without a byte, so many a second.

Port scanners do this, health checks of balancers on the level of TCP, and attackers. It runs in a
process of its own, ``python -m benchmarks.empty_connections JSON``, for a number of seconds or
until SIGTERM, and prints what it did as JSON.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import uvloop

TURN_S = 0.002  # connections that are due within such a time are opened one after the other
MOST_PENDING = 1_000  # that the server has not even let in; those beyond are not opened
PATIENCE_S = 10.0


@dataclass(frozen=True)
class Plan:
    """How many connections a second, for how long."""

    port: int
    rate: float
    seconds: float


class Flood:
    """Opens and closes connections at a constant rate, however slowly they are accepted."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.opened = 0
        self.failed = 0
        self.held_back = 0
        self.pending: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Open what is due, turn by turn."""
        is_over = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, is_over.set)
        began = perf_counter()
        done = 0
        while (elapsed := perf_counter() - began) < self.plan.seconds and not is_over.is_set():
            due = int(elapsed * self.plan.rate)
            for _ in range(due - done):
                self._begin()
            done = due
            await asyncio.sleep(TURN_S)
        self.seconds = perf_counter() - began
        if self.pending:
            await asyncio.wait(self.pending)

    def _begin(self) -> None:
        if len(self.pending) >= MOST_PENDING:
            self.held_back += 1
            return
        task = asyncio.ensure_future(self._open_and_close())
        self.pending.add(task)
        task.add_done_callback(self.pending.discard)

    async def _open_and_close(self) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket() as connection:
            connection.setblocking(False)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await loop.sock_connect(connection, ("127.0.0.1", self.plan.port))
                self.opened += 1
            except OSError:  # a time-out is one, too
                self.failed += 1

    def outcome(self) -> dict[str, Any]:
        """Return how many connections were opened, could not be, and were not tried."""
        return {
            "seconds": self.seconds,
            "opened": self.opened,
            "failed": self.failed,
            "held_back": self.held_back,
        }


def command(plan: Plan) -> list[str]:
    """Return the command that carries a plan out."""
    return [sys.executable, "-m", "benchmarks.empty_connections", json.dumps(asdict(plan))]


async def carry_out(plan: Plan) -> dict[str, Any]:
    """Open and close connections as planned and return what was done."""
    flood = Flood(plan)
    await flood.run()
    return flood.outcome()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(carry_out(Plan(**json.loads(sys.argv[1]))))))
