"""Fitting the shapes of a calibration: lines in logits, and isotonic steps made continuous."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.activations import sigmoid

Array = NDArray[Any]

SMALLEST_SLOPE = 0.01  # a network that ranks backwards is not turned around in silence
LARGEST_SLOPE = 40.0  # so that 1e-6 of noise in a logit moves no probability by more than 1e-5
TAIL = 100.0  # logits that isotonic curves go on outside of their blocks


def beta_columns(z: Array) -> tuple[Array, Array]:
    """Return ln p and −ln(1 − p) of p = σ(z): what beta calibration weighs.

    (Kull, Silva Filho & Flach, 2017: logit = a ln p − b ln(1 − p) + c.)
    """
    return -np.logaddexp(0, -z), np.logaddexp(0, z)


def fit_logistic(columns: Array, y: Array) -> tuple[tuple[float, ...], float]:
    """Fit σ(Σ aⱼ xⱼ + b), each slope between the smallest and the largest one.

    Platt's smoothed targets (Platt, 1999, section 2.2) keep it finite. Slopes that leave their
    bounds stay there while the others are fitted again, as Kull et al. (2017) do at zero.

    Parameters
    ----------
    columns : ndarray (n, k)
    y : ndarray (n,)
    """
    n_fraud = y.sum()
    n_legitimate = len(y) - n_fraud
    target = np.where(y > 0, (n_fraud + 1) / (n_fraud + 2), 1 / (n_legitimate + 2))
    slopes = np.ones(columns.shape[1])
    is_free = np.ones(columns.shape[1], bool)
    while True:
        held = columns[:, ~is_free] @ slopes[~is_free]
        slopes[is_free], intercept = _newton(columns[:, is_free], target, held)
        bounded = np.clip(slopes, SMALLEST_SLOPE, LARGEST_SLOPE)
        leaves = bounded != slopes
        if not leaves.any():
            return tuple(slopes.tolist()), intercept
        slopes[leaves], is_free = bounded[leaves], is_free & ~leaves


def _newton(columns: Array, target: Array, held: Array) -> tuple[Array, float]:
    """Fit slopes and intercept beside a fixed part by Newton's method on standardised columns.

    The step is halved while the loss rises (Lin, Lin & Weng, 2007).
    """
    centres, spreads = columns.mean(axis=0), columns.std(axis=0)
    spreads[spreads == 0] = 1.0
    design = np.column_stack([(columns - centres) / spreads, np.ones(len(columns))])
    theta = np.append(spreads, centres.sum())  # slopes of 1: what changes nothing

    def loss(theta: Array) -> float:
        line = design @ theta + held
        return float(np.mean(np.logaddexp(0, line) - target * line))

    for _ in range(100):
        p = sigmoid(design @ theta + held)
        gradient = design.T @ (p - target) / len(design)
        hessian = (design * (p * (1 - p))[:, None]).T @ design / len(design)
        step = np.linalg.solve(hessian + 1e-12 * np.eye(len(theta)), gradient)
        size, before = 1.0, loss(theta)
        while loss(theta - size * step) > before and size > 1e-6:
            size /= 2
        theta = theta - size * step
        if np.abs(gradient).max() < 1e-10:
            break
    slopes = theta[:-1] / spreads
    return slopes, float(theta[-1] - slopes @ centres)


Block = list[float]  # rows, frauds, sum of logits


def fit_isotonic(z: Array, y: Array) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Pool adjacent violators (Ayer et al., 1955), then join the blocks by lines, in logits.

    A step function would let the last bit of a logit jump between probabilities; lines between
    the blocks' mean logits cannot. Rates are smoothed by half a fraud and half a legitimate row;
    blocks whose smoothed rates do not rise, or rise too steeply, are pooled too. Outside of the
    blocks the curve goes on as steeply as Platt's line, so that no two logits share a probability.
    """
    logits, which, counts = np.unique(z, return_inverse=True, return_counts=True)
    points = np.column_stack([counts, np.bincount(which, y), counts * logits])
    blocks = _pooled(points.tolist(), _is_violation)  # rows of the same logit enter as one
    rows, frauds, sums = np.array(_pooled(blocks, _is_no_slope)).T
    (slope,), _ = fit_logistic(z[:, None], y)
    knots, levels = sums / rows, _smoothed_log_odds(rows, frauds)
    ends = np.array([-TAIL, TAIL])
    knots = np.insert(knots, [0, len(knots)], knots[[0, -1]] + ends)
    levels = np.insert(levels, [0, len(levels)], levels[[0, -1]] + slope * ends)
    return tuple(knots.tolist()), tuple(levels.tolist())


def _pooled(points: list[Block], belong_together: Callable[[Block, Block], bool]) -> list[Block]:
    blocks: list[Block] = []
    for point in points:
        blocks.append(point)
        while len(blocks) > 1 and belong_together(blocks[-2], blocks[-1]):
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    return blocks


def _is_violation(lower: Block, upper: Block) -> bool:
    return lower[1] * upper[0] >= upper[1] * lower[0]


def _is_no_slope(lower: Block, upper: Block) -> bool:
    (rows, frauds, logits), (n, k, z) = lower, upper
    rise = _smoothed_log_odds(n, k) - _smoothed_log_odds(rows, frauds)
    return not 0 < rise <= LARGEST_SLOPE * (z / n - logits / rows)


def _smoothed_log_odds(rows: Any, frauds: Any) -> Any:
    return np.log((frauds + 0.5) / (rows - frauds + 0.5))
