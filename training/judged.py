"""What a finished model says of the rows that it is evaluated on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.scorer import FraudPart, Scorer
from training import chunks
from training.chunks import RowsOf
from training.classifier import Classifier
from training.data import Table
from training.split import Split

Array = NDArray[Any]


@dataclass(frozen=True)
class Judged:
    """Evaluated rows and what the model says of them; arrays of shape (n,).

    Attributes
    ----------
    part : str
        "test", or "validation" where no rows were kept for the test.
    rows : ndarray of int
        Rows of the table.
    y : ndarray
        0 or 1.
    logits, probability : ndarray
    score, decision : ndarray of int
    amounts, at_stake : ndarray or None
        As the table has them, NaN where missing; and as they count in money. None without amounts.
    """

    part: str
    rows: NDArray[np.intp]
    y: Array
    logits: Array
    probability: Array
    score: Array
    decision: Array
    amounts: Array | None
    at_stake: Array | None


def judged(
    scorer: Scorer, fraud: FraudPart, classifier: Classifier, table: Table, parts: Split
) -> Judged:
    """Score the rows that a model is evaluated on.

    Test rows are scored by the artifact's networks. Without them, what counts is what the members
    said of rows that they had left out.
    """
    y = table.classes
    if len(parts.test):
        rows = RowsOf(table.matrix, parts.test)
        scores = chunks.score(scorer, rows)
        return Judged(
            "test",
            parts.test,
            y[parts.test],
            scores.logits,
            scores.probability,
            scores.score,
            scores.decision,
            scorer.amounts(rows),
            scorer.at_stake(rows),
        )
    rows = RowsOf(table.matrix, classifier.calibration_rows)
    logits, amounts = classifier.held_out_logits, scorer.amounts(rows)
    probability = fraud.calibration.probability(logits)
    is_watched = fraud.policy.anomaly_review is not None
    odd = chunks.anomaly(scorer, rows).anomaly_score if is_watched else None
    return Judged(
        "validation",
        rows.rows,
        y[rows.rows],
        logits,
        probability,
        fraud.scale.score(logits),
        fraud.policy.decide(probability, amounts, odd),
        amounts,
        scorer.at_stake(rows),
    )
