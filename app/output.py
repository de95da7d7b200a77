"""The standard streams: open, and written to without waiting for whoever reads at their end."""

from __future__ import annotations

import os
import socket
import stat
import sys
from contextlib import suppress

STANDARD_OUTPUT = 1


def open_standard_streams() -> None:
    """Put the null device in place of standard streams that the process was started without.

    The next file or connection would otherwise get the number of one, and log lines written to it.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


class Output:
    """Writes lines, or raises OSError where they are not taken at once.

    A flag that makes a descriptor return at once would change it for all who share it, so a pipe or
    a terminal is opened once more, and a socket is asked with every line. What may not be opened
    again stays as it is, and so does a file, which nobody has to read.
    """

    def __init__(self, number: int = STANDARD_OUTPUT) -> None:
        self._number = number
        self._own: int | None = None
        self._is_socket = False
        with suppress(OSError):
            mode = os.fstat(number).st_mode
            if stat.S_ISFIFO(mode) or os.isatty(number):
                flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY
                self._own = self._number = os.open(f"/proc/self/fd/{number}", flags)
            self._is_socket = stat.S_ISSOCK(mode)

    def write(self, line: bytes) -> None:
        """Write one line, with its end."""
        if not self._is_socket:
            os.write(self._number, line)
            return
        borrowed = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, self._number)
        try:
            borrowed.send(line, socket.MSG_DONTWAIT)
        finally:
            borrowed.detach()

    def close(self) -> None:
        """Give back what was opened here; the standard output itself stays open."""
        if self._own is not None:
            os.close(self._own)
            self._own = None
