"""The model that answers: loaded, verified, held in one reference, and replaced in one step."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

import orjson

from app.effort import rows_at_once
from app.json_provider import dumps
from app.rehearsal import rehearse
from app.schemas import RequestBody
from model.artifact import Artifact, load
from model.errors import ArtifactError
from model.pointer import Pointer, load_promoted, read_pointer

Loading = Callable[[], AbstractContextManager[None]]

logger = logging.getLogger(__name__)

# A refused champion is tried again when its file changes, and after this time: what else may have
# been in the way (permissions above it, a disk, memory) leaves no trace on the file.
RETRY_SECONDS = 30.0
# Looking takes milliseconds, loading a few seconds: what takes longer waits for a disk.
PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class Champion:
    """A verified artifact and what every request needs of it."""

    artifact: Artifact
    promoted_at: str | None  # None: it serves in place of the champion that could not be loaded
    loaded_at: float  # seconds since 1970
    requests: RequestBody
    label: orjson.Fragment  # {"name": …, "version": …}, encoded once
    rows_at_once: int = 0  # so many of a request may be answered on the event loop


@dataclass(frozen=True)
class Refusal:
    """The champion that was named and does not serve, and why; clients may read the reason."""

    version: str | None  # None: the pointer could not be read
    reason: str


_LATE = Refusal(None, f"its files have not been read for {PATIENCE_SECONDS:g} s")


@dataclass(frozen=True)
class Swaps:
    """What became of the champions that were named since this process began."""

    swapped: int = 0
    refused: int = 0


@dataclass(frozen=True)
class _Serving:
    """What answers, and what ought to; one object, so that nobody sees half of a change."""

    champion: Champion
    refusal: Refusal | None = None


class ModelStore:
    """Holds the champion; requests take one reference and use it from beginning to end.

    Any number of threads may read. ``refresh`` and ``take_up`` belong to one thread at a time.
    """

    def __init__(self, directory: Path, max_rows: int) -> None:
        self._directory = directory
        self._max_rows = max_rows
        self.swaps = Swaps()
        pointer = read_pointer(directory)
        self._seen: object = self._files(pointer)
        self._retry_at = inf
        self._refused: object = None
        self._looking_since = inf
        self._is_late = False
        artifact = load_promoted(directory, pointer)
        self._serving = _Serving(self._champion(artifact, pointer.promoted_at))

    def current(self) -> Champion:
        """Return the champion of this moment."""
        return self._serving.champion

    def status(self) -> dict[str, object]:
        """Say which model answers, as the health routes report it."""
        serving = self._serving
        refusal = serving.refusal
        if refusal is None and self._is_overdue():
            refusal = _LATE
        artifact = serving.champion.artifact
        model = {
            "name": artifact.name,
            "version": artifact.version,
            "sha256": artifact.sha256,
            "promoted_at": serving.champion.promoted_at,
        }
        if refusal is None:
            return {"status": "ok", "model": model}
        return {
            "status": "degraded",
            "reason": refusal.reason,
            "refused_version": refusal.version,
            "model": model,
        }

    def tell_delay(self) -> None:
        """Log once when a look at the champion takes too long, and once when it has ended.

        For another thread than the one that looks, which may be held up for ever.
        """
        is_late = self._is_overdue()
        if is_late and not self._is_late:
            facts = {"model": self.current().artifact.version, "reason": _LATE.reason}
            logger.error("champion cannot be looked at", extra={"facts": facts})
        elif self._is_late and not is_late:
            logger.info("champion can be looked at again")
        self._is_late = is_late

    def take_up(self) -> None:
        """Begin in a new process: the pointer may have moved on since this model was loaded.

        Where its version cannot be served, the one before it is, else the one at hand.
        """
        with self._looking():
            self.refresh()
            if self._serving.refusal is not None:
                self._fall_back()

    def refresh(self, while_loading: Loading = nullcontext) -> None:
        """Look at the pointer; verify a new champion beside the old one, then swap or refuse."""
        with self._looking():
            self._refresh(while_loading)

    def _refresh(self, while_loading: Loading) -> None:
        """Do what ``refresh`` says, however long it takes."""
        pointer = None
        try:
            pointer = read_pointer(self._directory)
            files = self._files(pointer)
            if files == self._seen and time.monotonic() < self._retry_at:
                return
            self._seen = files
            with while_loading():
                artifact = load_promoted(self._directory, pointer)
                champion = self._champion(artifact, pointer.promoted_at)
            self._accept(champion)
        except Exception as error:  # whatever it is, the old model goes on
            if pointer is None:
                self._seen = None  # the same pointer may come back
            self._refuse(pointer, error)

    @contextmanager
    def _looking(self) -> Iterator[None]:
        """Let ``status`` know that a look has begun, and since when."""
        began = self._looking_since
        self._looking_since = min(began, time.monotonic())
        try:
            yield
        finally:
            self._looking_since = began

    def _is_overdue(self) -> bool:
        """Return whether a look takes so long that whatever it waits for must be broken."""
        return time.monotonic() - self._looking_since > PATIENCE_SECONDS

    def _files(self, pointer: Pointer) -> object:
        """Return what differs when the pointer or the file that it names has changed."""
        try:
            status = os.stat(self._directory / f"{pointer.version}.npz")
        except OSError:
            return pointer, None
        return pointer, (status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size)

    def _champion(self, artifact: Artifact, promoted_at: str | None) -> Champion:
        """Prepare what requests need of an artifact, and see that it can answer them."""
        label = orjson.Fragment(dumps({"name": artifact.name, "version": artifact.version}))
        requests = RequestBody(artifact.scorer.spec, self._max_rows)
        champion = Champion(artifact, promoted_at, time.time(), requests, label)
        rehearse(champion)
        return replace(champion, rows_at_once=rows_at_once(champion))

    def _accept(self, champion: Champion) -> None:
        """Let a verified champion answer; an artifact that does already stays as it is."""
        serving = self._serving
        artifact, old = champion.artifact, serving.champion
        if artifact.sha256 == old.artifact.sha256:
            champion = replace(old, promoted_at=champion.promoted_at)
        self._serving = _Serving(champion)
        self._retry_at = inf
        self._refused = None
        facts = {"model": artifact.version}
        if champion.artifact is artifact:
            self.swaps = replace(self.swaps, swapped=self.swaps.swapped + 1)
            facts["replaced"] = old.artifact.version
            logger.info("champion swapped", extra={"facts": facts})
        elif serving.refusal is not None:
            logger.info("champion serves and can be loaded again", extra={"facts": facts})

    def _refuse(self, pointer: Pointer | None, error: Exception) -> None:
        """Keep the old model; count and log each refused pointer once, however often tried."""
        is_expected = isinstance(error, ArtifactError)
        reason = error.reason if isinstance(error, ArtifactError) else "it could not be loaded"
        version = None if pointer is None else pointer.version
        champion = self._serving.champion
        is_new = self._serving.refusal is None or self._refused != pointer
        self._serving = _Serving(champion, Refusal(version, reason))
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._refused = pointer
        if is_new:
            self.swaps = replace(self.swaps, refused=self.swaps.refused + 1)
            facts = {"model": champion.artifact.version, "refused": version, "reason": str(error)}
            logger.error(
                "champion refused",
                exc_info=None if is_expected else error,
                extra={"facts": facts},
            )

    def _fall_back(self) -> None:
        """Serve the version before the refused one, unless the one at hand is either of them."""
        serving = self._serving
        try:
            pointer = read_pointer(self._directory)
            at_hand = serving.champion.artifact.version
            if pointer.previous is None or at_hand in (pointer.version, pointer.previous):
                return
            artifact = load(self._directory / f"{pointer.previous}.npz")
            champion = self._champion(artifact, None)
        except Exception as error:  # the one at hand was verified before the fork
            logger.error("no previous champion", extra={"facts": {"reason": str(error)}})
            return
        self._serving = _Serving(champion, serving.refusal)
