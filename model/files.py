"""Writing files so that a reader sees the old content or the new, never half of either."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex


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
