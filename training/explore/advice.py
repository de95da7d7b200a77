"""What to do with a table: advice, the most urgent first, and the training run that follows it."""

from __future__ import annotations

from typing import Any

from training.config import RunConfig
from training.explore import column_advice, row_advice
from training.explore.recommendation import Advice, followed

Facts = dict[str, Any]

RULES = (  # in the order of their urgency
    row_advice.labels,
    column_advice.suspects,
    column_advice.answers,
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


def advice(facts: Facts, config: RunConfig) -> list[Advice]:
    """Return what to do, the most urgent first.

    Parameters
    ----------
    facts : dict
        What was found out of a table.
    config : RunConfig
        What is known already is not asked for; of each rule, what those before it say too.
    """
    found: list[Advice] = []
    for rule in RULES:
        found += rule(facts, followed(config, found))
    return found
