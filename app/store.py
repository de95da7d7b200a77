"""The model that answers: loaded, verified, and held in one reference."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import orjson

from app.json_provider import dumps
from app.schemas import RequestBody
from model.artifact import Artifact
from model.pointer import Pointer, load_champion


@dataclass(frozen=True)
class Champion:
    """A verified artifact, the pointer that named it, and what every request needs of both."""

    artifact: Artifact
    pointer: Pointer
    loaded_at: float  # seconds since 1970
    requests: RequestBody
    label: orjson.Fragment  # {"name": …, "version": …}, encoded once


@dataclass(frozen=True)
class Swaps:
    """What became of the champions that were named since this process began."""

    swapped: int = 0
    refused: int = 0


class ModelStore:
    """Holds the champion; requests take one reference and use it from beginning to end."""

    def __init__(self, directory: Path, max_rows: int) -> None:
        artifact, pointer = load_champion(directory)
        label = dumps({"name": artifact.name, "version": artifact.version})
        requests = RequestBody(artifact.scorer.spec, max_rows)
        self.swaps = Swaps()
        self._champion = Champion(artifact, pointer, time.time(), requests, orjson.Fragment(label))

    def current(self) -> Champion:
        """Return the champion of this moment."""
        return self._champion

    def status(self) -> dict[str, object]:
        """Say which model answers, as the health routes report it."""
        champion = self._champion
        return {
            "status": "ok",
            "model": {
                "name": champion.artifact.name,
                "version": champion.artifact.version,
                "sha256": champion.artifact.sha256,
                "promoted_at": champion.pointer.promoted_at,
            },
        }
