"""What a search makes better: one metric, measured on the rows that each fold judges by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    precision_recall_curve,
    roc_auc_score,
)

from model.errors import ConfigurationError
from training.config import PolicyConfig, RunConfig
from training.costs import losses_of
from training.data import Table
from training.errors import SplitError
from training.evaluate import base_rate_weights
from training.fitting import fit_scorer, n_members, streams_of
from training.listener import Listener
from training.memory import UNLIMITED
from training.split import Cut, Split, divide

Array = NDArray[Any]


@dataclass(frozen=True)
class Judged:
    """Labelled rows and what was said of them, arrays of shape (n,).

    Attributes
    ----------
    y : ndarray
    score : ndarray
        Calibrated probability of fraud, or the reconstruction error.
    weights : ndarray
        What each row stands for at the stated base rate.
    decision, amounts : ndarray or None
        Of the classifier; amounts where a feature is the amount.
    policy : PolicyConfig
    """

    y: Array
    score: Array
    weights: Array
    decision: Array | None
    amounts: Array | None
    policy: PolicyConfig


@dataclass(frozen=True)
class Metric:
    """A figure, whether more of it is better, and whether it needs probabilities."""

    name: str
    title: str
    of: Callable[[Judged], float]
    is_maximized: bool = True
    needs_probability: bool = False


def _best_f1(rows: Judged) -> float:
    precision, recall, _ = precision_recall_curve(rows.y, rows.score, sample_weight=rows.weights)
    return float((2 * precision * recall / np.maximum(precision + recall, 1e-12)).max())


def _cost(rows: Judged) -> float:
    """Return what the decisions lose in the mean of a transaction, in units of the amount."""
    losses = losses_of(rows.policy, rows.y, rows.decision, rows.amounts)
    return float(np.average(losses, weights=rows.weights))


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "average_precision",
            "average precision",
            lambda rows: float(
                average_precision_score(rows.y, rows.score, sample_weight=rows.weights)
            ),
        ),
        Metric(
            "roc_auc",
            "ROC-AUC",
            lambda rows: float(roc_auc_score(rows.y, rows.score, sample_weight=rows.weights)),
        ),
        Metric("best_f1", "best F1", _best_f1),
        Metric(
            "log_loss",
            "log loss",
            lambda rows: float(
                log_loss(rows.y, rows.score, sample_weight=rows.weights, labels=[0, 1])
            ),
            is_maximized=False,
            needs_probability=True,
        ),
        Metric(
            "brier_score",
            "Brier score",
            lambda rows: float(brier_score_loss(rows.y, rows.score, sample_weight=rows.weights)),
            is_maximized=False,
            needs_probability=True,
        ),
        Metric("cost", "cost of a transaction", _cost, is_maximized=False, needs_probability=True),
    )
}


def metric_named(name: str, task: str) -> Metric:
    """Return a metric.

    Raises
    ------
    ConfigurationError
        If there is none of this name, or it does not go with the task.
    """
    metric = METRICS.get(name)
    fitting = [m.name for m in METRICS.values() if task != "anomaly" or not m.needs_probability]
    if metric is None or name not in fitting:
        reason = "is unknown" if metric is None else "needs probabilities, an autoencoder has none"
        raise ConfigurationError(f"metric {name!r} {reason}; choose from {', '.join(fitting)}")
    return metric


def fold_values(
    config: RunConfig, table: Table, folds: Sequence[Cut], metric: Metric
) -> Iterator[float]:
    """Yield the metric of a configuration on one fold after the other.

    Each fold is trained as a run would train on its rows; the same fold has the same random
    numbers in every configuration.

    Raises
    ------
    TrainingError, ConfigurationError
        As :func:`training.pipeline.run`.
    """
    config = judged_alone(config)
    for number, cut in enumerate(folds, start=1):
        streams = streams_of(config.seed, number)
        parts = _parts(config, table, cut, streams["split"])
        # a copy, because training changes the codes of categories to those of its own rows
        fold = replace(table, matrix=table.matrix[:].copy())
        fitted = fit_scorer(config, fold, parts, UNLIMITED, streams, Listener())
        scorer, matrix = fitted.scorer, fitted.table.matrix[cut.later]
        y = np.asarray(table.labels)[cut.later]
        weights = base_rate_weights(y, config.base_rate)
        if config.task == "fraud":
            scores = scorer.score(matrix)
            amounts = scorer.amounts(matrix)
            rows = Judged(y, scores.probability, weights, scores.decision, amounts, config.policy)
        else:
            errors = scorer.anomaly(matrix).reconstruction_error
            rows = Judged(y, errors, weights, None, None, config.policy)
        yield metric.of(rows)


def refuse_thin_folds(config: RunConfig, table: Table, folds: Sequence[Cut]) -> None:
    """Raise what training on a fold would raise, before anything is trained.

    Raises
    ------
    SplitError
        Naming the first fold that cannot be divided.
    """
    for number, cut in enumerate(folds, start=1):
        try:
            _parts(judged_alone(config), table, cut, streams_of(config.seed, number)["split"])
        except SplitError as error:
            raise SplitError(f"fold {number} of {len(folds)}: {error}") from None


def _parts(config: RunConfig, table: Table, cut: Cut, rng: np.random.Generator) -> Split:
    """Divide the rows that a fold learns from; those that it is judged by take the test's place."""
    needs_both_classes = config.task == "fraud"
    return divide(
        table, cut, config.split, n_members(config), rng, needs_both_classes=needs_both_classes
    )


def judged_alone(config: RunConfig) -> RunConfig:
    """Return the configuration that trains only the network whose settings are searched."""
    if config.task == "anomaly":
        return config
    return replace(config, task="fraud", policy=replace(config.policy, anomaly_review=None))
