"""A chunked body, decoded piece by piece, with a bound on everything a client could stretch."""

from __future__ import annotations

import re

from app.refusal import RefusedError

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t -~\x80-\xff]*)?")
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*")
_LONGEST_LINE = 8190
# Extensions and one-byte chunks cost the reader far more than they bring: beyond this much, sizes,
# extensions, trailers and line breaks together may not outweigh the body.
_FREE_FRAMING = 64 * 1024


class ChunkedBody:
    """Decodes chunks into one body and refuses what is not exactly that."""

    def __init__(self, limit: int) -> None:
        self.body = bytearray()
        self._limit = limit
        self._rest = b""  # the beginning of a line that is not complete yet
        self._missing = 0  # bytes of the chunk at hand
        self._is_between = False  # a chunk is complete, the line break after it is still to come
        self._in_trailers = False
        self._framing = 0

    def feed(self, data: bytes) -> bytes | None:
        """Take what came; return what follows the body, or None while the body is incomplete."""
        data = self._rest + data
        position = 0
        while True:
            position = self._take_chunk(data, position)
            end = data.find(b"\r\n", position) if not self._missing else -1
            if end < 0:
                self._rest = data[position:]
                self._check_line(self._rest)
                return None
            line, position = data[position:end], end + 2
            self._check_line(line)
            self._count_framing(len(line) + 2)
            if self._is_between:
                if line:
                    raise _malformed("a chunk is longer than its size")
                self._is_between = False
            elif not self._in_trailers:
                self._begin_chunk(line)
            elif not line:
                return data[position:]
            elif not _TRAILER.fullmatch(line):
                raise _malformed("a trailer is not a header field")

    def _take_chunk(self, data: bytes, position: int) -> int:
        """Move what belongs to the chunk at hand into the body; return where it ends."""
        if not self._missing:
            return position
        piece = data[position : position + self._missing]
        self.body += piece
        self._missing -= len(piece)
        self._is_between = not self._missing
        return position + len(piece)

    def _begin_chunk(self, line: bytes) -> None:
        """Read a size."""
        match = _SIZE.fullmatch(line)
        if match is None:
            raise _malformed("a chunk does not begin with its size")
        self._missing = int(match[1], 16)
        self._in_trailers = self._missing == 0
        if len(self.body) + self._missing > self._limit:
            raise too_large(self._limit)

    def _check_line(self, line: bytes) -> None:
        """Refuse a line, complete or not, that is too long or holds half a line break."""
        if self._is_between and line not in (b"", b"\r"):
            raise _malformed("a chunk is longer than its size")
        if b"\n" in line or len(line) > _LONGEST_LINE:
            raise _malformed("a line of its framing is too long or ends in the wrong way")

    def _count_framing(self, size: int) -> None:
        """Refuse a body that keeps the reader busy with next to nothing."""
        self._framing += size
        if self._framing > _FREE_FRAMING + len(self.body):
            raise _malformed("it is mostly framing")


def too_large(limit: int) -> RefusedError:
    """Say how large a body may be."""
    return RefusedError(413, f"The body is larger than the limit of {limit} bytes.")


def _malformed(reason: str) -> RefusedError:
    """Say what is wrong with the framing."""
    return RefusedError(400, f"The chunked body is malformed: {reason}.")
