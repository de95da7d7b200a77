"""Asks for /health at fixed moments, whether answers come or not, each time over a new connection.

Whoever asks again only after an answer asks a service that stalls less often, and finds it better
than it is. It runs in a process of its own, ``python -m benchmarks.health_probe JSON``, for a
number of seconds or until SIGTERM, and prints what it saw as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
from dataclasses import asdict, dataclass
from http import HTTPStatus
from time import perf_counter
from typing import Any

import uvloop

PATIENCE_S = 10.0
GET = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@dataclass(frozen=True)
class Plan:
    """Whom to ask, how often, for how long."""

    port: int
    every_s: float
    seconds: float


class Probe:
    """The questions of a plan and the milliseconds to each answer.

    What is not answered in time, or with another status than 200, counts as the whole patience.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.milliseconds: list[float] = []
        self.failures: list[str] = []

    async def run(self) -> None:
        """Ask at every moment that is due."""
        is_over = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, is_over.set)
        began = perf_counter()
        asked: list[asyncio.Task[None]] = []
        while not is_over.is_set() and (due := len(asked) * self.plan.every_s) < self.plan.seconds:
            await asyncio.sleep(max(began + due - perf_counter(), 0))
            asked.append(asyncio.ensure_future(self._ask()))
        await asyncio.gather(*asked)

    async def _ask(self) -> None:
        began = perf_counter()
        try:
            async with asyncio.timeout(PATIENCE_S):
                status = await self._status()
        except (OSError, EOFError) as error:  # a time-out is one, too
            self.failures.append(type(error).__name__)
        else:
            if status == HTTPStatus.OK:
                self.milliseconds.append(1e3 * (perf_counter() - began))
                return
            self.failures.append(str(status))
        self.milliseconds.append(1e3 * PATIENCE_S)

    async def _status(self) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.plan.port)
        try:
            writer.write(GET)
            return int((await reader.readuntil(b"\r\n")).split()[1])
        finally:
            writer.close()

    def outcome(self) -> dict[str, Any]:
        """Return what was seen, as JSON can hold it."""
        return {"milliseconds": self.milliseconds, "failures": self.failures}


def command(plan: Plan) -> list[str]:
    """Return the command that carries a plan out."""
    return [sys.executable, "-m", "benchmarks.health_probe", json.dumps(asdict(plan))]


async def carry_out(plan: Plan) -> dict[str, Any]:
    """Ask as planned and return what was seen."""
    probe = Probe(plan)
    await probe.run()
    return probe.outcome()


if __name__ == "__main__":
    gc.disable()  # a collection would look like a slow answer
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(carry_out(Plan(**json.loads(sys.argv[1]))))))
