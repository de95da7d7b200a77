"""Columns that say the same, and columns that run with time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from model.features import Matrix
from training.explore.layout import Column
from training.explore.survey import Survey
from training.explore.values import numbers_in

Facts = dict[str, Any]

MOST_ROWS = 20_000
MOST_COLUMNS, MOST_DRAWN = 60, 16
FEWEST_ROWS = 10
SAME = 0.999  # of which one column is enough
STRONG = 0.8
MOST_PAIRS = 10
CLOCK = 0.99  # with time


def correlation_facts(survey: Survey, names: Sequence[str]) -> Facts | None:
    """Return Spearman's rank correlations of columns of numbers, on the sample or a part of it.

    Parameters
    ----------
    survey : Survey
    names : sequence of str
        Those to compare, the most interesting first.

    Returns
    -------
    dict or None
        ``compared`` columns, ``names`` of those drawn in the order of the table, their ``matrix``,
        ``pairs`` (the strongest), ``rows``; None where there are fewer than two columns or hardly
        any row.
    """
    columns = [survey.layout.column(name) for name in names[:MOST_COLUMNS]]
    order = {column.name: number for number, column in enumerate(survey.layout.columns)}
    frame = _numbers(survey, sorted(columns, key=lambda column: order[column.name]))
    frame = frame.loc[:, frame.nunique() > 1]
    if frame.shape[1] < 2 or len(frame) < FEWEST_ROWS:
        return None
    matrix = frame.corr(method="spearman", min_periods=FEWEST_ROWS).to_numpy()
    shown = [str(name) for name in frame]
    pairs = [
        {"first": shown[i], "second": shown[j], "correlation": float(matrix[i, j])}
        for i, j in zip(*np.triu_indices(len(shown), 1), strict=True)
        if abs(matrix[i, j]) >= STRONG
    ]
    pairs.sort(key=lambda pair: -abs(pair["correlation"]))
    drawn = _most_correlated(matrix)
    return {
        "compared": len(shown),
        "rows": len(frame),
        "names": [shown[i] for i in drawn],
        "matrix": [
            [None if np.isnan(x) else float(x) for x in row] for row in matrix[np.ix_(drawn, drawn)]
        ],
        "n_strong": len(pairs),
        "pairs": pairs[:MOST_PAIRS],
    }


def _most_correlated(matrix: Matrix) -> list[int]:
    """Return the columns that are most correlated with any other, in their order."""
    size = np.nan_to_num(np.abs(matrix - np.eye(len(matrix)))).max(axis=0)
    return sorted(np.argsort(-size, kind="stable")[:MOST_DRAWN].tolist())


def clocks(survey: Survey) -> list[str]:
    """Return the columns that rise or fall with time: they tell the day, not the transaction."""
    layout = survey.layout
    if layout.time is None:
        return []
    kinds = ("numeric", "datetime")
    others = [c for c in layout.features if c.kind in kinds and c.name != layout.time]
    frame = _numbers(survey, [layout.column(layout.time), *others])
    if len(frame) < FEWEST_ROWS:
        return []
    times = frame[layout.time]
    if times.nunique() < FEWEST_ROWS:
        return []
    found = []
    for column in others:
        values = frame[column.name]
        if values.nunique() < FEWEST_ROWS:
            continue
        if abs(times.corr(values, method="spearman", min_periods=FEWEST_ROWS)) >= CLOCK:
            found.append(column.name)
    return found


def _numbers(survey: Survey, columns: Sequence[Column]) -> pd.DataFrame:
    """Return the numbers of those sampled rows that are a sample of the sample."""
    samples = survey.samples
    rows = samples.rows
    if len(rows) > MOST_ROWS:
        rows = rows[
            samples.priority <= np.partition(samples.priority, MOST_ROWS - 1)[MOST_ROWS - 1]
        ]
    return pd.DataFrame({c.name: numbers_in(rows, c.name) for c in columns})
