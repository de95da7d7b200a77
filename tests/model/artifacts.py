"""Reading and writing artifacts as any other program would, to tamper with them."""

import json
from hashlib import sha256

import numpy as np
import pytest

from model.artifact import load
from model.errors import ArtifactError


def arrays_in(path):
    """Return the arrays of an artifact by name."""
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def version_of(arrays):
    """Return the version that arrays have by the definition of the format."""
    digest = sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:12]


def write(directory, arrays):
    """Write arrays under their right version, whatever is in them, and return the path."""
    path = directory / f"{version_of(arrays)}.npz"
    np.savez(path, **arrays)
    return path


def with_manifest(arrays, change):
    """Return the arrays with another manifest: ``change`` edits it in place."""
    manifest = json.loads(arrays["manifest"].tobytes())
    change(manifest)
    return arrays | {"manifest": np.frombuffer(json.dumps(manifest).encode(), np.uint8)}


def refusal(kind, path):
    """Return the reason for which an artifact is refused, by exactly this kind of error."""
    with pytest.raises(ArtifactError) as caught:
        load(path)
    error = caught.value
    assert type(error) is kind
    assert error.path == str(path)
    assert str(error) == f"{path}: {error.reason}"
    assert error.reason
    assert "\n" not in str(error)
    return error.reason
