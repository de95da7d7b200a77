"""Models that follow each other as champions, and what can be wrong with a new one."""

import json
import shutil
from hashlib import sha256

import numpy as np

from model.artifact import load
from model.pointer import FILE_NAME, Pointer, write_pointer
from tests.model.artifacts import arrays_in, with_manifest, write


def point_to(artifact, previous=None, promoted_at="2026-02-02T00:00:00+00:00"):
    """Make an artifact the champion of its folder."""
    pointer = Pointer(artifact.version, artifact.sha256, previous, promoted_at)
    write_pointer(artifact.path.parent, pointer)
    return pointer


def copied(artifact, directory):
    """Return an artifact as a file of its own in another folder, there to be damaged."""
    return load(shutil.copy(artifact.path, directory))


def missing(artifact):
    artifact.path.unlink()


def empty(artifact):
    artifact.path.write_bytes(b"")


def truncated(artifact):
    artifact.path.write_bytes(artifact.path.read_bytes()[:-100])


def text(artifact):
    artifact.path.write_text("not an artifact")


def folder(artifact):
    artifact.path.unlink()
    artifact.path.mkdir()


def flipped_byte(artifact):
    data = bytearray(artifact.path.read_bytes())
    data[len(data) // 2] ^= 1
    artifact.path.write_bytes(data)


def other_file(artifact):
    """Sound, but not the file whose checksum was promoted."""
    np.savez(artifact.path, **arrays_in(artifact.path))


def pickled(artifact):
    arrays = arrays_in(artifact.path)
    np.savez(artifact.path, **arrays | {"mlp.parameters": np.array([{"a": 1}], dtype=object)})


def lying(artifact):
    """Sound and of the right version, as its pointer says, but the golden rows score otherwise."""
    arrays = arrays_in(artifact.path)
    _name_rewritten(artifact, arrays | {"golden.logits": arrays["golden.logits"] + 1})


def not_finite(artifact):
    arrays = arrays_in(artifact.path)
    arrays["mlp.parameters"] = np.full_like(arrays["mlp.parameters"], np.nan)
    _name_rewritten(artifact, arrays)


def other_format(artifact):
    arrays = arrays_in(artifact.path)
    _name_rewritten(artifact, with_manifest(arrays, lambda manifest: manifest.update(format=99)))


def unspeakable_name(artifact):
    """A name that no JSON can hold: what nobody thought of when loading was written."""
    arrays = arrays_in(artifact.path)
    _name_rewritten(artifact, with_manifest(arrays, lambda m: m.update(name="\ud800")))


def turned_around(artifact):
    """The less likely fraud is, the more it is taken for it."""
    turn = _turn("calibration", slope=-1.0)
    _name_rewritten(artifact, with_manifest(arrays_in(artifact.path), turn))


def beyond_numbers(artifact):
    """A policy that compares with no number."""
    turn = _turn("policy", block=float("nan"))
    _name_rewritten(artifact, with_manifest(arrays_in(artifact.path), turn))


def lenient(artifact):
    """Sound in all its parts, but blocking less than on the day it was trained."""
    turn = _turn("policy", block=0.99)
    _name_rewritten(artifact, with_manifest(arrays_in(artifact.path), turn))


def _turn(part, **facts):
    return lambda manifest: manifest["fraud"][part].update(facts)


DAMAGES = [
    missing,
    empty,
    truncated,
    text,
    folder,
    flipped_byte,
    other_file,
    pickled,
    lying,
    not_finite,
    other_format,
    unspeakable_name,
    turned_around,
    beyond_numbers,
    lenient,
]


def _name_rewritten(artifact, arrays):
    """Write arrays beside the artifact and let the pointer name them."""
    path = write(artifact.path.parent, arrays)
    pointer_path = artifact.path.parent / FILE_NAME
    facts = json.loads(pointer_path.read_text())
    facts |= {"version": path.stem, "sha256": sha256(path.read_bytes()).hexdigest()}
    write_pointer(pointer_path.parent, Pointer(**facts))
