"""The run directory: what the processes of one running service share, and nobody else may touch.

``draining`` is there while the service drains, ``metrics/`` holds what the workers publish, and
``lock`` is held until the last process of the service is gone.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import time
from collections.abc import Mapping
from pathlib import Path

from app.config import PREFIX
from model.errors import ConfigurationError

VARIABLE = f"{PREFIX}RUN_DIR"
CLAIM_SECONDS = 5.0  # workers of a service that was killed need a moment to notice


def locate(environ: Mapping[str, str]) -> Path:
    """Return the run directory of the service with this environment."""
    if given := environ.get(VARIABLE):
        return Path(given)
    temporary = Path(environ.get("TMPDIR") or "/tmp")  # nosec B108 # noqa: S108 (ours alone, or refused)
    return temporary / f"fraudscore-{environ.get('PORT', '8000')}"


def claim(path: Path, *, is_upgrade: bool) -> None:
    """Create the run directory and hold its lock; empty it unless a running service upgrades.

    One that belongs to somebody else, or in which another service runs, is refused.
    """
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        _check_ours(path)
        # Never closed: workers inherit it, and the lock lasts as long as the last of them.
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        if not is_upgrade:
            _wait_for(lock, path)
            resume(path)
            if (path / "metrics").exists():
                shutil.rmtree(path / "metrics")
        fcntl.flock(lock, fcntl.LOCK_SH)
        (path / "metrics").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigurationError(f"{VARIABLE}: {path} cannot be used: {reason}") from None


def is_used(path: Path) -> bool:
    """Return whether a service runs in a run directory."""
    try:
        lock = os.open(path / "lock", os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return not _can_lock(lock)
    finally:
        os.close(lock)


def drain(path: Path) -> None:
    """Let every worker say that it is not ready for new traffic."""
    (path / "draining").touch(mode=0o600)


def resume(path: Path) -> None:
    """Let every worker be ready again."""
    (path / "draining").unlink(missing_ok=True)


def is_draining(path: Path | None) -> bool:
    """Return whether the service drains; one without a run directory cannot."""
    return path is not None and (path / "draining").exists()


def _check_ours(path: Path) -> None:
    """Refuse a folder in which somebody else could put something, or from which take it."""
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise ConfigurationError(f"{VARIABLE}: {path} is a link, not a folder")
    if status.st_uid != os.geteuid():
        raise ConfigurationError(f"{VARIABLE}: {path} belongs to another user")
    if status.st_mode & 0o077:
        raise ConfigurationError(f"{VARIABLE}: {path} is open to others: its mode must be 700")


def _wait_for(lock: int, path: Path) -> None:
    """Take the lock alone."""
    deadline = time.monotonic() + CLAIM_SECONDS
    while not _can_lock(lock):
        if time.monotonic() > deadline:
            raise ConfigurationError(f"{VARIABLE}: another service runs in {path}")
        time.sleep(0.1)


def _can_lock(lock: int) -> bool:
    """Try to be the only one who holds the lock."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
