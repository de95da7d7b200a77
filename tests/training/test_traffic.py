"""Alerts a day, against counting them day by day."""

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from model.decision import APPROVE, BLOCK
from model.errors import ConfigurationError
from tests.training.runs import train
from tests.training.tables import mixed_frame, numeric_table
from training.cli.console import RunConsole
from training.config import PolicyConfig
from training.listener import Listener
from training.split import Split
from training.traffic import as_alert_budget, transactions_per_day

DAILY = PolicyConfig(choose="daily_alerts", review=12.0, block=3.0)
DAY = 86_400


def divided(train_rows, validation_b, folds=None):
    """Return a split with the given rows."""
    empty = np.empty(0, np.intp)
    return Split(np.asarray(train_rows), empty, np.asarray(validation_b, np.intp), empty, folds, "")


def table_at(times):
    """Return a table whose rows came at the given times."""
    labels = np.arange(len(times)) % 2
    return replace(numeric_table(labels), times=np.asarray(times, np.float64))


def test_traffic_is_counted_over_the_days_of_the_calibration_rows():
    times = np.concatenate([np.arange(0, 2 * DAY, 600), np.arange(2 * DAY, 4 * DAY, 60)])
    busy = np.flatnonzero(times >= 2 * DAY)

    held_out = transactions_per_day(DAILY, table_at(times), divided(np.arange(288), busy[::2]))

    assert held_out == pytest.approx(DAY / 60, rel=1e-3)  # all of the table's rows, not every other


def test_traffic_of_cross_fitted_rows_is_that_of_all_of_them():
    times = np.arange(0, 3 * DAY, 100)
    rows = np.arange(len(times))

    counted = transactions_per_day(DAILY, table_at(times), divided(rows, [], rows % 4))

    assert counted == pytest.approx(864)


def test_stated_traffic_wins_and_needs_no_times():
    stated = replace(DAILY, transactions_per_day=5000.0)
    table = replace(table_at([0, 1]), times=None)

    assert transactions_per_day(stated, table, divided([0], [1])) == 5000


@pytest.mark.parametrize(("times", "message"), [(None, "time column"), ([0, 3600], "span 1 hours")])
def test_traffic_that_nothing_shows_has_to_be_stated(times, message):
    table = replace(table_at(times or [0, 1]), times=None if times is None else np.array(times))

    with pytest.raises(ConfigurationError, match=rf"{message}.*policy\.transactions_per_day"):
        transactions_per_day(DAILY, table, divided([], [0, 1]))


def test_alerts_a_day_are_a_share_of_the_day():
    budget = as_alert_budget(replace(DAILY, transactions_per_day=2000.0), 2000.0)

    assert (budget.choose, budget.review, budget.block) == ("alert_budget", 60.0, 15.0)


def test_days_of_the_calibration_rows_have_the_alerts_asked_for(tmp_path):
    """600 transactions a day for five days, and analysts for 12 alerts of which 3 are blocks."""
    frame = mixed_frame(3000)
    start = np.datetime64("2026-03-02T00:00:00")
    frame["transaction_time"] = start + (np.arange(3000) * 144).astype("timedelta64[s]")
    policy = {"choose": "daily_alerts", "review": 12, "block": 3}
    printed = io.StringIO()
    run = train(
        frame,
        tmp_path,
        RunConsole(Console(file=printed, width=100)),
        policy=policy,
        task="fraud",
        split={"test_share": 0.0},
        data={"time_features": False},
    )

    manifest = run.artifact.manifest
    assert manifest["transactions_per_day"] == pytest.approx(600, rel=1e-3)
    assert manifest["configuration"]["policy"]["choose"] == "daily_alerts"
    assert "of 600 transactions a day" in printed.getvalue()
    fraud = run.artifact.scorer.fraud
    probability = fraud.calibration.probability(run.classifier.calibration_logits)
    decision = fraud.policy.decide(probability, None)
    assert 11 <= (decision != APPROVE).sum() / 5 <= 12  # equal rows stay together
    assert 2.4 <= (decision == BLOCK).sum() / 5 <= 3


def test_traffic_that_must_be_stated_is_told_before_the_training(tmp_path):
    frame = mixed_frame(400).drop(columns="transaction_time")

    class NoTraining(Listener):
        """Fails where a network is about to be trained."""

        def on_network(self, *_):
            """Fail."""
            raise AssertionError("the training began")

    policy = {"choose": "daily_alerts", "review": 5, "block": 1}
    with pytest.raises(ConfigurationError, match=r"policy\.transactions_per_day"):
        train(frame, tmp_path, NoTraining(), policy=policy)


def test_more_alerts_a_day_than_transactions_are_refused():
    with pytest.raises(ConfigurationError, match=r"12 alerts a day of 10 .*state policy"):
        as_alert_budget(DAILY, 10.0)
