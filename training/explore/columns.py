"""What is told of each column of a table, as JSON types."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.features import Matrix
from training.explore.drift import drift, joined_categories
from training.explore.effects import (
    alone,
    cramers_v,
    kolmogorov_smirnov,
    standardised_mean_difference,
)
from training.explore.eras import FIRST, LAST
from training.explore.layout import Column
from training.explore.moments import N_CLASSES
from training.explore.survey import Survey
from training.explore.tally import ColumnTally
from training.explore.values import FRAUD, LEGITIMATE, numbers_in
from training.intervals import share

LARGEST_DRAWN = 1e150  # beyond it widths of bars overflow
Facts = dict[str, Any]

MOST_SHOWN = 12  # categories of a table
CLASSES = {"legitimate": LEGITIMATE, "fraud": FRAUD}


def column_facts(survey: Survey, has_classes: bool, tested: Collection[str]) -> list[Facts]:
    """Return what is told of each column, in their order.

    Parameters
    ----------
    survey : Survey
    has_classes : bool
        Whether there are rows of both classes to compare.
    tested : collection of str
        Columns that are tested for drift.
    """
    return [_column(survey, column, has_classes, tested) for column in survey.layout.columns]


def role_of(survey: Survey, name: str) -> str:
    """Return the part that a column plays; none of a plain feature."""
    layout = survey.layout
    roles = {"label": layout.label, "time": layout.time, "amount": layout.amount, "id": layout.id}
    dropped = "dropped" if name in layout.dropped else ""
    return next((role for role, own in roles.items() if own == name), dropped)


def _column(survey: Survey, column: Column, has_classes: bool, tested: Collection[str]) -> Facts:
    role = role_of(survey, column.name)
    facts: Facts = {
        "name": column.name,
        "kind": column.kind,
        "role": role,
        "missing": column.n_missing,
        "missing_share": column.n_missing / survey.layout.n_rows,
        "refusal": column.refusal,
        "note": column.note,
        "unreadable": 0,
        "distinct": column.n_texts or None,
        "is_constant": False,
        "numbers": None,
        "categories": None,
        "histogram": None,
        "effect": None,
        "drift": None,
    }
    own = survey.tally.columns.get(column.name)
    if own is None:
        return facts
    facts["unreadable"] = own.n_unreadable
    values, frauds = _sampled(survey, column)
    if own.grid is not None and own.moments is not None and own.moments.n.any():
        facts["distinct"] = len(np.unique(np.concatenate([values, frauds])))
        facts["numbers"] = _numbers(own, values, has_classes)
        facts["histogram"] = _histogram(own, has_classes)
    if column.kind == "categorical":
        facts["categories"] = _categories(own, has_classes)
    facts["is_constant"] = (
        survey.layout.n_rows > 1 and facts["distinct"] == 1 and not facts["missing"]
    )
    if has_classes:
        facts["effect"] = _effect(own)
    if column.name in tested:
        found = drift(*_eras(own), len(tested))
        if found is not None:
            facts["drift"] = {
                "psi": found.psi,
                "critical": found.critical,
                "bins": found.bins,
                "verdict": found.verdict,
            }
    return facts


def _sampled(survey: Survey, column: Column) -> tuple[Matrix, Matrix]:
    """Return the sampled values of a column of numbers, and those of the sampled frauds."""
    if column.kind in ("categorical", "identifier"):
        return np.empty(0), np.empty(0)
    samples = survey.samples
    values = numbers_in(samples.rows, column.name)
    frauds = np.empty(0)
    if samples.frauds is not None:
        frauds = numbers_in(samples.frauds, column.name)
    return values[~np.isnan(values)], frauds[~np.isnan(frauds)]


def _numbers(own: ColumnTally, values: Matrix, has_classes: bool) -> Facts:
    moments = own.moments
    low, high = float(moments.low.min()), float(moments.high.max())
    facts: Facts = {
        "mean": moments.mean_of(*range(N_CLASSES)),
        "low": low,
        "high": high,
        "median": float(np.median(values)) if len(values) else None,
        "zeros": moments.n_zero,
        "negatives": moments.n_negative,
    }
    if own.column.kind == "datetime":
        facts |= {"first": moment_text(low), "last": moment_text(high)}
    if has_classes:
        facts["by_class"] = {
            name: {
                "rows": int(moments.n[label]),
                "mean": moments.mean_of(label),
                "deviation": None if variance is None else float(np.sqrt(variance)),
                "high": float(moments.high[label]) if moments.n[label] else None,
            }
            for name, label in CLASSES.items()
            for variance in [moments.variance(label)]
        }
    return facts


def moment_text(seconds: float) -> str:
    """Return a moment as people write it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _histogram(own: ColumnTally, has_classes: bool) -> Facts | None:
    """Return how the values lie; None of numbers that no axis can hold."""
    if np.abs(own.grid.bars).max() > LARGEST_DRAWN:
        return None
    counts = bars_of(own)
    groups = CLASSES if has_classes else {"all": range(N_CLASSES)}
    shares = {}
    for name, label in groups.items():
        inside = counts[:, label] if has_classes else counts.sum(axis=1)
        shares[name] = (inside / max(int(inside.sum()), 1)).tolist()
    values = own.grid.values
    return {
        "values": None if values is None else values.tolist(),
        "edges": own.grid.bars.tolist() if values is None else None,
        "is_logarithmic": own.grid.is_logarithmic,
        "shares": shares,
    }


