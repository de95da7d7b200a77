"""Preprocessing against plain Python, one cell at a time."""

import math
from datetime import UTC, datetime
from statistics import median, quantiles

import numpy as np
import pytest

from model.features import Feature, FeatureSpec
from model.preprocessing import CLIP, Preprocessor
from tests.factories import TINY_FEATURES, tiny_rows

NAN = float("nan")


def column(*values):
    """Return a matrix of one column."""
    return np.array(values, float)[:, None]


def fitted(values, kind="numeric", *, facts=None, **options):
    """Return a preprocessing of one column, fitted to its values."""
    spec = FeatureSpec((Feature("x", kind, **(facts or {})),))
    return Preprocessor.fit(spec, column(*values), **options)


def scaled(value, values, scaling):
    """Return what the standardised column holds for a value, in plain Python."""
    n, mean = len(values), sum(values) / len(values)
    moments = [sum((x - mean) ** k for x in values) / n for k in (2, 3)]
    if min(values) >= 0 and moments[0] and moments[1] / moments[0] ** 1.5 > 2:
        values, value = [math.log1p(x) for x in values], math.log1p(max(value, 0))
    centre = sum(values) / n
    deviation = math.sqrt(sum((x - centre) ** 2 for x in values) / n)
    if scaling == "robust":
        low, centre, high = quantiles(values, n=4, method="inclusive")
        deviation = (high - low) / 1.349 or deviation
    return max(-CLIP, min(CLIP, (value - centre) / (deviation or 1)))


def calendar(seconds):
    """Return the calendar columns of a moment, by the standard library's calendar."""
    moment = datetime.fromtimestamp(seconds, UTC)
    hours = moment.hour + moment.minute / 60 + moment.second / 3600
    days = moment.weekday() + hours / 24
    angles = 2 * math.pi * hours / 24, 2 * math.pi * days / 7
    circles = [f(angle) for angle in angles for f in (math.sin, math.cos)]
    return [*circles, float(moment.weekday() >= 5)]


def encoded_by_hand(spec, training, row, scaling):
    """Return the encoded columns of one row, without bins."""
    parts = {"standardised": [], "indicators": [], "calendar": [], "categories": []}
    for index, feature in enumerate(spec.features):
        seen = [x for x in training[:, index].tolist() if not math.isnan(x)]
        is_frequency = feature.kind in ("categorical", "boolean")
        fill = max(sorted(set(seen)), key=seen.count) if is_frequency else median(seen)
        is_missing = math.isnan(row[index])
        value = fill if is_missing else row[index]
        if feature.nullable:
            parts["indicators"].append(float(is_missing))
        if feature.kind in ("numeric", "boolean"):
            filled = [fill if math.isnan(x) else x for x in training[:, index].tolist()]
            parts["standardised"].append(scaled(value, filled, scaling))
        elif feature.kind == "datetime":
            parts["calendar"] += calendar(value)
        else:
            codes = range(len(feature.categories) + 1)
            parts["categories"] += [float(value == code) for code in codes]
    return [cell for part in parts.values() for cell in part]


@pytest.mark.parametrize("scaling", ["standard", "robust"])
def test_encoding_equals_a_plain_python_reference(scaling, rng):
    spec, training = FeatureSpec(TINY_FEATURES), tiny_rows(200, rng)[0]
    rows = tiny_rows(40, rng)[0]
    rows[0, 4], rows[1, 0], rows[2, 1] = 3, 1e9, -1e9
    preprocessor = Preprocessor.fit(spec, training, scaling=scaling)

    encoded = preprocessor.transform(rows)

    expected = [encoded_by_hand(spec, training, row, scaling) for row in rows]
    np.testing.assert_allclose(encoded, expected, rtol=1e-5, atol=1e-6)
    assert encoded.dtype == np.float32
    assert preprocessor.n_encoded == preprocessor.n_base == encoded.shape[1]


