"""The standard streams: open, and written to without waiting for whoever reads at their end."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
import time
from contextlib import suppress

STANDARD_OUTPUT = 1
_PAUSE_S = 0.001  # in which another process ends a write that was seen half done
_MOST_LOOKS = 3


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

    A full disk, pipe or socket may take a part of a line. The next line then begins with a line
    break, so that only the torn one is lost. Another process may have torn it: a file that may be
    read tells by its last byte.
    """

    def __init__(self, number: int = STANDARD_OUTPUT) -> None:
        self._number = number
        self._own: int | None = None
        self._reading: int | None = None
        self._is_socket = False
        self._is_torn = False
        self._torn_at = 0  # where a file was last seen to end amid a line
        with suppress(OSError):
            mode = os.fstat(number).st_mode
            if stat.S_ISFIFO(mode) or os.isatty(number):
                flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY
                self._own = self._number = os.open(f"/proc/self/fd/{number}", flags)
            self._is_socket = stat.S_ISSOCK(mode)
            if stat.S_ISREG(mode):
                self._reading = os.open(f"/proc/self/fd/{number}", os.O_RDONLY | os.O_CLOEXEC)

    def write(self, line: bytes) -> None:
        """Write one line, with its end."""
        if self._is_torn if self._reading is None else self._is_amid_line(self._reading):
            line = b"\n" + line
        written = self._write(line)
        # Where only the break was taken nothing is torn any more.
        self._is_torn = written < len(line) and line[:written] != b"\n"
        if written < len(line):
            raise OSError(errno.ENOSPC, "a part of the line was not taken")

    def _is_amid_line(self, number: int) -> bool:
        """Say whether a file ends amid a line and stays like that."""
        for _ in range(_MOST_LOOKS):
            size = os.lseek(number, 0, os.SEEK_END)  # a third of what fstat takes
            if not size or os.pread(number, 1, size - 1) == b"\n":
                return False
            if size == self._torn_at:
                break
            self._torn_at = size
            time.sleep(_PAUSE_S)
        return True

    def _write(self, line: bytes) -> int:
        """Write once and return how many bytes were taken."""
        if not self._is_socket:
            return os.write(self._number, line)
        borrowed = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, self._number)
        try:
            return borrowed.send(line, socket.MSG_DONTWAIT)
        finally:
            borrowed.detach()

    def close(self) -> None:
        """Give back what was opened here; the standard output itself stays open."""
        for number in (self._own, self._reading):
            if number is not None:
                os.close(number)
        self._own = self._reading = None
