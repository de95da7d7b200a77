"""The points of a report's plots, against scikit-learn and worked examples."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve, roc_curve

from training.evaluate import base_rate_weights
from training.report.curves import (
    calibration_bins,
    error_histogram,
    precision_recall_points,
    roc_points,
    score_histogram,
)


@pytest.fixture(scope="module")
def rows():
    """Return labels and logits that overlap."""
    rng = np.random.default_rng(0)
    y = (rng.random(20_000) < 0.05).astype(int)
    return y, rng.normal(size=len(y)) + 2 * y


def test_precision_at_a_base_rate_is_that_of_weighted_rows(rows):
    y, logits = rows
    weights = base_rate_weights(y, 0.001)

    points = precision_recall_points(y, logits, 0.001)

    precision, recall, _ = precision_recall_curve(y, logits, sample_weight=weights)
    known = set(zip(recall.round(9).tolist(), precision.round(9).tolist(), strict=True))
    for pair in zip(points["recall"], points["precision"], strict=True):
        assert (round(pair[0], 9), round(pair[1], 9)) in known


def test_thinned_curve_is_short_and_stays_on_the_curve(rows):
    y, logits = rows

    points = roc_points(y, logits)

    false_positive_rate, recall, _ = roc_curve(y, logits, drop_intermediate=False)
    kept = np.add(points["false_positive_rate"], points["recall"])  # rises along the curve
    every = false_positive_rate + recall
    after = np.searchsorted(kept, every[~np.isin(every, kept)])
    assert len(points["recall"]) < 2000 < len(recall)
    assert (points["recall"][0], points["recall"][-1]) == (0, 1)
    assert np.diff(points["recall"])[after - 1].max() < 1 / 400


@pytest.mark.parametrize("label", [0, 1])
def test_curves_of_one_class_are_not_defined(label):
    y, logits = np.full(5, label), np.arange(5.0)

    assert roc_points(y, logits) is None
    assert precision_recall_points(y, logits, 0.1) is None


def test_calibration_bins_weigh_their_rows():
    y = np.array([1, 0, 0, 0, 1])
    probability = np.array([0.2, 0.2, 0.2, 0.2, 0.95])
    weights = np.where(y == 1, 0.5, 2.0)

    low, high = calibration_bins(y, probability, weights)

    assert (low["rows"], low["frauds"], low["predicted"]) == (4, 1, pytest.approx(0.2))
    assert low["observed"] == pytest.approx(0.5 / 6.5)
    assert low["low"] < low["observed"] < low["high"]
    assert (high["observed"], high["high"]) == (1, 1)


def test_interval_of_a_calibration_bin_is_wilsons():
    y = np.repeat([0, 1], 5)

    (only,) = calibration_bins(y, np.full(10, 0.4), np.ones(10))

    assert (only["low"], only["high"]) == pytest.approx((0.2366, 0.7634), abs=1e-4)


def test_histograms_share_out_every_row_of_a_group():
    scores = np.array([0, 49, 50, 999, 1000])
    groups = {"legitimate": scores < 500, "fraud": scores > 500, "none": scores < 0}

    points = score_histogram(scores, groups)

    assert list(points["shares"]) == ["legitimate", "fraud"]
    assert points["shares"]["legitimate"][:2] == pytest.approx([2 / 3, 1 / 3])
    assert points["shares"]["fraud"][-1] == 1


@pytest.mark.parametrize("errors", [np.zeros(3), np.full(3, 7.0), np.array([1e-9, 1.0, 1e9])])
def test_histogram_of_errors_holds_the_smallest_and_the_largest(errors):
    points = error_histogram(errors, {"unlabelled": np.ones(3, bool)}, 1.0)

    assert sum(points["shares"]["unlabelled"]) == pytest.approx(1)
