"""Figures of merit: how well scores rank, how true probabilities are, and how sure a mean is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    precision_recall_curve,
    roc_auc_score,
)

Array = NDArray[np.float64]

ECE_BINS = 15
RESAMPLES = 200


def best_f1(y: ArrayLike, score: ArrayLike, *, sample_weight: Array | None = None) -> float:
    """Return F1 at the threshold that is best on these very rows."""
    precision, recall, _ = precision_recall_curve(y, score, sample_weight=sample_weight)
    total = precision + recall
    return float((2 * precision * recall / np.where(total > 0, total, 1)).max())


# how scores rank the rows of a test
RANKING: dict[str, Callable[..., float]] = {
    "ROC-AUC": roc_auc_score,
    "average precision": average_precision_score,
    "best F1": best_f1,
}


def ranking_figures(y: ArrayLike, score: ArrayLike, weights: Array | None = None) -> list[float]:
    """Return the figures of :data:`RANKING`, in its order."""
    return [float(figure(y, score, sample_weight=weights)) for figure in RANKING.values()]


def expected_calibration_error(y: ArrayLike, probability: ArrayLike) -> float:
    """Return the mean distance of probability and frequency over bins of equally many rows."""
    labels, stated = np.asarray(y, np.float64), np.asarray(probability, np.float64)
    order = np.argsort(stated, kind="stable")
    gaps = [
        abs(stated[rows].mean() - labels[rows].mean()) * len(rows)
        for rows in np.array_split(order, ECE_BINS)
    ]
    return float(sum(gaps) / len(order))


def brier_skill(y: ArrayLike, probability: ArrayLike) -> float:
    """Return 1 − Brier score ÷ that of the share of fraud in these rows, stated for each row.

    The reference knows the true share, which no forecast does: the skill of a good model is above
    0, that of a perfect one 1.
    """
    share = float(np.mean(y))
    return float(1 - brier_score_loss(y, probability) / (share * (1 - share)))


CALIBRATION = ("ECE", "stated ÷ actual frauds", "Brier skill")


def calibration_figures(y: ArrayLike, probability: ArrayLike) -> list[float]:
    """Return the figures of :data:`CALIBRATION`, in its order."""
    return [
        expected_calibration_error(y, probability),
        float(np.sum(probability) / np.sum(y)),
        brier_skill(y, probability),
    ]


def half_width(values: Array, test_share: float) -> Array:
    """Return half the 95 % interval of a mean over random splits, (splits, metrics) → (metrics,).

    The splits share most of their rows, so the variance of the mean is corrected (Nadeau & Bengio,
    2003, section 3): 1/n + test/train in place of 1/n.
    """
    n_splits = len(values)
    factor = np.sqrt(1 / n_splits + test_share / (1 - test_share))
    quantile = stats.t.ppf(0.975, n_splits - 1)
    return np.asarray(quantile * factor * values.std(axis=0, ddof=1))


def resampled_deviation(
    labels: Sequence[NDArray[np.int64]],
    scores: Mapping[str, Sequence[Sequence[Array]]],
    reference: str,
) -> dict[str, Array]:
    """Return the standard deviation of what a reference gains, had other test rows been drawn.

    Bootstrap: rows of either class are drawn again with replacement, the same for every model.

    Parameters
    ----------
    labels : sequence of ndarray (n_k,)
        Of each test, where every test is the end of the first.
    scores : mapping of str to sequence of sequence of ndarray (n_k,)
        Model → test → seed → scores. Figures are means over tests and seeds.
    reference : str
        The model whose gains are meant.

    Returns
    -------
    dict of str to ndarray
        Model → a deviation for each figure of :data:`RANKING`.
    """
    rng = np.random.default_rng(0)
    y = labels[0]
    drawn: dict[str, list[Array]] = {name: [] for name in scores}
    for _ in range(RESAMPLES):
        counts = np.empty(len(y))
        for label in (0, 1):
            rows = np.flatnonzero(y == label)
            counts[rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)))
        for name, by_test in scores.items():
            figures = [
                ranking_figures(truth, score, counts[len(y) - len(truth) :])
                for truth, by_seed in zip(labels, by_test, strict=True)
                for score in by_seed
            ]
            drawn[name].append(np.mean(figures, axis=0))
    gains = {name: np.subtract(drawn[reference], own) for name, own in drawn.items()}
    return {name: np.std(gain, axis=0) for name, gain in gains.items()}
