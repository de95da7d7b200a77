"""The standard error of commands."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from model.printable import printable


class ErrorStream:
    """The standard error, which also carries what libraries and warnings say of a table."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text without control characters."""
        return self._stream.write(printable(text))

    def __getattr__(self, name: str) -> Any:
        """Do all else as the stream itself does."""
        return getattr(self._stream, name)


@contextmanager
def printable_errors() -> Iterator[None]:
    """Let no control character through to the standard error."""
    stream = sys.stderr
    sys.stderr = ErrorStream(stream)  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.stderr = stream
