"""Open-loop load: requests arrive when a Poisson process says so, whether answers come or not.

A closed loop sends the next request after the last answer, so a server that stalls is asked less
and looks better than it is (coordinated omission). Here arrivals are drawn beforehand; a request
that finds every connection busy waits in line, and its latency counts from the moment at which it
was due. It runs in a process of its own, ``python -m benchmarks.open_loop JSON``, and prints JSON.
"""

from __future__ import annotations

import gc
import json
import select
import socket
import sys
from collections import Counter, deque
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import httptools
import numpy as np

PIECE = 65536
PATIENCE_S = 15  # for the answers that are still out when the last request has been sent
MOST_ANSWERS = 20  # different bodies that are told apart


@dataclass(frozen=True)
class Plan:
    """What to send where, and when."""

    port: int
    path: str
    body: str  # a file
    rate: float  # requests a second
    seconds: float
    connections: int
    seed: int


def arrivals(rate: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return the moments of a Poisson process, in seconds from its beginning.

    The gaps are exponential with mean ``1 / rate``; so many are drawn that too few are as good as
    impossible (six standard deviations), and those after the end are dropped.
    """
    expected = rate * seconds
    gaps = rng.exponential(1 / rate, int(expected + 6 * expected**0.5 + 10))
    moments = np.cumsum(gaps)
    return moments[moments < seconds]


class Connection:
    """A kept-alive connection with at most one request on its way, and the parser of its answer."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.due: float | None = None
        self.connect()

    def connect(self) -> None:
        """Open the connection, anew where the server has closed it."""
        self.socket = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.expect()

    def expect(self) -> None:
        """Prepare for the next answer."""
        self.parser = httptools.HttpResponseParser(self)
        self.body = b""
        self.is_complete = False

    def on_body(self, piece: bytes) -> None:
        """Collect the body (called by the parser)."""
        self.body += piece

    def on_message_complete(self) -> None:
        """Note that the answer is whole (called by the parser)."""
        self.is_complete = True

    def receive(self) -> bool:
        """Read what has come; say whether the answer is whole. A closed connection raises."""
        piece = self.socket.recv(PIECE)
        if not piece:
            raise ConnectionResetError
        self.parser.feed_data(piece)
        return self.is_complete


class OpenLoop:
    """Sends the requests of a plan and times their answers."""

    def __init__(self, plan: Plan) -> None:
        self.due = arrivals(plan.rate, plan.seconds, np.random.default_rng(plan.seed)).tolist()
        body = Path(plan.body).read_bytes()
        head = (
            f"POST {plan.path} HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.request = head.encode() + body
        self.idle = [Connection(plan.port) for _ in range(plan.connections)]
        self.busy: dict[int, Connection] = {}
        self.waiting: deque[float] = deque()
        self.latencies: list[float] = []
        self.lateness: list[float] = []  # of this program itself, not of the server
        self.statuses: Counter[int] = Counter()
        self.answers: Counter[bytes] = Counter()
        self.lost = 0

    def run(self) -> None:
        """Send everything at its time and wait for the last answers."""
        arriving = deque(self.due)
        began = perf_counter()
        deadline = (self.due[-1] if self.due else 0.0) + PATIENCE_S
        while arriving or self.waiting or self.busy:
            now = perf_counter() - began
            if now > deadline:
                break
            while arriving and arriving[0] <= now:
                self.lateness.append(now - arriving[0])
                self.waiting.append(arriving.popleft())
            while self.waiting and self.idle:
                self.send(self.waiting.popleft())
            pause = (arriving[0] if arriving else deadline) - (perf_counter() - began)
            # select, because the timeouts of poll and epoll are whole milliseconds
            ready, _, _ = select.select(list(self.busy), [], [], max(pause, 0.0))
            for descriptor in ready:
                self.receive(descriptor, began)
        self.lost += len(self.waiting) + len(self.busy) + len(arriving)

    def send(self, due: float) -> None:
        """Put a request on an idle connection."""
        connection = self.idle.pop()
        try:
            # An idle connection on which something can be read has been closed by the server.
            if select.select([connection.socket], [], [], 0)[0]:
                connection.socket.close()
                connection.connect()
            connection.due = due
            connection.socket.sendall(self.request)
        except OSError:
            self.lose(connection)
            return
        self.busy[connection.socket.fileno()] = connection

    def receive(self, descriptor: int, began: float) -> None:
        """Read from a busy connection; note the latency of an answer that is whole."""
        connection = self.busy[descriptor]
        try:
            is_whole = connection.receive()
        except (OSError, httptools.HttpParserError):
            del self.busy[descriptor]
            self.lose(connection)
            return
        if not is_whole:
            return
        assert connection.due is not None  # noqa: S101 (it is busy)
        self.latencies.append(perf_counter() - began - connection.due)
        self.statuses[connection.parser.get_status_code()] += 1
        if connection.body in self.answers or len(self.answers) < MOST_ANSWERS:
            self.answers[connection.body] += 1
        connection.expect()
        self.idle.append(self.busy.pop(descriptor))

    def lose(self, connection: Connection) -> None:
        """Count a request that got no answer, and go on over a new connection."""
        self.lost += 1
        connection.socket.close()
        try:
            connection.connect()
        except OSError:
            return  # the others carry on
        self.idle.append(connection)

    def outcome(self) -> dict[str, Any]:
        """Return what was seen, as JSON can hold it; latencies in seconds."""
        return {
            "latencies": self.latencies,
            "lateness": self.lateness,
            "statuses": {str(status): n for status, n in self.statuses.items()},
            "answers": {body.decode(): n for body, n in self.answers.items()},
            "lost": self.lost,
        }


def command(plan: Plan) -> list[str]:
    """Return the command that carries a plan out."""
    return [sys.executable, "-m", "benchmarks.open_loop", json.dumps(asdict(plan))]


if __name__ == "__main__":
    loop = OpenLoop(Plan(**json.loads(sys.argv[1])))
    gc.disable()  # a collection would look like a slow answer
    loop.run()
    print(json.dumps(loop.outcome()))
