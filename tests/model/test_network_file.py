"""A network by itself as a file: the same bit by bit, and every damage refused."""

import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import MLP, Autoencoder, Layer
from model import npz as npz_module
from model.errors import (
    ArtifactCorruptError,
    ArtifactError,
    ArtifactFormatError,
    ArtifactNotFoundError,
    ConfigurationError,
)
from model.npz import npz_bytes
from tests.factories import save_tiny

rows = np.random.default_rng(5).normal(size=(40, 4))
labels = (rows[:, 0] > 0).astype(int)


def classifier(**options):
    """Return a trained classifier."""
    network = MLP([4, 6, 6, 1], rng=np.random.default_rng(0), **options)
    network.fit(rows, labels, epochs=3, batch_size=8, rng=np.random.default_rng(1))
    return network


def autoencoder(**options):
    """Return a trained autoencoder with whitening and threshold."""
    network = Autoencoder(4, 6, 2, rng=np.random.default_rng(0), **options)
    network.fit(rows, epochs=3, batch_size=8, rng=np.random.default_rng(1))
    network.fit_whitening(rows)
    network.fit_threshold(rows)
    return network


@pytest.fixture
def file(tmp_path):
    """Return the path of a saved classifier."""
    classifier().save(tmp_path / "network.npz")
    return tmp_path / "network.npz"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("members", [None, 1, 3])
@pytest.mark.parametrize("others", [{}, {"drop_probability": 0.5}])
def test_classifier_comes_back_bit_by_bit(dtype, members, others, tmp_path):
    network = classifier(
        dtype=dtype, members=members, batch_norm=bool(others), residual=True, **others
    )

    network.save(str(tmp_path / "any name"))
    loaded = MLP.load(str(tmp_path / "any name"))

    assert loaded.dtype == network.dtype
    assert loaded.describe() == network.describe()
    assert loaded.parameters.tobytes() == network.parameters.tobytes()
    np.testing.assert_array_equal(loaded.logits(rows), network.logits(rows))


@pytest.mark.parametrize("members", [None, 2])
def test_autoencoder_comes_back_with_whitening_and_threshold(members, tmp_path):
    network = autoencoder(members=members)

    network.save(tmp_path / "odd.npz")
    loaded = Autoencoder.load(tmp_path / "odd.npz")

    assert loaded.threshold == network.threshold
    np.testing.assert_array_equal(loaded.residual_shares(rows), network.residual_shares(rows))
    np.testing.assert_array_equal(loaded.predict(rows), network.predict(rows))


def test_autoencoder_that_was_not_measured_comes_back_so(tmp_path):
    Autoencoder(4).save(tmp_path / "new.npz")

    loaded = Autoencoder.load(tmp_path / "new.npz")

    assert (loaded.whitening, loaded.threshold) == (None, None)


finite = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=25)
@given(st.lists(finite, min_size=9, max_size=9))
def test_every_finite_value_survives(tmp_path_factory, values):
    path = tmp_path_factory.getbasetemp() / "values.npz"
    network = MLP([2, 2, 1])
    network.parameters[:] = values

    network.save(path)

    assert MLP.load(path).parameters.tobytes() == network.parameters.tobytes()


def test_loaded_network_learns_on_as_the_saved_one_would(tmp_path):
    network = classifier(drop_probability=0.3)
    network.save(tmp_path / "network.npz")
    twins = [
        MLP.load(tmp_path / "network.npz", rng=np.random.default_rng(seed)) for seed in (3, 3, 4)
    ]

    for twin in twins:
        twin.fit(rows, labels, epochs=2, rng=np.random.default_rng(2))

    assert twins[0].parameters.tolist() == twins[1].parameters.tolist()
    assert twins[0].parameters.tolist() != twins[2].parameters.tolist()
    assert twins[0].parameters.tolist() != network.parameters.tolist()


def test_same_network_gives_the_same_bytes(file, tmp_path):
    classifier().save(tmp_path / "again.npz")

    assert file.read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_network_that_diverged_is_not_saved(file):
    before = file.read_bytes()
    network = classifier()
    network.parameters[3] = np.inf

    with pytest.raises(ConfigurationError, match=r"parameters of the network .* not finite"):
        network.save(file)

    assert file.read_bytes() == before


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ArtifactNotFoundError, match=r"nothing\.npz"):
        MLP.load(tmp_path / "nothing.npz")
    with pytest.raises(ArtifactNotFoundError, match="cannot be read"):
        MLP.load(tmp_path)


def test_file_of_another_class_is_named(file, tmp_path):
    with pytest.raises(ArtifactFormatError, match="holds 'MLP', not 'Autoencoder'"):
        Autoencoder.load(file)

    with pytest.raises(ArtifactFormatError, match=r"no network by itself; model\.load reads"):
        MLP.load(save_tiny(tmp_path).path)


def test_any_cut_and_any_flipped_byte_is_refused_or_harmless(file):
    content = file.read_bytes()
    expected = MLP.load(file).parameters.tobytes()
    for length in range(0, len(content), 61):
        file.write_bytes(content[:length])
        with pytest.raises(ArtifactError):
            MLP.load(file)
    for position in range(0, len(content), 7):
        file.write_bytes(
            content[:position] + bytes([content[position] ^ 0x55]) + content[position + 1 :]
        )
        try:
            found = MLP.load(file)
        except ArtifactError:
            continue
        assert found.parameters.tobytes() == expected  # a time stamp or the like


