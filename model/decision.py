"""From a probability to a decision, and from a logit to the anchored score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from model.errors import ConfigurationError
from model.plausible import are_finite, is_ascending, is_finite, is_rising

Array = NDArray[Any]

DECISIONS = ("approve", "review", "block")
APPROVE, REVIEW, BLOCK = range(3)

SCORE_PER_DECADE = 250  # score points for each factor 10 in the false-positive rate
HIGHEST_SCORE = 1000
TAIL_ROWS = 50  # legitimate rows that the tail is fitted to
TAIL_DECADES = 100  # how far the tail reaches: to no score that differs
MOST_KNOTS = 200

_ONE = np.array(1.0)


@dataclass(frozen=True)
class Policy:
    """What to do with a transaction, given its probability of fraud.

    ``cost`` compares the expected cost of the three decisions for the amount at stake: approving
    loses p · (amount + ``fee``), blocking loses (1 − p) · ``friction``, a review costs
    ``review_cost``; the cheapest wins (Elkan, 2001, section 1, with three actions).
    ``threshold`` compares the probability with two numbers.

    Attributes
    ----------
    kind : {'threshold', 'cost'}
    review, block : float
        Threshold policy: lowest probability for each decision.
    fee, friction, review_cost : float
        Cost policy, in units of the amount.
    amount_floor : float
        The amount that missing, zero, negative and smaller amounts count as.
    anomaly_review : float or None
        Anomaly score from which an otherwise approved transaction is reviewed.
    """

    kind: Literal["threshold", "cost"] = "threshold"
    review: float = 0.5
    block: float = 0.5
    fee: float = 0.0
    friction: float = 0.0
    review_cost: float = 0.0
    amount_floor: float = 0.0
    anomaly_review: float | None = None

    def __post_init__(self) -> None:
        costs = (self.fee, self.friction, self.review_cost, self.amount_floor)
        if (
            self.kind not in ("threshold", "cost")
            or not are_finite((self.review, self.block, *costs))
            or not self.review <= self.block
            or not min(costs) >= 0
        ):
            raise ConfigurationError(
                "a policy is 'threshold' with review ≤ block, or 'cost' with costs ≥ 0, all of "
                f"them finite, got {self}"
            )
        if self.anomaly_review is not None and not is_finite(self.anomaly_review):
            raise ConfigurationError(
                f"a policy reviews from an anomaly score on, got {self.anomaly_review!r}"
            )

    @cached_property
    def _constants(self) -> tuple[Array, ...]:
        """Fee, friction, cost of a review and least amount: arrays that are not made each time."""
        costs = (self.fee, self.friction, self.review_cost, self.amount_floor)
        return tuple(np.array(cost) for cost in costs)

    def amounts(self, amount: Array | None, n_rows: int) -> Array:
        """Return the amounts as they count, in decisions and in sums: never below the floor."""
        if amount is None:
            return np.full(n_rows, self.amount_floor)
        return np.fmax(amount, self._constants[3])  # fmax: a missing amount is the floor

    def decide(
        self, probability: Array, amount: Array | None, anomaly_score: Array | None = None
    ) -> NDArray[np.int64]:
        """Return the index into ``DECISIONS`` of each transaction.

        Parameters
        ----------
        probability : ndarray (n,)
        amount : ndarray (n,), optional
            NaN where unknown.
        anomaly_score : ndarray (n,), optional
            Needed where ``anomaly_review`` is set.
        """
        p = probability
        if self.kind == "threshold":
            decision = (p >= self.review).astype(np.int64) + (p >= self.block)
        else:
            approving, reviewing, blocking = self.expected_costs(p, amount)
            # the milder decision wins a tie
            blocks = blocking < np.minimum(approving, reviewing)
            decision = np.where(blocks, BLOCK, approving > reviewing)
        if self.anomaly_review is not None:
            if anomaly_score is None:
                raise ConfigurationError("this policy decides by the anomaly score too")
            decision = np.where(
                self.is_odd(anomaly_score) & (decision == APPROVE), REVIEW, decision
            )
        return np.asarray(decision, np.int64)

    def expected_costs(
        self, probability: Array, amount: Array | None
    ) -> tuple[Array, Array, Array]:
        """Return what approving, reviewing and blocking are expected to cost, by a cost policy.

        Parameters
        ----------
        probability : ndarray (n,)
        amount : ndarray (n,), optional
            NaN where unknown.

        Returns
        -------
        tuple of ndarray
            Of shape (n,), but for a review, which costs the same for every transaction: shape ().
        """
        fee, friction, reviewing, _ = self._constants
        approving = probability * (self.amounts(amount, len(probability)) + fee)
        return approving, reviewing, (_ONE - probability) * friction

    def is_odd(self, anomaly_score: Array) -> NDArray[np.bool_]:
        """Return which transactions may not be approved for their anomaly score."""
        if self.anomaly_review is None:
            return np.zeros(np.shape(anomaly_score), bool)
        return np.asarray(anomaly_score >= self.anomaly_review)

    def to_dict(self) -> dict[str, Any]:
        """Return the policy as JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Policy:
        """Rebuild a policy.

        Raises
        ------
        ConfigurationError
            If the facts are not those of a policy.
        """
        try:
            return cls(**facts)
        except TypeError as error:
            raise ConfigurationError(f"not a policy: {error}") from None


