"""What helps a network learn a rare class: weights, resampling, frauds in every batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from numpy.typing import NDArray

from model import compute_class_weights
from model.errors import ConfigurationError
from training.row_order import batches_of

__all__ = [
    "class_weights_of_strength",
    "compute_class_weights",
    "fraud_batches",
    "learned_share",
    "resample",
    "resampled_labels",
]

Array = NDArray[Any]

SMOTE_NEIGHBOURS = 5


def class_weights_of_strength(y: Array, strength: float) -> dict[int, float]:
    """Return class weights between none and balanced.

    Parameters
    ----------
    y : ndarray (n,)
    strength : float
        0: all weights 1; 1: balanced; between: balanced weights to that power, scaled so that the
        weights of all rows still add up to n.
    """
    balanced = compute_class_weights(y)
    powered = {label: weight**strength for label, weight in balanced.items()}
    total = sum(weight * (y == label).sum() for label, weight in powered.items())
    return {label: float(weight * len(y) / total) for label, weight in powered.items()}


def resample(
    X: Array, y: Array, method: str, fraud_share: float, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return training rows with more frauds or fewer legitimate rows (imbalanced-learn).

    Parameters
    ----------
    X : ndarray (n, F)
        Encoded rows.
    y : ndarray (n,)
    method : {'smote', 'oversample', 'undersample'}
        Chawla et al. (2002) for SMOTE.
    fraud_share : float
        Share of fraud afterwards, above the present one.
    rng : Generator

    Raises
    ------
    ConfigurationError
        If the share is out of range, or the frauds too few for SMOTE.
    """
    present = float(y.mean())
    if not present < fraud_share < 1:
        raise ConfigurationError(
            f"resampled_share must lie above the present share of fraud {present:.4g}, "
            f"got {fraud_share}"
        )
    ratio = fraud_share / (1 - fraud_share)  # frauds per legitimate row
    seed = int(rng.integers(2**31))
    if method == "smote":
        if y.sum() <= SMOTE_NEIGHBOURS:
            raise ConfigurationError(f"SMOTE needs more than {SMOTE_NEIGHBOURS} frauds")
        sampler = SMOTE(sampling_strategy=ratio, k_neighbors=SMOTE_NEIGHBOURS, random_state=seed)
    elif method == "oversample":
        sampler = RandomOverSampler(sampling_strategy=ratio, random_state=seed)
    elif method == "undersample":
        sampler = RandomUnderSampler(sampling_strategy=ratio, random_state=seed)
    else:
        raise ConfigurationError(f"unknown resampling {method!r}")
    X_new, y_new = sampler.fit_resample(X, y)
    return np.ascontiguousarray(X_new, X.dtype), y_new


def resampled_labels(y: Array, method: str, fraud_share: float) -> Array:
    """Return the labels that :func:`resample` leaves, sorted; as they are where it changes none."""
    n_frauds = int(y.sum())
    n_legitimate = len(y) - n_frauds
    if fraud_share <= y.mean():  # which resampling refuses
        return np.sort(y)
    if method == "undersample":
        n_legitimate = int(n_frauds * (1 - fraud_share) / fraud_share)
    elif method != "none":
        n_frauds = int(n_legitimate * fraud_share / (1 - fraud_share))
    return np.repeat([0, 1], [n_legitimate, n_frauds])


def fraud_batches(
    y: Array,
    batch_size: int,
    min_frauds: int,
    rng: np.random.Generator,
    order: NDArray[np.intp] | None = None,
) -> Iterator[Array]:
    """Yield the rows of each batch of one epoch, with the same number of frauds in every one.

    Each legitimate row comes once, each fraud at least once and again until all batches have
    enough of them.

    Parameters
    ----------
    y : ndarray (n,)
        0 or 1.
    batch_size, min_frauds : int
        0 frauds: plain batches.
    rng : Generator
    order : ndarray (n,), optional
        Of the rows in the epoch; at random where omitted.
    """
    frauds = np.flatnonzero(y == 1)
    order = rng.permutation(len(y)) if order is None else order
    if not min_frauds or not len(frauds):
        yield from batches_of(order, batch_size)
        return
    legitimate = order[y[order] != 1]
    n_batches = _n_fraud_batches(len(y) - len(frauds), len(frauds), batch_size, min_frauds)
    repeats = -(-n_batches * min_frauds // len(frauds))
    queue = np.concatenate([rng.permutation(frauds) for _ in range(repeats)])
    for number, rows in enumerate(np.array_split(legitimate, n_batches)):
        chosen = queue[number * min_frauds : (number + 1) * min_frauds]
        yield rng.permutation(np.concatenate([rows, chosen]))


def learned_share(y: Array, batch_size: int, min_frauds: int) -> float:
    """Return the share of fraud among the rows that :func:`fraud_batches` yields in an epoch."""
    n_frauds = int(y.sum())
    n_legitimate = len(y) - n_frauds
    if min_frauds and n_frauds:
        batches = _n_fraud_batches(n_legitimate, n_frauds, batch_size, min_frauds)
        n_frauds = batches * min_frauds
    return n_frauds / (n_frauds + n_legitimate)


def _n_fraud_batches(n_legitimate: int, n_frauds: int, batch_size: int, min_frauds: int) -> int:
    """Return how many batches it takes to see every row with so many frauds in each."""
    return max(-(-n_legitimate // (batch_size - min_frauds)), -(-n_frauds // min_frauds))
