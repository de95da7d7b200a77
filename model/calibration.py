"""Calibration: the logit of a network → a probability that is true at the stated base rate.

Three steps, each monotone: undo what class weights and resampling did to the prior, bend the
logits so that probabilities match frequencies on validation rows, and move from the share of fraud
in the table to the share in the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from model.activations import sigmoid
from model.calibration_fit import beta_columns, fit_isotonic, fit_logistic
from model.errors import ConfigurationError
from model.plausible import are_finite, is_ascending, is_rising

Array = NDArray[Any]
Method = Literal["none", "platt", "beta", "isotonic"]

FEWEST_FRAUDS = 10  # below this a fit would follow accidents; the prior correction stands alone
METHODS: tuple[Method, ...] = get_args(Method)
FITTED: tuple[Method, ...] = ("platt", "beta", "isotonic")  # what 'auto' chooses from
FOLDS = 5

_BOTH_SIDES = np.array([[-1.0], [1.0]])


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
    method : {'none', 'platt', 'beta', 'isotonic'}
    offset : float
        The prior correction, added to the logit first.
    slope, intercept : float
        Platt's line, in logits; of beta the slope far below zero.
    upper_slope : float
        Of beta, the slope far above zero.
    knots, levels : tuple of float
        Isotonic: calibrated logit at each knot, linear between.
    shift : float
        From the table's base rate to the stated one, added last.
    """

    method: Method = "none"
    offset: float = 0.0
    slope: float = 1.0
    intercept: float = 0.0
    upper_slope: float = 1.0
    knots: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()
    shift: float = 0.0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigurationError(f"a calibration is one of {METHODS}, got {self.method!r}")
        steps = (self.offset, self.slope, self.intercept, self.upper_slope, self.shift)
        if not are_finite((*steps, *self.knots, *self.levels)):
            raise ConfigurationError("a calibration holds a value that is no finite number")
        if min(self.slope, self.upper_slope) <= 0:
            raise ConfigurationError(
                "the slopes of a calibration are above 0, so that what is more likely fraud stays "
                f"so, got {self.slope!r} and {self.upper_slope!r}"
            )
        if (
            len(self.knots) != len(self.levels)
            or not is_ascending(self.knots)
            or not is_rising(self.levels)
            or (self.method == "isotonic" and not self.knots)
        ):
            raise ConfigurationError("the knots of a calibration ascend, and so do its levels")

    def logits(self, raw: Array) -> Array:
        """Return calibrated logits of raw ones, float64."""
        if self.method in ("none", "platt"):
            slope, intercept = self._line
            return np.asarray(raw, np.float64) * slope + intercept
        z = np.asarray(raw, np.float64) + self.offset
        if self.method == "isotonic":
            return np.interp(z, *self._curve) + self.shift
        below, above = beta_columns(z)
        return self.slope * below + self.upper_slope * above + (self.intercept + self.shift)

    @cached_property
    def _line(self) -> tuple[Array, Array]:
        """Slope and intercept of all three steps in one; arrays cost less than numbers."""
        intercept = self.slope * self.offset + self.intercept + self.shift
        return np.asarray(self.slope), np.asarray(intercept)

    @cached_property
    def _curve(self) -> tuple[Array, Array]:
        return np.array(self.knots), np.array(self.levels)

    def probability(self, raw: Array) -> Array:
        """Return the probability of fraud of raw logits, float64."""
        return sigmoid(self.logits(raw))

    def interval(self, raw: Array, spread: Array) -> tuple[Array, Array]:
        """Return the probabilities of raw logits one ``spread`` lower and one higher.

        Parameters
        ----------
        raw, spread : ndarray (n,)
            Mean and standard deviation of what the members of an ensemble say.

        Returns
        -------
        tuple of ndarray (n,)
            Between 0 and 1, around the probability of the mean.
        """
        low, high = self.probability(raw + _BOTH_SIDES * spread)
        return low, high

    def moved(self, base_rate_from: float, base_rate_to: float) -> Calibration:
        """Return the calibration for another base rate: the odds change by a constant factor.

        (Saerens et al., 2002, eq. 2.4, for two classes, in logits.)
        """
        change = log_odds(base_rate_to) - log_odds(base_rate_from)
        return replace(self, shift=self.shift + change)

    @classmethod
    def fit(
        cls,
        raw: Array,
        y: Array,
        *,
        method: Method | Literal["auto"] = "platt",
        offset: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> Calibration:
        """Fit on validation rows that trained nothing.

        Parameters
        ----------
        raw : ndarray (n,)
            Logits of the network.
        y : ndarray (n,)
            0 or 1.
        method : {'none', 'platt', 'beta', 'isotonic', 'auto'}
            'auto': the one with the least log loss in 5-fold cross-validation. With fewer than 10
            frauds or legitimate rows always 'none'.
        offset : float
            The prior correction.
        rng : Generator, optional
            Draws the folds of 'auto'.

        Raises
        ------
        ConfigurationError
            If the method is unknown.
        """
        if method not in ("auto", *METHODS):
            raise ConfigurationError(f"unknown calibration {method!r}")
        y = np.asarray(y, np.float64)
        raw = np.asarray(raw, np.float64)
        if min(y.sum(), (1 - y).sum()) < FEWEST_FRAUDS:
            method = "none"
        if method == "auto":
            folds = _folds(raw, y, rng or np.random.default_rng())
            losses = [_held_out_loss(raw, y, each, offset, folds) for each in FITTED]
            method = FITTED[int(np.argmin(losses))]
        z = raw + offset
        if method == "platt":
            (slope,), intercept = fit_logistic(z[:, None], y)
            return cls("platt", offset, slope, intercept)
        if method == "beta":
            (slope, upper), intercept = fit_logistic(np.column_stack(beta_columns(z)), y)
            return cls("beta", offset, slope, intercept, upper)
        if method == "isotonic":
            knots, levels = fit_isotonic(z, y)
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


def _folds(raw: Array, y: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw a fold for each row, the same whatever order the rows come in."""
    order = np.lexsort((raw, y))
    folds = np.empty(len(y), np.intp)
    folds[order] = rng.permutation(len(y)) % FOLDS
    return folds


def _held_out_loss(
    raw: Array, y: Array, method: Method, offset: float, folds: NDArray[np.intp]
) -> float:
    """Return the mean log loss on the folds that each fit leaves out."""
    line = np.empty(len(y))
    for fold in range(FOLDS):
        out = folds == fold
        fitted = Calibration.fit(raw[~out], y[~out], method=method, offset=offset)
        line[out] = fitted.logits(raw[out])
    return float(np.mean(np.logaddexp(0, line) - y * line))
