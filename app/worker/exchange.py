"""One request through the WSGI application: environ in, the bytes of the whole answer out."""

from __future__ import annotations

import time
from email.utils import formatdate
from io import BytesIO
from typing import TYPE_CHECKING, Any

from app.refusal import REFUSAL, RefusedError
from app.worker.head import END

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import OptExcInfo
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BODY = "fraudscore.body"
_WITHOUT_BODY = ("204", "304")


class Clock:
    """The Date header, written once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._line = ""

    def line(self) -> str:
        """Return the header as it is now."""
        second = int(time.time())
        if second != self._second:
            self._second, self._line = second, f"Date: {formatdate(second, usegmt=True)}"
        return self._line


class Exchange:
    """Collects what an application answers, so that it can leave in one piece."""

    __slots__ = ("headers", "is_last", "parts", "status", "wire")

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.parts: list[bytes] = []
        self.wire = b""  # what goes to the client
        self.is_last = False  # and whether it announces that the connection ends

    def start_response(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: OptExcInfo | None = None,
    ) -> Callable[[bytes], Any]:
        """Note status and headers; nothing was sent yet, so a second call may replace the first."""
        if self.status and exc_info is None:
            raise AssertionError("start_response was called twice without exc_info")
        self.status, self.headers = status, headers
        return self.parts.append

    def run(self, application: WSGIApplication, environ: WSGIEnvironment, body: bytes) -> None:
        """Call the application and take everything it returns."""
        environ[BODY] = body
        environ["wsgi.input"] = BytesIO(body)
        result = application(environ, self.start_response)
        try:
            self.parts.extend(result)
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()
        if not self.status:
            raise AssertionError("the application returned without calling start_response")

    def encode(self, clock: Clock, *, is_last: bool, is_head: bool, is_http_10: bool) -> None:
        """Write status, headers and body as they go over the wire."""
        body = self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)
        length = str(len(body))
        lines = [f"HTTP/1.1 {self.status}", clock.line()]
        for name, value in self.headers:
            lower = name.lower()
            if lower == "connection":  # the worker decides, the application may ask for the end
                is_last = is_last or value.lower() == "close"
            elif lower == "content-length":  # what was counted here cannot be wrong
                if is_head and not body:
                    length = value
            elif lower == "transfer-encoding":
                raise ValueError("Transfer-Encoding is the server's to set, not the application's")
            else:
                lines.append(f"{name}: {value}")
        if self.status.startswith(_WITHOUT_BODY):
            body = b""
        else:
            lines.append(f"Content-Length: {length}")
        if is_last:
            lines.append("Connection: close")
        elif is_http_10:
            lines.append("Connection: keep-alive")
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
            raise ValueError("a header of the answer holds a line break")
        self.wire = head.encode("latin-1") + END + (b"" if is_head else body)
        self.is_last = is_last


def respond(
    application: WSGIApplication,
    environ: WSGIEnvironment,
    body: bytes,
    clock: Clock,
    *,
    is_last: bool,
) -> Exchange:
    """Let the application answer; an exception that it lets through becomes a 500 as any other."""
    is_head = environ["REQUEST_METHOD"] == "HEAD"
    is_http_10 = environ["SERVER_PROTOCOL"] == "HTTP/1.0"
    exchange = Exchange()
    try:
        exchange.run(application, environ, body)
        exchange.encode(clock, is_last=is_last, is_head=is_head, is_http_10=is_http_10)
    except Exception as error:
        failure = environ[REFUSAL] = RefusedError(500, "Something went wrong here.")
        failure.__cause__ = error
        exchange = Exchange()
        exchange.run(application, environ, body)
        exchange.encode(clock, is_last=is_last, is_head=is_head, is_http_10=is_http_10)
    return exchange
