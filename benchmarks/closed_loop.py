"""Closed-loop load that knows every answer: each client posts a body over and over.

Where ``wrk`` counts, this tells answers apart: by the body they answer, by status and by content.
So an answer that went to another client is found, and so is one that was cut. A request without a
whole answer is lost; one that was not sent yet goes over a new connection where the server has
closed the old one. It runs in a process of its own, ``python -m benchmarks.closed_loop JSON``, for
a number of seconds or until SIGTERM; requests on their way are then waited for, and what was seen
is printed as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any

import uvloop

PATIENCE_S = 15.0  # for an answer; without one in this time the request is lost
PAUSE_AFTER_LOSS_S = 0.02
MOST_ANSWERS = 20  # different answers to a body that are told apart; the others count as one
OTHER = "other"


@dataclass(frozen=True)
class Plan:
    """What to post where. Clients take the bodies in turn, each another one first."""

    port: int
    path: str
    bodies: Sequence[str]  # files
    clients: int
    seconds: float
    keeps_connection: bool = True
    pause_s: float = 0.0  # between an answer and the client's next request


class LostError(Exception):
    """A request that got no whole answer, and why."""


class Client:
    """One client: at most one connection, with at most one request on its way."""

    def __init__(self, plan: Plan, requests: Sequence[bytes]) -> None:
        self.port = plan.port
        self.keeps_connection = plan.keeps_connection
        self.requests = requests
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, number: int) -> tuple[int, bytes]:
        """Post a body; return the status and the body of the answer."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._exchange(self.requests[number])
        except TimeoutError:
            self.close()
            raise LostError("no answer in time") from None
        except asyncio.IncompleteReadError as error:
            self.close()
            raise LostError("cut short" if error.partial else "closed without an answer") from None
        except OSError as error:
            self.close()
            raise LostError(type(error).__name__) from None

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        if self.reader is None or self.writer is None or self.reader.at_eof():
            self.close()
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        body = b""
        if "content-length:" in head:
            length = head.partition("content-length:")[2].partition("\r\n")[0]
            body = await self.reader.readexactly(int(length))
        if not self.keeps_connection or "connection: close" in head:
            self.close()
        return int(head.split(None, 2)[1]), body

    def close(self) -> None:
        """End the connection."""
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


class ClosedLoop:
    """All clients of a plan and what they saw."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.requests = [self._request(Path(body).read_bytes()) for body in plan.bodies]
        self.latencies: list[float] = []
        self.answers: list[Counter[tuple[int, str]]] = [Counter() for _ in plan.bodies]
        self.lost: Counter[str] = Counter()
        self.is_over = asyncio.Event()

    def _request(self, body: bytes) -> bytes:
        closing = "" if self.plan.keeps_connection else "Connection: close\r\n"
        head = (
            f"POST {self.plan.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.plan.port}\r\n{closing}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def run(self) -> None:
        """Let all clients post until the time is over."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.is_over.set)
        loop.call_later(self.plan.seconds, self.is_over.set)
        began = perf_counter()
        await asyncio.gather(*map(self._go_on, range(self.plan.clients)))
        self.seconds = perf_counter() - began

    async def _go_on(self, first: int) -> None:
        """Be one client."""
        client = Client(self.plan, self.requests)
        for number in count(first):
            if self.is_over.is_set():
                break
            chosen = number % len(self.requests)
            began = perf_counter()
            try:
                status, body = await client.ask(chosen)
            except LostError as error:
                self.lost[str(error)] += 1
                await asyncio.sleep(PAUSE_AFTER_LOSS_S)
                continue
            self.latencies.append(perf_counter() - began)
            self._note(chosen, status, body)
            if self.plan.pause_s:
                await asyncio.sleep(self.plan.pause_s)
        client.close()

    def _note(self, number: int, status: int, body: bytes) -> None:
        """Count an answer to a body."""
        answers = self.answers[number]
        found = status, body.decode(errors="replace")
        is_known = found in answers or len(answers) < MOST_ANSWERS
        answers[found if is_known else (status, OTHER)] += 1

    def outcome(self) -> dict[str, Any]:
        """Return what was seen, as JSON can hold it; times in seconds."""
        return {
            "seconds": self.seconds,
            "latencies": self.latencies,
            "answers": [[[*found, n] for found, n in of.items()] for of in self.answers],
            "lost": self.lost,
        }


def command(plan: Plan) -> list[str]:
    """Return the command that carries a plan out."""
    return [sys.executable, "-m", "benchmarks.closed_loop", json.dumps(asdict(plan))]


async def carry_out(plan: Plan) -> dict[str, Any]:
    """Load a server as planned and return what was seen."""
    load = ClosedLoop(plan)
    await load.run()
    return load.outcome()


if __name__ == "__main__":
    gc.disable()  # a collection would look like a slow answer
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(carry_out(Plan(**json.loads(sys.argv[1]))))))
