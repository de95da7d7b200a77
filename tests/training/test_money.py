"""Amounts that are refunds: sums and shares that mean money, wherever they are shown."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.decision import Policy
from tests.factories import tiny_rows, tiny_scorer
from tests.training.commands import MODELS, champion_of, run, write
from tests.training.tables import mixed_frame
from training import evaluate as evaluation_module
from training.config import PolicyConfig
from training.evaluate import evaluate
from training.report.formats import percent
from training.thresholds import choose_policy

FLOORS = st.floats(0, 100)
N_ROWS = 30
AMOUNTS = arrays(np.float64, N_ROWS, elements=st.one_of(st.just(np.nan), st.floats(-1e6, 1e6)))
CHOICES = arrays(np.int64, N_ROWS, elements=st.integers(0, 2))


@settings(max_examples=50, deadline=None)
@given(amounts=AMOUNTS, decision=CHOICES, floor=FLOORS)
def test_money_that_was_caught_and_missed_is_never_negative(amounts, decision, floor):
    y = np.arange(N_ROWS) % 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation_module, "RESAMPLES", 1)
        at_stake = Policy(amount_floor=floor).amounts(amounts, N_ROWS)
        impact = evaluate(y, y * 0.5, decision, at_stake, None, np.random.default_rng(0)).impact

    counted = [floor if np.isnan(amount) else max(amount, floor) for amount in amounts.tolist()]
    sums = {True: 0.0, False: 0.0}
    for amount, label, what in zip(counted, y, decision, strict=True):
        sums[bool(what)] += amount * label
    assert impact.amount_caught == pytest.approx(sums[True])
    assert impact.amount_missed == pytest.approx(sums[False])
    assert min(impact.amount_caught, impact.amount_missed) >= 0


@pytest.mark.parametrize("choose", ["cost", "recall"])
def test_floor_is_that_of_the_policy_however_it_was_chosen(choose):
    targets = {} if choose == "cost" else {"review": 0.9, "block": 0.5}
    config = PolicyConfig(choose=choose, amount_floor=7.0, **targets)
    y = np.array([0, 1, 1])

    policy = choose_policy(config, np.array([0.1, 0.7, 0.8]), y, np.ones(3))

    assert policy.amounts(np.array([-5.0, np.nan, 9.0]), 3).tolist() == [7, 7, 9]


def test_scorer_counts_amounts_by_its_policy(rng):
    scorer = tiny_scorer(policy=Policy("cost", fee=1.0, friction=2.0, amount_floor=5.0))
    rows = tiny_rows(3, rng)[0]
    rows[:, 0] = -40.0, 3.0, 70.0

    assert scorer.at_stake(rows).tolist() == [5, 5, 70]
    assert scorer.amounts(rows).tolist() == [-40, 3, 70]


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.3915, "139.2"), (-0.25, "-25.0"), (1.0, "100"), (0.0, "0"), (0.99999, "99.9990")],
)
def test_any_share_can_be_written(share, text):
    assert percent(share).startswith(text)


def refunds():
    """Return transactions a third of which are refunds, most missed frauds among them."""
    frame = mixed_frame(900, seed=2)
    rng = np.random.default_rng(0)
    is_refund = rng.random(900) < 0.4
    frame["amount"] = np.where(is_refund, -3 * frame["amount"], frame["amount"])
    return frame


@pytest.mark.usefixtures("working_folder")
def test_run_on_a_table_with_refunds_shows_shares_between_nothing_and_all():
    output = run("train", "--data", write(refunds()), "--config", "quick.toml")

    printed = re.search(r"worth ([\d,.]+) \((\d+\.\d+)% of the amount\)", output)
    assert printed is not None, output
    assert 0 < float(printed[2]) <= 100
    assert re.search(r"missed +\d+ frauds worth [\d,.]+\n", output)
    version = champion_of(MODELS)
    report = json.loads(Path(f"reports/cards/{version}/report.json").read_text())
    share = report["evaluation"]["impact"]["amount_caught_share"]
    assert share == pytest.approx(float(printed[2]) / 100, abs=1e-4)
    impact = json.loads((MODELS / f"{version}.json").read_text())["metrics"]["impact"]
    assert share == impact["amount_caught"] / (impact["amount_caught"] + impact["amount_missed"])
    assert impact["amount_missed"] >= 0

    again = run("evaluate", "--data", "cards.csv", "--model", MODELS)

    assert "-" not in "".join(line for line in again.splitlines() if "worth" in line)
