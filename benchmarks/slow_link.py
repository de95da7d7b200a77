"""A TCP proxy that lets every answer wait: what is behind it is slow, but never silent.

It runs in a process of its own, ``python -m benchmarks.slow_link JSON``, until it is ended.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from dataclasses import asdict, dataclass

import uvloop

PIECE = 65536


@dataclass(frozen=True)
class Plan:
    """Where it listens, what is behind it, and how long an answer waits at least and at most."""

    port: int
    behind: int
    least_s: float
    most_s: float
    seed: int = 0


class SlowLink:
    """Passes bytes on at once towards the server, and after a wait towards the client."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rng = random.Random(plan.seed)  # noqa: S311 (nothing secret)

    async def run(self) -> None:
        """Serve until cancelled."""
        server = await asyncio.start_server(self._meet, "127.0.0.1", self.plan.port)
        async with server:
            await server.serve_forever()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            near, far = await asyncio.open_connection("127.0.0.1", self.plan.behind)
        except OSError:
            writer.close()
            return
        await asyncio.gather(
            self._pass_on(reader, far, is_slow=False), self._pass_on(near, writer, is_slow=True)
        )

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_slow: bool
    ) -> None:
        try:
            while piece := await reader.read(PIECE):
                if is_slow:
                    await asyncio.sleep(self.rng.uniform(self.plan.least_s, self.plan.most_s))
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass  # one end is gone, so the other may go
        finally:
            writer.close()


def command(plan: Plan) -> list[str]:
    """Return the command that carries a plan out."""
    return [sys.executable, "-m", "benchmarks.slow_link", json.dumps(asdict(plan))]


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(SlowLink(Plan(**json.loads(sys.argv[1]))).run())
