"""Learning-rate schedules, by hand."""

import numpy as np
import pytest

from training.schedules import SCHEDULES, learning_rate_factor


@pytest.mark.parametrize(
    ("name", "progress", "factor"),
    [
        ("constant", 0.0, 1.0),
        ("constant", 0.99, 1.0),
        ("step", 0.0, 1.0),
        ("step", 0.33, 1.0),
        ("step", 0.34, 0.1),
        ("step", 0.67, 0.01),
        ("step", 0.99, 0.01),
        ("exponential", 0.0, 1.0),
        ("exponential", 0.5, 0.1),
        ("exponential", 1.0, 0.01),
        ("cosine", 0.0, 1.0),
        ("cosine", 0.5, 0.5),
        ("cosine", 0.75, 0.1464),
        ("cosine", 1.0, 0.0),
    ],
)
def test_schedules_fall_as_they_say(name, progress, factor):
    assert learning_rate_factor(name, progress, 0.0) == pytest.approx(factor, abs=5e-5)


@pytest.mark.parametrize("name", SCHEDULES)
def test_no_schedule_ever_rises_after_the_warm_up(name):
    factors = [learning_rate_factor(name, p, 0.1) for p in np.linspace(0.1, 1, 200)]

    assert (np.diff(factors) <= 0).all()


@pytest.mark.parametrize("name", SCHEDULES)
def test_warm_up_rises_from_almost_nothing_to_the_schedule(name):
    factors = [learning_rate_factor(name, p, 0.1) for p in np.linspace(0, 0.0999, 50)]

    assert 0 < factors[0] < 0.02
    assert (np.diff(factors) > 0).all()
    assert factors[-1] == pytest.approx(1, abs=0.01)


def test_no_warm_up_starts_at_the_full_rate():
    assert learning_rate_factor("cosine", 0.0, 0.0) == 1.0
