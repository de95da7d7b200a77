"""The scorer: raw rows in, everything the product knows about them out.

Immutable and thread-safe; training evaluates with it and the service serves with it, so that both
see the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.anomaly import AnomalyScale
from model.autoencoder import Autoencoder
from model.calibration import Calibration
from model.decision import APPROVE, Policy, ScoreScale
from model.errors import ConfigurationError, TaskError
from model.features import FeatureSpec, Matrix
from model.inference import FoldedMLP
from model.mlp import MLP
from model.preprocessing import Preprocessor
from model.reasons import Attribution, Reason, grouping, top_reasons

Array = NDArray[Any]


class Anomalies(NamedTuple):
    """What the autoencoder says of n transactions.

    Attributes
    ----------
    reconstruction_error : ndarray (n,)
    anomaly_score : ndarray (n,)
        Share of legitimate validation rows with a smaller error.
    is_anomaly : ndarray (n,) of bool
    shares : ndarray (n, F)
        What each raw feature adds to the error; a row's shares add up to it.
    threshold : float
    """

    reconstruction_error: Matrix
    anomaly_score: Matrix
    is_anomaly: NDArray[np.bool_]
    shares: Matrix
    threshold: float

    def of(self, rows: Sequence[int]) -> Anomalies:
        """Return what is said of some of the transactions."""
        return Anomalies(
            self.reconstruction_error[rows],
            self.anomaly_score[rows],
            self.is_anomaly[rows],
            self.shares[rows],
            self.threshold,
        )


class Scores(NamedTuple):
    """What the classifier says of n transactions; arrays of shape (n,).

    Attributes
    ----------
    logits : ndarray
        The members' mean, before calibration.
    probability : ndarray
        Calibrated to the stated base rate.
    score : ndarray of int
        0 to 1000.
    decision : ndarray of int
        Index into ``model.decision.DECISIONS``.
    spread : ndarray
        Standard deviation of the members' logits; 0 for a single network.
    anomaly : Anomalies or None
        Present where the policy looks at anomalies.
    """

    logits: Matrix
    probability: Matrix
    score: NDArray[np.int64]
    decision: NDArray[np.int64]
    spread: Matrix
    anomaly: Anomalies | None


@dataclass(frozen=True)
class FraudPart:
    """All that answers for the task "fraud"."""

    mlp: MLP
    calibration: Calibration
    scale: ScoreScale
    policy: Policy


@dataclass(frozen=True)
class AnomalyPart:
    """All that answers for the task "anomaly"."""

    autoencoder: Autoencoder
    scale: AnomalyScale


@dataclass(frozen=True)
class Scorer:
    """One trained model, ready to score.

    Attributes
    ----------
    name : str
    spec : FeatureSpec
    preprocessor : Preprocessor
    fraud : FraudPart or None
    anomalies : AnomalyPart or None
        At least one of the two.
    """

    name: str
    spec: FeatureSpec
    preprocessor: Preprocessor
    fraud: FraudPart | None
    anomalies: AnomalyPart | None

    def __post_init__(self) -> None:
        if self.fraud is None and self.anomalies is None:
            raise ConfigurationError("a scorer needs a classifier, an autoencoder or both")
        if not isinstance(self.name, str) or not self.name:
            raise ConfigurationError(f"a scorer has a name, got {self.name!r:.80}")
        self.preprocessor.check(self.spec)
        if self.anomalies is not None:
            n_read = self.anomalies.autoencoder.n_features
            if n_read != self.preprocessor.n_base:
                raise ConfigurationError(
                    f"the autoencoder reads {n_read} columns, not {self.preprocessor.n_base}"
                )
        elif self.fraud is not None and self.fraud.policy.anomaly_review is not None:
            raise ConfigurationError("the policy reviews anomalies, but there is no autoencoder")
        _ = self._folded, self._attribution  # built once, and shown to fit, before serving
        for array in self.preprocessor.to_arrays().values():
            array.setflags(write=False)
        for network in self._networks():
            network.freeze()

    def _networks(self) -> list[MLP | Autoencoder]:
        parts: list[MLP | Autoencoder] = []
        if self.fraud is not None:
            parts.append(self.fraud.mlp)
        if self.anomalies is not None:
            parts.append(self.anomalies.autoencoder)
        return parts

    @cached_property
    def tasks(self) -> frozenset[str]:
        """What the scorer can do: "fraud", "anomaly" or both."""
        parts = {"fraud": self.fraud, "anomaly": self.anomalies}
        return frozenset(task for task, part in parts.items() if part is not None)

    @cached_property
    def _folded(self) -> FoldedMLP | None:
        return None if self.fraud is None else FoldedMLP(self.fraud.mlp, self.preprocessor)

    @cached_property
    def _shares(self) -> Matrix:
        """What each member counts in a mean, shape (K,)."""
        n_members = 1 if self.fraud is None else self.fraud.mlp.members or 1
        return np.full(n_members, 1 / n_members)

    @cached_property
    def _attribution(self) -> Attribution | None:
        if self.fraud is None:
            return None
        return Attribution(self.fraud.mlp, self.preprocessor, self.spec)

    @cached_property
    def _by_feature(self) -> Matrix:
        sources = self.preprocessor.sources[: self.preprocessor.n_base]
        return grouping(sources, len(self.spec.features))

    def logits(self, matrix: Matrix) -> Matrix:
        """Return the uncalibrated logits of each member, shape (K, n).

        Raises
        ------
        TaskError
            If the scorer has no classifier.
        """
        if self._folded is None:
            raise TaskError("fraud", self.name)
        return self._folded.logits(matrix)

    def score(self, matrix: Matrix) -> Scores:
        """Return probability, score and decision of raw rows.

        Parameters
        ----------
        matrix : ndarray (n, F)
            As built by ``spec``.

        Raises
        ------
        TaskError
            If the scorer has no classifier.
        """
        if self.fraud is None:
            raise TaskError("fraud", self.name)
        logits, spread = self._mean_and_spread(self.logits(matrix))
        probability = self.fraud.calibration.probability(logits)
        policy = self.fraud.policy
        anomaly = None
        if policy.anomaly_review is not None:
            anomaly = self.anomaly(matrix)
        decision = policy.decide(
            probability, self.amounts(matrix), None if anomaly is None else anomaly.anomaly_score
        )
        score = self.fraud.scale.score(logits)
        return Scores(logits, probability, score, decision, spread, anomaly)

    def _mean_and_spread(self, members: Matrix) -> tuple[Matrix, Matrix]:
        """Return mean and standard deviation of the members' logits, (K, n) → (n,) each."""
        if len(members) == 1:
            return members[0], np.zeros(members.shape[1])
        # of one row, mean and std would take 11 µs, not 2
        logits = self._shares.dot(members)
        residuals = members - logits
        residuals *= residuals
        return logits, np.sqrt(self._shares.dot(residuals))

    def uncertainty(self, scores: Scores) -> tuple[Matrix, Matrix] | None:
        """Return the probabilities between which the members of an ensemble disagree.

        One standard deviation of the members' logits below their mean and one above, calibrated;
        None where there is a single network, which has nobody to disagree with.
        """
        if self.fraud is None or (self.fraud.mlp.members or 1) == 1:
            return None
        low, high = self.fraud.calibration.interval(scores.logits, scores.spread)
        # the last bit of either may lie on the wrong side where members agree
        return np.minimum(low, scores.probability), np.maximum(high, scores.probability)

    def amounts(self, matrix: Matrix) -> Matrix | None:
        """Return the column of amounts; None where no feature is the amount."""
        column = self.spec.amount_column
        return None if column is None else matrix[:, column]

    def at_stake(self, matrix: Matrix) -> Matrix | None:
        """Return the amounts as they count in money; None where no feature is the amount.

        Missing and negative ones, such as refunds, count as the policy's floor: sums of them are
        never negative, and shares of a sum lie between 0 and 1.

        Raises
        ------
        TaskError
            If the scorer has no classifier.
        """
        if self.fraud is None:
            raise TaskError("fraud", self.name)
        amounts = self.amounts(matrix)
        return None if amounts is None else self.fraud.policy.amounts(amounts, len(matrix))

    def contributions(self, matrix: Matrix) -> Matrix:
        """Return what each feature adds to the logit against the typical transaction, (n, F).

        Raises
        ------
        TaskError
            If the scorer has no classifier.
        """
        if self._attribution is None:
            raise TaskError("fraud", self.name)
        return self._attribution.contributions(matrix)

    def reasons(self, matrix: Matrix, scores: Scores | None = None) -> list[list[Reason]]:
        """Return at most four reasons for each row.

        What spoke for fraud, strongest first; for an approved row, what weighed most either way.

        Raises
        ------
        TaskError
            If the scorer has no classifier.
        """
        contributions = self.contributions(matrix)
        scores = scores or self.score(matrix)
        return self.strongest(matrix, contributions, scores.decision)

    def strongest(
        self, matrix: Matrix, contributions: Matrix, decision: NDArray[np.int64]
    ) -> list[list[Reason]]:
        """Return the reasons of each row, given what each feature adds and the decisions."""
        is_approved = (decision == APPROVE)[:, None]
        ranking = np.where(is_approved, np.abs(contributions), contributions)
        return top_reasons(self.spec, matrix, contributions, ranking)

    def anomaly(self, matrix: Matrix) -> Anomalies:
        """Return reconstruction errors and anomaly scores of raw rows.

        Raises
        ------
        TaskError
            If the scorer has no autoencoder.
        """
        if self.anomalies is None:
            raise TaskError("anomaly", self.name)
        encoded = self.preprocessor.transform(matrix, bins=False)
        shares = self.anomalies.autoencoder.residual_shares(encoded) @ self._by_feature
        errors = shares.sum(axis=1)
        scale = self.anomalies.scale
        return Anomalies(
            errors, scale.score(errors), scale.is_anomaly(errors), shares, scale.threshold
        )

    def anomaly_reasons(self, matrix: Matrix, anomalies: Anomalies) -> list[list[Reason]]:
        """Return at most four features with the largest share of each row's error.

        Contributions are relative: over all features of a row they add up to 1.
        """
        total = np.maximum(anomalies.reconstruction_error, np.finfo(np.float64).tiny)
        relative = anomalies.shares / total[:, None]
        return top_reasons(self.spec, matrix, relative, relative)
