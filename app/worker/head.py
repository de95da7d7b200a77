"""The head of a request: read by llhttp, judged by rules that leave nothing to interpretation.

What two readers could understand differently is refused: where a request ends and whom it is for
is decided here, from what llhttp found, and more strictly than llhttp does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from app.refusal import RefusedError

END = b"\r\n\r\n"
# llhttp would take HTTP/0.9, "GET  /" and the like.
_REQUEST_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Z]+ [!-~]+ HTTP/1\.[01]")
# In a head that is still coming: whatever follows, it can only be refused.
_HOPELESS = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# All that RFC 9112 takes for white space; text in Python has far more, such as \xa0 and \x85.
_SPACE = " \t"
_ABSOLUTE = re.compile(r"https?://([^/?@]+)((?:[/?].*)?)", re.IGNORECASE)
# Known, but nothing that a body of JSON would need; others are answered with 501.
_CODINGS = {"chunked", "gzip", "x-gzip", "deflate", "compress", "x-compress", "identity"}
_SINGLE = {"HTTP_HOST", "CONTENT_TYPE", "CONTENT_LENGTH"}
# Heads repeat themselves on a kept-alive connection; the longest ones are not worth the memory.
_MOST_KNOWN = 256
_LONGEST_KNOWN = 2048
_LONGEST_FIELDS = 32 * 1024


@dataclass(slots=True)
class Head:
    """What a request says before its body; shared by all that say the same, so never changed."""

    environ: dict[str, str]
    length: int
    is_chunked: bool
    keep_alive: bool
    expects_continue: bool


class HeadReader:
    """Reads heads within limits and remembers the latest, byte for byte."""

    def __init__(self, line_limit: int, fields_limit: int, field_size_limit: int) -> None:
        self.line_limit = line_limit
        self.fields_limit = fields_limit
        self.field_size_limit = field_size_limit
        self._known: dict[bytes, Head] = {}

    def check_beginning(self, data: bytes, known: int) -> None:
        """Refuse a head that is still incomplete as soon as it cannot become a good one.

        The first ``known`` bytes were checked before; a client that sends byte by byte would
        otherwise have the whole looked at for each of them.
        """
        end = data.find(b"\r\n")
        if (end if end >= 0 else len(data)) > self.line_limit:
            raise _line_too_long(self.line_limit)
        if end >= 0 and len(data) - end > _LONGEST_FIELDS:
            raise RefusedError(431, f"The header is larger than {_LONGEST_FIELDS} bytes.")
        if end >= max(known - 1, 0) and not _REQUEST_LINE.fullmatch(data, 0, end):
            raise _ill_formed(data[:end])
        if _HOPELESS.search(data, max(known - 1, 0)):
            raise _ill_formed(b"")

    def read(self, data: bytes) -> Head:
        """Read a complete head, without the empty line that ends it."""
        head = self._known.get(data)
        if head is None:
            head = self._parse(data)
            if len(data) <= _LONGEST_KNOWN:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[data] = head
        return head

    def _parse(self, data: bytes) -> Head:
        """Check the limits and the request line, and only then let llhttp take the head apart."""
        line, _, fields = data.partition(b"\r\n")
        if len(line) > self.line_limit:
            raise _line_too_long(self.line_limit)
        self._check_size(fields)
        if not _REQUEST_LINE.fullmatch(line):
            raise _ill_formed(line)
        parts = _Parts()
        parser = HttpRequestParser(parts)
        # Framing is decided below; llhttp would refuse some of it without saying why.
        parser.set_dangerous_leniencies(lenient_chunked_length=True, lenient_transfer_encoding=True)
        try:
            parser.feed_data(data + END)
        except HttpParserUpgrade:
            pass  # an upgrade is an offer; this server declines by answering as if it were not made
        except HttpParserError as error:
            raise RefusedError(400, f"The head of the request is malformed: {error}.") from error
        return _head(parser.get_method().decode(), parts, is_http_10=line.endswith(b"0"))

    def _check_size(self, fields: bytes) -> None:
        """Refuse more header than a request needs."""
        if len(fields) > _LONGEST_FIELDS:
            raise RefusedError(431, f"The header is larger than {_LONGEST_FIELDS} bytes.")
        if fields.count(b"\r\n") >= self.fields_limit:
            raise RefusedError(431, f"There are more than {self.fields_limit} header fields.")
        limit = self.field_size_limit
        if len(fields) > limit and any(len(line) > limit for line in fields.split(b"\r\n")):
            raise RefusedError(431, f"A header field exceeds {limit} bytes.")


class _Parts:
    """What llhttp calls back with."""

    def __init__(self) -> None:
        self.url = b""
        self.fields: list[tuple[bytes, bytes]] = []

    def on_url(self, url: bytes) -> None:
        """Keep the target."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field."""
        self.fields.append((name, value))


