"""Losses: value and gradient together, so that they cannot drift apart.

Both average over the N rows of the batch: (1/N) · Σ wᵢ ℓᵢ. The division by N happens here and
nowhere else. With members the value is the sum over them, so that the gradient of each member is
that of the member alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.activations import ZERO
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
    losses = np.logaddexp(ZERO, logits)
    gradient = np.exp(logits - losses)  # σ(z) = exp(z − log(1 + eᶻ)) cannot overflow
    gradient -= y
    losses -= y * logits
    scale = np.empty_like(losses)  # wᵢ / N
    if isinstance(sample_weights, np.ndarray):
        np.divide(sample_weights, logits.shape[-2], out=scale)
    else:
        scale.fill(sample_weights / logits.shape[-2])
    gradient *= scale
    return float(np.vdot(losses, scale)), gradient


def _per_row(sample_weights: Array | float, n_rows: int, dtype: np.dtype[Any]) -> Array | float:
    """Return wᵢ / N."""
    if isinstance(sample_weights, np.ndarray):
        return np.divide(sample_weights, n_rows, dtype=dtype)
    return float(sample_weights) / n_rows


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
    residual = np.subtract(prediction, target)
    gradient = residual * _per_row(sample_weights, n_rows * n_features, prediction.dtype)
    value = float(np.vdot(residual, gradient))
    gradient *= 2
    return value, gradient


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
