"""Labels and scores → the points of a plot, as JSON types and few enough to be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from training.intervals import share_interval

Array = NDArray[Any]
Points = dict[str, Any]

CELLS = 400  # each way; a curve is thinned to where it enters and leaves the cells of this grid
PROBABILITY_EDGES = (0.0, 1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 0.6, 0.9, 1.0)
SCORE_EDGES = range(0, 1001, 50)
ERROR_BINS = 25
SMALLEST_ERROR = 1e-12  # errors are drawn on a logarithmic scale


def roc_points(y: Array, logits: Array) -> Points | None:
    """Return the ROC curve, thinned; None unless both classes are there.

    False-positive rates are thinned on a logarithmic scale, from one legitimate row upwards.
    """
    if not 0 < y.sum() < len(y):
        return None
    false_positive_rate, recall, _ = roc_curve(y, logits, drop_intermediate=False)
    smallest = 1 / float((y == 0).sum())
    depth = np.log10(np.maximum(false_positive_rate, smallest)) / min(np.log10(smallest), -1.0)
    kept = _thinned(depth, recall)
    return {
        "false_positive_rate": false_positive_rate[kept].tolist(),
        "recall": recall[kept].tolist(),
        "smallest_rate": smallest,
    }


def precision_recall_points(y: Array, logits: Array, prevalence: float) -> Points | None:
    """Return the precision–recall curve at a prevalence; None unless both classes are there.

    Precision follows from the two rates that prevalence does not touch: π r / (π r + (1 − π) f).
    """
    if not 0 < y.sum() < len(y):
        return None
    false_positive_rate, recall, _ = roc_curve(y, logits, drop_intermediate=False)
    alerting = recall + false_positive_rate > 0  # no precision without alerts
    recall, false_positive_rate = recall[alerting], false_positive_rate[alerting]
    caught = prevalence * recall
    precision = caught / (caught + (1 - prevalence) * false_positive_rate)
    kept = _thinned(recall, precision)
    return {"recall": recall[kept].tolist(), "precision": precision[kept].tolist()}


def _thinned(x: Array, y: Array) -> Array:
    """Return which points of a curve in the unit square are enough to draw it."""
    cells = np.stack([np.floor(x * CELLS), np.floor(y * CELLS)])
    changes = (np.diff(cells) != 0).any(axis=0)
    return np.flatnonzero(np.append(True, changes) | np.append(changes, True))


def calibration_bins(y: Array, probability: Array, weights: Array) -> list[Points]:
    """Return, for each range of predicted probability that has rows, what came true.

    Parameters
    ----------
    y, probability : ndarray (n,)
    weights : ndarray (n,)
        What each row stands for; the same for all rows of a class.

    Returns
    -------
    list of dict
        ``from``, ``to``, ``rows``, ``frauds``, ``weight``; ``predicted`` and ``observed``,
        weighted; ``low`` and ``high``, Wilson's 95 % interval of the share, moved to the weighted
        prevalence.
    """
    position = np.digitize(probability, PROBABILITY_EDGES[1:-1])
    bins = []
    for number in np.unique(position):
        inside = position == number
        n_rows, n_frauds = int(inside.sum()), int(y[inside].sum())
        w = weights[inside]
        low, high = share_interval(n_frauds, n_rows)
        bins.append(
            {
                "from": PROBABILITY_EDGES[number],
                "to": PROBABILITY_EDGES[number + 1],
                "rows": n_rows,
                "frauds": n_frauds,
                "weight": float(w.sum()),
                "predicted": float((w * probability[inside]).sum() / w.sum()),
                "observed": float((w * y[inside]).sum() / w.sum()),
                "low": _reweighted(low, y, weights),
                "high": _reweighted(high, y, weights),
            }
        )
    return bins


def _reweighted(share: float, y: Array, weights: Array) -> float:
    """Return what a share of fraud becomes where each class weighs what its rows weigh."""
    of_fraud = float(weights[y == 1].mean()) if (y == 1).any() else 1.0
    of_legitimate = float(weights[y == 0].mean()) if (y == 0).any() else 1.0
    fraud, legitimate = share * of_fraud, (1 - share) * of_legitimate
    return fraud / (fraud + legitimate)


def histogram(values: Array, groups: Mapping[str, Array], edges: Array) -> Points:
    """Return the share of each group's rows in each bin; groups without rows are left out.

    Parameters
    ----------
    values : ndarray (n,)
    groups : mapping of str to ndarray (n,) of bool
    edges : ndarray (m + 1,)
    """
    counts = {name: np.histogram(values[rows], edges)[0] for name, rows in groups.items()}
    return {
        "edges": np.asarray(edges, np.float64).tolist(),
        "shares": {
            name: (inside / groups[name].sum()).tolist()
            for name, inside in counts.items()
            if groups[name].any()
        },
    }


def score_histogram(scores: Array, groups: Mapping[str, Array]) -> Points:
    """Return how scores are distributed in each group."""
    return histogram(scores, groups, np.array(SCORE_EDGES))


def error_histogram(errors: Array, groups: Mapping[str, Array], threshold: float) -> Points:
    """Return how reconstruction errors are distributed in each group, in logarithmic bins."""
    errors = np.maximum(errors, SMALLEST_ERROR)
    span = [errors.min(), errors.max(), max(threshold, SMALLEST_ERROR)]
    low, high = min(span) * 0.9, max(span) * 1.1  # wide enough where all are the same
    return histogram(errors, groups, np.geomspace(low, high, ERROR_BINS + 1))


def classes(y: Array) -> dict[str, Array]:
    """Return which rows are of which class."""
    return {"legitimate": y == 0, "fraud": y == 1}
