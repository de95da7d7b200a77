"""Columns that know the answer: filled in when the fraud was known already, or by how it was drawn.

A column is suspect if it alone tells the classes apart, or if one of its values (or having no
value) is found among frauds only, and among many of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.explore.effects import FEWEST_FRAUDS
from training.explore.tally import ColumnTally
from training.explore.values import FRAUD, LEGITIMATE

Facts = dict[str, Any]

ALONE = 0.99  # ROC-AUC of a single column that real transactions hardly reach
PURE = 0.99  # of the rows with a value: frauds
MANY = 0.1  # of all frauds: those that have the value
RARE = 0.5  # share of fraud above which a pure value is no surprise


def suspects(
    columns: Sequence[Facts], tallies: Mapping[str, ColumnTally], classes: Facts
) -> list[Facts]:
    """Return the suspect columns of a table with both classes, and what speaks against them.

    Parameters
    ----------
    columns : sequence of dict
        As :func:`training.explore.columns.column_facts` tells of them.
    tallies : mapping of str to ColumnTally
    classes : dict

    Returns
    -------
    list of dict
        ``column``, ``role``; ``alone`` where that is what gave it away, or else ``value`` (a text;
        where ``is_presence``, "no value" or "any value"), ``frauds``, ``fraud_share`` of the rows
        with that value and ``of_frauds``.
    """
    found = []
    for column in columns:
        if column["effect"] is None or column["role"] == "dropped":
            continue
        fact: Facts = {"column": column["name"], "role": column["role"]}
        area = column["effect"]["alone"]
        if area is not None and area >= ALONE:
            found.append({**fact, "alone": area, "value": None})
        elif classes["fraud_share"]["value"] < RARE:
            pure = _purest(tallies[column["name"]], classes["fraud"])
            if pure is not None:
                found.append({**fact, "alone": None, **pure})
    return found


def _purest(own: ColumnTally, n_frauds: int) -> Facts | None:
    """Return the value that most frauds and hardly anyone else has; None if there is none."""
    best = None
    enough = max(FEWEST_FRAUDS, MANY * n_frauds)
    for value, is_presence, counts in _values(own):
        frauds, legitimate = int(counts[FRAUD]), int(counts[LEGITIMATE])
        if frauds >= enough and frauds >= PURE * (frauds + legitimate):
            enough = frauds + 1
            best = {
                "value": value,
                "is_presence": is_presence,
                "frauds": frauds,
                "fraud_share": frauds / (frauds + legitimate),
                "of_frauds": frauds / n_frauds,
            }
    return best


def _values(own: ColumnTally) -> Iterator[tuple[str, bool, NDArray[np.int64]]]:
    """Yield the values that can be told one by one, and their counts by class.

    With each: whether it stands for having a value at all, or none.
    """
    by_class = own.by_class
    yield "no value", True, by_class[-1]
    if by_class[-1].any():
        yield "any value", True, by_class[:-1].sum(axis=0)
    if own.grid is None:
        for name, counts in zip(own.column.categories, by_class[:-2], strict=True):
            yield name, False, counts
    elif own.grid.values is not None:
        joined = own.grid.joined(by_class, own.grid.bars)[1:-1]
        for value, counts in zip(own.grid.values.tolist(), joined, strict=True):
            yield f"{value:g}", False, counts
