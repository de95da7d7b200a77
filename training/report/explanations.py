"""What the classifier looks at, and its worst mistakes with their reasons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.decision import APPROVE, BLOCK, DECISIONS
from model.scorer import Scorer
from training.judged import Judged
from training.pipeline import Run
from training.report.curves import classes

Array = NDArray[Any]
Facts = dict[str, Any]

SAMPLE = 2000  # rows of each class that contributions are averaged over
MOST_FEATURES = 12
MOST_MISTAKES = 6
MOST_REASONS = 3


def feature_facts(scorer: Scorer, run: Run, seen: Judged) -> Facts:
    """Return what each feature adds to the logit of fraud and of legitimate rows, on average.

    Returns
    -------
    dict
        ``sampled`` rows of each class; ``features``, the heaviest first, with ``name``, ``fraud``
        and ``legitimate``: the mean contribution (None where a class has no rows); ``weight``, the
        mean size of its contributions, each class counting the same; ``rest``, how many features
        are not shown, and ``rest_share`` of all weight.
    """
    means: dict[str, Array | None] = {}
    sampled, sizes = {}, []
    for name, inside in classes(seen.y).items():
        rows = spread(seen.rows[inside], SAMPLE)
        sampled[name] = len(rows)
        means[name] = None
        if len(rows):
            contributions = scorer.contributions(run.table.matrix[rows])
            means[name] = contributions.mean(axis=0)
            sizes.append(np.abs(contributions).mean(axis=0))
    weight = np.mean(sizes, axis=0)
    order = np.argsort(-weight, kind="stable")
    names = scorer.spec.names
    shown, rest = order[:MOST_FEATURES], order[MOST_FEATURES:]
    return {
        "sampled": sampled,
        "ranking": [names[column] for column in order],
        "features": [
            {
                "name": names[column],
                "weight": float(weight[column]),
                **{
                    name: None if mean is None else float(mean[column])
                    for name, mean in means.items()
                },
            }
            for column in shown
        ],
        "rest": len(rest),
        "rest_share": float(weight[rest].sum() / max(weight.sum(), np.finfo(float).tiny)),
    }


def spread(rows: Array, most: int) -> Array:
    """Return at most so many of some rows, evenly spread."""
    return rows[:: max(-(-len(rows) // most), 1)]


def mistake_facts(scorer: Scorer, run: Run, seen: Judged) -> Facts:
    """Return the worst mistakes.

    Frauds that were approved come by their amounts, or where no amount is known by their
    probabilities; alarms by their decisions, and then by their probabilities.

    Returns
    -------
    dict
        ``missed`` and ``false_alarms``: how many in ``total``, their ``order`` ("amount",
        "probability", "decision"), and ``worst``: ``row`` (of the table, from 1), ``amount``,
        ``probability``, ``score``, ``decision`` and ``reasons``.
    """
    is_alert = seen.decision != APPROVE
    stake = seen.probability if seen.at_stake is None else seen.at_stake
    missed = np.flatnonzero((seen.y == 1) & ~is_alert)
    missed = missed[np.lexsort([seen.probability[missed], -stake[missed]])]
    alarms = np.flatnonzero((seen.y == 0) & is_alert)
    blocked = seen.decision[alarms] == BLOCK
    alarms = alarms[np.lexsort([-seen.probability[alarms], ~blocked])]
    return {
        "missed": {
            "total": len(missed),
            "order": "probability" if seen.amounts is None else "amount",
            "worst": _described(scorer, run, seen, missed),
        },
        "false_alarms": {
            "total": len(alarms),
            "order": "decision",
            "worst": _described(scorer, run, seen, alarms),
        },
    }


def _described(scorer: Scorer, run: Run, seen: Judged, chosen: Array) -> list[Facts]:
    chosen = chosen[:MOST_MISTAKES]
    if not len(chosen):
        return []
    rows = seen.rows[chosen]
    reasons = scorer.reasons(run.table.matrix[rows])
    amounts = [None] * len(chosen)
    if seen.amounts is not None:
        known = seen.amounts[chosen].tolist()
        amounts = [None if np.isnan(amount) else amount for amount in known]
    return [
        {
            "row": int(row) + 1,
            "amount": amount,
            "probability": float(seen.probability[place]),
            "score": int(seen.score[place]),
            "decision": DECISIONS[int(seen.decision[place])],
            "reasons": [reason.to_dict() for reason in why[:MOST_REASONS]],
        }
        for row, place, amount, why in zip(rows, chosen, amounts, reasons, strict=True)
    ]
