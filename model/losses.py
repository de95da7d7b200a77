"""Losses: value and gradient together, so that they cannot drift apart.

Both average over the N rows of the batch: (1/N) · Σ wᵢ ℓᵢ. With members the value is the sum over
them, so that the gradient of each member is that of the member alone. A training step needs the
gradient only: it is a function of its own, which its loss calls, and takes the wᵢ / N ready made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.activations import sigmoid
from model.errors import ConfigurationError

Array = NDArray[Any]


def binary_cross_entropy(
    logits: Array, y: Array, sample_weights: Array | float = 1.0
) -> tuple[float, Array]:
    """Weighted binary cross-entropy, computed from logits.

    ℓ = log(1 + eᶻ) − y z, finite for every finite z; dℓ/dz = σ(z) − y: the sigmoid's derivative
    has cancelled and must not be multiplied in again (Bishop, 2006, eqs. 4.90 and 5.18).

    Parameters
    ----------
    logits : ndarray (..., N, 1)
        z.
    y : ndarray (N, 1) or (..., N, 1)
        0 or 1, or anything between (soft labels).
    sample_weights : ndarray broadcastable to logits, or float
        wᵢ.

    Returns
    -------
    value : float
        (1/N) · Σ wᵢ ℓᵢ, summed over members.
    gradient : ndarray (..., N, 1)
        With respect to the logits.
    """
    scale = _scale(sample_weights, logits.shape[-2], logits.dtype)
    # log(1 + eᶻ) = max(z, 0) + log(1 + exp(−|z|)): quicker than logaddexp
    losses = np.log1p(np.exp(-np.abs(logits)))
    losses += np.maximum(logits, 0)
    losses -= y * logits
    gradient = cross_entropy_gradient(logits, y, scale)
    losses *= scale
    return float(losses.sum(dtype=np.float64)), gradient


def cross_entropy_gradient(
    logits: Array, y: Array, scale: Array, out: Array | None = None
) -> Array:
    """Return the gradient of :func:`binary_cross_entropy` alone.

    Parameters
    ----------
    logits, y : ndarray
        As there, or laid out in any other way.
    scale : ndarray
        wᵢ / N.
    out : ndarray, optional
    """
    gradient = sigmoid(logits, out)
    gradient -= y
    gradient *= scale
    return gradient


def _scale(sample_weights: Array | float, n_rows: int, dtype: np.dtype[Any]) -> Array:
    """Return wᵢ / N."""
    return np.asarray(np.divide(sample_weights, n_rows), dtype)


def mean_squared_error(
    prediction: Array, target: Array, sample_weights: Array | float = 1.0
) -> tuple[float, Array]:
    """Weighted mean squared error, the mean being over rows and features.

    Parameters
    ----------
    prediction : ndarray (..., N, F)
    target : ndarray (N, F) or (..., N, F)
    sample_weights : ndarray broadcastable to (..., N, 1), or float
        wᵢ.

    Returns
    -------
    value : float
        (1/N) · Σ wᵢ · mean_j (x̂ᵢⱼ − xᵢⱼ)², summed over members.
    gradient : ndarray (..., N, F)
        With respect to the prediction.
    """
    n_rows, n_features = prediction.shape[-2:]
    scale = _scale(sample_weights, n_rows * n_features, prediction.dtype)
    gradient = squared_error_gradient(prediction, target, scale)
    return float(np.vdot(prediction - target, gradient)) / 2, gradient


def squared_error_gradient(
    prediction: Array, target: Array, scale: Array, out: Array | None = None
) -> Array:
    """Return the gradient of :func:`mean_squared_error` alone.

    Parameters
    ----------
    prediction, target : ndarray
        As there, or laid out in any other way.
    scale : ndarray
        wᵢ / (N F).
    out : ndarray, optional
    """
    gradient = np.subtract(prediction, target, out=out)
    gradient *= scale
    gradient *= 2
    return gradient


def compute_class_weights(y: ArrayLike) -> dict[int, float]:
    """Return the weight of each class that balances them: n / (n_classes · count).

    Parameters
    ----------
    y : array_like (n,)
        Integer class labels.

    Returns
    -------
    dict of int to float
        Class → weight; over all rows the weights add up to n.

    Raises
    ------
    ConfigurationError
        If there are no labels.

    Examples
    --------
    >>> weights = compute_class_weights([0] * 9 + [1])
    >>> {label: round(weight, 3) for label, weight in weights.items()}
    {0: 0.556, 1: 5.0}
    """
    classes, counts = np.unique(np.asarray(y).ravel(), return_counts=True)
    if not len(classes):
        raise ConfigurationError("class weights need at least one label, got none")
    total = counts.sum()
    return {
        int(label): float(total / (len(classes) * count))
        for label, count in zip(classes, counts, strict=True)
    }


def weights_per_row(y: Array, class_weights: Mapping[int, float] | None) -> Array | None:
    """Return the weight of each row given those of its class; None without class weights.

    Parameters
    ----------
    y : ndarray (...,)
        0 or 1.
    class_weights : mapping of int to float, optional

    Returns
    -------
    ndarray of y's shape, or None
    """
    if class_weights is None:
        return None
    unknown = set(class_weights) - {0, 1}
    if unknown:
        raise ConfigurationError(f"class weights are for the classes 0 and 1, got {class_weights}")
    return np.where(y > 0.5, class_weights.get(1, 1.0), class_weights.get(0, 1.0))
