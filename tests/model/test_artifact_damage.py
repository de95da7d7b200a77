"""Every damage to an artifact is refused, by the right error, with the path and the reason."""

import io
import struct
import warnings
import zipfile

import numpy as np
import pytest

from model import artifact as artifact_module
from model.artifact import load
from model.errors import (
    ArtifactCorruptError,
    ArtifactError,
    ArtifactFormatError,
    ArtifactNotFoundError,
)
from tests.factories import save_tiny
from tests.model.artifacts import arrays_in, with_manifest, write


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


@pytest.mark.parametrize("found", [2, 0, "1", None])
def test_other_format(found, arrays, tmp_path):
    changed = with_manifest(arrays, lambda manifest: manifest.update(format=found))

    reason = refusal(ArtifactFormatError, write(tmp_path, changed))

    assert reason == f"has format {found!r}, this version reads 1"


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"format"'],
    ids=["empty", "cut", "list", "null", "no format", "no text", "deep", "cut in a key"],
)
def test_manifest_that_cannot_be_read(text, arrays, tmp_path):
    changed = arrays | {"manifest": np.frombuffer(text, np.uint8)}

    assert "no readable manifest" in refusal(ArtifactCorruptError, write(tmp_path, changed))


def test_no_manifest(arrays, tmp_path):
    del arrays["manifest"]

    assert "no readable manifest" in refusal(ArtifactCorruptError, write(tmp_path, arrays))


@pytest.mark.parametrize(
    "name",
    ["mlp.parameters", "autoencoder.parameters", "autoencoder.whitening", "preprocessing.centre"],
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(name, value, arrays, tmp_path):
    spoiled = arrays[name].copy()
    spoiled.flat[-1] = value

    reason = refusal(ArtifactFormatError, write(tmp_path, arrays | {name: spoiled}))

    assert reason == f"the parts do not fit: {name} holds values that are not finite"


MANIFESTS = {
    "a feature less": lambda m: m["features"]["features"].pop(),
    "a feature more": lambda m: m["features"]["features"].append(
        m["features"]["features"][0] | {"name": "V99"}
    ),
    "no features": lambda m: m.pop("features"),
    "no name": lambda m: m.pop("name"),
    "no networks": lambda m: [m.pop(task) for task in ("fraud", "anomaly")],
    "features of a new kind": lambda m: m["features"].update(features=[1]),
    "unknown activation": lambda m: first_layer(m).update(activation="swish"),
    "unknown layer": lambda m: first_layer(m).update(kind="convolution"),
    "another width": lambda m: first_layer(m).update(n_out=7),
    "a width of no bytes on earth": lambda m: first_layer(m).update(n_in=10**12, n_out=10**6),
    "a width that is text": lambda m: first_layer(m).update(n_out="8"),
    "another number of members": lambda m: m["fraud"]["network"].update(members=3),
    "network that is text": lambda m: m["fraud"].update(network="mlp"),
    "no calibration": lambda m: m["fraud"].pop("calibration"),
    "unknown setting of the policy": lambda m: m["fraud"]["policy"].update(mood="good"),
    "fraud that is a number": lambda m: m.update(fraud=3),
    "score scale without knots": lambda m: m["fraud"]["score_scale"].pop("knots"),
    "anomaly scale without threshold": lambda m: m["anomaly"]["scale"].pop("threshold"),
    "calibration that cannot run": lambda m: m["fraud"]["calibration"].update(
        method="isotonic", knots=[0.0, 1.0], levels=[0.0]
    ),
    "category that is not there": lambda m: m["features"]["features"][4].update(central=-9),
    "policy for an amount that is text": lambda m: m["fraud"]["policy"].update(
        kind="cost", amount_floor="5"
    ),
}


def first_layer(manifest):
    """Return the description of the classifier's first layer."""
    return manifest["fraud"]["network"]["components"][0]


@pytest.mark.parametrize("name", MANIFESTS)
def test_parts_that_do_not_fit(name, arrays, tmp_path):
    changed = with_manifest(arrays, MANIFESTS[name])

    assert "do not fit: " in refusal(ArtifactFormatError, write(tmp_path, changed))


@pytest.mark.parametrize(
    "name",
    [
        "mlp.parameters",
        "autoencoder.parameters",
        "preprocessing.centre",
        "golden.rows",
        "golden.logits",
        "golden.reconstruction_errors",
    ],
)
def test_array_that_is_missing_or_of_another_shape(name, arrays, tmp_path):
    without = {key: array for key, array in arrays.items() if key != name}
    for changed in (
        without,
        arrays | {name: arrays[name][..., :-1]},
        arrays | {name: np.ones((2, 2, 2))},
    ):
        assert "do not fit" in refusal(ArtifactFormatError, write(tmp_path, changed))


@pytest.mark.parametrize("name", ["mlp.parameters", "preprocessing.centre", "golden.rows"])
def test_array_of_text(name, arrays, tmp_path):
    changed = arrays | {name: np.full(arrays[name].shape, "text")}

    assert "do not fit" in refusal(ArtifactFormatError, write(tmp_path, changed))


def test_golden_rows_that_no_longer_match(arrays, tmp_path):
    for name, outputs in (
        ("mlp.parameters", "golden.logits"),
        ("autoencoder.parameters", "golden.reconstruction_errors"),
        ("preprocessing.centre", "golden.logits"),
    ):
        reason = refusal(
            ArtifactCorruptError, write(tmp_path, arrays | {name: arrays[name] + 0.01})
        )

        assert f"{outputs} differ from the day it was written, by up to " in reason


def test_golden_rows_allow_for_the_rounding_of_other_processors(arrays, tmp_path):
    logits = arrays["golden.logits"]

    load(write(tmp_path, arrays | {"golden.logits": logits * (1 + 5e-5)}))
    refusal(ArtifactCorruptError, write(tmp_path, arrays | {"golden.logits": logits + 1e-2}))


def test_artifact_without_golden_rows_proves_nothing(arrays, tmp_path):
    empty = {name: arrays[name][:0] for name in ("golden.rows", "golden.reconstruction_errors")}
    empty["golden.logits"] = arrays["golden.logits"][:, :0]

    reason = refusal(ArtifactFormatError, write(tmp_path, arrays | empty))

    assert reason == "the golden rows do not fit: there are none"


def test_file_above_the_limit_is_not_read(sound, monkeypatch):
    monkeypatch.setattr(artifact_module, "LARGEST_FILE", 1000)

    assert refusal(ArtifactFormatError, sound.path) == "larger than 1000 bytes"


def test_archive_that_unpacks_to_more_than_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(artifact_module, "LARGEST_FILE", 2**20)
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
