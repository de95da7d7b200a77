"""95 % intervals of figures that were measured on a sample: the only place that makes them.

None is a point: where all of 20 frauds were found, fewer than all may be found of the next ones.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binomtest

Array = NDArray[Any]
Interval = tuple[float, float]

LEVEL = 0.95
Z = 1.959963984540054  # the normal quantile of this level
CLOSE = 1e-9  # to 0 or 1


def share_interval(n: int, of: int) -> Interval:
    """Return the interval of a share: the score interval (Wilson, 1927).

    Parameters
    ----------
    n : int
    of : int
        At least 1.
    """
    interval = binomtest(n, of).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def share(n: int, of: int) -> dict[str, float | None]:
    """Return a share with its interval, as a report shows it; None of no rows."""
    if not of:
        return {"value": None, "low": None, "high": None}
    low, high = share_interval(n, of)
    return {"value": n / of, "low": low, "high": high}


def sum_interval(values: tuple[float, float], parts: tuple[Interval, Interval]) -> Interval:
    """Return the interval of a sum of two independent figures.

    The distances of each figure from its bounds add up as those of normal variables do (variance
    estimates recovered from limits: Zou & Donner, 2008, section 2).

    Parameters
    ----------
    values : tuple of float
    parts : tuple of Interval
        Of each, at this level.
    """
    below = sqrt(sum((value - part[0]) ** 2 for value, part in zip(values, parts, strict=True)))
    above = sqrt(sum((part[1] - value) ** 2 for value, part in zip(values, parts, strict=True)))
    return sum(values) - below, sum(values) + above


def ratio_interval(values: tuple[float, float], parts: tuple[Interval, Interval]) -> Interval:
    """Return the interval of the first of two independent figures divided by the second.

    Fieller's limits with variances recovered from the limits of both (Donner & Zou, 2012, section
    2.2), written such that neither figure has to differ from zero.

    Parameters
    ----------
    values : tuple of float
        At least 0, and not both 0.
    parts : tuple of Interval
        Of each, at this level; upper bounds above 0.

    Returns
    -------
    Interval
        The upper bound is infinite where the second figure may be zero.
    """
    (top, bottom), ((top_low, top_high), (low, high)) = values, parts
    product = top * bottom
    lower = top_low * (2 * top - top_low)
    root = sqrt(max(product**2 - lower * high * (2 * bottom - high), 0.0))
    least = lower / (product + root) if lower > 0 else 0.0
    span = low * (2 * bottom - low)
    root = sqrt(max(product**2 - top_high * (2 * top - top_high) * span, 0.0))
    return least, (product + root) / span if span > 0 else inf


def auc_interval(y: Array, scores: Array) -> Interval:
    """Return the interval of the ROC-AUC.

    The values that differ from what was measured by less than 1.96 standard errors *at that value*
    (the score method of Newcombe, 2006, part 2, method 5), so that an AUC of 1 has an interval too.
    The variance is Hanley and McNeil's (1982, equation 2), the larger one of either direction,
    multiplied where the rows themselves show a larger one (DeLong, 1988).

    Parameters
    ----------
    y : ndarray (n,)
        0 or 1, both there.
    scores : ndarray (n,)
    """
    of_frauds, of_legitimate = _placements(y, scores)
    m, n = len(of_frauds), len(of_legitimate)
    auc = float(of_frauds.mean())

    def variance(theta: float) -> float:
        return max(_hanley_mcneil(theta, m, n), _hanley_mcneil(1 - theta, m, n))

    shown = _variance_of_mean(of_frauds) + _variance_of_mean(of_legitimate)
    factor = max(shown / variance(auc), 1.0) if 0 < auc < 1 else 1.0

    def apart(theta: float) -> float:
        return (auc - theta) ** 2 - Z**2 * factor * variance(theta)

    inside = min(max(auc, CLOSE), 1 - CLOSE)  # an AUC of 0 or 1 is itself a root
    low = brentq(apart, 0.0, inside) if auc > 0 else 0.0
    high = brentq(apart, inside, 1.0) if auc < 1 else 1.0
    return float(low), float(high)


def _placements(y: Array, scores: Array) -> tuple[Array, Array]:
    """Return the share of the other class that each fraud, and each legitimate row, is right of."""
    frauds, legitimate = np.sort(scores[y == 1]), np.sort(scores[y == 0])
    both = ("left", "right")  # ties count half
    below = sum(np.searchsorted(legitimate, frauds, side) for side in both)
    not_above = sum(np.searchsorted(frauds, legitimate, side) for side in both)
    return below / (2 * len(legitimate)), 1 - not_above / (2 * len(frauds))


def _hanley_mcneil(theta: float, m: int, n: int) -> float:
    of_frauds = theta * (1 - theta) ** 2 / (2 - theta)
    of_legitimate = theta**2 * (1 - theta) / (1 + theta)
    return (theta * (1 - theta) + (m - 1) * of_frauds + (n - 1) * of_legitimate) / (m * n)


def _variance_of_mean(placements: Array) -> float:
    return float(placements.var(ddof=1)) / len(placements) if len(placements) > 1 else 0.0


def drawn_interval(draws: list[float]) -> Interval:
    """Return the middle 95 % of what a bootstrap drew (Efron, 1979; percentiles)."""
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    return low, high


def with_unseen_frauds(value: float, n_frauds: int, drawn: Interval) -> Interval:
    """Return a drawn interval of a mean over frauds, wide enough for kinds of fraud not drawn.

    A bootstrap draws none but the frauds that there are: if all rank first it collapses. So the
    interval reaches as far as 1.96² more frauds would carry the mean if each were worth 0, or 1:
    for a value of 1, or 0, these are Wilson's bounds.

    Parameters
    ----------
    value : float
        A mean of figures from 0 to 1, one a fraud: average precision, or a recall.
    n_frauds : int
    drawn : Interval
    """
    total, unseen = value * n_frauds, Z**2
    low, high = total / (n_frauds + unseen), (total + unseen) / (n_frauds + unseen)
    return min(drawn[0], low), max(drawn[1], high)
