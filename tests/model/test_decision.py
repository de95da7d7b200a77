"""Decisions by brute force, and the anchored score by counting."""

import json

import numpy as np
import pytest

from model.decision import APPROVE, BLOCK, DECISIONS, REVIEW, Policy, ScoreScale
from model.errors import ConfigurationError

NAN = float("nan")
COSTS = {"kind": "cost", "fee": 15.0, "friction": 40.0, "review_cost": 5.0, "amount_floor": 10.0}


def cheapest(p, amount, fee, friction, review_cost, amount_floor):
    """Return the decision of least expected cost, the mildest of equals, in plain Python."""
    at_stake = amount if amount > amount_floor else amount_floor  # NaN is not larger
    costs = {
        "approve": p * (at_stake + fee),
        "review": review_cost,
        "block": (1 - p) * friction,
    }
    return min(costs, key=lambda decision: costs[decision])


@pytest.mark.parametrize("review_cost", [0.0, 5.0, 1000.0])
@pytest.mark.parametrize("friction", [0.0, 40.0, 500.0])
def test_cost_policy_takes_the_cheapest_decision(review_cost, friction, rng):
    costs = COSTS | {"review_cost": review_cost, "friction": friction}
    p = np.concatenate([rng.random(500), [0, 1, 0, 1, 0.5]])
    amount = np.concatenate([rng.lognormal(3, 2, 500), [NAN, 0, -5, 1e9, 10]])

    decided = Policy(**costs).decide(p, amount)

    del costs["kind"]
    expected = [cheapest(*row, **costs) for row in zip(p.tolist(), amount.tolist(), strict=True)]
    assert [DECISIONS[code] for code in decided] == expected
    assert decided.dtype == np.int64


@pytest.mark.parametrize("amount", [NAN, 0.0, -100.0, 9.99, 10.0])
def test_missing_zero_and_negative_amounts_count_as_the_floor(amount):
    policy, p = Policy(**COSTS), np.linspace(0, 1, 101)

    decided = policy.decide(p, np.full(101, amount))

    assert decided.tolist() == policy.decide(p, np.full(101, 10.0)).tolist()
    assert decided.tolist() == policy.decide(p, None).tolist()


def test_all_three_decisions_occur_and_larger_amounts_are_handled_more_strictly():
    p = np.linspace(0, 1, 1001)

    small, large = (Policy(**COSTS).decide(p, np.full(1001, a)) for a in (20.0, 5000.0))

    assert set(small.tolist()) == {APPROVE, REVIEW, BLOCK}
    assert (np.diff(small) >= 0).all()
    assert (large >= small).all()
    assert (large > small).any()


def test_ties_go_to_the_milder_decision():
    policy = Policy("cost", fee=0.0, friction=10.0, review_cost=5.0)

    assert policy.decide(np.array([0.5, 0.5]), np.array([10.0, 11.0])).tolist() == [APPROVE, REVIEW]


def test_threshold_policy_includes_its_thresholds():
    p = np.array([0.0, 0.299, 0.3, 0.599, 0.6, 1.0])

    decided = Policy(review=0.3, block=0.6).decide(p, None)

    assert decided.tolist() == [APPROVE, APPROVE, REVIEW, REVIEW, BLOCK, BLOCK]


def test_default_policy_blocks_from_one_half():
    assert Policy().decide(np.array([0.499, 0.5]), None).tolist() == [APPROVE, BLOCK]


@pytest.mark.parametrize("policy", [{"review": 0.3, "block": 0.6}, COSTS])
def test_odd_transactions_are_reviewed_where_they_would_be_approved(policy):
    policy = Policy(**policy, anomaly_review=0.99)
    p, odd = np.array([0.0, 0.0, 0.999, 0.4]), np.array([0.98, 0.99, 1.0, 1.0])
    amounts = np.full(4, 50.0)

    assert policy.decide(p, amounts, odd).tolist() == [APPROVE, REVIEW, BLOCK, REVIEW]
    with pytest.raises(ConfigurationError, match="anomaly score"):
        policy.decide(p, amounts)


def test_anomalies_change_nothing_where_the_policy_does_not_look_at_them():
    assert Policy().decide(np.array([0.0]), None, np.array([1.0])).tolist() == [APPROVE]


def test_arguments_are_not_changed():
    p, amount = np.array([0.1, 0.9]), np.array([NAN, -5.0])

    Policy(**COSTS).decide(p, amount)

    assert p.tolist() == [0.1, 0.9]
    assert amount[1] == -5.0


