"""One connection: reads requests until they are whole, has them answered, one write an answer."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.chunks import ChunkedBody, too_large
from app.exchange import CONTINUE, Clock, Exchange, respond
from app.head import END, Head, HeadReader
from app.proxies import Proxies
from app.refusal import REFUSAL, RefusedError, overloaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from app.config import Settings

# Pipelined requests answered in one go; then the other connections get their turn.
_MOST_AT_ONCE = 16
# A larger body is answered beside the event loop, which goes on with the small ones meanwhile.
_LARGE = 1024 * 1024
# How long a client that was refused may go on sending before its connection is cut: closed at
# once, the refusal could be lost on its way.
_LINGER_S = 2.0
_IDLE_ENOUGH_S = 1.0
# Bodies that arrive in pieces may take this many times the largest body, all together.
_BUFFERED_BODIES = 8
_STOP_LINGER_S = 2.0


@dataclass(slots=True)
class Shared:
    """What the connections of a worker have in common."""

    loop: asyncio.AbstractEventLoop
    application: WSGIApplication
    settings: Settings
    keepalive: float
    heads: HeadReader
    proxies: Proxies
    environ: WSGIEnvironment
    count_request: Callable[[], None]
    end: Callable[[BaseException], None]
    clock: Clock = field(default_factory=Clock)
    large: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    connections: set[Connection] = field(default_factory=set)
    buffered: int = 0  # bytes of bodies that arrived in pieces and have no answer yet
    is_stopping: bool = False
    large_since: float = float("inf")  # when the large request at hand began

    def is_overdue(self, timeout: float) -> bool:
        """Whether a large request has taken longer than a worker may be silent."""
        return timeout > 0 and self.loop.time() - self.large_since > timeout

    def stop(self) -> None:
        """Let every connection end: those that wait for a request very soon."""
        self.is_stopping = True
        deadline = self.loop.time() + _STOP_LINGER_S
        for connection in self.connections:
            if connection.is_idle:
                connection.deadline = min(connection.deadline, deadline)

    def make_room(self) -> bool:
        """Close the connection that has been idle for longest, if any has been for long."""
        idle = [connection for connection in self.connections if connection.is_idle]
        oldest = min(idle, key=lambda connection: connection.deadline, default=None)
        limit = self.loop.time() + self.keepalive - _IDLE_ENOUGH_S
        if oldest is None or oldest.deadline > limit:
            return False
        oldest.close()
        return True


class Connection(asyncio.Protocol):
    """The protocol of one connection; the event loop calls it, the worker sweeps its deadlines."""

    __slots__ = (
        "_checked",
        "_chunks",
        "_head",
        "_held",
        "_is_busy",
        "_is_crowded",
        "_is_half_closed",
        "_is_leaving",
        "_is_stuck",
        "_may_skip_line",
        "_partial",
        "_shared",
        "_transport",
        "_unread",
        "deadline",
        "environ",
    )

    def __init__(self, shared: Shared, environ: WSGIEnvironment, *, is_crowded: bool) -> None:
        self._shared = shared
        self._transport: Any = None
        self._unread = b""
        self._head: Head | None = None
        self._partial: bytearray | None = None
        self._chunks: ChunkedBody | None = None
        self._held = 0
        self._checked = 0  # bytes of a head that is on its way
        self._may_skip_line = True
        self._is_busy = False  # an answer is being made elsewhere, or it is another's turn
        self._is_stuck = False  # the client does not take its answer
        self._is_leaving = False  # the last answer was given
        self._is_half_closed = False  # the client sends nothing more
        self._is_crowded = is_crowded
        self.environ = environ
        self.deadline = shared.loop.time() + shared.keepalive
        shared.connections.add(self)

    @property
    def is_idle(self) -> bool:
        """Whether no request has begun and no answer is on its way."""
        return not (self._unread or self._head or self._is_busy or self._is_stuck) and (
            not self._is_leaving
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or refuse at once where there are too many connections."""
        self._transport = transport
        self._transport.set_write_buffer_limits(high=0)
        if self._is_leaving:  # it took too long to get here
            self._transport.abort()
        elif self._is_crowded:
            self._refuse(overloaded("There are too many connections just now."))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Forget the connection."""
        self._is_leaving = True
        self._unread, self._head = b"", None
        self._hold(0)
        self._shared.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Take what came and answer every request that is now whole."""
        if self._is_leaving:
            return
        self._unread = self._unread + data if self._unread else data
        if not self._is_busy:
            self._advance()

    def eof_received(self) -> bool:
        """Answer what is whole; say so where a request was cut short."""
        self._is_half_closed = True
        if self._is_leaving:
            return False
        if not self._is_busy and not self._is_stuck:
            self._end_of_input()
        return True

    def pause_writing(self) -> None:
        """Stop reading from a client that does not take its answer."""
        self._is_stuck = True
        self._transport.pause_reading()
        self.deadline = self._shared.loop.time() + self._shared.settings.answer_timeout

    def resume_writing(self) -> None:
        """Go on once the answer was taken."""
        self._is_stuck = False
        if self._is_leaving:
            self.deadline = self._shared.loop.time() + _LINGER_S
            self._transport.resume_reading()
        else:
            self._go_on()

    def expire(self) -> None:
        """End what has taken too long."""
        if self._is_busy:
            return
        if self._is_leaving or self._is_stuck:
            self._transport.abort()
        elif self.is_idle:
            self.close()
        else:
            self._refuse(RefusedError(408, "The request did not arrive in time."))

    def close(self) -> None:
        """End the connection once what was written is out."""
        self._is_leaving = True
        self.deadline = self._shared.loop.time() + self._shared.settings.answer_timeout
        if self._transport is not None:
            self._transport.close()

    def _advance(self) -> None:
        """Answer whole requests in their order, until one is incomplete or it is another's turn."""
        left = _MOST_AT_ONCE
        try:
            while self._unread or self._head is not None:
                body = self._read_request()
                if body is None:
                    break
                self._answer(body)
                left -= 1
                if self._is_busy or self._is_stuck or self._is_leaving:
                    return
                if not left and self._unread:
                    self._is_busy = True
                    self._transport.pause_reading()
                    self._shared.loop.call_soon(self._take_turn)
                    return
        except RefusedError as error:
            self._refuse(error)
        except Exception as error:
            failure = RefusedError(500, "Something went wrong here.")
            failure.__cause__ = error  # where it happened, for the log
            self._refuse(failure)
        except BaseException as error:  # an exit that a signal asked for; the loop would eat it
            self._shared.end(error)

    def _take_turn(self) -> None:
        """Go on after the other connections had their turn."""
        self._is_busy = False
        if not self._is_leaving:
            self._go_on()

    def _go_on(self) -> None:
        """Go on after a pause."""
        self._advance()
        if self._is_busy or self._is_stuck or self._is_leaving:
            return
        if self._is_half_closed:
            self._end_of_input()
        else:
            self._transport.resume_reading()

    def _end_of_input(self) -> None:
        """Close after the last whole request; refuse one that was cut short."""
        if self._unread or self._head is not None:
            self._refuse(RefusedError(400, "The request ended before it was complete."))
        else:
            self.close()

    def _read_request(self) -> bytes | None:
        """Return the body of the request at hand once it is whole."""
        head = self._head
        if head is None:
            head = self._read_head()
            if head is None:
                return None
        unread = self._unread
        if not head.is_chunked and self._partial is None and len(unread) >= head.length:
            self._unread = unread[head.length :]
            return unread[: head.length]
        return self._read_pieces(head)

    def _read_head(self) -> Head | None:
        """Return the next head once it is whole, and check what it announces."""
        shared = self._shared
        if self._unread.startswith(b"\r\n") and self._may_skip_line:
            self._unread = self._unread[2:]  # some clients send an empty line too many after a body
            self._may_skip_line = False
        unread = self._unread
        end = unread.find(END)
        if end < 0:
            if unread and not self._checked:
                self.deadline = shared.loop.time() + shared.settings.head_timeout
            shared.heads.check_beginning(unread, self._checked)
            self._checked = len(unread)
            return None
        head = shared.heads.read(unread[:end])
        if head.length > shared.settings.max_body_bytes:
            raise too_large(shared.settings.max_body_bytes)
        self._head = head
        self._unread = unread[end + 4 :]
        if head.is_chunked or len(self._unread) < head.length:
            self.deadline = shared.loop.time() + shared.settings.body_timeout
            if head.expects_continue and not self._unread:
                self._transport.write(CONTINUE)
        return head

    def _read_pieces(self, head: Head) -> bytes | None:
        """Collect a body that comes in pieces."""
        unread, self._unread = self._unread, b""
        if head.is_chunked:
            if self._chunks is None:
                self._chunks = ChunkedBody(self._shared.settings.max_body_bytes)
            rest = self._chunks.feed(unread)
            collected = self._chunks.body
        else:
            if self._partial is None:
                self._partial = bytearray()
            collected = self._partial
            missing = head.length - len(collected)
            collected += unread[:missing]
            rest = unread[missing:] if len(unread) >= missing else None
        self._hold(len(collected))
        if rest is None:
            return None
        self._unread = rest
        self._partial = self._chunks = None
        return bytes(collected)

    def _hold(self, size: int) -> None:
        """Account for the memory of a body that came in pieces; refuse it when there is no more."""
        shared = self._shared
        shared.buffered += size - self._held
        self._held = size
        if shared.buffered > _BUFFERED_BODIES * shared.settings.max_body_bytes:
            raise overloaded("There are too many large requests just now.")

    def _answer(self, body: bytes) -> None:
        """Hand a whole request to the application."""
        shared = self._shared
        head = self._head
        assert head is not None  # noqa: S101 (for the type checker)
        environ = self.environ.copy()
        environ.update(head.environ)
        if head.is_forwarded:
            shared.proxies.apply(environ)
        shared.count_request()
        is_last = not head.keep_alive or (shared.is_stopping and not self._unread)
        if len(body) <= _LARGE:
            self._send(respond(shared.application, environ, body, shared.clock, is_last=is_last))
            return
        self._is_busy = True
        self._transport.pause_reading()
        shared.large.submit(self._answer_large, environ, body, is_last=is_last)

    def _answer_large(self, environ: WSGIEnvironment, body: bytes, *, is_last: bool) -> None:
        """Have a large request answered, in a thread of its own."""
        shared = self._shared
        shared.large_since = shared.loop.time()
        exchange = respond(shared.application, environ, body, shared.clock, is_last=is_last)
        shared.large_since = float("inf")
        shared.loop.call_soon_threadsafe(self._finish_large, exchange)

    def _finish_large(self, exchange: Exchange) -> None:
        """Send what the thread made, if anybody still wants it."""
        self._is_busy = False
        if self._is_leaving:
            return
        self._send(exchange)
        if not self._is_stuck and not self._is_leaving:
            self._go_on()

    def _send(self, exchange: Exchange) -> None:
        """Write an answer, all of it at once, and be ready for the next request."""
        shared = self._shared
        keep_alive = self._head is not None and self._head.keep_alive
        self._head = None
        self._checked = 0
        self._may_skip_line = True
        if self._held:
            self._hold(0)
        wait = _STOP_LINGER_S if shared.is_stopping else shared.keepalive
        self.deadline = shared.loop.time() + wait
        self._transport.write(exchange.wire)
        if exchange.is_last:
            self._leave(lingers=keep_alive)

    def _refuse(self, error: RefusedError) -> None:
        """Answer with a problem; what follows on this connection cannot be told apart from it."""
        environ = self.environ | {"REQUEST_METHOD": "", "SERVER_PROTOCOL": "HTTP/1.1"}
        if self._head is not None:
            environ.update(self._head.environ)
        environ[REFUSAL] = error
        shared = self._shared
        exchange = respond(shared.application, environ, b"", shared.clock, is_last=True)
        self._transport.write(exchange.wire)
        self._leave(lingers=True)

    def _leave(self, *, lingers: bool) -> None:
        """End the connection; a client that may still be sending is first heard out for a while."""
        self._is_leaving = True
        self._unread, self._head = b"", None
        self._partial = self._chunks = None
        self._hold(0)
        if not lingers or self._is_half_closed:
            self.close()
        elif not self._transport.is_closing():
            self._transport.write_eof()
            if not self._is_stuck:
                self.deadline = self._shared.loop.time() + _LINGER_S
                self._transport.resume_reading()
