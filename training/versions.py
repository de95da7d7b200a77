"""What a model's folder holds: every version, how good it is, which one serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from model.artifact import load
from model.errors import ArtifactError, ArtifactNotFoundError
from model.pointer import Pointer, read_pointer
from training.findings import Finding, findings_in
from training.report.card import trained_at


@dataclass(frozen=True)
class Version:
    """One version in a model's folder.

    Attributes
    ----------
    version : str
    place : str
        "serves", "served before" (what a rollback returns to), or nothing.
    trained_at : datetime or None
        As its card says.
    damage : str or None
        Why it cannot be read; nothing else is known then.
    manifest : mapping
    findings : tuple of Finding
    """

    version: str
    place: str
    trained_at: datetime | None = None
    damage: str | None = None
    manifest: Mapping[str, Any] | None = None
    findings: tuple[Finding, ...] = ()


def versions_in(directory: Path) -> list[Version]:
    """Return the versions in a model's folder, the one that was trained last first.

    Each is loaded and verified. A version that the pointer names and that is not there counts.

    Raises
    ------
    ArtifactNotFoundError
        If there is none.
    ArtifactError
        If the pointer is damaged.
    """
    names = {path.stem for path in directory.glob("*.npz")}
    places = _places(directory)
    found = [
        _version(directory / f"{name}.npz", places.get(name, "")) for name in names | places.keys()
    ]
    if not found:
        raise ArtifactNotFoundError(directory, "no model's folder: it holds no version")
    return sorted(found, key=_age)


def _places(directory: Path) -> dict[str, str]:
    try:
        pointer: Pointer = read_pointer(directory)
    except ArtifactNotFoundError:
        return {}
    before = {} if pointer.previous is None else {pointer.previous: "served before"}
    return {**before, pointer.version: "serves"}


def _version(path: Path, place: str) -> Version:
    try:
        artifact = load(path)
    except ArtifactError as error:
        return Version(path.stem, place, damage=error.reason)
    return Version(
        path.stem,
        place,
        trained_at(artifact),
        manifest=artifact.manifest,
        findings=findings_in(artifact.manifest),
    )


def _age(version: Version) -> tuple[float, str]:
    moment = version.trained_at
    return (-moment.timestamp() if moment else 0.0, version.version)