@pytest.mark.parametrize("policy", [Policy(), Policy(**COSTS, anomaly_review=0.999)])
def test_policy_survives_json(policy):
    assert Policy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "mood"},
        {"review": 0.6, "block": 0.3},
        {"review": NAN},
        {"block": NAN},
        {"kind": "cost", "friction": -1.0},
        {"kind": "cost", "amount_floor": NAN},
        {"review": "0.5"},
        {"colour": "red"},
    ],
)
def test_policy_that_cannot_work_is_refused(facts):
    with pytest.raises(ConfigurationError):
        Policy.from_dict(facts)


@pytest.fixture
def legitimate(rng):
    """Return the logits of many legitimate rows."""
    return rng.logistic(-6, 1, 200_000)


@pytest.mark.parametrize(("share", "score"), [(0.1, 250), (0.01, 500), (0.001, 750)])
def test_score_is_anchored_at_shares_of_legitimate_rows(share, score, legitimate):
    scale = ScoreScale.fit(legitimate)
    logit = np.quantile(legitimate, 1 - share)

    assert (legitimate >= logit).mean() == pytest.approx(share, rel=0.01)
    assert abs(scale.score(logit) - score) <= 1


def test_score_is_minus_250_log10_of_the_rate_that_counting_gives(legitimate):
    scale = ScoreScale.fit(legitimate)
    logits = np.quantile(legitimate, np.linspace(0.1, 0.9996, 50))

    counted = [(legitimate >= logit).mean() for logit in logits]

    np.testing.assert_allclose(scale.score(logits), -250 * np.log10(counted), atol=1.5)


def test_score_is_the_rounded_rate_below_between_and_beyond_the_knots(legitimate, rng):
    scale = ScoreScale.fit(legitimate)
    logits = rng.uniform(scale.knots[0] - 5, scale.knots[-1] + 50, 20_000)

    rounded = np.minimum(np.rint(-250 * scale.log10_rate(logits)), 1000)

    np.testing.assert_array_equal(scale.score(logits), rounded)


def test_tail_is_log_linear_with_the_slope_of_the_true_distribution(rng):
    """The tail of an exponential distribution falls by 1/ln 10 per unit, also where no row is."""
    scale = ScoreScale.fit(rng.exponential(size=100_000))
    beyond = scale.knots[-1] + np.array([0.0, 1.0, 2.0, 3.0])

    steps = np.diff(scale.log10_rate(beyond))

    np.testing.assert_allclose(steps, scale.tail_slope)
    # fifty rows tell the slope within about 1/√50
    assert scale.tail_slope == pytest.approx(-1 / np.log(10), rel=0.35)
    assert scale.log10_rates[-1] == pytest.approx(np.log10(50 / 100_000))


def test_scores_never_fall_are_clipped_and_whole(legitimate):
    scores = ScoreScale.fit(legitimate).score(np.linspace(-1e3, 1e3, 100_001))

    assert (np.diff(scores) >= 0).all()
    assert (scores[0], scores[-1]) == (0, 1000)
    assert scores.dtype == np.int64


def test_rate_is_continuous_where_the_tail_begins(legitimate):
    scale = ScoreScale.fit(legitimate)
    edge = scale.knots[-1]

    left, right = scale.log10_rate(np.array([edge - 1e-9, edge + 1e-9]))

    assert left == pytest.approx(right, abs=1e-6)


def test_equal_logits_count_as_one():
    scale = ScoreScale.fit(np.repeat([0.0, 1.0, 2.0], [500, 400, 100]))

    rates = 10 ** scale.log10_rate(np.array([0.0, 1.0, 2.0]))

    np.testing.assert_allclose(rates, [1.0, 0.5, 0.1])


@pytest.mark.parametrize("n_rows", [1, 2, 49, 50, 51])
def test_few_rows_give_a_scale_that_rises(n_rows, rng):
    scale = ScoreScale.fit(rng.normal(size=n_rows))

    scores = scale.score(np.linspace(-50, 50, 1001))

    assert (np.diff(scores) >= 0).all()
    assert (scores[0], scores[-1]) == (0, 1000)


def test_constant_logits_give_a_finite_scale():
    scale = ScoreScale.fit(np.zeros(100))

    assert scale.score(np.array([-1.0, 0.0, 1.0])).tolist() == [0, 0, 250]


def test_score_survives_json(legitimate):
    scale = ScoreScale.fit(legitimate)

    assert ScoreScale.from_dict(json.loads(json.dumps(scale.to_dict()))) == scale
    assert len(scale.knots) <= 200


def test_scale_needs_rows_and_facts():
    with pytest.raises(ConfigurationError, match="needs legitimate calibration rows"):
        ScoreScale.fit(np.array([]))
    with pytest.raises(ConfigurationError, match="not a score scale"):
        ScoreScale.from_dict({"knots": []})