def test_sources_name_the_raw_column_of_each_encoded_one(rng):
    training, labels = tiny_rows(200, rng)
    preprocessor = Preprocessor.fit(FeatureSpec(TINY_FEATURES), training, labels=labels, n_bins=4)

    sources = preprocessor.sources.tolist()

    base = [0, 1, 2, 3, 2, 3, 5, 5, 5, 5, 5, 4, 4, 4, 4]  # values, indicators, calendar, categories
    assert sources[:15] == base
    assert sources[15:] == sorted(sources[15:])
    assert set(sources[15:]) == {0, 1, 2, 5}  # numbers and the date
    assert preprocessor.n_base == 15


def test_changing_a_raw_cell_changes_only_the_columns_it_is_the_source_of(rng):
    spec, (training, labels) = FeatureSpec(TINY_FEATURES), tiny_rows(200, rng)
    preprocessor = Preprocessor.fit(spec, training, labels=labels, n_bins=6)
    row = training[:1].copy()
    for index, other in enumerate([77.0, 0.123, NAN, NAN, 3.0, 1.765e9]):
        changed = row.copy()
        changed[0, index] = other

        moved = np.flatnonzero(preprocessor.transform(row)[0] != preprocessor.transform(changed)[0])

        assert len(moved)
        assert set(preprocessor.sources[moved].tolist()) == {index}


def test_missing_number_is_the_median_and_is_indicated():
    preprocessor = fitted([1, 2, 9, NAN], facts={"nullable": True})

    missing, at_median = preprocessor.transform(column(NAN, 2))

    assert missing[0] == at_median[0]
    assert (missing[1], at_median[1]) == (1, 0)


def test_missing_boolean_and_category_are_the_most_frequent():
    for kind in ("boolean", "categorical"):
        facts = {"nullable": True, "categories": ("a", "b") if kind == "categorical" else ()}
        preprocessor = fitted([1, 1, 0, NAN], kind, facts=facts)

        missing, frequent = preprocessor.transform(column(NAN, 1))

        indicator = preprocessor.transform(column(NAN))[0] - preprocessor.transform(column(1))[0]
        assert np.abs(indicator).sum() == 1
        assert np.count_nonzero(missing != frequent) == 1


def test_column_that_is_always_missing_is_harmless():
    preprocessor = fitted([NAN, NAN, NAN], facts={"nullable": True}, n_bins=4)

    assert preprocessor.transform(column(NAN, 5.0)).tolist() == [[0, 1], [5, 0]]


@pytest.mark.parametrize("constant", [0.0, 5.0, -1e17, 0.1, 1e300])
@pytest.mark.parametrize("scaling", ["standard", "robust"])
def test_constant_column_is_centred_and_not_divided_by_zero(constant, scaling):
    preprocessor = fitted([constant] * 7, scaling=scaling, n_bins=8)

    assert preprocessor.transform(column(constant)) == pytest.approx(np.zeros((1, 1)), abs=1e-9)
    assert np.isfinite(preprocessor.transform(column(0.0, 1e300, -1e300))).all()


def test_skewed_amounts_enter_as_their_logarithm(rng):
    amounts = rng.lognormal(3, 1.5, 500)

    preprocessor = fitted(amounts)

    assert preprocessor.is_logarithmic.tolist() == [True]
    np.testing.assert_allclose(
        preprocessor.transform(amounts[:, None])[:, 0],
        (np.log1p(amounts) - np.log1p(amounts).mean()) / np.log1p(amounts).std(),
        rtol=1e-4,
        atol=1e-5,
    )
    assert (
        preprocessor.transform(column(-5, 0)).tolist()
        == [preprocessor.transform(column(0))[0].tolist()] * 2
    )


def test_skewed_column_with_negative_values_and_a_symmetric_one_enter_as_they_are(rng):
    assert fitted(rng.lognormal(3, 1.5, 500) - 1).is_logarithmic.tolist() == [False]
    assert fitted(rng.uniform(0, 1, 500)).is_logarithmic.tolist() == [False]


