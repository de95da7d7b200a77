"""Choosing thresholds, against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.decision import Policy, ScoreScale
from training.config import PolicyConfig
from training.thresholds import choose_policy, score_table, threshold_for

TARGETS = ["precision", "recall", "false_positive_rate", "alert_budget"]


def measured(target, threshold, probability, y, weights):
    """Return what a target value measures if all rows from a threshold on are alerts."""
    alert = probability >= threshold
    if target == "precision":
        return weights[alert & (y == 1)].sum() / weights[alert].sum() if alert.any() else None
    if target == "recall":
        return weights[alert & (y == 1)].sum() / weights[y == 1].sum()
    if target == "false_positive_rate":
        return weights[alert & (y == 0)].sum() / weights[y == 0].sum()
    return 10_000 * weights[alert].sum() / weights.sum()


def by_brute_force(target, value, probability, y, weights):
    """Return the probability that meets a target: the highest for recall, else the lowest."""
    candidates = np.unique(probability)
    found = [(t, measured(target, t, probability, y, weights)) for t in candidates]
    if target in ("precision", "recall"):
        meets = [t for t, result in found if result >= value]
    else:
        meets = [t for t, result in found if result <= value]
    if not meets:
        return None
    return max(meets) if target == "recall" else min(meets)


@st.composite
def scored_rows(draw):
    """Draw scored rows with ties, both classes and weights that are exact in binary."""
    n_rows = draw(st.integers(2, 30))
    levels = st.sampled_from([0.0, 0.125, 0.25, 0.375, 0.5, 0.75, 1.0])
    probability = np.array(draw(st.lists(levels, min_size=n_rows, max_size=n_rows)))
    others = draw(st.lists(st.integers(0, 1), min_size=n_rows - 2, max_size=n_rows - 2))
    y = np.array([0, 1, *others])
    weights = np.where(y == 1, draw(st.sampled_from([0.25, 1.0])), 1.0)
    return probability, y, weights


@settings(max_examples=200)
@given(scored_rows(), st.sampled_from(TARGETS), st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 0.99]))
def test_threshold_is_the_one_that_brute_force_finds(rows, target, value):
    probability, y, weights = rows
    value = 10_000 * value if target == "alert_budget" else value

    threshold = threshold_for(target, value, probability, y, weights)

    expected = by_brute_force(target, value, probability, y, weights)
    if expected is None:
        assert threshold > 1
        assert not (probability >= threshold).any()
    else:
        alerts = probability >= threshold
        np.testing.assert_array_equal(alerts, probability >= expected)


def test_target_that_nothing_meets_alerts_of_nothing():
    probability, y = np.array([0.9, 0.8, 1.0]), np.array([1, 1, 0])

    threshold = threshold_for("precision", 0.99, probability, y, np.ones(3))

    assert not (probability >= threshold).any()


def test_budget_is_spent_at_the_stated_base_rate():
    """Half of the rows are fraud; really one in a hundred is."""
    y = np.arange(1000) % 2
    probability = np.linspace(0, 1, 1000) * 0.5 + 0.5 * y
    weights = np.where(y == 1, 0.01 / 0.5, 0.99 / 0.5)

    threshold = threshold_for("alert_budget", 50, probability, y, weights)

    assert weights[probability >= threshold].sum() / weights.sum() == pytest.approx(50 / 10_000)


def test_policy_of_expected_cost_takes_its_costs_over():
    config = PolicyConfig(
        fee=1.0, friction=2.0, review_cost=0.5, amount_floor=4.0, anomaly_review=0.9
    )

    policy = choose_policy(config, np.zeros(2), np.array([0, 1]), np.ones(2))

    assert policy == Policy(
        "cost", fee=1.0, friction=2.0, review_cost=0.5, amount_floor=4.0, anomaly_review=0.9
    )


@pytest.mark.parametrize("amount", [0.0, 1.0, 20.0, 500.0, np.nan])
@pytest.mark.parametrize("probability", [0.0, 0.001, 0.05, 0.3, 0.9, 1.0])
def test_cost_policy_takes_the_cheapest_decision(amount, probability):
    config = PolicyConfig(fee=15.0, friction=10.0, review_cost=3.0, amount_floor=5.0)
    policy = choose_policy(config, np.zeros(2), np.array([0, 1]), np.ones(2))

    [decision] = policy.decide(np.array([probability]), np.array([amount]))

    at_stake = max(5.0, 0.0 if np.isnan(amount) else amount) + 15.0
    costs = [probability * at_stake, 3.0, (1 - probability) * 10.0]
    assert costs[decision] == pytest.approx(min(costs))


@pytest.mark.parametrize(
    ("choose", "review", "block"),
    [
        ("recall", 0.9, 0.5),
        ("precision", 0.3, 0.6),
        ("false_positive_rate", 0.1, 0.01),
        ("alert_budget", 2000.0, 500.0),
    ],
)
def test_both_thresholds_of_a_policy_meet_their_targets(rng, choose, review, block):
    y = (rng.random(2000) < 0.2).astype(int)
    probability = np.clip(0.3 * y + rng.normal(0.3, 0.15, 2000), 0, 1)
    weights = np.ones(2000)
    config = PolicyConfig(choose=choose, review=review, block=block, anomaly_review=0.99)

    policy = choose_policy(config, probability, y, weights)

    assert policy.kind == "threshold"
    assert policy.anomaly_review == 0.99
    assert policy.review < policy.block
    for threshold, target in ((policy.review, review), (policy.block, block)):
        result = measured(choose, threshold, probability, y, weights)
        if choose in ("precision", "recall"):
            assert target <= result < target + 0.05
        else:
            assert 0.9 * target < result <= target


def test_score_table_counts_what_alerting_from_a_score_on_would_do(rng):
    y = (rng.random(3000) < 0.1).astype(int)
    logits = rng.normal(size=3000) + 2 * y
    weights = np.where(y == 1, 0.01 / y.mean(), 0.99 / (1 - y.mean()))
    scale = ScoreScale.fit(logits[y == 0])

    table = score_table(scale, logits, y, weights)

    assert [entry["score"] for entry in table] == list(range(100, 1001, 50))
    scores = scale.score(logits)
    for entry in table:
        alerts = scores >= entry["score"]
        assert entry["recall"] == pytest.approx(alerts[y == 1].mean())
        assert entry["false_positive_rate"] == pytest.approx(10 ** (-entry["score"] / 250))
        expected = 0.01 * alerts[y == 1].mean() + 0.99 * alerts[y == 0].mean()
        assert entry["alerts_per_10000"] == pytest.approx(10_000 * expected)
        assert entry["alerts_per_10000_in_table"] == pytest.approx(10_000 * alerts.mean())
    found = [(scores[y == 0] >= entry["score"]).mean() for entry in table[:9]]
    promised = [entry["false_positive_rate"] for entry in table[:9]]
    np.testing.assert_allclose(found, promised, rtol=0.15, atol=0.002)
