"""Metrics on labelled rows, computed by scikit-learn, with their 95 % intervals."""

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
from training.intervals import (
    Interval,
    auc_interval,
    drawn_interval,
    ratio_interval,
    share_interval,
    sum_interval,
    with_unseen_frauds,
)

Array = NDArray[Any]

RESAMPLES = 200
FALSE_POSITIVE_RATE = 0.001
PER = 100_000  # transactions that money and counts are shown for at the stated base rate


@dataclass(frozen=True)
class Figure:
    """A metric with its 95 % interval; None where the rows do not define it.

    What was stated and not measured, as the share of fraud at a base rate, has a value alone.
    """

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
        Source of the bootstrap, which gives the intervals of what is no share.
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
    Each class is drawn from by itself, because a view is of one prevalence.
    """
    members = [np.flatnonzero(y == label) for label in (0, 1) if (y == label).any()]
    drawn = [name for name in METRICS if name in INTERVALS_OF_DRAWS]
    draws: list[dict[str, list[float | None]]] = [{name: [] for name in drawn} for _ in weights]
    for _ in range(RESAMPLES if drawn else 0):
        counts = np.zeros(len(y))
        for rows in members:
            counts[rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)))
        for of_view, row_weights in zip(draws, weights, strict=True):
            for name, values in of_view.items():
                values.append(METRICS[name](y, probability, alert, row_weights * counts))
    views = []
    for number, (of_view, row_weights) in enumerate(zip(draws, weights, strict=True)):
        prevalence = float((row_weights * y).sum() / row_weights.sum())
        rows = Counted(confusion_matrix(y, alert), prevalence if number else None, y, probability)
        figures = {}
        for name, metric in METRICS.items():
            value = metric(y, probability, alert, row_weights)
            figures[name] = Figure(value, *_bounds(name, value, rows, of_view.get(name, [])))
        views.append(View(prevalence, figures))
    return views


@dataclass(frozen=True)
class Counted:
    """What intervals are made of.

    Attributes
    ----------
    confusion : list
        Of alerts.
    base_rate : float or None
        None: at the prevalence of the rows.
    y, probability : ndarray (n,)
    """

    confusion: list[list[int]]
    base_rate: float | None
    y: Array
    probability: Array

    @property
    def n_frauds(self) -> int:
        """How many frauds there are."""
        return sum(self.confusion[1])

    @property
    def alert_rates(self) -> tuple[tuple[float, float], tuple[Interval, Interval]]:
        """The false-positive rate and the recall, and the interval of each."""
        (tn, fp), (fn, tp) = self.confusion
        intervals = share_interval(fp, tn + fp), share_interval(tp, fn + tp)
        return (fp / (tn + fp), tp / (fn + tp)), intervals

    @property
    def odds(self) -> float:
        """How many legitimate transactions there are to a fraud at the base rate."""
        rate = float(self.base_rate or 0.0)
        return (1 - rate) / rate


def _bounds(
    name: str, value: float | None, rows: Counted, draws: list[float | None]
) -> tuple[float | None, float | None]:
    if value is None:
        return None, None
    if name in INTERVALS:
        return INTERVALS[name](rows) or (None, None)
    known = [draw for draw in draws if draw is not None]
    return INTERVALS_OF_DRAWS[name](value, rows, drawn_interval(known))


def _accuracy_interval(rows: Counted) -> Interval:
    (tn, fp), (fn, tp) = rows.confusion
    if rows.base_rate is None:
        return share_interval(tn + tp, tn + fp + fn + tp)
    weights = 1 - rows.base_rate, rows.base_rate
    right = [(tn, tn + fp), (tp, fn + tp)]
    values = [weight * n / of for weight, (n, of) in zip(weights, right, strict=True)]
    parts = [
        (weight * low, weight * high)
        for weight, (low, high) in zip(weights, (share_interval(*n) for n in right), strict=True)
    ]
    return sum_interval((values[0], values[1]), (parts[0], parts[1]))


def _always_legitimate_interval(rows: Counted) -> Interval | None:
    (tn, fp), (fn, tp) = rows.confusion
    return None if rows.base_rate else share_interval(tn + fp, tn + fp + fn + tp)


def _recall_interval(rows: Counted) -> Interval:
    fn, tp = rows.confusion[1]
    return share_interval(tp, fn + tp)


def _precision_interval(rows: Counted) -> Interval:
    """At a base rate precision falls with the quotient of false-positive rate and recall."""
    (_, fp), (_, tp) = rows.confusion
    if rows.base_rate is None:
        return share_interval(tp, fp + tp)
    low, high = ratio_interval(*rows.alert_rates)
    return 1 / (1 + rows.odds * high), 1 / (1 + rows.odds * low)


def _f1_interval(rows: Counted) -> Interval:
    """F1 rises with the share of frauds that were alerted among all rows that were either."""
    (_, fp), (fn, tp) = rows.confusion
    if rows.base_rate is None:
        low, high = share_interval(tp, fp + fn + tp)
        return 2 * low / (1 + low), 2 * high / (1 + high)
    (rate, recall), (of_rate, of_recall) = rows.alert_rates
    top, *bounds = (1 + rows.odds * figure for figure in (rate, *of_rate))
    low, high = ratio_interval((top, recall), ((bounds[0], bounds[1]), of_recall))
    return 2 / (1 + high), 2 / (1 + low)


INTERVALS: dict[str, Callable[[Counted], Interval | None]] = {
    "accuracy": _accuracy_interval,
    "always_legitimate_accuracy": _always_legitimate_interval,
    "precision": _precision_interval,
    "recall": _recall_interval,
    "f1": _f1_interval,
    "roc_auc": lambda rows: auc_interval(rows.y, rows.probability),
}


def _recall_at_interval(value: float, rows: Counted, drawn: Interval) -> Interval:
    """Both are in doubt: which threshold has this rate, and what it finds."""
    low, high = share_interval(round(value * rows.n_frauds), rows.n_frauds)
    return min(low, drawn[0]), max(high, drawn[1])


INTERVALS_OF_DRAWS: dict[str, Callable[[float, Counted, Interval], Interval]] = {
    "average_precision": lambda value, rows, drawn: with_unseen_frauds(value, rows.n_frauds, drawn),
    "recall_at_0.1%_false_positives": _recall_at_interval,
    "brier_score": lambda _value, _rows, drawn: drawn,
}


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
