"""The classifier as it serves gives the logits of the network on encoded rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import MLP
from model.errors import ConfigurationError
from model.features import Feature, FeatureSpec
from model.first_layer import CHUNK_ROWS
from model.inference import FoldedMLP
from model.preprocessing import Preprocessor
from tests.factories import TINY_FEATURES, tiny_rows
from tests.precision import rounding

OPTIONS = {
    "one hidden layer": {"hidden": [8]},
    "deep": {"hidden": [8, 8, 4]},
    "no hidden layer": {"hidden": []},
    "tanh": {"hidden": [8, 4], "activation": "tanh"},
    "prelu": {"hidden": [8, 4], "activation": "prelu"},
    "everything": {"hidden": [8, 8], "batch_norm": True, "residual": True, "drop_probability": 0.2},
}
NUMERIC = tuple(Feature(name) for name in "abcd")


def table(features, rng):
    """Return rows and labels of a specification."""
    rows, labels = tiny_rows(300, rng)
    if features is NUMERIC:
        rows = rows[:, [0, 1, 0, 1]] * [1.0, 100.0, 1e6, 1e-6] + [0, 5e3, 0, 1]
    return rows, labels


def network_for(preprocessor, rng, *, hidden, activation="relu", members=None, **options):
    """Return a trained float32 classifier of the encoded columns."""
    sizes = [preprocessor.n_encoded, *hidden, 1]
    names = [*[activation] * len(hidden), "sigmoid"]
    return MLP(sizes, names, members=members, rng=rng, dtype=np.float32, **options)


@pytest.mark.parametrize("n_bins", [0, 6])
@pytest.mark.parametrize("features", [TINY_FEATURES, NUMERIC], ids=["every kind", "numeric"])
@pytest.mark.parametrize("members", [None, 1, 3])
@pytest.mark.parametrize("name", OPTIONS)
def test_folded_network_equals_the_network_on_encoded_rows(name, members, features, n_bins, rng):
    rows, labels = table(features, rng)
    preprocessor = Preprocessor.fit(FeatureSpec(features), rows, labels=labels, n_bins=n_bins)
    network = network_for(preprocessor, rng, members=members, **OPTIONS[name])
    encoded = preprocessor.transform(rows)
    network.fit(encoded, labels, epochs=2, rng=rng)

    folded = FoldedMLP(network, preprocessor).logits(rows)

    assert folded.dtype == np.float64
    assert folded.shape == (members or 1, 300)
    np.testing.assert_allclose(
        folded, np.atleast_2d(network.astype(np.float64).logits(encoded)), **rounding(np.float32)
    )


@pytest.mark.parametrize("members", [None, 3])
def test_no_rows_and_one_row_are_scored(members, rng):
    rows, labels = table(TINY_FEATURES, rng)
    preprocessor = Preprocessor.fit(FeatureSpec(TINY_FEATURES), rows, labels=labels, n_bins=4)
    folded = FoldedMLP(network_for(preprocessor, rng, hidden=[4], members=members), preprocessor)

    together = folded.logits(rows)

    assert folded.logits(rows[:0]).shape == (members or 1, 0)
    for number in range(20):
        alone = folded.logits(rows[number : number + 1])
        np.testing.assert_allclose(alone[:, 0], together[:, number], **rounding(np.float32))


def special_values(preprocessor, column):
    """Return where a feature's curve bends or ends, and values just beside and far out."""
    bins, position = preprocessor.binned == column, preprocessor.standardised == column
    left, width = preprocessor.left[bins], preprocessor.width[bins]
    ends = np.concatenate([preprocessor.low[position], preprocessor.high[position]])
    bends = np.concatenate([left, left + width, left + width / 3, ends])
    return np.concatenate(
        [bends, np.nextafter(bends, -np.inf), np.nextafter(bends, np.inf), [0, 1e300, -1e300]]
    )