@pytest.mark.parametrize(("n_ones", "is_skewed"), [(10, True), (20, False)])
def test_skewed_means_a_skewness_above_two(n_ones, is_skewed):
    # of zeros and a share p of ones: (1 − 2p) / √(p (1 − p)), 2.7 for a tenth and 1.5 for a fifth
    values = [1.0] * n_ones + [0.0] * (100 - n_ones)

    assert fitted(values).is_logarithmic.tolist() == [is_skewed]


def test_robust_scaling_ignores_outliers_where_the_standard_does_not(rng):
    values = np.concatenate([rng.normal(size=500), [1e6, -1e6]])

    robust, standard = (
        fitted(values, scaling=scaling).transform(column(1.0))[0, 0]
        for scaling in ("robust", "standard")
    )

    assert robust == pytest.approx(1, abs=0.1)
    assert abs(standard) < 1e-3


def test_robust_scaling_of_a_mostly_constant_column_uses_the_deviation():
    values = [0.0] * 90 + [-1.0, 1.0] * 5

    assert fitted(values, scaling="robust").scale[0] == pytest.approx(1 / np.std(values))


@pytest.mark.parametrize("n_bins", [0, 8])
@pytest.mark.parametrize("scaling", ["standard", "robust"])
def test_huge_finite_values_are_clipped(scaling, n_bins, rng):
    preprocessor = fitted(rng.normal(size=100), scaling=scaling, n_bins=n_bins)

    high, low = preprocessor.transform(column(1.7e308, -1.7e308))

    assert (high[0], low[0]) == pytest.approx((10, -10))
    assert (high[1:] == 1).all()
    assert (low[1:] == 0).all()


@pytest.mark.parametrize("outlier", [1e300, -1e300])
def test_huge_training_value_leaves_the_encoding_finite(outlier, rng):
    preprocessor = fitted([*rng.normal(size=50), outlier], n_bins=4)

    assert np.isfinite(preprocessor.transform(column(0.0, outlier, -outlier))).all()


def test_unseen_category_has_the_column_for_other():
    preprocessor = fitted([0, 1, 1], "categorical", facts={"categories": ("a", "b")})

    assert preprocessor.transform(column(0, 1, 2)).tolist() == np.eye(3).tolist()


def test_hours_and_weekdays_lie_on_circles_and_midnight_has_no_edge():
    midnight = 1772323200.0  # Sunday, 2026-03-01T00:00:00Z
    preprocessor = fitted([midnight], "datetime")

    before, after = preprocessor.transform(column(midnight - 1, midnight + 1)).astype(float)

    np.testing.assert_allclose(before[0] ** 2 + before[1] ** 2, 1, atol=1e-6)
    np.testing.assert_allclose(before[2] ** 2 + before[3] ** 2, 1, atol=1e-6)
    np.testing.assert_allclose(before, after, atol=1e-3)


def test_bins_of_a_date_read_its_time_of_day_alone():
    hour = 3600.0
    days = 86_400 * np.arange(4)[:, None]  # the same hours on each of four days
    moments = (days + hour * np.array([0, 6, 12, 24 - 1 / hour])).ravel()
    preprocessor = fitted(moments, "datetime", n_bins=3)

    bins = preprocessor.transform(column(3 * hour, 1772323200 + 3 * hour, -hour))[:, 5:]

    np.testing.assert_allclose(bins[0], [0.5, 0, 0], atol=1e-6)
    np.testing.assert_array_equal(bins[1], bins[0])
    np.testing.assert_allclose(bins[2], [1, 1, 11 / 12], atol=1e-4)  # 23 h of a bin from 12 to 24
    assert preprocessor.n_base == 5


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1772323200.0, 1772409600.0, 1772236799.0, -1e10])
def test_calendar_agrees_with_the_standard_library(seconds):
    preprocessor = fitted([0.0], "datetime")

    np.testing.assert_allclose(
        preprocessor.transform(column(seconds))[0], calendar(seconds), atol=1e-5
    )
