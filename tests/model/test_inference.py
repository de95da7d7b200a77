"""The folded classifier gives the logits of the network it was folded from."""

import numpy as np
import pytest

from model import MLP
from model.errors import ConfigurationError
from model.features import Feature, FeatureSpec
from model.inference import FoldedMLP
from model.preprocessing import Preprocessor
from tests.factories import TINY_FEATURES, tiny_rows

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
        folded, np.atleast_2d(network.astype(np.float64).logits(encoded)), rtol=1e-5, atol=1e-5
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
        np.testing.assert_allclose(alone[:, 0], together[:, number], rtol=1e-5, atol=1e-6)


def test_huge_values_have_finite_logits(rng):
    rows, labels = table(NUMERIC, rng)
    preprocessor = Preprocessor.fit(FeatureSpec(NUMERIC), rows, labels=labels, n_bins=4)
    folded = FoldedMLP(network_for(preprocessor, rng, hidden=[4]), preprocessor)

    assert np.isfinite(folded.logits(np.array([[1e300] * 4, [-1e300] * 4]))).all()


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
