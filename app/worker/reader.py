"""The bytes of one connection, cut into requests: nothing here knows of sockets or time."""

from __future__ import annotations

from app.worker.chunks import ChunkedBody, too_large
from app.worker.head import END, Head, HeadReader

# Of a chunked body: in chunks of a few bytes each it takes milliseconds to decode.
_MOST_AT_ONCE = 16 * 1024


class RequestReader:
    """Collects bytes until a request is whole; pipelined requests come out one by one."""

    __slots__ = (
        "_checked",
        "_chunks",
        "_heads",
        "_limit",
        "_may_skip_line",
        "_partial",
        "head",
        "unread",
    )

    def __init__(self, heads: HeadReader, limit: int) -> None:
        self.unread = b""
        self.head: Head | None = None  # of the request at hand, from its end to the next request
        self._heads = heads
        self._limit = limit
        self._checked = 0  # bytes of an incomplete head that can be part of a good one
        self._may_skip_line = True
        self._partial: bytearray | None = None
        self._chunks: ChunkedBody | None = None

    @property
    def has_begun(self) -> bool:
        """Whether a part of a request is here."""
        return self.head is not None or bool(self.unread)

    @property
    def is_behind(self) -> bool:
        """Whether the next call of ``read`` goes on without more bytes."""
        return self.head is not None and bool(self.unread)

    @property
    def size(self) -> int:
        """How much of an incomplete body is here."""
        if self._partial is not None:
            return len(self._partial)
        return len(self._chunks.body) if self._chunks is not None else 0

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self.unread = self.unread + data if self.unread else data

    def read(self) -> tuple[Head, bytes] | None:
        """Return the next request once all of it is here and decoded, which may take some calls."""
        head = self.head
        if head is None:
            head = self.head = self._read_head()
            if head is None:
                return None
            if head.length > self._limit:
                raise too_large(self._limit)
        unread = self.unread
        if not head.is_chunked and self._partial is None and len(unread) >= head.length:
            self.unread = unread[head.length :]
            return head, unread[: head.length]
        return self._read_pieces(head)

    def finish(self) -> None:
        """Be ready for the next request."""
        self.head = None
        self._may_skip_line = True

    def _read_head(self) -> Head | None:
        """Return the next head once it is whole, and check what it announces."""
        if self._may_skip_line and self.unread.startswith(b"\r\n"):
            self.unread = self.unread[2:]  # some clients send an empty line too many after a body
            self._may_skip_line = False
        unread = self.unread
        end = unread.find(END)
        if end < 0:
            self._heads.check_beginning(unread, self._checked)
            self._checked = len(unread)
            return None
        self._checked = 0
        head = self._heads.read(unread[:end])
        self.unread = unread[end + len(END) :]
        return head

    def _read_pieces(self, head: Head) -> tuple[Head, bytes] | None:
        """Collect a body that comes in pieces."""
        unread, self.unread = self.unread, b""
        if head.is_chunked:
            if self._chunks is None:
                self._chunks = ChunkedBody(self._limit)
            rest = self._chunks.feed(unread[:_MOST_AT_ONCE])
            later = unread[_MOST_AT_ONCE:]
            if rest is None:
                self.unread = later
            elif later:
                rest += later
            collected = self._chunks.body
        else:
            if self._partial is None:
                self._partial = bytearray()
            collected = self._partial
            missing = head.length - len(collected)
            collected += unread[:missing]
            rest = unread[missing:] if len(unread) >= missing else None
        if rest is None:
            return None
        self.unread = rest
        self._partial = self._chunks = None
        return head, bytes(collected)
