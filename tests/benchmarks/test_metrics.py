"""Figures of the benchmarks, against values worked by hand and independent definitions."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from benchmarks.metrics import (
    best_f1,
    brier_skill,
    expected_calibration_error,
    half_width,
    ranking_figures,
    resampled_deviation,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_best_f1_is_the_best_of_all_thresholds(rng):
    score = rng.normal(size=200)
    y = (score + rng.normal(size=200) > 1).astype(int)

    assert best_f1(y, score) == pytest.approx(max(f1_score(y, score >= t) for t in score))


def test_calibration_error_of_true_probabilities_is_chance_alone(rng):
    probability = rng.random(30_000)
    y = rng.random(30_000) < probability

    assert expected_calibration_error(y, probability) < 0.015
    assert expected_calibration_error(y, np.zeros(30_000)) == pytest.approx(y.mean())


def test_brier_skill_is_0_for_the_share_and_1_for_the_truth():
    y = np.array([0, 0, 0, 1])

    assert brier_skill(y, np.full(4, 0.25)) == pytest.approx(0)
    assert brier_skill(y, y.astype(float)) == 1


def test_interval_is_wider_than_that_of_independent_splits(rng):
    values = rng.normal(size=(10, 1))
    student = 2.262157 * values.std(ddof=1) / np.sqrt(10)  # two-sided 95 %, 9 degrees of freedom

    assert half_width(values, 0.2)[0] == pytest.approx(student * np.sqrt(1 + 10 * 0.25), rel=1e-5)


def test_rows_drawn_twice_count_twice(rng):
    y, score = np.array([0, 1, 0, 1, 1, 0]), rng.normal(size=6)
    counts = np.array([2, 1, 0, 3, 1, 1])

    weighted = ranking_figures(y, score, counts.astype(float))

    assert weighted == pytest.approx(ranking_figures(y.repeat(counts), score.repeat(counts)))


def test_resampling_moves_a_gain_but_not_that_over_oneself(rng, monkeypatch):
    monkeypatch.setattr("benchmarks.metrics.RESAMPLES", 60)
    y = (rng.random(300) < 0.3).astype(int)
    good, poor = y + rng.normal(size=300), y + 3 * rng.normal(size=300)
    scores = {
        name: [[score], [score[100:]]]  # of two tests, one seed each
        for name, score in {"good": good, "same": good, "poor": poor}.items()
    }

    deviation = resampled_deviation([y, y[100:]], scores, "good")

    assert not deviation["same"].any()
    assert ((deviation["poor"] > 0.01) & (deviation["poor"] < 0.1)).all()
