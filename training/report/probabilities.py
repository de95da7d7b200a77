"""Whether probabilities come true, and how scores are spread over the classes."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from model.activations import sigmoid
from training.evaluate import base_rate_weights
from training.judged import Judged
from training.report.curves import calibration_bins, classes, score_histogram

Array = NDArray[Any]
Facts = dict[str, Any]

HIGH_SCORE = 750  # what one legitimate transaction in 1,000 reaches


def calibration_facts(seen: Judged, base_rate: float | None) -> Facts:
    """Return predicted probability against what came true, after calibration and before.

    Returns
    -------
    dict
        As :func:`_reliability` of the probabilities; ``before``, the same of what the network said
        by itself.
    """
    weights = base_rate_weights(seen.y, base_rate)
    return {
        **_reliability(seen.y, seen.probability, weights),
        "before": _reliability(seen.y, sigmoid(seen.logits), weights),
    }


def _reliability(y: Array, probability: Array, weights: Array) -> Facts:
    """Return ``bins``, how many of them agree, the means, and the expected calibration error.

    The error is the mean distance of a bin's prediction from what came true, by what the bins
    weigh (Naeini et al., 2015).
    """
    bins = calibration_bins(y, probability, weights)
    total = float(weights.sum())
    return {
        "bins": bins,
        "n_agreeing": sum(b["low"] <= b["predicted"] <= b["high"] for b in bins),
        "predicted": float((weights * probability).sum() / total),
        "observed": float((weights * y).sum() / total),
        "error": sum(b["weight"] * abs(b["predicted"] - b["observed"]) for b in bins) / total,
    }


def score_facts(seen: Judged) -> Facts:
    """Return how scores are distributed in each class, and how many of each score high."""
    groups = {name: inside for name, inside in classes(seen.y).items() if inside.any()}
    is_high = seen.score >= HIGH_SCORE
    return {
        **score_histogram(seen.score, groups),
        "high_from": HIGH_SCORE,
        "high": {name: float(is_high[inside].mean()) for name, inside in groups.items()},
    }