def _head(method: str, parts: _Parts, *, is_http_10: bool) -> Head:
    """Turn the parts into a WSGI environ and decide where the request ends."""
    environ: dict[str, str] = {}
    for name, raw in parts.fields:
        key = _key(name)
        if key is None:  # an underscore could pass itself off as another field
            continue
        value = raw.decode("latin-1").strip(_SPACE)
        if key in environ:
            if key in _SINGLE:
                raise RefusedError(400, f"The header {name.decode()} was given more than once.")
            value = f"{environ[key]},{value}"
        environ[key] = value
    length, is_chunked = _framing(environ, is_http_10=is_http_10)
    target = parts.url.decode("ascii")
    path, query = _split_target(target, method, environ)
    environ.update(
        REQUEST_METHOD=method,
        RAW_URI=target,
        PATH_INFO=unquote_to_bytes(path).decode("latin-1"),
        QUERY_STRING=query,
        SERVER_PROTOCOL="HTTP/1.0" if is_http_10 else "HTTP/1.1",
    )
    return Head(
        environ,
        length,
        is_chunked,
        keep_alive=_keeps_alive(environ.get("HTTP_CONNECTION"), is_http_10=is_http_10),
        expects_continue=_expects_continue(environ, is_http_10=is_http_10),
    )


def _keeps_alive(value: str | None, *, is_http_10: bool) -> bool:
    """Say whether the client wants to go on after the answer."""
    if value is None:
        return not is_http_10
    options = {option.strip(_SPACE).lower() for option in value.split(",")}
    return "close" not in options and (not is_http_10 or "keep-alive" in options)


@lru_cache(maxsize=512)
def _key(name: bytes) -> str | None:
    """Return the name that WSGI has for a header, None where it would be ambiguous."""
    if b"_" in name:
        return None
    key = name.decode("ascii").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def _framing(environ: dict[str, str], *, is_http_10: bool) -> tuple[int, bool]:
    """Return the length of the body and whether it comes in chunks."""
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    length = environ.get("CONTENT_LENGTH")
    if coding is None:
        if length is None:
            return 0, False
        if not re.fullmatch(r"[0-9]{1,18}", length):
            raise RefusedError(400, "Content-Length must be one whole number.")
        return int(length), False
    codings = [part.strip(_SPACE).lower() for part in coding.split(",")]
    if not set(codings) <= _CODINGS and all(codings):
        raise RefusedError(501, "The only transfer coding here is chunked.")
    if is_http_10 or length is not None or codings != ["chunked"]:
        raise RefusedError(
            400,
            "Transfer-Encoding must be chunked alone, without a Content-Length, and over HTTP/1.1.",
        )
    return 0, True


def _split_target(target: str, method: str, environ: dict[str, str]) -> tuple[str, str]:
    """Return path and query; a whole URI names the host as well, and then its word counts."""
    if match := _ABSOLUTE.fullmatch(target):
        environ["HTTP_HOST"], target = match[1], match[2]
        target = target if target.startswith("/") else f"/{target}"
    if (target[0] != "/" and (target, method) != ("*", "OPTIONS")) or "#" in target:
        raise RefusedError(400, "The request target must be a path.")
    path, _, query = target.partition("?")
    return path, query


def _expects_continue(environ: dict[str, str], *, is_http_10: bool) -> bool:
    """Say whether the client waits for a go-ahead before it sends the body."""
    expectation = environ.get("HTTP_EXPECT")
    if expectation is None or is_http_10:
        return False
    if expectation.lower() != "100-continue":
        raise RefusedError(417, "The only expectation that is met here is 100-continue.")
    return True


def _line_too_long(limit: int) -> RefusedError:
    """Say how long a request line may be."""
    return RefusedError(414, f"The request line is longer than {limit} bytes.")


def _ill_formed(line: bytes) -> RefusedError:
    """Say which part of a head does not follow the grammar."""
    if line and not _REQUEST_LINE.fullmatch(line):
        return RefusedError(400, "The request line must be a method, a target and HTTP/1.1.")
    return RefusedError(400, "The header does not follow RFC 9112.")
