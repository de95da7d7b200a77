"""Preprocessing: the piecewise-linear bins, and the laws that any transformer obeys."""

import numpy as np
import pytest

from model.errors import ConfigurationError
from model.features import Feature, FeatureSpec
from model.preprocessing import CHUNK_ROWS, Preprocessor
from tests.factories import TINY_FEATURES, tiny_rows


def column(*values):
    """Return a matrix of one column."""
    return np.array(values, float)[:, None]


def fitted(values, **options):
    """Return a preprocessing of one numeric column, fitted to its values."""
    return Preprocessor.fit(FeatureSpec((Feature("x"),)), column(*values), **options)


def test_bins_are_the_piecewise_linear_encoding_of_quantiles():
    preprocessor = fitted(np.arange(101.0), n_bins=4)

    assert preprocessor.left.tolist() == [0, 25, 50, 75]
    assert preprocessor.width.tolist() == [25] * 4
    bins = preprocessor.transform(column(-1, 10, 60, 75, 100, 1000))[:, 1:]
    np.testing.assert_allclose(
        bins,
        [[0, 0, 0, 0], [0.4, 0, 0, 0], [1, 1, 0.4, 0], [1, 1, 1, 0], [1] * 4, [1] * 4],
        rtol=1e-6,
    )


def test_bins_divide_legitimate_rows_and_frauds_each_into_equal_parts():
    values, labels = (
        np.concatenate([np.arange(100.0), 1000 + np.arange(11.0)]),
        np.repeat([0, 1], [100, 11]),
    )

    preprocessor = fitted(values, labels=labels, n_bins=4)

    assert preprocessor.left.tolist() == [0, 49.5, 99, 1000, 1005]


def test_bins_lie_in_zero_to_one_and_never_fall(rng):
    training, labels = rng.normal(size=300) * 10 ** rng.uniform(-6, 9, 300), rng.integers(0, 2, 300)
    preprocessor = fitted(training, labels=labels, n_bins=16)
    values = np.sort(np.concatenate([training, rng.normal(size=500) * 1e3, [-1e300, 1e300]]))

    bins = preprocessor.transform(values[:, None])[:, 1:]

    assert bins.min() == 0
    assert bins.max() == 1
    assert (np.diff(bins, axis=0) >= 0).all()


def test_bins_can_be_left_out(rng):
    training, labels = tiny_rows(200, rng)
    preprocessor = Preprocessor.fit(FeatureSpec(TINY_FEATURES), training, labels=labels, n_bins=8)

    everything, base = (
        preprocessor.transform(training),
        preprocessor.transform(training, bins=False),
    )

    np.testing.assert_array_equal(everything[:, : preprocessor.n_base], base)
    assert base.shape[1] == preprocessor.n_base < preprocessor.n_encoded


@pytest.fixture
def tiny(rng):
    """Return a preprocessing of every kind of feature."""
    training, labels = tiny_rows(200, rng)
    return Preprocessor.fit(FeatureSpec(TINY_FEATURES), training, labels=labels, n_bins=4)


def test_some_of_the_columns_can_be_encoded_alone(tiny, rng):
    rows = tiny_rows(50, rng)[0]
    kept = rng.random(tiny.n_encoded) < 0.5
    is_joined = np.isin(tiny.sources, [*tiny.dates, *tiny.categorical])
    for joined in (False, True):
        kept[is_joined] = joined

        restricted = tiny.restricted(kept)

        filled = tiny.complete(rows)
        np.testing.assert_array_equal(
            restricted.encoded(rows, filled), tiny.encoded(rows, filled)[:, kept]
        )
        np.testing.assert_array_equal(restricted.sources, tiny.sources[kept])


@pytest.mark.parametrize("n_rows", [0, 1, 50])
def test_rows_are_encoded_alone_as_they_are_together(n_rows, tiny, rng):
    rows = tiny_rows(n_rows, rng)[0]

    together = tiny.transform(rows)

    assert together.shape == (n_rows, tiny.n_encoded)
    for number in range(n_rows):
        np.testing.assert_array_equal(
            tiny.transform(rows[number : number + 1])[0], together[number]
        )


@pytest.mark.parametrize("bins", [True, False])
def test_large_tables_are_encoded_in_chunks_as_small_ones_are_at_once(bins, tiny, rng):
    rows = np.tile(tiny_rows(100, rng)[0], (CHUNK_ROWS // 100 + 2, 1))

    encoded = tiny.transform(rows, bins=bins)

    np.testing.assert_array_equal(encoded[:100], tiny.transform(rows[:100], bins=bins))
    np.testing.assert_array_equal(encoded[-100:], tiny.transform(rows[-100:], bins=bins))


def test_rows_and_training_rows_are_not_changed(rng):
    rows = tiny_rows(100, rng)[0]
    numeric = rng.lognormal(3, 2, (50, 2))
    for matrix, spec in (
        (rows, FeatureSpec(TINY_FEATURES)),
        (numeric, FeatureSpec((Feature("a"), Feature("b")))),
    ):
        before = matrix.copy()

        preprocessor = Preprocessor.fit(spec, matrix, n_bins=4)
        preprocessor.transform(matrix)

        np.testing.assert_array_equal(matrix, before)


def test_fitted_arrays_rebuild_the_preprocessing(tiny, rng):
    rows = tiny_rows(30, rng)[0]

    rebuilt = Preprocessor.from_arrays(tiny.to_arrays())

    np.testing.assert_array_equal(rebuilt.transform(rows), tiny.transform(rows))


def test_missing_array_is_named(tiny):
    arrays = tiny.to_arrays()
    del arrays["centre"]

    with pytest.raises(ConfigurationError, match="lacks the array 'centre'"):
        Preprocessor.from_arrays(arrays)


def test_fit_needs_rows_and_a_known_scaling():
    with pytest.raises(ConfigurationError, match="cannot fit 0 rows"):
        fitted([])
    with pytest.raises(ConfigurationError, match="scaling='minmax'"):
        fitted([1.0], scaling="minmax")
