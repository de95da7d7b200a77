"""Golden rows: drawn from the specification, with every kind of oddity in them."""

import numpy as np
import pytest

from model.features import Feature, FeatureSpec
from model.golden import golden_rows
from tests.factories import TINY_FEATURES, tiny_rows


@pytest.fixture
def spec(rng):
    """Return the small specification, measured."""
    rows, labels = tiny_rows(400, rng)
    return FeatureSpec(TINY_FEATURES).measured(rows, labels == 0)


def test_values_lie_in_the_range_seen_and_mostly_in_the_typical_one(spec, rng):
    rows = golden_rows(spec, rng, n_rows=2000)

    for index in (0, 1, 2, 5):
        feature, cells = spec.features[index], rows[:, index]
        cells = cells[~np.isnan(cells)]
        assert feature.seen[0] <= cells.min() <= cells.max() <= feature.seen[1]
        typical = (cells >= feature.typical[0]) & (cells <= feature.typical[1])
        assert 0.8 <= typical.mean() < 1


def test_no_golden_row_is_a_row_of_the_data(spec):
    data = tiny_rows(400, np.random.default_rng(0))[0]

    golden = golden_rows(spec, np.random.default_rng(0))

    assert not {tuple(row) for row in golden[:, :2]} & {tuple(row) for row in data[:, :2]}


def test_nulls_are_where_they_may_be_and_only_there(spec, rng):
    missing = np.isnan(golden_rows(spec, rng)).any(axis=0)

    assert missing.tolist() == [feature.nullable for feature in spec.features]


@pytest.mark.parametrize("seed", range(20))
def test_unseen_category_is_among_them_however_many_are_known(seed):
    many = Feature(
        "merchant", "categorical", nullable=True, categories=tuple(map(str, range(5000)))
    )

    rows = golden_rows(FeatureSpec((many,)), np.random.default_rng(seed))

    assert (rows == 5000).any()
    assert np.nanmax(rows) == 5000


def test_booleans_are_both(spec, rng):
    cells = golden_rows(spec, rng)[:, 3]

    assert set(cells[~np.isnan(cells)].tolist()) == {0.0, 1.0}


def test_feature_that_was_never_measured_has_its_central_value(rng):
    assert golden_rows(FeatureSpec((Feature("x", central=3.0),)), rng).tolist() == [[3.0]] * 64


def test_same_generator_gives_the_same_rows(spec):
    first, second = (golden_rows(spec, np.random.default_rng(3)) for _ in range(2))

    np.testing.assert_array_equal(first, second)
