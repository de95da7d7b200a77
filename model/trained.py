"""A trained model as a Python program uses it: transactions in any form in, arrays out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from model import artifact, pointer
from model.artifact import Artifact
from model.chunks import chunks
from model.decision import DECISIONS
from model.features import Matrix
from model.reasons import Reason
from model.tables import matrix_of

T = TypeVar("T")

CHUNK_ROWS = 8192  # scored at a time, so that a large table takes no more memory than it has


def load(path: str | PathLike[str]) -> TrainedModel:
    """Load and verify a trained model.

    Parameters
    ----------
    path : path
        An artifact (``…/0123456789ab.npz``), or the folder of a model, whose ``champion.json``
        names the artifact.

    Returns
    -------
    TrainedModel

    Raises
    ------
    ArtifactError
        If there is none, it is damaged, or it does not score as on the day it was trained.
    """
    path = Path(path)
    if path.is_dir():
        return TrainedModel(pointer.load_champion(path)[0])
    return TrainedModel(artifact.load(path))


class TrainedModel:
    """A trained and verified model.

    Every method takes transactions in any form and answers with one entry a transaction, in
    order; a single transaction is a table of one row.

    ===========================  ==============================================================
    a dict, an iterable of them  features by name, as in JSON; unknown keys are refused
    a frame, a dict of columns   columns by name; those that are no features are ignored
    an array, a list of lists    one value a feature, in the order of ``features``
    ===========================  ==============================================================

    None, NaN, NaT and NA are missing. What cannot be scored raises a
    :class:`model.errors.FeatureError` that names row (from 0), feature and reason of every
    problem, and where the transactions have no such form, or columns are missing, a
    :class:`model.errors.ConfigurationError`; both are ValueErrors. What the model was not trained
    for raises a :class:`model.errors.TaskError`.

    Parameters
    ----------
    artifact : Artifact

    Attributes
    ----------
    artifact : Artifact
        Its manifest holds what ``GET /model`` tells.

    Examples
    --------
    >>> fraud = load("artifacts/creditcard")
    >>> fraud  # doctest: +ELLIPSIS
    TrainedModel('creditcard', version '...', fraud and anomaly, 30 features)
    >>> odd = dict.fromkeys(fraud.features, -8.0) | {"Time": 0, "Amount": 1.0}
    >>> fraud.predict_proba([odd, odd]).shape
    (2, 2)
    """

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self._scorer = artifact.scorer

    def __repr__(self) -> str:
        tasks = " and ".join(sorted(self._scorer.tasks, reverse=True))
        return (
            f"TrainedModel({self.name!r}, version {self.version!r}, {tasks}, "
            f"{len(self.features)} features)"
        )

    @property
    def name(self) -> str:
        """What the model is called."""
        return self.artifact.name

    @property
    def version(self) -> str:
        """The first digits of the SHA-256 of what it holds."""
        return self.artifact.version

    @property
    def features(self) -> tuple[str, ...]:
        """The names of what it reads, in order."""
        return self._scorer.spec.names

    def score(self, transactions: Any) -> NDArray[np.int64]:
        """Return the score of each transaction, 0 to 1000, shape (n,).

        250 where one legitimate transaction in 10 scores as high, 500 for one in 100.
        """
        return self._joined(lambda rows: self._scorer.score(rows).score, transactions)

    def predict_proba(self, transactions: Any) -> Matrix:
        """Return the probabilities of legitimate and of fraud, shape (n, 2).

        Calibrated to the base rate that the model was trained for.
        """
        fraud = self._joined(lambda rows: self._scorer.score(rows).probability, transactions)
        return np.column_stack([1 - fraud, fraud])

    def decide(self, transactions: Any) -> NDArray[np.str_]:
        """Return ``"approve"``, ``"review"`` or ``"block"`` for each transaction, shape (n,)."""
        decisions = self._joined(lambda rows: self._scorer.score(rows).decision, transactions)
        return np.array(DECISIONS).take(decisions)

    def explain(self, transactions: Any) -> list[list[Reason]]:
        """Return at most four reasons for each transaction, strongest first.

        A reason has ``code``, ``feature``, ``value``, ``typical`` and ``contribution``, the last
        in logits against a typical legitimate transaction.
        """
        parts = self._parts(self._scorer.reasons, transactions)
        return [reasons for part in parts for reasons in part]

    def anomaly_score(self, transactions: Any) -> Matrix:
        """Return the share of legitimate transactions that are less unusual, 0 to 1, shape (n,)."""
        return self._joined(lambda rows: self._scorer.anomaly(rows).anomaly_score, transactions)

    def _parts(self, function: Callable[[Matrix], T], transactions: Any) -> Iterator[T]:
        matrix = matrix_of(transactions, self._scorer.spec)
        if not len(matrix):
            yield function(matrix)
        for rows in chunks(len(matrix), CHUNK_ROWS):
            yield function(matrix[rows])

    def _joined(
        self, function: Callable[[Matrix], NDArray[Any]], transactions: Any
    ) -> NDArray[Any]:
        return np.concatenate(list(self._parts(function, transactions)))
