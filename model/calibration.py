"""Calibration: the logit of a network → a probability that is true at the stated base rate.

Three steps, each monotone: undo what class weights and resampling did to the prior, bend the
logits so that probabilities match frequencies on validation rows, and move from the share of fraud
in the table to the share in the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from model.activations import sigmoid
from model.errors import ConfigurationError

Array = NDArray[Any]
Method = Literal["none", "platt", "isotonic"]

FEWEST_FRAUDS = 10  # below this a fit would follow accidents; the prior correction stands alone
SMALLEST_SLOPE = 0.01  # a network that ranks backwards is not turned around in silence


def log_odds(probability: float) -> float:
    """Return ln(p / (1 − p)).

    Raises
    ------
    ConfigurationError
        If the probability is not strictly between 0 and 1.
    """
    if not 0 < probability < 1:
        raise ConfigurationError(f"a rate lies strictly between 0 and 1, got {probability!r}")
    return float(np.log(probability) - np.log1p(-probability))


def prior_correction(
    class_weights: Mapping[int, float] | None, share_before: float, share_after: float
) -> float:
    """Return what to add to a logit that was learned under weights and resampling.

    Weighting fraud w times as much multiplies the learned odds by w, and so does resampling by
    the change of the odds (Dal Pozzolo et al., 2015, eq. 4, in logits; Saerens et al., 2002).

    Parameters
    ----------
    class_weights : mapping of int to float, optional
    share_before, share_after : float
        Share of fraud among the training rows before and after resampling.
    """
    weights = class_weights or {}
    learned = np.log(weights.get(1, 1.0) / weights.get(0, 1.0))
    resampled = log_odds(share_after) - log_odds(share_before)
    return -float(learned + resampled)


@dataclass(frozen=True)
class Calibration:
    """A fitted calibration.

    Attributes
    ----------
    method : {'none', 'platt', 'isotonic'}
    offset : float
        The prior correction, added to the logit first.
    slope, intercept : float
        Platt's line, in logits.
    knots, levels : tuple of float
        Isotonic: calibrated logit at each knot, linear between.
    shift : float
        From the table's base rate to the stated one, added last.
    """

    method: Method = "none"
    offset: float = 0.0
    slope: float = 1.0
    intercept: float = 0.0
    knots: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()
    shift: float = 0.0

    def logits(self, raw: Array) -> Array:
        """Return calibrated logits of raw ones, float64."""
        z = np.asarray(raw, np.float64) + self.offset
        if self.method == "isotonic":
            return np.interp(z, *self._curve) + self.shift
        return self.slope * z + (self.intercept + self.shift)

    @cached_property
    def _curve(self) -> tuple[Array, Array]:
        return np.array(self.knots), np.array(self.levels)

    def probability(self, raw: Array) -> Array:
        """Return the probability of fraud of raw logits, float64."""
        return sigmoid(self.logits(raw))

    def moved(self, base_rate_from: float, base_rate_to: float) -> Calibration:
        """Return the calibration for another base rate: the odds change by a constant factor.

        (Saerens et al., 2002, eq. 2.4, for two classes, in logits.)
        """
        change = log_odds(base_rate_to) - log_odds(base_rate_from)
        return replace(self, shift=self.shift + change)

    @classmethod
    def fit(
        cls, raw: Array, y: Array, *, method: Method = "platt", offset: float = 0.0
    ) -> Calibration:
        """Fit on validation rows that trained nothing.

        Parameters
        ----------
        raw : ndarray (n,)
            Logits of the network.
        y : ndarray (n,)
            0 or 1.
        method : {'none', 'platt', 'isotonic'}
            With fewer than 10 frauds or legitimate rows always 'none'.
        offset : float
            The prior correction.

        Raises
        ------
        ConfigurationError
            If the method is unknown.
        """
        if method not in ("none", "platt", "isotonic"):
            raise ConfigurationError(f"unknown calibration {method!r}")
        y = np.asarray(y, np.float64)
        z = np.asarray(raw, np.float64) + offset
        if min(y.sum(), (1 - y).sum()) < FEWEST_FRAUDS:
            method = "none"
        if method == "platt":
            slope, intercept = _platt(z, y)
            return cls("platt", offset, slope, intercept)
        if method == "isotonic":
            knots, levels = _isotonic(z, y)
            return cls("isotonic", offset, knots=knots, levels=levels)
        return cls("none", offset)

    def to_dict(self) -> dict[str, Any]:
        """Return the calibration as JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Calibration:
        """Rebuild a calibration.

        Raises
        ------
        ConfigurationError
            If the facts are not those of a calibration.
        """
        try:
            lists = {name: tuple(facts[name]) for name in ("knots", "levels")}
            return cls(**{**facts, **lists})
        except (KeyError, TypeError) as error:
            raise ConfigurationError(f"not a calibration: {error}") from None


def _platt(z: Array, y: Array) -> tuple[float, float]:
    """Fit σ(a z + b) by Newton's method, with Platt's smoothed targets (Platt, 1999, section 2.2).

    The step is halved while the loss rises (Lin, Lin & Weng, 2007).
    """
    n_fraud = y.sum()
    n_legitimate = len(y) - n_fraud
    target = np.where(y > 0, (n_fraud + 1) / (n_fraud + 2), 1 / (n_legitimate + 2))
    centre, spread = z.mean(), z.std() or 1.0
    design = np.column_stack([(z - centre) / spread, np.ones_like(z)])
    theta = np.array([spread, centre])  # the line that changes nothing

    def loss(theta: Array) -> float:
        line = design @ theta
        return float(np.mean(np.logaddexp(0, line) - target * line))

    for _ in range(100):
        p = sigmoid(design @ theta)
        gradient = design.T @ (p - target) / len(z)
        hessian = (design * (p * (1 - p))[:, None]).T @ design / len(z) + 1e-12 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        size, before = 1.0, loss(theta)
        while loss(theta - size * step) > before and size > 1e-6:
            size /= 2
        theta = theta - size * step
        if np.abs(gradient).max() < 1e-10:
            break
    slope = max(float(theta[0] / spread), SMALLEST_SLOPE)
    return slope, float(theta[1] - slope * centre)


def _isotonic(z: Array, y: Array) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Pool adjacent violators (Ayer et al., 1955), then join the blocks by lines, in logits.

    A step function would let the last bit of a logit jump between probabilities; lines between
    the blocks' mean logits cannot. Rates are smoothed by half a fraud and half a legitimate row.
    """
    logits, which, counts = np.unique(z, return_inverse=True, return_counts=True)
    points = np.column_stack([counts, np.bincount(which, y), counts * logits])
    blocks: list[list[float]] = []  # [rows, frauds, sum of logits]
    for point in points.tolist():  # rows of the same logit enter as one
        blocks.append(point)
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][0] >= blocks[-1][1] * blocks[-2][0]:
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    rows, frauds, sums = np.array(blocks).T
    rate = np.maximum.accumulate((frauds + 0.5) / (rows + 1))
    levels = np.log(rate) - np.log1p(-rate)
    return tuple((sums / rows).tolist()), tuple(levels.tolist())
