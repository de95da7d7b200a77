"""``champion.json``: the one mutable file, which names the version that serves."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from model import strict_json
from model.artifact import Artifact, load
from model.errors import ArtifactCorruptError, ArtifactNotFoundError
from model.files import read_regular, write_atomically

FILE_NAME = "champion.json"
_LARGEST = 64 * 1024  # bytes; a few hundred are usual


@dataclass(frozen=True)
class Pointer:
    """Which version serves, what its file's checksum is, and which served before.

    Attributes
    ----------
    version, sha256 : str
    previous : str or None
        The version that a rollback returns to.
    promoted_at : str
        ISO 8601, UTC.
    """

    version: str
    sha256: str
    previous: str | None
    promoted_at: str


def read_pointer(directory: Path | str) -> Pointer:
    """Read the pointer of a model's folder.

    Raises
    ------
    ArtifactNotFoundError
        If there is none.
    ArtifactCorruptError
        If it is not what we write.
    """
    path = Path(directory) / FILE_NAME
    try:
        facts = strict_json.loads(read_regular(path, _LARGEST))
        pointer = Pointer(**facts)
    except FileNotFoundError:
        raise ArtifactNotFoundError(path, "no model has been promoted here") from None
    except OSError as error:
        raise ArtifactNotFoundError(path, f"cannot be read: {error.strerror}") from None
    except (TypeError, ValueError):
        raise ArtifactCorruptError(path, "not a champion pointer") from None
    versions = (pointer.version, pointer.version if pointer.previous is None else pointer.previous)
    if not all(isinstance(fact, str) for fact in (*versions, pointer.sha256, pointer.promoted_at)):
        raise ArtifactCorruptError(path, "not a champion pointer")
    if not all(version.isalnum() for version in versions):  # they become file names
        raise ArtifactCorruptError(path, "not a champion pointer")
    try:
        datetime.fromisoformat(pointer.promoted_at)
    except ValueError:
        raise ArtifactCorruptError(path, "not a champion pointer") from None
    return pointer


def write_pointer(directory: Path, pointer: Pointer) -> None:
    """Replace the pointer atomically; the caller has verified the version it names."""
    text = json.dumps(asdict(pointer), indent=2) + "\n"
    write_atomically(Path(directory) / FILE_NAME, text.encode())


def load_promoted(directory: Path | str, pointer: Pointer) -> Artifact:
    """Load the version that a pointer names.

    Raises
    ------
    ArtifactError
        If it is missing, damaged, or not the file that was promoted.
    """
    artifact = load(Path(directory) / f"{pointer.version}.npz")
    if artifact.sha256 != pointer.sha256:
        raise ArtifactCorruptError(
            artifact.path, f"its SHA-256 is {artifact.sha256}, not {pointer.sha256} as promoted"
        )
    return artifact


def load_champion(directory: Path | str) -> tuple[Artifact, Pointer]:
    """Load the version that the pointer of a model's folder names.

    Raises
    ------
    ArtifactError
        If pointer or artifact is missing, damaged, or the one does not name the other.
    """
    pointer = read_pointer(directory)
    return load_promoted(directory, pointer), pointer
