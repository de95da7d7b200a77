"""The numbers of all processes of a service, in a folder that they share.

Every process replaces its own file now and then and holds a lock on it for as long as it lives, so
that everybody can tell the living from the dead, however they died; process ids may be used again.
What dead processes counted is added to one file and theirs are removed. The ids that it has taken
in are written with it, in one step: nothing is counted twice or lost, wherever a process is killed.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from threading import Lock

import orjson

from app.observability.metrics import Series, from_rows, lasting, to_rows, total

_SUFFIX = ".json"
_TEMPORARY = ".tmp"
_RETIRED = "retired"
# Ids stay listed for longer than anybody needs between reading a file and reading this one.
_MOST_RETIRED_IDS = 1000
_LONGEST_WRITE_SECONDS = 60.0
_DAMAGED = (ValueError, KeyError, TypeError)  # as a power cut may leave a file


@dataclass(frozen=True)
class Snapshot:
    """What a process, living or dead, has published last."""

    identity: str
    pid: int
    is_alive: bool
    series: Series


class PublishedSeries:
    """The shared folder, as one process writes to it and reads from it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.identity = f"{os.getpid()}-{token_hex(4)}"
        self._held = -1  # keeps our file locked
        self._content = b""
        self._lock = Lock()

    def publish(self, series: Series) -> None:
        """Replace what this process says of itself.

        Raises
        ------
        OSError
            If the disk is full or the folder not writable; what was said before then stands.
        """
        content = orjson.dumps({"pid": os.getpid(), "series": to_rows(series)})
        with self._lock:
            if content == self._content and self._path(self.identity).exists():
                return
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = self._replace(self.identity, content)
            if self._held >= 0:
                os.close(self._held)  # after the new file took its name: no gap without a lock
            self._held, self._content = new, content

    def read(self) -> tuple[list[Snapshot], Series]:
        """Return what living processes have published, and the sum of what dead ones counted."""
        found = list(self._snapshots())  # before the retired: who moves over meanwhile is listed
        retired_ids, retired = self._read_retired()
        found = [snapshot for snapshot in found if snapshot.identity not in retired_ids]
        living = [snapshot for snapshot in found if snapshot.is_alive]
        dead = [lasting(snapshot.series) for snapshot in found if not snapshot.is_alive]
        return living, total([retired, *dead])

    def retire(self) -> None:
        """Add what dead processes counted to one file, and remove theirs.

        Raises
        ------
        OSError
            If the disk is full or the folder not writable; their own files then stay.
        """
        with self._turn() as is_ours:
            if not is_ours:
                return  # somebody else is at it
            retired_ids, retired = self._read_retired()
            dead = [snapshot for snapshot in self._snapshots() if not snapshot.is_alive]
            new = [snapshot for snapshot in dead if snapshot.identity not in retired_ids]
            if new:
                ids = [*retired_ids, *(snapshot.identity for snapshot in new)][-_MOST_RETIRED_IDS:]
                whole = total([retired, *(lasting(snapshot.series) for snapshot in new)])
                content = orjson.dumps({"ids": ids, "series": to_rows(whole)})
                os.close(self._replace(_RETIRED, content))
            for snapshot in dead:
                self._path(snapshot.identity).unlink(missing_ok=True)
            self._remove_unfinished()

    def _path(self, identity: str) -> Path:
        """Return the file of a process."""
        return self._folder / f"{identity}{_SUFFIX}"

    def _replace(self, identity: str, content: bytes) -> int:
        """Write a file under its name in one step; return it open and locked.

        Nothing is flushed to the disk: the numbers need not outlast the machine.
        """
        temporary = self._folder / f"{identity}{_TEMPORARY}"
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.write(file, content) < len(content):
                raise OSError("the disk is full")
            temporary.replace(self._path(identity))
        except BaseException:
            os.close(file)
            temporary.unlink(missing_ok=True)
            raise
        return file

    def _snapshots(self) -> Iterator[Snapshot]:
        """Read the files of all processes."""
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            if path.stem == _RETIRED:
                continue
            with suppress(FileNotFoundError, *_DAMAGED):
                is_alive, content = _read(path)
                facts = orjson.loads(content)
                series = from_rows(facts["series"])
                yield Snapshot(path.stem, facts["pid"], is_alive, series)

    def _read_retired(self) -> tuple[list[str], Series]:
        """Return whose counts were taken in, and their sum."""
        with suppress(FileNotFoundError, *_DAMAGED):
            facts = orjson.loads(self._path(_RETIRED).read_bytes())
            return list(facts["ids"]), from_rows(facts["series"])
        return [], {}

    def _remove_unfinished(self) -> None:
        """Remove what processes were writing when they were killed."""
        for path in self._folder.glob(f"*{_TEMPORARY}"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _LONGEST_WRITE_SECONDS:
                    path.unlink()

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        """Say whether this process may move the numbers of the dead; nobody waits for a turn."""
        file = os.open(self._folder / "turn", os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK, 0o600)
        try:
            yield _can_lock(file, fcntl.LOCK_EX)
        finally:
            os.close(file)


def _read(path: Path) -> tuple[bool, bytes]:
    """Return whether a file's writer lives, and its content."""
    while True:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            content = file.read()
            if not _can_lock(file.fileno(), fcntl.LOCK_SH):
                return True, content
            # Without a lock it is that of a dead process, or one that has just been replaced.
            if os.fstat(file.fileno()).st_ino == path.stat().st_ino:
                return False, content


def _can_lock(file: int, kind: int) -> bool:
    """Try to lock a file without waiting; closing it gives the lock back."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