def bars_of(own: ColumnTally) -> NDArray[np.int64]:
    """Return counts (bars, classes); what lies beyond the bars counts in the outermost."""
    counts = own.grid.joined(own.by_class, own.grid.bars)
    counts[1] += counts[0]
    counts[-2] += counts[-1]
    return counts[1:-1]


def _categories(own: ColumnTally, has_classes: bool) -> Facts:
    by_class = own.by_class
    n_rows = int(by_class.sum())
    names = own.column.categories
    *known, other, missing = by_class
    shown = [*zip(names[:MOST_SHOWN], known[:MOST_SHOWN], strict=True)]
    n_rest = own.column.n_texts - len(shown)
    if n_rest:
        label = f"{n_rest:,} others" if n_rest > 1 else "1 other"
        shown.append((label, sum(known[MOST_SHOWN:], start=other)))
    if missing.any():
        shown.append(("(missing)", missing))
    rows = []
    for name, counts in shown:
        row = {"name": name, "rows": int(counts.sum()), "share": int(counts.sum()) / n_rows}
        if has_classes:
            n_labelled = int(counts[LEGITIMATE] + counts[FRAUD])
            frauds = int(counts[FRAUD])
            row |= {"frauds": frauds, "fraud_share": share(frauds, n_labelled)}
        rows.append(row)
    return {"rows": rows, "n_listed": min(len(names), MOST_SHOWN)}


def _effect(own: ColumnTally) -> Facts:
    by_class = own.by_class
    is_numeric = own.moments is not None
    return {
        "difference": standardised_mean_difference(own.moments) if is_numeric else None,
        "kolmogorov_smirnov": kolmogorov_smirnov(by_class[:-1]) if is_numeric else None,
        "cramers_v": None if is_numeric else cramers_v(by_class),
        "alone": alone(_coarse(own), own.counts.sum(axis=2) if is_numeric else None),
    }


def _coarse(own: ColumnTally) -> NDArray[np.int64]:
    """Return counts (bins, classes, halves) of few enough bins to have a rate each."""
    counts = own.counts.sum(axis=2)
    if own.grid is None:
        return counts
    return np.concatenate([own.grid.joined(counts, own.grid.coarse), counts[-1:]])


def _eras(own: ColumnTally) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return counts of the first and of the last fifth, in about ten bins and one of missing."""
    by_era = own.by_era
    if own.grid is None:
        joined = joined_categories(by_era[:-1], FIRST)
    else:
        joined = own.grid.joined(by_era, own.grid.reference)
    first, last = np.concatenate([joined, by_era[-1:]])[:, [FIRST, LAST]].T
    return first, last
