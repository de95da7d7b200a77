"""What the connections of one worker have in common, and how much they may take together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.refusal import overloaded
from app.worker.beside import Beside
from app.worker.exchange import Clock
from app.worker.head import HeadReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from app.config import Settings
    from app.worker.connection import Connection

# Bodies that arrive in pieces may take this many times the largest body, all together.
_LARGEST_BODIES = 8
# A connection that has been idle for this long may be closed to make room for a new one. A client
# that connects to send something sends it at once.
_SILENT_ENOUGH_S = 0.1
_IDLE_ENOUGH_S = 1.0
# How long a connection without a request may stay when the worker stops: a client that was told
# keep-alive may be sending already.
_STOP_LINGER_S = 2.0
# Answers up to this size leave together, up to so many of them.
_SMALL = 16 * 1024
_MOST_TOGETHER = 16


@dataclass(slots=True)
class Shared:
    """The worker as its connections see it."""

    loop: asyncio.AbstractEventLoop
    application: WSGIApplication
    takes_long: Callable[
        [WSGIEnvironment, bytes], bool
    ]  # such a request is answered beside the loop
    settings: Settings
    keepalive: float
    heads: HeadReader
    environ: WSGIEnvironment  # what every request begins with
    count_request: Callable[[], None]
    report: Callable[[], None]  # tells the siblings how many connections there are
    end: Callable[[BaseException], None]  # leaves the event loop with an exit
    large: Beside  # for transactions
    pages: Beside  # which need not wait for those
    clock: Clock = field(default_factory=Clock)
    connections: set[Connection] = field(default_factory=set)
    outbox: list[tuple[asyncio.WriteTransport, bytes]] = field(default_factory=list)
    held: int = 0  # bytes of bodies that arrived in pieces and have no answer yet
    is_stopping: bool = False

    def hold(self, more: int) -> None:
        """Account for bytes of a body; refuse it when they are too many."""
        self.held += more
        if more > 0 and self.held > _LARGEST_BODIES * self.settings.max_body_bytes:
            raise overloaded("There are too many large requests just now.")

    def send(self, transport: asyncio.WriteTransport, wire: bytes) -> None:
        """Write an answer; small ones that are made in one turn of the loop leave together.

        Their clients then wake while the others' answers are on their way, not one by one while
        those are being made: over 16 connections that costs a fifth less for each.
        """
        if len(wire) > _SMALL or len(self.connections) == 1:
            self.flush()
            transport.write(wire)
            return
        if not self.outbox:
            self.loop.call_soon(self.flush)
        self.outbox.append((transport, wire))
        if len(self.outbox) == _MOST_TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Let the answers go that have been kept together."""
        outbox, self.outbox = self.outbox, []
        for transport, wire in outbox:
            if not transport.is_closing():
                transport.write(wire)

    def idle_deadline(self) -> float:
        """Return until when a connection without a request may stay."""
        return self.loop.time() + (_STOP_LINGER_S if self.is_stopping else self.keepalive)

    def make_room(self) -> bool:
        """Close the connection that has been idle for longest, if any has been for a while.

        Those that have never sent anything come first.
        """
        idle = [connection for connection in self.connections if connection.is_idle]
        silent = [connection for connection in idle if connection.is_silent]
        for some, enough_s in ((silent, _SILENT_ENOUGH_S), (idle, _IDLE_ENOUGH_S)):
            oldest = min(some, key=lambda connection: connection.deadline, default=None)
            if oldest is not None and oldest.deadline <= self.idle_deadline() - enough_s:
                oldest.close()
                return True
        return False

    def end_lingering(self) -> bool:
        """End the connection that was given its last answer first, if any was."""
        lingering = [connection for connection in self.connections if connection.is_lingering]
        oldest = min(lingering, key=lambda connection: connection.deadline, default=None)
        if oldest is None:
            return False
        oldest.expire()
        return True

    def is_overdue(self, timeout: float) -> bool:
        """Whether an answer beside the loop has taken longer than a worker may be silent."""
        return self.large.is_overdue(timeout) or self.pages.is_overdue(timeout)

    def stop(self) -> None:
        """Let every connection end: those without a request very soon."""
        self.is_stopping = True
        for connection in self.connections:
            if connection.is_idle:
                connection.deadline = min(connection.deadline, self.idle_deadline())
