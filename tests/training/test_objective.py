"""What a search makes better: metrics, and folds that are trained as a run would train."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score

from model.errors import ConfigurationError
from tests.training.searches import config_for
from tests.training.tables import mixed_frame
from training.config import PolicyConfig
from training.errors import SplitError
from training.fitting import streams_of
from training.folds import cut_folds
from training.memory import UNLIMITED
from training.objective import METRICS, Judged, fold_values, metric_named, refuse_thin_folds
from training.pipeline import read_table


def judged(y, score, decision=None, amounts=None, weights=None):
    """Return rows as a metric gets them."""
    return Judged(
        np.asarray(y),
        np.asarray(score, float),
        np.ones(len(y)) if weights is None else np.asarray(weights, float),
        None if decision is None else np.asarray(decision),
        None if amounts is None else np.asarray(amounts, float),
        PolicyConfig(fee=15.0, friction=10.0, review_cost=3.0, amount_floor=2.0),
    )


def test_best_f1_is_that_of_the_best_threshold(rng):
    y = rng.random(200) < 0.2
    score = rng.random(200) + 0.5 * y
    by_hand = max(f1_score(y, score >= threshold) for threshold in score)

    assert METRICS["best_f1"].of(judged(y, score)) == pytest.approx(by_hand)


def test_cost_by_hand():
    """Approved fraud 100 + 15, fraud of unknown amount 2 + 15, review 3 twice, false block 10."""
    rows = judged(
        y=[1, 1, 0, 1, 0, 1, 0],
        score=np.zeros(7),
        decision=[0, 0, 1, 1, 2, 2, 0],
        amounts=[100, np.nan, 50, 50, 50, 50, 50],
    )

    assert METRICS["cost"].of(rows) == pytest.approx((115 + 17 + 3 + 3 + 10) / 7)


def test_cost_without_amounts_counts_the_floor():
    assert METRICS["cost"].of(judged([1, 0], [0, 0], [0, 0])) == pytest.approx(17 / 2)


@pytest.mark.parametrize("name", sorted(METRICS))
def test_better_scores_are_better_in_the_metric_s_direction(name, rng):
    y = np.arange(100) % 5 == 0
    good = judged(y, np.where(y, 0.9, 0.1), np.where(y, 2, 0), np.full(100, 50.0))
    bad = judged(y, rng.random(100), rng.integers(0, 3, 100), np.full(100, 50.0))

    better, worse = METRICS[name].of(good), METRICS[name].of(bad)

    assert (better > worse) == METRICS[name].is_maximized


@pytest.mark.parametrize("name", sorted(METRICS))
def test_weight_of_two_counts_a_row_twice(name, rng):
    y, score = rng.random(60) < 0.3, rng.random(60)
    decision, amounts = rng.integers(0, 3, 60), rng.random(60)
    twice = np.r_[np.arange(60), np.arange(30)]
    weights = 1.0 + (np.arange(60) < 30)

    weighted = METRICS[name].of(judged(y, score, decision, amounts, weights))
    repeated = METRICS[name].of(judged(y[twice], score[twice], decision[twice], amounts[twice]))

    assert weighted == pytest.approx(repeated)


def test_unknown_metric_is_refused_with_those_there_are():
    with pytest.raises(ConfigurationError, match="'auc' is unknown; choose from average_precision"):
        metric_named("auc", "both")


def test_metric_of_probabilities_is_refused_for_the_autoencoder():
    for name, metric in METRICS.items():
        if metric.needs_probability:
            with pytest.raises(ConfigurationError, match="an autoencoder has none"):
                metric_named(name, "anomaly")
        else:
            assert metric_named(name, "anomaly") is metric


def folds_of(config):
    """Return the table of a configuration and its folds."""
    table = read_table(config, UNLIMITED, streams_of(config.seed)["simulate"])
    rng = streams_of(config.seed)["split"]
    return table, cut_folds(
        table, config.split, 2, rng, needs_both_classes=config.task != "anomaly"
    )


@pytest.mark.parametrize("task", ["both", "anomaly"])
def test_same_configuration_has_the_same_values(task, tmp_path):
    config = config_for(mixed_frame(500), tmp_path, task=task)
    table, folds = folds_of(config)
    metric = METRICS["roc_auc"]

    first = list(fold_values(config, table, folds, metric))
    again = list(fold_values(config, table, folds, metric))
    other = list(fold_values(replace(config, seed=1), table, folds, metric))

    assert first == again != other
    assert np.mean(first) > 0.6


def test_values_do_not_depend_on_test_rows(tmp_path):
    """Turning the labels of the newest fifth around changes nothing."""
    frame = mixed_frame(500)
    config = config_for(frame, tmp_path)
    before = list(fold_values(config, *folds_of(config), METRICS["average_precision"]))
    frame.loc[400:, "is_fraud"] = 1 - frame.loc[400:, "is_fraud"]
    frame.loc[400:, "amount"] *= 100

    config = config_for(frame, tmp_path)
    after = list(fold_values(config, *folds_of(config), METRICS["average_precision"]))

    assert before == after


def test_policy_that_reviews_anomalies_can_be_searched(tmp_path):
    config = config_for(mixed_frame(400), tmp_path, policy={"anomaly_review": 0.99})
    table, folds = folds_of(config)

    assert len(list(fold_values(config, table, folds, METRICS["cost"]))) == 2


def test_fold_that_cannot_be_divided_is_refused_before_training(tmp_path):
    frame = mixed_frame(400)
    frame["is_fraud"] = 0
    frame.loc[[1, 170, 300, 390], "is_fraud"] = 1
    config = config_for(frame, tmp_path, split={"validation": "holdout"})
    table, folds = folds_of(config)

    with pytest.raises(SplitError, match="fold 1 of 2: validation_a has"):
        refuse_thin_folds(config, table, folds)
