"""Reading files that cannot hold a reader up, and writing them so that nobody sees half of one."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from secrets import token_hex

_GROWTH = 64 * 1024  # bytes by which a file may grow while it is read
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def read_regular(path: Path, most: int) -> bytes:
    """Read a regular file, and nothing that is not one.

    A pipe without a writer would hold its reader up for ever, a device may do anything when it is
    opened. So whatever is there is looked at before and after it is opened, without waiting.

    Parameters
    ----------
    path : Path
        Links are followed.
    most : int
        Bytes that may be read.

    Raises
    ------
    OSError
        If it is no regular file, too large, or cannot be read; ``strerror`` says which.
    """
    _check_regular(path, os.stat(path).st_mode)
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with open(file, "rb") as stream:
        status = os.fstat(file)
        _check_regular(path, status.st_mode)
        content = stream.read(min(most, status.st_size + _GROWTH) + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"larger than {most} bytes", str(path))
    return content


def _check_regular(path: Path, mode: int) -> None:
    """Refuse what is no regular file."""
    if not stat.S_ISREG(mode):
        kind = next((name for is_one, name in _KINDS if is_one(mode)), "something else")
        raise OSError(errno.EINVAL, f"it is {kind}, not a regular file", str(path))


def temporary_beside(path: Path) -> Path:
    """Return a hidden name in the same folder that no other writer of the same file uses."""
    return path.with_name(f".{path.name}.{token_hex(4)}.tmp")


def write_atomically(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write to a temporary name beside the target, flush to disk, rename.

    A symbolic link stays one: what it leads to is replaced.

    ``mode`` are the permissions of the file, before it has any content; by default the usual ones.

    Raises
    ------
    OSError
        If the disk is full or the folder not writable; the old content is then untouched.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        with temporary.open("wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the rename itself must survive a power cut
    finally:
        os.close(folder)