@pytest.mark.parametrize("n_bins", [0, 2, 8])
@pytest.mark.parametrize("features", [TINY_FEATURES, NUMERIC], ids=["every kind", "numeric"])
@pytest.mark.parametrize("members", [None, 3])
def test_edges_far_values_and_missing_ones_are_encoded_as_in_training(
    members, features, n_bins, rng
):
    training, labels = table(features, rng)
    spec = FeatureSpec(features)
    preprocessor = Preprocessor.fit(spec, training, labels=labels, n_bins=n_bins)
    network = network_for(preprocessor, rng, hidden=[8], members=members)
    rows = []
    for column, feature in enumerate(features):
        cells = np.arange(feature.other + 1.0)  # categories, the unseen one last
        if feature.kind == "numeric":
            cells = special_values(preprocessor, column)
        elif feature.kind == "boolean":
            cells = np.array([0.0, 1.0])
        changed = np.repeat(training[:1], len(cells) + 1, axis=0)
        changed[:-1, column] = cells
        changed[-1, column] = np.nan if feature.nullable else changed[0, column]
        rows.append(changed)
    rows = np.concatenate(rows)

    folded = FoldedMLP(network, preprocessor).logits(rows)

    exact = preprocessor.encoded(rows, preprocessor.complete(rows), dtype=np.float64)
    expected = np.atleast_2d(network.astype(np.float64).logits(exact))
    np.testing.assert_allclose(folded, expected, **rounding(np.float32))


@settings(max_examples=50)
@given(data=st.data())
def test_any_row_is_scored_as_encoded(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 9), "seed"))
    training, labels = table(TINY_FEATURES, rng)
    n_bins = data.draw(st.integers(0, 9), "bins")
    preprocessor = Preprocessor.fit(
        FeatureSpec(TINY_FEATURES), training, labels=labels, n_bins=n_bins
    )
    network = network_for(preprocessor, rng, hidden=[5], members=2)
    number = st.floats(-1e300, 1e300)
    row = data.draw(
        st.tuples(
            number,
            number | st.floats(-5, 5),
            number | st.just(np.nan),
            st.sampled_from([0.0, 1.0, np.nan]),
            st.sampled_from([0.0, 1.0, 2.0, 3.0]),
            st.floats(0, 4e9),
        )
    )
    matrix = np.array([row])

    folded = FoldedMLP(network, preprocessor).logits(matrix)

    exact = preprocessor.encoded(matrix, preprocessor.complete(matrix), dtype=np.float64)
    expected = network.astype(np.float64).logits(exact)
    np.testing.assert_allclose(folded, expected, rtol=5e-6, atol=5e-6)


def test_large_tables_are_scored_in_chunks_as_small_ones_are_at_once(rng):
    rows, labels = table(TINY_FEATURES, rng)
    preprocessor = Preprocessor.fit(FeatureSpec(TINY_FEATURES), rows, labels=labels, n_bins=4)
    folded = FoldedMLP(network_for(preprocessor, rng, hidden=[4], members=3), preprocessor)
    many = np.tile(rows, (CHUNK_ROWS // len(rows) + 2, 1))

    logits = folded.logits(many)

    assert logits.shape == (3, len(many))
    for part in (slice(len(rows)), slice(-len(rows), None)):
        np.testing.assert_allclose(logits[:, part], folded.logits(rows), **rounding(np.float32))


def test_rows_are_not_changed(rng):
    rows, labels = table(NUMERIC, rng)
    preprocessor = Preprocessor.fit(FeatureSpec(NUMERIC), rows, labels=labels, n_bins=4)
    before = rows.copy()

    FoldedMLP(network_for(preprocessor, rng, hidden=[4]), preprocessor).logits(rows)

    np.testing.assert_array_equal(rows, before)


def test_network_of_other_columns_is_refused(rng):
    rows, _ = table(NUMERIC, rng)
    preprocessor = Preprocessor.fit(FeatureSpec(NUMERIC), rows)

    with pytest.raises(ConfigurationError, match="does not read the 4 encoded columns"):
        FoldedMLP(MLP([5, 1], rng=rng), preprocessor)
