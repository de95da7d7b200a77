"""Choosing the policy, on calibration rows only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

from model.decision import Policy, ScoreScale
from training.config import PolicyConfig

Array = NDArray[Any]

PER = 10_000  # alerts are counted per so many transactions
SCORE_TABLE = range(100, 1001, 50)


def choose_policy(config: PolicyConfig, probability: Array, y: Array, row_weights: Array) -> Policy:
    """Return the policy of a configuration.

    Parameters
    ----------
    config : PolicyConfig
    probability : ndarray (n,)
        Calibrated, of calibration rows.
    y : ndarray (n,)
    row_weights : ndarray (n,)
        What each row stands for at the stated base rate.

    Returns
    -------
    Policy
        Expected cost, or two thresholds that meet the target values on these rows.
    """
    if config.choose == "cost":
        return Policy(
            "cost",
            fee=config.fee,
            friction=config.friction,
            review_cost=config.review_cost,
            amount_floor=config.amount_floor,
            anomaly_review=config.anomaly_review,
        )
    review, block = (
        threshold_for(config.choose, float(target or 0.0), probability, y, row_weights)
        for target in (config.review, config.block)
    )
    return Policy(
        "threshold",
        review,
        block,
        amount_floor=config.amount_floor,
        anomaly_review=config.anomaly_review,
    )


def threshold_for(
    target: str, value: float, probability: Array, y: Array, row_weights: Array
) -> float:
    """Return the threshold that meets a target on the given rows.

    Parameters
    ----------
    target : {'precision', 'recall', 'false_positive_rate', 'alert_budget'}
        Lowest threshold with at least this precision; highest with at least this recall; lowest
        with at most this share of legitimate rows, or so many alerts in 10,000 transactions.
    value : float
    probability, y, row_weights : ndarray (n,)

    Returns
    -------
    float
        Above all probabilities if nothing meets the target.
    """
    unreachable = float(np.nextafter(max(probability.max(initial=0.0), 1.0), 2.0))
    if target in ("precision", "recall"):
        precision, recall, thresholds = precision_recall_curve(
            y, probability, sample_weight=row_weights
        )
        if target == "recall":
            meets = thresholds[recall[:-1] >= value]
            return float(meets.max()) if len(meets) else 0.0
        meets = thresholds[precision[:-1] >= value]
        return float(meets.min()) if len(meets) else unreachable
    counted = row_weights * (y == 0) if target == "false_positive_rate" else row_weights
    limit = value if target == "false_positive_rate" else value / PER
    order = np.argsort(-probability, kind="stable")
    share = np.cumsum(counted[order]) / counted.sum()
    descending = probability[order]
    is_last_of_ties = np.append(descending[1:] != descending[:-1], True)
    allowed = descending[is_last_of_ties & (share <= limit)]
    return float(allowed.min()) if len(allowed) else unreachable


def score_table(
    scale: ScoreScale, logits: Array, y: Array, row_weights: Array
) -> list[dict[str, float]]:
    """Return, for a row of scores, what alerting from there on would do.

    Returns
    -------
    list of dict
        ``score``, ``false_positive_rate`` (what the score means), ``recall`` on the calibration
        rows, and alerts among 10,000 transactions at the stated base rate and as the rows are.
    """
    scores = scale.score(logits)
    total = row_weights.sum()
    n_frauds = (row_weights * y).sum()
    table = []
    for score in SCORE_TABLE:
        alerts = scores >= score
        table.append(
            {
                "score": score,
                "false_positive_rate": float(10 ** (-score / 250)),
                "recall": float((row_weights * y * alerts).sum() / n_frauds),
                "alerts_per_10000": float(PER * (row_weights * alerts).sum() / total),
                "alerts_per_10000_in_table": float(PER * alerts.mean()),
            }
        )
    return table
