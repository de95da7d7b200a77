"""How good the decisions are for parts of the evaluated rows: amounts, categories, times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.decision import APPROVE
from model.features import Feature
from training.judged import Judged
from training.pipeline import Run
from training.report.curves import wilson
from training.report.formats import money

Array = NDArray[Any]
Facts = dict[str, Any]

BANDS = 4  # of amounts and of time
MOST_COLUMNS = 3  # categorical and boolean features that are shown
MOST_CATEGORIES = 6
FEWEST_ROWS = 8  # to be divided into bands


def slice_facts(run: Run, seen: Judged, ranking: Sequence[str]) -> list[Facts]:
    """Return recall and false-positive rate of the policy for parts of the evaluated rows.

    Parameters
    ----------
    run : Run
    seen : Judged
    ranking : sequence of str
        Features by weight: the first categorical ones are shown.

    Returns
    -------
    list of dict
        ``by``, and ``slices``: ``label``, ``span`` (of times), ``rows``, ``frauds``, ``recall`` and
        ``false_positive_rate`` with Wilson's 95 % interval. Columns that do not divide the rows
        are left out.
    """
    alerted = seen.decision != APPROVE
    found = []
    for by, parts in _divisions(run, seen, ranking):
        slices = [
            {
                "label": label,
                "span": span,
                "rows": int(inside.sum()),
                "frauds": int(seen.y[inside].sum()),
                "recall": _rate(alerted[inside & (seen.y == 1)]),
                "false_positive_rate": _rate(alerted[inside & (seen.y == 0)]),
            }
            for label, span, inside in parts
            if inside.any()
        ]
        if len(slices) > 1:
            found.append({"by": by, "slices": slices})
    return found


def _rate(alerted: Array) -> Facts:
    """Return a share with its interval."""
    if not len(alerted):
        return {"value": None, "low": None, "high": None}
    low, high = wilson(int(alerted.sum()), len(alerted))
    return {"value": float(alerted.mean()), "low": low, "high": high}


Parts = list[tuple[str, str | None, Array]]


def _divisions(run: Run, seen: Judged, ranking: Sequence[str]) -> Iterator[tuple[str, Parts]]:
    spec = run.artifact.scorer.spec
    if seen.amounts is not None:
        unit = spec.features[spec.amount_column or 0].unit
        yield f"{spec.amount}, {unit}" if unit else str(spec.amount), _amounts(seen.amounts)
    by_name = {feature.name: feature for feature in spec.features}
    chosen = [by_name[name] for name in ranking if by_name[name].kind in _CODED][:MOST_COLUMNS]
    for feature in chosen:
        cells = run.table.matrix[seen.rows, spec.names.index(feature.name)]
        yield feature.name, _categories(feature, cells)
    if run.table.times is not None:
        yield "time", _times(run.table.times[seen.rows], is_dated=run.table.are_dated)


_CODED = ("categorical", "boolean")


def _amounts(amounts: Array) -> Parts:
    known = ~np.isnan(amounts)
    missing = ("missing", None, ~known)
    if known.sum() < FEWEST_ROWS:
        return [missing]
    edges = np.unique(np.quantile(amounts[known], np.linspace(0, 1, BANDS + 1)[1:-1]))
    number = np.digitize(amounts, edges)
    texts = [money(edge) for edge in edges.tolist()]
    labels = [f"below {texts[0]}"]
    labels += [f"{low} to {high}" for low, high in pairwise(texts)]
    labels += [f"from {texts[-1]}"]
    return [*((label, None, known & (number == n)) for n, label in enumerate(labels)), missing]


def _categories(feature: Feature, cells: Array) -> Parts:
    names = ["false", "true"]
    if feature.kind == "categorical":
        names = [*feature.categories, "unseen in training", "rare in training"]
    parts: Parts = [(name, None, cells == code) for code, name in enumerate(names)]
    parts.append(("missing", None, np.isnan(cells)))
    parts = sorted((part for part in parts if part[2].any()), key=lambda part: -part[2].sum())
    shown, rest = parts[:MOST_CATEGORIES], parts[MOST_CATEGORIES:]
    if rest:
        shown.append((f"{len(rest)} others", None, np.logical_or.reduce([p[2] for p in rest])))
    return shown


def _times(times: Array, *, is_dated: bool) -> Parts:
    """Return spans with as many rows each, oldest first."""
    if len(times) < FEWEST_ROWS:
        return []
    edges = np.unique(np.quantile(times, np.linspace(0, 1, BANDS + 1)[1:-1]))
    number = np.digitize(times, edges)
    numbers = np.unique(number)
    write = _date if is_dated else _seconds
    parts: Parts = []
    for place, n in enumerate(numbers, start=1):
        inside = number == n
        ends = times[inside].min(), times[inside].max()
        age = {1: " (oldest)", len(numbers): " (newest)"}.get(place, "")
        span = " to ".join(write(float(end)) for end in ends)
        parts.append((f"part {place}{age}", span, inside))
    return parts


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _seconds(seconds: float) -> str:
    return f"{seconds:,.0f}"
