"""What to do with a table, in plain words and in options of ``train``."""

from __future__ import annotations

import shlex
from typing import Any

from training.config import RunConfig
from training.explore import column_advice, row_advice
from training.explore.column_advice import identifier, to_drop
from training.explore.row_advice import LARGE, is_late_fraud_missing
from training.program import PROGRAM

Facts = dict[str, Any]

RULES = (  # in the order of their urgency
    row_advice.labels,
    column_advice.suspects,
    row_advice.repeats,
    row_advice.unreadable,
    column_advice.identifiers,
    column_advice.useless,
    row_advice.times,
    row_advice.imbalance,
    column_advice.drift,
    column_advice.codes,
    column_advice.same,
    column_advice.amounts,
    column_advice.categories,
    row_advice.size,
)


def advice(facts: Facts, config: RunConfig) -> list[Facts]:
    """Return what to do, the most urgent first.

    Parameters
    ----------
    facts : dict
        What was found out of a table.
    config : RunConfig
        What is known already is not asked for.

    Returns
    -------
    list of dict
        ``topic``, ``text`` and ``option`` (of ``train``; empty where there is none).
    """
    return [
        {"topic": topic, "text": text, "option": option}
        for rule in RULES
        for topic, text, option in rule(facts, config)
    ]


def command(facts: Facts, config: RunConfig) -> str:
    """Return the training command that follows the advice."""
    data = config.data
    dropped = [*data.drop, *(name for name in to_drop(facts) if name not in data.drop)]
    anomaly = not facts["has_classes"] or facts["classes"]["fraud"] < 2
    given = {
        "--data": data.path,
        "--label": data.label,
        "--time": data.time,
        "--amount": data.amount,
        "--id": data.id or identifier(facts),
        "--drop": ",".join(dropped) or None,
        "--task": "anomaly" if anomaly else None,
        "--split": "random" if not anomaly and is_late_fraud_missing(facts) else None,
        "--base-rate": None if config.base_rate is None else f"{config.base_rate:g}",
        "--memory": "2GB" if facts["data"]["encoded_bytes"] > LARGE else None,
        "--name": config.name or None,
    }
    options = [f"{name} {shlex.quote(text)}" for name, text in given.items() if text is not None]
    return " ".join([PROGRAM, "train", *options])
