"""Metrics on labelled rows, with bootstrap intervals; scikit-learn computes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    roc_auc_score,
    roc_curve,
)

from model.decision import APPROVE, BLOCK

Array = NDArray[Any]

RESAMPLES = 200
LEVEL = 0.95
FALSE_POSITIVE_RATE = 0.001
PER = 100_000  # transactions that money and counts are shown for at the stated base rate


@dataclass(frozen=True)
class Figure:
    """A metric with its bootstrap interval; None where the rows do not define it."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class View:
    """All figures of some rows at one prevalence.

    Attributes
    ----------
    prevalence : float
        Share of fraud that the rows stand for.
    figures : dict of str to Figure
    """

    prevalence: float
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Impact:
    """What the decisions would have meant for these rows, in count and money.

    Attributes
    ----------
    frauds_caught, frauds_missed, false_alarms, false_blocks : int
        Caught: reviewed or blocked; an alarm is a review or a block.
    amount_caught, amount_missed : float or None
        None where no feature is the amount.
    """

    frauds_caught: int
    frauds_missed: int
    false_alarms: int
    false_blocks: int
    amount_caught: float | None
    amount_missed: float | None


@dataclass(frozen=True)
class Evaluation:
    """How good a scorer is on some rows.

    Attributes
    ----------
    n_rows, n_frauds : int
    confusion : list
        [[tn, fp], [fn, tp]] of alerts (review or block).
    block_confusion : list
        The same of blocks alone.
    as_table : View
        At the prevalence of the rows.
    at_base_rate : View or None
        Re-weighted to the stated base rate.
    impact : Impact
    """

    n_rows: int
    n_frauds: int
    confusion: list[list[int]]
    block_confusion: list[list[int]]
    as_table: View
    at_base_rate: View | None
    impact: Impact

    def to_dict(self) -> dict[str, Any]:
        """Return the evaluation as JSON types."""
        return asdict(self)


def evaluate(
    y: Array,
    probability: Array,
    decision: Array,
    at_stake: Array | None,
    base_rate: float | None,
    rng: np.random.Generator,
) -> Evaluation:
    """Compare what a scorer said with the labels.

    Parameters
    ----------
    y : ndarray (n,)
        0 or 1.
    probability : ndarray (n,)
    decision : ndarray (n,)
        Index into ``model.decision.DECISIONS``.
    at_stake : ndarray (n,), optional
        Amounts as they count: :meth:`model.scorer.Scorer.at_stake`.
    base_rate : float, optional
        Where it is given, and both classes are there to be weighted, all figures come twice.
    rng : Generator
        Source of the bootstrap (Efron, 1979; percentile intervals).
    """
    alert = decision != APPROVE
    weights = [np.ones(len(y))]
    if base_rate is not None and 0 < y.mean() < 1:
        weights.append(base_rate_weights(y, base_rate))
    views = _views(y, probability, alert, weights, rng)
    caught, missed = alert & (y == 1), ~alert & (y == 1)
    impact = Impact(
        int(caught.sum()),
        int(missed.sum()),
        int((alert & (y == 0)).sum()),
        int(((decision == BLOCK) & (y == 0)).sum()),
        None if at_stake is None else float(at_stake[caught].sum()),
        None if at_stake is None else float(at_stake[missed].sum()),
    )
    return Evaluation(
        len(y),
        int(y.sum()),
        confusion_matrix(y, alert),
        confusion_matrix(y, decision == BLOCK),
        views[0],
        views[1] if len(views) > 1 else None,
        impact,
    )


def base_rate_weights(y: Array, base_rate: float | None) -> Array:
    """Return the weight of each row that makes fraud as common as stated; ones without a rate."""
    share = y.mean() if len(y) else 0.0
    if base_rate is None or not 0 < share < 1:
        return np.ones(len(y))
    return np.where(y == 1, base_rate / share, (1 - base_rate) / (1 - share))


