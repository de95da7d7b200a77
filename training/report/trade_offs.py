"""What another threshold would have cost, and how many alerts it would have raised."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import ConfigurationError
from training.costs import fraud_costs, losses_of
from training.evaluate import base_rate_weights
from training.judged import Judged
from training.pipeline import Run
from training.thresholds import PER
from training.traffic import transactions_per_day

Array = NDArray[Any]
Facts = dict[str, Any]

N_THRESHOLDS = 120
SMALLEST = 1e-6  # probabilities below are drawn as this


def cost_facts(run: Run, seen: Judged) -> Facts:
    """Return what the decisions cost, and what single thresholds would have cost, in 10,000.

    The costs are those of the configuration: approving a fraud loses its amount and a fee,
    blocking a legitimate transaction costs ``friction``, every review costs ``review_cost``.

    Returns
    -------
    dict
        ``thresholds``; ``reviewing`` and ``blocking``, the cost of doing that with everything from
        each threshold on; ``cheapest`` of both; ``approving`` everything; ``policy``, the cost of
        the decisions as they were made; ``review`` and ``block``, its thresholds if it has any.
    """
    costs, policy = run.config.policy, run.artifact.scorer.fraud.policy
    weights = PER * base_rate_weights(seen.y, run.config.base_rate) / len(seen.y)
    lost = weights * (seen.y == 1) * fraud_costs(costs, seen.amounts, len(seen.y))
    friction = weights * (seen.y == 0) * costs.friction
    review = weights * costs.review_cost
    grid = _grid(seen.probability)
    order = np.argsort(seen.probability, kind="stable")
    start = np.searchsorted(seen.probability[order], grid, side="left")
    missed = _below(lost, order, start)
    reviewing = missed + review.sum() - _below(review, order, start)
    blocking = missed + friction.sum() - _below(friction, order, start)
    made = weights * losses_of(costs, seen.y, seen.decision, seen.amounts)
    has_thresholds = policy.kind == "threshold"
    return {
        "thresholds": grid.tolist(),
        "reviewing": reviewing.tolist(),
        "blocking": blocking.tolist(),
        "cheapest": {
            name: {"threshold": float(grid[curve.argmin()]), "cost": float(curve.min())}
            for name, curve in (("reviewing", reviewing), ("blocking", blocking))
        },
        "approving": float(lost.sum()),
        "policy": float(made.sum()),
        "review": policy.review if has_thresholds else None,
        "block": policy.block if has_thresholds else None,
        "fee": costs.fee,
        "friction": costs.friction,
        "review_cost": costs.review_cost,
    }


def _grid(probability: Array) -> Array:
    """Return thresholds from the lowest probability to 1, evenly on a logarithmic scale."""
    low = min(max(float(probability.min()), SMALLEST), 0.1)
    return np.geomspace(low, 1.0, N_THRESHOLDS)


def _below(weights: Array, order: Array, start: Array) -> Array:
    """Return the sum of the weights of rows below each threshold."""
    return np.concatenate([[0.0], np.cumsum(weights[order])])[start]


def alert_facts(run: Run, evaluation: Facts) -> Facts | None:
    """Return the share of fraud found against the number of alerts; None without curves.

    Alerts are counted a day where the table or the configuration tells a day's traffic, otherwise
    in 10,000 transactions; fraud is as common as in the last view of the evaluation.
    """
    roc = evaluation["roc"]
    if roc is None:
        return None
    per_day = _per_day(run)
    per = PER if per_day is None else per_day
    prevalence = evaluation["views"][-1]["prevalence"]
    point = evaluation["operating_points"]["alert"]
    recall = np.array(roc["recall"])
    found = _alerts(recall, np.array(roc["false_positive_rate"]), prevalence, per)
    return {
        "is_daily": per_day is not None,
        "transactions": per,
        "prevalence": prevalence,
        "alerts": found.tolist(),
        "recall": recall.tolist(),
        "policy": {
            "alerts": _alerts(point["recall"], point["false_positive_rate"], prevalence, per),
            "recall": point["recall"],
        },
        "needed": [
            {"recall": share, "alerts": float(found[(recall >= share).argmax()])}
            for share in (0.5, 0.8, 0.9, 0.95)
        ],
    }


def _alerts(recall: Any, false_positive_rate: Any, prevalence: float, per: float) -> Any:
    return per * (prevalence * recall + (1 - prevalence) * false_positive_rate)


def _per_day(run: Run) -> float | None:
    try:
        return transactions_per_day(run.config.policy, run.table, run.parts)
    except ConfigurationError:  # no times, or less than a day of them
        return None
