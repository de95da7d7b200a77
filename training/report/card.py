"""The card beside an artifact: what ``GET /model`` says of it, and when it was trained."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from model.artifact import Artifact
from model.card import describe
from model.files import write_atomically


def write_card(artifact: Artifact, directory: Path, trained_at: datetime | None = None) -> Path:
    """Write what ``GET /model`` says of an artifact, and when it was trained.

    The time is here and not in the artifact: the same run must give the same artifact.

    Parameters
    ----------
    artifact : Artifact
    directory : Path
        Where the artifact is; the card becomes ``<version>.json`` beside it.
    trained_at : datetime, optional
        Now, if omitted.

    Returns
    -------
    Path
    """
    moment = trained_at or datetime.now(UTC)
    card = {**describe(artifact), "trained_at": moment.isoformat(timespec="seconds")}
    path = directory / f"{artifact.version}.json"
    text = json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(path, f"{text}\n".encode())
    return path


def trained_at(artifact: Artifact) -> datetime | None:
    """Return when an artifact was trained, as its card says; None where no card says it."""
    try:
        card = json.loads(artifact.path.with_suffix(".json").read_text(encoding="utf-8"))
        return datetime.fromisoformat(card["trained_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
