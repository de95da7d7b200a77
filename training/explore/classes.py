"""How the classes lie in a table: their numbers, their times, their amounts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import fisher_exact

from training.explore.columns import CLASSES, bars_of, moment_text
from training.explore.eras import FIRST, LAST
from training.explore.survey import Survey
from training.explore.values import FRAUD, LEGITIMATE, UNLABELLED, numbers_in
from training.intervals import share

Facts = dict[str, Any]
Counts = NDArray[np.int64]

HIGH = 0.95  # quantile that says where large amounts begin
WEEKDAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def class_facts(survey: Survey) -> Facts | None:
    """Return the numbers of both classes; None where no row has a label."""
    rows = survey.tally.rows.sum(axis=1)
    legitimate, frauds, unlabelled = (int(n) for n in rows)
    if not legitimate + frauds:
        return None
    return {
        "legitimate": legitimate,
        "fraud": frauds,
        "unlabelled": unlabelled,
        "fraud_share": share(frauds, legitimate + frauds),
        "legitimate_share": legitimate / (legitimate + frauds),
        "ratio": legitimate / frauds if frauds else None,
    }


def time_facts(survey: Survey, has_classes: bool) -> Facts | None:
    """Return how rows and frauds lie in time; None without a time column that has values."""
    layout, tally = survey.layout, survey.tally
    own = tally.columns.get(layout.time or "")
    if own is None or own.moments is None or not own.moments.n.any():
        return None
    low, high = float(own.moments.low.min()), float(own.moments.high.max())
    is_date = own.column.kind == "datetime"
    bars = bars_of(own)
    values = own.grid.values
    return {
        "column": layout.time,
        "is_date": is_date,
        "low": low,
        "high": high,
        "first": moment_text(low) if is_date else None,
        "last": moment_text(high) if is_date else None,
        "span_seconds": high - low,
        "values": None if values is None else values.tolist(),
        "edges": own.grid.bars.tolist() if values is None else None,
        "rows": bars.sum(axis=1).tolist(),
        "fraud_shares": _shares(bars) if has_classes else None,
        "hours": _calendar(tally.hours, has_classes) if is_date else None,
        "weekdays": _calendar(tally.weekdays, has_classes) if is_date else None,
    }


def change_facts(survey: Survey) -> Facts:
    """Return fraud in the first and in the last fifth, and whether chance explains the change."""
    by_era = survey.tally.rows[:2, [FIRST, LAST]]
    first, last = (
        {
            "rows": int(rows.sum()),
            "frauds": int(rows[FRAUD]),
            "fraud_share": share(int(rows[FRAUD]), int(rows.sum())),
        }
        for rows in by_era.T
    )
    p_value = float(fisher_exact(by_era).pvalue) if by_era.sum(axis=0).all() else None
    return {"first": first, "last": last, "p_value": p_value}


def amount_facts(survey: Survey, has_classes: bool) -> Facts | None:
    """Return the amounts of each class and the fraud rate by amount; None without amounts."""
    layout = survey.layout
    own = survey.tally.columns.get(layout.amount or "")
    if own is None or own.moments is None or not own.moments.n.any():
        return None
    moments = own.moments
    facts: Facts = {
        "column": layout.amount,
        "zeros": moments.n_zero,
        "negatives": moments.n_negative,
        "groups": [_amounts(survey, name, label) for name, label in _groups(has_classes).items()],
        "fraud_total_share": None,
        "bands": None,
    }
    if has_classes:
        known, lost = moments.total_of(LEGITIMATE, FRAUD), moments.total_of(FRAUD)
        if known is not None and known > 0 and not moments.n_negative:
            facts["fraud_total_share"] = lost / known
        edges = own.grid.reference
        ends = (float(moments.low.min()), float(moments.high.max()))
        facts["bands"] = _bands(edges, own.grid.joined(own.by_class, edges), ends)
    return facts


def _groups(has_classes: bool) -> dict[str, int | None]:
    return dict(CLASSES) if has_classes else {"all": None}


def _amounts(survey: Survey, name: str, label: int | None) -> Facts:
    """Return the amounts of a class: sums of all rows, quantiles of the sample."""
    own = survey.tally.columns[survey.layout.amount]
    labels = range(UNLABELLED + 1) if label is None else [label]
    counted = int(own.moments.n[labels].sum())
    values = _sampled(survey, label)
    return {
        "name": name,
        "rows": counted,
        "total": own.moments.total_of(*labels),
        "mean": own.moments.mean_of(*labels),
        "median": float(np.median(values)) if len(values) else None,
        "high": float(np.quantile(values, HIGH)) if len(values) else None,
        "largest": float(own.moments.high[labels].max()) if counted else None,
    }


def _sampled(survey: Survey, label: int | None) -> NDArray[np.float64]:
    samples, layout = survey.samples, survey.layout
    frame = samples.rows
    if label == FRAUD and samples.frauds is not None:
        frame = samples.frauds
    elif label is not None:
        frame = frame[frame[layout.label].to_numpy() == label]
    values = numbers_in(frame, layout.amount)
    return values[~np.isnan(values)]


def _bands(edges: NDArray[np.float64], counts: Counts, ends: tuple[float, float]) -> list[Facts]:
    """Return the fraud rate between neighbouring edges; bands without rows are left out."""
    bounds = [ends[0], *edges.tolist(), ends[1]]
    return [
        {"from": bounds[n], "to": bounds[n + 1], "rows": int(rows.sum()), **_rate(rows)}
        for n, rows in enumerate(counts)
        if rows[:2].sum()
    ]


def _rate(rows: Counts) -> Facts:
    frauds = int(rows[FRAUD])
    return {"frauds": frauds, "fraud_share": share(frauds, int(rows[:2].sum()))}


def _shares(bars: Counts) -> list[Facts]:
    return [share(int(rows[FRAUD]), int(rows[:2].sum())) for rows in bars]


def _calendar(counts: Counts, has_classes: bool) -> Facts:
    """Return the share of each class's rows in each hour, or on each weekday."""
    groups = {name: counts[:, label] for name, label in CLASSES.items()}
    groups = groups if has_classes else {"all": counts.sum(axis=1)}
    shares = {name: (own / max(int(own.sum()), 1)).tolist() for name, own in groups.items()}
    return {"rows": counts.sum(axis=1).tolist(), "shares": shares}