def test_pickles_are_not_opened(file):
    arrays = {"parameters": np.array([{"a": 1}], object)}
    np.savez(file, **arrays)

    with pytest.raises(ArtifactCorruptError, match="not a readable"):
        MLP.load(file)


def test_larger_files_are_not_read(file, monkeypatch):
    monkeypatch.setattr(npz_module, "LARGEST_FILE", 10)

    with pytest.raises(ArtifactFormatError, match="larger than 10 bytes"):
        MLP.load(file)


def dense(n_in, n_out, activation="relu"):
    """Return the description of a dense layer."""
    return {"kind": "dense", "n_in": n_in, "n_out": n_out, "activation": activation}


def stored(*components, members=None, n=9, **changes):
    """Return the facts of a network and its values."""
    network = {"members": members, "components": list(components)}
    facts = {"format": 1, "class": "MLP", "network": network, **changes}
    return facts, {"parameters": np.zeros(n)}


XOR = (dense(2, 2), dense(2, 1, "sigmoid"))
DAMAGES = {
    "another format": (*stored(*XOR, format=2), "has format 2, this version reads 1"),
    "no description": (*stored(network=[1]), "its description of a network is none"),
    "another fact": (*stored(*XOR, author="x"), "a network has the facts"),
    "a list of facts": ([1], {"parameters": np.zeros(9)}, "a network has the facts"),
    "another number of values": (*stored(*XOR, n=8), "do not fit a network"),
    "enormous layer": (*stored(dense(10**9, 10**9)), "1,000,000,000,000,000,000 weights"),
    "enormous block": (
        *stored({"kind": "residual", "components": [dense(10**9, 10**9)]}, *XOR),
        "weights are described, 9 values given",
    ),
    "many members": (*stored(*XOR, members=10**9), "weights are described, 9 values given"),
    "no end": (*stored(dense(2, 2), n=6), "ends in one sigmoid unit, not Layer(2, 2, 'relu')"),
    "no layers": (*stored(n=0), "ends in a dense layer"),
    "unknown layer": (*stored({"kind": "attention"}, *XOR), "unknown kind of layer 'attention'"),
    "layers that do not meet": (*stored(dense(2, 3), *XOR[1:], n=12), "rows of 2 values"),
    "no number": (*stored(dense("2", 2), *XOR[1:]), "the parts do not fit"),
    "unknown array": (
        stored(*XOR)[0],
        {"parameters": np.zeros(9), "whitening": np.eye(2)},
        "no network of this kind has 'whitening'",
    ),
    "whole numbers": (stored(*XOR)[0], {"parameters": np.zeros(9, int)}, "of type int64"),
    "other byte order": (stored(*XOR)[0], {"parameters": np.zeros(9, ">f8")}, "of type >f8"),
    "no values": (stored(*XOR)[0], {}, "the parts do not fit: 'parameters'"),
    "no finite values": (stored(*XOR)[0], {"parameters": np.full(9, np.nan)}, "not finite"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_parts_that_do_not_fit_are_refused(name, file):
    facts, arrays, message = DAMAGES[name]
    text = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    file.write_bytes(npz_bytes({**arrays, "network": text}))

    with pytest.raises(ArtifactError) as caught:
        MLP.load(file)

    assert message in caught.value.reason


def test_sound_parts_are_taken(file):
    facts, arrays = stored(*XOR)
    text = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    file.write_bytes(npz_bytes({**arrays, "network": text}))

    assert MLP.load(file).predict_proba([[0.0, 1.0]]) == [0.5]


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[" * 100_000])
def test_description_that_is_no_json_is_refused(text, file):
    arrays = {"parameters": np.zeros(9), "network": np.frombuffer(text, np.uint8)}
    file.write_bytes(npz_bytes(arrays))

    with pytest.raises(ArtifactCorruptError, match="no readable description of a network"):
        MLP.load(file)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("whitening", np.eye(3), r"whitening of shape \(3, 3\), not \(4, 4\)"),
        ("threshold", np.zeros(2), r"a threshold is one number, not \(2,\)"),
    ],
)
def test_measures_of_another_shape_are_refused(name, array, message, tmp_path):
    path = tmp_path / "network.npz"
    autoencoder().save(path)
    with np.load(path) as file:
        arrays = dict(file)
    path.write_bytes(npz_bytes({**arrays, name: array}))

    with pytest.raises(ArtifactFormatError, match=message):
        Autoencoder.load(path)


def test_file_is_plain_arrays_that_numpy_reads(file):
    with np.load(file, allow_pickle=False) as arrays:
        assert set(arrays) == {"network", "parameters"}
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None


def test_networks_say_what_they_are_made_of():
    network = MLP([3, 4, 4, 1], members=2, drop_probability=0.1, residual=True, dtype=np.float32)

    assert repr(network) == (
        "MLP(Layer(3, 4, 'relu'), Dropout(0.1), Residual([Layer(4, 4, 'relu'), Dropout(0.1)]), "
        "Layer(4, 1, 'sigmoid'), members=2, dtype=float32)"
    )
    assert repr(Layer(2, 1)) == "Layer(2, 1, 'identity')"