def confusion_matrix(y: Array, predicted: Array) -> list[list[int]]:
    """Return [[tn, fp], [fn, tp]]."""
    counts = np.bincount(2 * (y == 1) + (predicted == 1), minlength=4)
    return [counts[:2].tolist(), counts[2:].tolist()]


def _views(
    y: Array, probability: Array, alert: Array, weights: list[Array], rng: np.random.Generator
) -> list[View]:
    """Return a view for each way of weighting the rows.

    All share the draws of the bootstrap: what does not depend on prevalence is the same in each.
    """

    def measured(row_weights: Array) -> dict[str, float | None]:
        return {
            name: metric(y, probability, alert, row_weights) for name, metric in METRICS.items()
        }

    resampled: list[list[dict[str, float | None]]] = [[] for _ in weights]
    for _ in range(RESAMPLES):
        counts = rng.multinomial(len(y), np.full(len(y), 1 / len(y)))
        for draws, row_weights in zip(resampled, weights, strict=True):
            draws.append(measured(row_weights * counts))
    return [
        View(
            float((row_weights * y).sum() / row_weights.sum()),
            {
                name: _figure(value, [draw[name] for draw in draws])
                for name, value in measured(row_weights).items()
            },
        )
        for draws, row_weights in zip(resampled, weights, strict=True)
    ]


def _figure(value: float | None, draws: list[float | None]) -> Figure:
    known = [draw for draw in draws if draw is not None]
    if value is None or not known:
        return Figure(value, None, None)
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    return Figure(value, low, high)


Metric = Callable[[Array, Array, Array, Array], float | None]


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None


def _accuracy(y: Array, _p: Array, alert: Array, w: Array) -> float | None:
    return _ratio(w[alert == (y == 1)].sum(), w.sum())


def _always_legitimate(y: Array, _p: Array, _alert: Array, w: Array) -> float | None:
    return _ratio(w[y == 0].sum(), w.sum())


def _precision(y: Array, _p: Array, alert: Array, w: Array) -> float | None:
    return _ratio(w[alert & (y == 1)].sum(), w[alert].sum())


def _recall(y: Array, _p: Array, alert: Array, w: Array) -> float | None:
    return _ratio(w[alert & (y == 1)].sum(), w[y == 1].sum())


def _f1(y: Array, _p: Array, alert: Array, w: Array) -> float | None:
    return _ratio(2 * w[alert & (y == 1)].sum(), w[alert].sum() + w[y == 1].sum())


def _has_both(y: Array, w: Array) -> bool:
    return bool(w[y == 1].sum() > 0 and w[y == 0].sum() > 0)


def _roc_auc(y: Array, p: Array, _alert: Array, w: Array) -> float | None:
    return float(roc_auc_score(y, p, sample_weight=w)) if _has_both(y, w) else None


def _average_precision(y: Array, p: Array, _alert: Array, w: Array) -> float | None:
    return float(average_precision_score(y, p, sample_weight=w)) if _has_both(y, w) else None


def _recall_at_low_false_positives(y: Array, p: Array, _alert: Array, w: Array) -> float | None:
    if not _has_both(y, w):
        return None
    # points on a straight stretch are kept: one of them may be the last below the limit
    false_positive_rate, recall, _ = roc_curve(y, p, sample_weight=w, drop_intermediate=False)
    limit = FALSE_POSITIVE_RATE * (1 + 1e-9)  # what weights round
    return float(recall[false_positive_rate <= limit].max())


def _brier(y: Array, p: Array, _alert: Array, w: Array) -> float | None:
    return float(brier_score_loss(y, p, sample_weight=w))


METRICS: dict[str, Metric] = {
    "accuracy": _accuracy,
    "always_legitimate_accuracy": _always_legitimate,
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "recall_at_0.1%_false_positives": _recall_at_low_false_positives,
    "brier_score": _brier,
}
