"""The ``.npz`` container: arrays ↔ bytes, without pickle, bounded, and with a name of their own."""

from __future__ import annotations

import errno
import io
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import (
    ArtifactCorruptError,
    ArtifactFormatError,
    ArtifactNotFoundError,
    FraudscoreError,
)
from model.files import read_regular

Array = NDArray[Any]

LARGEST_FILE = 512 * 2**20  # bytes; as stored and as unpacked
VERSION_DIGITS = 12
LONGEST_REASON = 500  # characters: a damaged file may quote a megabyte


def read_bytes_of(path: Path) -> bytes:
    """Read a whole file.

    Raises
    ------
    ArtifactError
        If it is missing, unreadable or too large.
    """
    try:
        return read_regular(path, LARGEST_FILE)
    except FileNotFoundError:
        raise ArtifactNotFoundError(path, "no such artifact") from None
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise ArtifactFormatError(path, f"larger than {LARGEST_FILE} bytes") from None
        raise ArtifactNotFoundError(path, f"cannot be read: {error.strerror}") from None


def arrays_of(path: Path, content: bytes) -> dict[str, Array]:
    """Read every array eagerly: a damaged or pickled one raises at access, not at opening.

    Raises
    ------
    ArtifactError
        If the content is no sound ``.npz`` file of plain arrays.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST_FILE:
                raise ArtifactFormatError(path, f"unpacks to more than {LARGEST_FILE} bytes")
            names = archive.namelist()
            if len(set(names)) != len(names):
                raise ArtifactCorruptError(path, "an array is there twice")
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        for name, array in arrays.items():
            if not isinstance(array, np.ndarray):
                raise ArtifactCorruptError(path, f"{name!r} is no array")
        return arrays
    except FraudscoreError:
        raise
    except Exception as error:  # zip, zlib and array headers fail in a dozen ways on junk
        raise ArtifactCorruptError(path, f"not a readable .npz file: {first_line(error)}") from None


def version_of(arrays: Mapping[str, Array]) -> str:
    """Return the first digits of the SHA-256 over all arrays, the manifest among them."""
    digest = sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:VERSION_DIGITS]


def npz_bytes(arrays: Mapping[str, Array]) -> bytes:
    """Return the file: the same arrays give the same bytes, whatever the clock says."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            part = io.BytesIO()
            np.lib.format.write_array(part, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            archive.writestr(entry, part.getvalue())
    return buffer.getvalue()


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, cut where it is long, or its name."""
    lines = str(error)[:LONGEST_REASON].splitlines()
    return lines[0] if lines else type(error).__name__
