"""Sentences say what is there: ranges in their order, amounts where there are amounts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.demo.depth import _sections
from training.report.feature_readings import feature_readings
from training.report.formats import number, quantity
from training.report.model_card import _alerts
from training.report.readings import _policy
from training.report.tuning_facts import _spread


@given(st.lists(st.floats(0.0001, 0.9999), min_size=2, max_size=8))
def test_range_goes_from_the_lesser_to_the_greater(values):
    trials = [{"value": value} for value in values]

    sentence = _spread({"trials": trials, "leaders": list(range(len(trials)))})

    said = re.findall(r"\d+\.\d+", sentence)
    assert said == sorted({number(min(values)), number(max(values))}, key=float)


def test_single_trial_has_no_range():
    assert "between" not in _spread({"trials": [{"value": 0.5}], "leaders": [0]})


@pytest.mark.parametrize(("order", "words"), [("amount", "amounts"), ("probability", "prob")])
def test_worst_mistakes_are_named_by_what_they_are_ordered_by(order, words):
    kinds = {
        "missed": {"total": 9, "order": order, "worst": [{}] * 6},
        "false_alarms": {"total": 6, "order": "decision", "worst": [{}] * 6},
    }

    found = feature_readings(
        {"features": None, "mistakes": kinds, "anomaly": None, "champion": None}
    )

    assert words in found["missed"]
    assert "shown are the 6" in found["missed"]
    assert found["false_alarms"].endswith("they are all shown.")


@pytest.mark.parametrize(("shrinkage", "words"), [(230_339.0, "a part"), (300_000.0, "do not")])
def test_depth_tells_what_slopes_and_weights_together_make(shrinkage, words):
    facts = {"at_least": 262_144.0, "deepest": {"sigmoid": {"shrinkage": shrinkage}}, "seed": 0}
    drawn = dict.fromkeys(
        ("slopes", "gradients", "shrinkages", "accuracies", "chain", "norms"), "drawn"
    )

    text = str(_sections(facts, drawn)[0].blocks)

    assert words in text
    assert "/deepest/sigmoid/shrinkage" in text


def test_years_have_no_separator_and_larger_numbers_have():
    assert [quantity(float(year)) for year in (1900, 1996, 9999)] == ["1900", "1996", "9999"]
    assert quantity(10_000.0) == "10,000"


@pytest.mark.parametrize(("per_day", "words"), [(None, "counted in the table"), (900, "stated")])
def test_card_says_where_its_traffic_of_a_day_comes_from(per_day, words):
    alerts = {"needed": [], "per": "day", "transactions": 900.0, "summary": "It raises some."}

    text = _alerts(alerts, {"transactions_per_day": per_day})

    assert re.search(rf"A day brings 900 transactions, (as was )?{words}\.", text)


@pytest.mark.parametrize(
    ("floor", "words"), [(0.0, "the amount and"), (5.0, "(5.00\u00a0EUR at least)")]
)
def test_policy_tells_the_least_that_an_amount_counts(floor, words):
    policy = {"kind": "cost", "amount_floor": floor, "fee": 15.0, "friction": 10.0}
    policy |= {"review_cost": 3.0, "anomaly_review": None}

    assert words in _policy(policy, {"amount": "total", "amount_unit": "EUR"})
