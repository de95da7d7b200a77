"""Every damage to an artifact is refused, by the right error, with the path and the reason."""

import io
import struct
import warnings
import zipfile

import numpy as np
import pytest

from model import npz as npz_module
from model.artifact import load
from model.errors import (
    ArtifactCorruptError,
    ArtifactError,
    ArtifactFormatError,
    ArtifactNotFoundError,
)
from tests.factories import save_tiny
from tests.model.artifacts import arrays_in, refusal, write


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return a small artifact that nothing is wrong with."""
    return save_tiny(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def arrays(sound):
    """Return its arrays."""
    return arrays_in(sound.path)


@pytest.fixture
def copy(sound, tmp_path):
    """Return a function that writes content under the name of the sound artifact."""

    def write_copy(content):
        path = tmp_path / sound.path.name
        path.write_bytes(content)
        return path

    return write_copy


def test_missing_file(tmp_path):
    assert refusal(ArtifactNotFoundError, tmp_path / "0123456789ab.npz") == "no such artifact"


def test_folder_and_file_in_place_of_a_folder(tmp_path, sound):
    assert "cannot be read" in refusal(ArtifactNotFoundError, tmp_path)
    assert "cannot be read" in refusal(ArtifactNotFoundError, sound.path / "0123456789ab.npz")


@pytest.mark.parametrize("content", [b"", b"PK", b"not an archive", b"\x80\x04K\x01.", bytes(1000)])
def test_file_that_is_no_archive(content, copy):
    assert "not a readable .npz file" in refusal(ArtifactCorruptError, copy(content))


@pytest.mark.parametrize("percent", [1, 5, 10, 25, 50, 75, 90, 95, 99])
def test_truncated_file(percent, sound, copy):
    content = sound.path.read_bytes()

    refusal(ArtifactCorruptError, copy(content[: len(content) * percent // 100]))


def test_file_short_of_its_last_byte_or_with_its_middle_missing(sound, copy):
    content = sound.path.read_bytes()

    refusal(ArtifactCorruptError, copy(content[:-1]))
    refusal(ArtifactCorruptError, copy(content[:1000] + content[2000:]))


def test_one_flipped_byte_is_refused_or_harmless(sound, copy, rows, rng):
    """In the data everything is refused; in the archive's own fields some bytes mean nothing."""
    content, expected = sound.path.read_bytes(), sound.scorer.logits(rows)
    directory = content.index(b"PK\x01\x02")
    positions = {
        *range(64),
        *rng.integers(0, directory, 150).tolist(),
        *rng.integers(directory, len(content), 150).tolist(),
        *range(len(content) - 22, len(content)),
    }
    n_harmless = 0
    for position in sorted(positions):
        flipped = bytearray(content)
        flipped[position] ^= 1 << int(rng.integers(8))

        loaded = loaded_or_none(copy(bytes(flipped)))

        if loaded is not None:
            n_harmless += 1
            assert loaded.version == sound.version
            np.testing.assert_array_equal(loaded.scorer.logits(rows), expected)
    assert n_harmless < len(positions) / 2


def loaded_or_none(path):
    """Return the artifact, or None where it is refused as it should be."""
    try:
        return load(path)
    except ArtifactError:
        return None


def test_flipped_byte_in_the_data_is_always_refused(sound, copy, rng):
    content = sound.path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entry = archive.getinfo("mlp.parameters.npy")
    start = entry.header_offset + 30 + len(entry.filename)
    for position in rng.integers(start, start + entry.compress_size, 40).tolist():
        flipped = bytearray(content)
        flipped[position] ^= 1 << int(rng.integers(8))

        refusal(ArtifactCorruptError, copy(bytes(flipped)))


def test_pickled_objects(arrays, tmp_path):
    path = tmp_path / "0123456789ab.npz"
    np.savez(path, **arrays | {"mlp.parameters": np.array([{"a": 1}], dtype=object)})

    assert "allow_pickle" in refusal(ArtifactCorruptError, path)


def test_other_name_than_the_version(sound, tmp_path):
    path = tmp_path / "0123456789ab.npz"
    path.write_bytes(sound.path.read_bytes())

    reason = refusal(ArtifactCorruptError, path)

    assert reason == f"the content is version {sound.version}, not 0123456789ab"


def test_file_above_the_limit_is_not_read(sound, monkeypatch):
    monkeypatch.setattr(npz_module, "LARGEST_FILE", 1000)

    assert refusal(ArtifactFormatError, sound.path) == "larger than 1000 bytes"


def test_archive_that_unpacks_to_more_than_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(npz_module, "LARGEST_FILE", 2**20)
    path = tmp_path / "0123456789ab.npz"
    np.savez_compressed(path, bomb=np.zeros(2**18))
    assert path.stat().st_size < 10_000

    assert refusal(ArtifactFormatError, path) == "unpacks to more than 1048576 bytes"


def test_archive_that_understates_what_it_unpacks_to(tmp_path):
    path = tmp_path / "0123456789ab.npz"
    np.savez_compressed(path, bomb=np.zeros(2**18))
    with zipfile.ZipFile(path) as archive:
        size = archive.infolist()[0].file_size
    truth, lie = (struct.pack("<L", number) for number in (size, 200))
    content = path.read_bytes()
    assert content.count(truth) >= 1
    path.write_bytes(content.replace(truth, lie))

    assert "not a readable .npz file" in refusal(ArtifactCorruptError, path)


@pytest.mark.parametrize("shape", ["(100000000000,)", "(1000000000,)", "(-1,)", "(True,)", "()"])
def test_array_header_that_lies(shape, arrays, tmp_path):
    path = tmp_path / "0123456789ab.npz"
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    lying = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header.encode() + bytes(80)
    np.savez(path, **arrays)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("lies.npy", lying)

    refusal(ArtifactCorruptError, path)


def test_array_that_is_there_twice(arrays, tmp_path):
    path = write(tmp_path, arrays)
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of what this test is about
        archive.writestr("mlp.parameters.npy", archive.read("mlp.parameters.npy"))

    assert refusal(ArtifactCorruptError, path) == "an array is there twice"


@pytest.mark.parametrize("name", ["readme.txt", "junk.npy", "__MACOSX/x"])
def test_entry_that_is_no_array(name, sound, copy):
    path = copy(sound.path.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"some text")

    assert "is no array" in refusal(ArtifactCorruptError, path)


def test_array_that_was_added_or_changed_by_hand(arrays, sound, tmp_path):
    for changed in (
        arrays | {"extra": np.ones(1)},
        arrays | {"mlp.parameters": arrays["mlp.parameters"] * 2},
        arrays | {"mlp.parameters": arrays["mlp.parameters"].astype(np.float64)},
    ):
        np.savez(tmp_path / sound.path.name, **changed)

        assert "the content is version" in refusal(ArtifactCorruptError, tmp_path / sound.path.name)
