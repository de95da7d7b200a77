"""Which versions served one after the other: ``history.jsonl`` beside the pointer.

A line says what happened to the pointer: when, to which version, why. Lines are only ever added.
The pointer alone says what serves; the history says what a rollback returns to. A pointer without
its line (after a crash in between, or from before there was a history) gets it at the next change.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

from model import strict_json
from model.artifact import Artifact
from model.errors import ArtifactNotFoundError
from model.pointer import Pointer, read_pointer, write_pointer
from training.errors import PromotionError

FILE_NAME = "history.jsonl"
MOST_BYTES = 16 * 2**20
UNWRITTEN = "as champion.json says"  # the reason of a line that was added later

What = Literal["promoted", "rolled back"]


@dataclass(frozen=True)
class Event:
    """One line of the history.

    Attributes
    ----------
    at : str
        ISO 8601, UTC.
    event : {'promoted', 'rolled back'}
    version : str
        What served from then on.
    sha256 : str or None
        Of its file, where it is known.
    reason : str
    figures : dict or None
        What it was measured by: average precision of champion and challenger on the same rows.
    """

    at: str
    event: What
    version: str
    sha256: str | None
    reason: str = ""
    figures: dict[str, Any] | None = None


def champions_in_order(events: Sequence[Event]) -> list[str]:
    """Return the versions that a rollback can end at, and last the one that serves.

    A version that is promoted comes last, wherever it was before; a rollback takes away what came
    after the version that it returns to. So no row of rollbacks comes to a version twice.
    """
    order: list[str] = []
    for event in events:
        version = event.version
        if event.event == "promoted":
            order = [other for other in order if other != version]
        else:
            order = order[: order.index(version)] if version in order else []
        order.append(version)
    return order


def read_history(directory: Path) -> list[Event]:
    """Return what happened to the pointer of a model's folder, oldest first.

    What the pointer says and no line does is added at the end.

    Raises
    ------
    PromotionError
        If the file is not what we write.
    ArtifactError
        If the pointer is damaged.
    """
    path = Path(directory) / FILE_NAME
    content = b""
    if path.exists():
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    events = _events(path, content)
    return [*events, *_unwritten(events, Path(directory))]


def change_champion(
    directory: Path,
    artifact: Artifact,
    event: What,
    reason: str = "",
    figures: dict[str, Any] | None = None,
) -> Pointer:
    """Let the pointer name a verified artifact, and write down that it does.

    Raises
    ------
    PromotionError
        If the history is damaged (the champion is then unchanged) or cannot be added to.
    ArtifactError
        If the pointer is damaged.
    """
    path = Path(directory) / FILE_NAME
    with _locked(path) as file:
        content = file.read(MOST_BYTES + 1)
        known = _events(path, content)
        unwritten = _unwritten(known, Path(directory))
        now = datetime.now(UTC).isoformat(timespec="seconds")
        happened = Event(now, event, artifact.version, artifact.sha256, reason, figures)
        *_, previous, _ = [None, *champions_in_order([*known, *unwritten, happened])]
        pointer = Pointer(artifact.version, artifact.sha256, previous, now)
        write_pointer(directory, pointer)
        try:
            file.truncate(content.rfind(b"\n") + 1)  # a line that was cut short never was one
            file.write(b"".join(map(_line, [*unwritten, happened])))
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            raise PromotionError(
                f"{artifact.version} is the champion now, but {path} does not say so: "
                f"{error.strerror}"
            ) from None
    return pointer


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """Open the history for adding to, with the pointer to oneself meanwhile."""
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        yield file


def _line(event: Event) -> bytes:
    return json.dumps(asdict(event), ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _events(path: Path, content: bytes) -> list[Event]:
    cure = "move it away, and only the version before the champion is known"
    if len(content) > MOST_BYTES:
        raise PromotionError(f"{path} is larger than {MOST_BYTES:,} bytes: {cure}")
    *lines, _cut_short = content.split(b"\n")
    events = []
    for number, line in enumerate(lines, start=1):
        try:
            event = Event(**strict_json.loads(line))
            is_ours = event.event in get_args(What) and event.version.isalnum()
            datetime.fromisoformat(event.at)
        except (AttributeError, TypeError, ValueError):
            is_ours = False
        if not is_ours:
            raise PromotionError(f"{path}, line {number}: not a line of a history; {cure}")
        events.append(event)
    return events


def _unwritten(events: Sequence[Event], directory: Path) -> list[Event]:
    """Return the events that led to the pointer and are not in the history."""
    try:
        pointer = read_pointer(directory)
    except ArtifactNotFoundError:
        return []
    order = champions_in_order(events)
    if order and order[-1] == pointer.version:
        return []
    at, previous = pointer.promoted_at, pointer.previous
    event = Event(at, "promoted", pointer.version, pointer.sha256, UNWRITTEN)
    back = replace(event, event="rolled back")
    before = champions_in_order([*events, back])[:-1]
    if pointer.version in order and previous == (before[-1] if before else None):
        return [back]
    if previous is None or previous in order:
        return [event]
    return [Event(at, "promoted", previous, None, UNWRITTEN), event]
