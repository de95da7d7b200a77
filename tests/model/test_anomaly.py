"""The anomaly score is a share that can be counted."""

import json

import numpy as np
import pytest

from model.anomaly import AnomalyScale
from model.errors import ConfigurationError


@pytest.mark.parametrize("n_rows", [1, 2, 10, 100])
def test_score_is_the_share_of_legitimate_rows_with_a_smaller_error(n_rows, rng):
    legitimate = rng.lognormal(size=n_rows)
    scale = AnomalyScale.fit(legitimate, 0.99)

    counted = [(legitimate < error).mean() for error in legitimate]

    np.testing.assert_allclose(scale.score(legitimate), counted, atol=1e-12)


def test_score_of_a_large_table_is_exact_at_the_top_and_close_everywhere(rng):
    legitimate = rng.lognormal(size=100_000)
    scale = AnomalyScale.fit(legitimate, 0.99)
    ascending = np.sort(legitimate)

    np.testing.assert_allclose(scale.score(ascending), np.arange(100_000) / 100_000, atol=0.005)
    np.testing.assert_allclose(scale.score(ascending[-50:]), np.arange(99_950, 100_000) / 100_000)
    assert len(scale.errors) <= 1000


def test_errors_beyond_all_legitimate_ones_have_the_score_one():
    scale = AnomalyScale.fit(np.array([1.0, 2.0]), 0.5)

    assert scale.score(np.array([2.0, 2.000001, 1e300])).tolist() == [0.5, 1.0, 1.0]
    assert scale.score(np.array([0.0, 1.0])).tolist() == [0.0, 0.0]


def test_score_never_falls(rng):
    scale = AnomalyScale.fit(rng.lognormal(size=5000).round(1), 0.99)

    assert (np.diff(scale.score(np.linspace(0, 50, 10_001))) >= 0).all()


@pytest.mark.parametrize("quantile", [0.0, 0.5, 0.99, 1.0])
def test_threshold_is_the_quantile_and_anomalies_lie_above_it(quantile, rng):
    legitimate = rng.lognormal(size=1000)

    scale = AnomalyScale.fit(legitimate, quantile)

    at_threshold, beyond = scale.score(np.array([scale.threshold, np.inf]))
    assert at_threshold == pytest.approx(min(quantile, 0.999))  # no row lies above the largest
    assert beyond == 1
    assert (legitimate > scale.threshold).mean() == pytest.approx(1 - quantile, abs=0.01)
    assert scale.is_anomaly(legitimate).tolist() == (scale.score(legitimate) > quantile).tolist()
    assert not scale.is_anomaly(np.array([scale.threshold])).any()


def test_equal_errors_are_no_problem():
    scale = AnomalyScale.fit(np.zeros(50), 0.99)

    assert scale.score(np.array([0.0, 1.0])).tolist() == [0.0, 1.0]


def test_scale_survives_json(rng):
    scale = AnomalyScale.fit(rng.lognormal(size=1000), 0.99)

    assert AnomalyScale.from_dict(json.loads(json.dumps(scale.to_dict()))) == scale


@pytest.mark.parametrize(("errors", "quantile"), [([], 0.5), ([1.0], 1.5), ([1.0], float("nan"))])
def test_scale_needs_rows_and_a_quantile(errors, quantile):
    with pytest.raises(ConfigurationError, match="needs legitimate rows and a quantile"):
        AnomalyScale.fit(np.array(errors), quantile)


def test_facts_that_are_no_scale_are_refused():
    with pytest.raises(ConfigurationError, match="not an anomaly scale"):
        AnomalyScale.from_dict({"errors": [1.0]})
