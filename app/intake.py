"""What a request must look like before anyone reads its JSON: host, media type, coding, length."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from werkzeug.exceptions import (
    BadRequest,
    ClientDisconnected,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)
from werkzeug.wsgi import get_content_length, get_input_stream

from app.refusal import RefusedError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Blanks and tabs are all the white space that RFC 9110 knows; no run of them is tried twice.
_JSON_TYPE = re.compile(
    r'application/json(?:[ \t]*+;[ \t]*+(?:charset=(?:utf-?8|"utf-?8"))?+)*+[ \t]*',
    re.IGNORECASE | re.ASCII,
)
# A larger body is looked at before it is parsed. Its texts may hold the signs that are counted, so
# this many times what transactions need is accepted.
_SMALL = 128 * 1024
_MORE_BRACKETS = 16
_MORE_COMMAS = 4
_CLOSE = ("Connection", "close")  # who is meant is not known, nor who comes next on the connection
# A name, an address or nothing, in labels as long as a name may have: routing refuses longer ones.
_LABEL = r"[A-Za-z0-9\-_~!$&'()*+,;=%:\[\]]{1,63}"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*\.?)?")


def check_host(environ: WSGIEnvironment) -> None:
    """Require a Host header where the protocol does, as RFC 9112 asks, in the form of a host."""
    host = environ.get("HTTP_HOST")
    if host is None:
        if environ.get("SERVER_PROTOCOL") == "HTTP/1.1":
            raise RefusedError(400, "An HTTP/1.1 request needs a Host header.", _CLOSE)
    elif not _HOST.fullmatch(host):
        raise RefusedError(400, "The Host header does not name a host.", _CLOSE)


def check_content(environ: WSGIEnvironment) -> None:
    """Refuse every body that does not say it is plain JSON in UTF-8."""
    content_type = environ.get("CONTENT_TYPE", "")
    if content_type != "application/json" and not _JSON_TYPE.fullmatch(content_type):
        raise UnsupportedMediaType("The Content-Type must be application/json, in UTF-8.")
    coding = environ.get("HTTP_CONTENT_ENCODING", "")
    if coding.strip(" \t").lower() not in ("", "identity"):
        raise UnsupportedMediaType("The body must come as it is, without a Content-Encoding.")


def read_body(environ: WSGIEnvironment, limit: int) -> bytes:
    """Return the whole body; our own worker has read it already, within the same limit."""
    body: bytes | None = environ.get("fraudscore.body")
    if body is None:
        body = _read_input(environ, limit)
    if not body:
        raise BadRequest("The body is empty.")
    return body


def _read_input(environ: WSGIEnvironment, limit: int) -> bytes:
    """Read the whole body, whose length the client may have stated or not."""
    too_large = RequestEntityTooLarge(f"The body is larger than the limit of {limit} bytes.")
    length = get_content_length(environ)
    if length is not None and length > limit:
        raise too_large
    # A bounded stream ends silently at its bound: one byte more tells a full body from a cut one.
    body: bytes = get_input_stream(environ, max_content_length=limit + 1).read()
    if len(body) > limit:
        raise too_large
    if length is not None and len(body) < length:
        raise ClientDisconnected("The body is shorter than its Content-Length.")
    return body


def check_extent(body: bytes, most_rows: int, row_width: int) -> None:
    """Refuse a body with far more lists, objects or values than transactions could fill.

    The parser does not let go of the interpreter, nor does the end of what it made: 16 MiB of empty
    lists would stop everything else in the worker for seconds. Here they take milliseconds.
    """
    if len(body) <= _SMALL:
        return
    brackets, commas = body.count(b"[") + body.count(b"{"), body.count(b",")
    most_values = most_rows * row_width
    if brackets > _MORE_BRACKETS * (most_rows + 1) or commas > _MORE_COMMAS * most_values:
        raise RequestEntityTooLarge(
            f"The body is larger than {most_rows} transactions of {row_width} values could be."
        )
