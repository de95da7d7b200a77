"""One connection: whole requests are answered in their order, with one write an answer."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from app.refusal import REFUSAL, RefusedError, overloaded
from app.worker.exchange import CONTINUE, Exchange, respond
from app.worker.head import Head
from app.worker.reader import RequestReader
from app.worker.shared import Shared

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# How long a client may go on sending after its last answer: closed at once, the connection would
# be reset and the answer could be lost on its way.
_LINGER_S = 2.0
_NOTHING, _HEAD, _BODY = range(3)


class Connection(asyncio.Protocol):
    """The protocol of one connection; the event loop calls it, the worker watches its deadline."""

    __slots__ = (
        "_environ",
        "_held",
        "_is_busy",
        "_is_crowded",
        "_is_half_closed",
        "_is_leaving",
        "_is_stuck",
        "_phase",
        "_reader",
        "_shared",
        "_transport",
        "deadline",
        "is_silent",
    )

    def __init__(self, shared: Shared, environ: WSGIEnvironment, *, is_crowded: bool) -> None:
        self._shared = shared
        self._environ = environ
        self._reader = RequestReader(shared.heads, shared.settings.max_body_bytes)
        self._transport: Any = None
        self._phase = _NOTHING  # what was being waited for
        self._held = 0
        self._is_busy = False  # an answer is being made elsewhere, or it is another's turn
        self._is_stuck = False  # the client does not take its answer
        self._is_leaving = False  # the last answer was given
        self._is_half_closed = False  # the client sends nothing more
        self._is_crowded = is_crowded
        self.is_silent = True  # the client has not sent anything yet
        self.deadline = shared.idle_deadline()
        shared.connections.add(self)

    @property
    def is_idle(self) -> bool:
        """Whether no request has begun and no answer is on its way."""
        is_at_work = self._is_busy or self._is_stuck or self._is_leaving
        return not (is_at_work or self._reader.has_begun)

    @property
    def is_lingering(self) -> bool:
        """Whether the client has its last answer, and is only heard out."""
        return self._is_leaving and not (self._is_busy or self._is_stuck)

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
        self._release()
        self._shared.connections.discard(self)
        self._shared.report()

    def data_received(self, data: bytes) -> None:
        """Take what came and answer every request that is now whole."""
        self.is_silent = False
        if not self._is_leaving:
            self._reader.feed(data)
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
        elif not self._is_busy:
            self._go_on()

    def expire(self) -> None:
        """End what has taken too long."""
        if self._is_busy:
            return
        if self._is_leaving or self._is_stuck:
            self._transport.abort()
        elif self._reader.has_begun:
            self._refuse(RefusedError(408, "The request did not arrive in time."))
        else:
            self.close()

    def close(self) -> None:
        """End the connection once what was written is out."""
        self._shared.flush()
        self._is_leaving = True
        self.deadline = self._shared.loop.time() + self._shared.settings.answer_timeout
        if self._transport is not None:
            self._transport.close()

    def _advance(self) -> None:
        """Answer the next request once it is whole; what follows it waits for the others' turn."""
        reader = self._reader
        if not reader.has_begun:
            return
        try:
            request = reader.read()
            if request is None:
                self._wait()
                if reader.is_behind:
                    self._give_way()
                return
            self._answer(*request)
            if self._is_busy or self._is_stuck or self._is_leaving:
                return
            if reader.has_begun:
                self._give_way()
        except RefusedError as error:
            self._refuse(error)
        except Exception as error:
            failure = RefusedError(500, "Something went wrong here.")
            failure.__cause__ = error  # where it happened, for the log
            self._refuse(failure)
        except BaseException as error:  # an exit that a signal asked for; the loop would eat it
            self._shared.end(error)

    def _wait(self) -> None:
        """Limit the time and the memory for what is still missing."""
        shared, reader = self._shared, self._reader
        head = reader.head
        phase = _BODY if head is not None else _HEAD if reader.has_begun else _NOTHING
        if phase != self._phase:
            self._phase = phase
            if phase == _HEAD:
                self.deadline = shared.loop.time() + shared.settings.head_timeout
            elif phase == _BODY:
                self.deadline = shared.loop.time() + shared.settings.body_timeout
                if head is not None and head.expects_continue and not reader.size:
                    self._transport.write(CONTINUE)
        more = reader.size - self._held
        self._held += more
        shared.hold(more)

    def _release(self) -> None:
        """Give back what the body took."""
        self._shared.hold(-self._held)
        self._held = 0

    def _give_way(self) -> None:
        """Let the other connections have their turn before this one goes on."""
        self._is_busy = True
        self._transport.pause_reading()
        self._shared.loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        """Go on after the other connections had their turn."""
        self._is_busy = False
        if not self._is_stuck and not self._is_leaving:
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
        if self._reader.has_begun:
            self._refuse(RefusedError(400, "The request ended before it was complete."))
        else:
            self.close()

    def _answer(self, head: Head, body: bytes) -> None:
        """Hand a whole request to the application."""
        shared = self._shared
        environ = self._environ.copy()
        environ.update(head.environ)
        shared.count_request()
        is_last = not head.keep_alive or (shared.is_stopping and not self._reader.unread)
        answer = partial(respond, shared.application, environ, body, shared.clock, is_last=is_last)
        if not shared.takes_long(environ, body):
            self._send(answer())
            return
        beside = shared.large if body else shared.pages
        beside.make(answer, then=self._take_answer)
        self._is_busy = True
        self._transport.pause_reading()

    def _take_answer(self, exchange: Exchange) -> None:
        """Send what was made beside the loop, if anybody still wants it."""
        self._is_busy = False
        if not self._is_leaving:
            self._send(exchange)
            if not self._is_stuck and not self._is_leaving:
                self._go_on()

    def _send(self, exchange: Exchange) -> None:
        """Write an answer, all of it at once, and be ready for the next request."""
        head = self._reader.head
        self._reader.finish()
        self._phase = _NOTHING
        if self._held:
            self._release()
        self.deadline = self._shared.idle_deadline()
        self._shared.send(self._transport, exchange.wire)
        if exchange.is_last:
            self._leave(lingers=head is not None and head.keep_alive)

    def _refuse(self, error: RefusedError) -> None:
        """Answer with a problem; what follows on this connection cannot be told apart from it."""
        environ = self._environ | {"REQUEST_METHOD": "", "SERVER_PROTOCOL": "HTTP/1.1"}
        if self._reader.head is not None:
            environ.update(self._reader.head.environ)
        environ[REFUSAL] = error
        shared = self._shared
        exchange = respond(shared.application, environ, b"", shared.clock, is_last=True)
        shared.send(self._transport, exchange.wire)
        self._leave(lingers=True)

    def _leave(self, *, lingers: bool) -> None:
        """End the connection; a client that may still be sending is first heard out for a while."""
        self._shared.flush()
        self._is_leaving = True
        self._release()
        self._reader = RequestReader(self._shared.heads, 0)  # what is left of the old is not needed
        if not lingers or self._is_half_closed:
            self.close()
        elif not self._transport.is_closing():
            self._transport.write_eof()
            if not self._is_stuck:
                self.deadline = self._shared.loop.time() + _LINGER_S
                self._transport.resume_reading()