@dataclass(frozen=True)
class ScoreScale:
    """The 0–1000 score: −250 · log10 of the false-positive rate at this logit.

    Attributes
    ----------
    knots : tuple of float
        Logits, ascending.
    log10_rates : tuple of float
        log10 of the share of legitimate calibration rows at or above each knot, descending.
    tail_slope : float
        Change of log10 per unit of logit beyond the last knot.
    """

    knots: tuple[float, ...]
    log10_rates: tuple[float, ...]
    tail_slope: float

    def __post_init__(self) -> None:
        if not are_finite((*self.knots, *self.log10_rates, self.tail_slope)):
            raise ConfigurationError("a score scale holds a value that is no finite number")
        if (
            not self.knots
            or len(self.knots) != len(self.log10_rates)
            or not is_ascending(self.knots)
            or not is_rising((*reversed(self.log10_rates), 0.0))
            or not self.tail_slope < 0
            or not is_finite(TAIL_DECADES / self.tail_slope)
        ):
            raise ConfigurationError(
                "a score scale's knots ascend, with a false-positive rate of at most 1 that falls "
                "at each and in the tail"
            )

    @classmethod
    def fit(cls, legitimate_logits: Array) -> ScoreScale:
        """Measure legitimate calibration rows.

        Where fewer than 50 rows are left an exponential tail takes over: log-linear, its slope
        from the mean excess of those rows (the maximum likelihood estimate).

        Parameters
        ----------
        legitimate_logits : ndarray (n,)

        Raises
        ------
        ConfigurationError
            If there are no rows.
        """
        ascending = np.sort(np.asarray(legitimate_logits, np.float64))
        n_rows = len(ascending)
        if not n_rows:
            raise ConfigurationError("the score needs legitimate calibration rows, got none")
        start = min(TAIL_ROWS, n_rows)
        counts = np.unique(np.geomspace(start, n_rows, MOST_KNOTS).round().astype(np.int64))
        logits = np.unique(ascending[n_rows - counts])
        rates = (n_rows - np.searchsorted(ascending, logits)) / n_rows  # equal logits count as one
        excess = float((ascending[-start:] - logits[-1]).mean())
        slope = -1 / (np.log(10) * excess) if excess > 0 else -1.0
        return cls(tuple(logits.tolist()), tuple(np.log10(rates).tolist()), float(slope))

    @cached_property
    def _steps(self) -> Array:
        """The logit at which each score, 1 to 1000, is reached; −∞ where every logit has."""
        logits, log10_rates = self._curve
        rates = (np.arange(HIGHEST_SCORE) + 0.5) / -SCORE_PER_DECADE
        steps = np.interp(rates, log10_rates[::-1], logits[::-1])
        return np.where(rates >= log10_rates[0], -np.inf, steps)

    @cached_property
    def _curve(self) -> tuple[Array, Array]:
        """The knots and their rates, and the tail as one knot more, far out."""
        end = self.knots[-1] - TAIL_DECADES / self.tail_slope
        lowest = self.log10_rates[-1] - TAIL_DECADES
        return np.array([*self.knots, end]), np.array([*self.log10_rates, lowest])

    def log10_rate(self, logits: Array) -> Array:
        """Return log10 of the false-positive rate at each logit."""
        return np.interp(logits, *self._curve)

    def score(self, logits: Array) -> NDArray[np.int64]:
        """Return the score of each logit: 250 where one legitimate row in 10 scores as high."""
        return np.asarray(self._steps.searchsorted(logits, side="right"), np.int64)

    def to_dict(self) -> dict[str, Any]:
        """Return the scale as JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> ScoreScale:
        """Rebuild a scale.

        Raises
        ------
        ConfigurationError
            If the facts are not those of a scale.
        """
        try:
            lists = {name: tuple(facts[name]) for name in ("knots", "log10_rates")}
            return cls(**{**facts, **lists})
        except (KeyError, TypeError) as error:
            raise ConfigurationError(f"not a score scale: {error}") from None
