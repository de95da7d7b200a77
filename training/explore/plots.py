"""The plots of an exploration that show all rows or all columns, drawn from its facts alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from training.explore.classes import WEEKDAY_NAMES
from training.explore.distributions import (
    DAY,
    date_axis,
    draw_distribution,
    draw_groups,
    draw_steps,
    number_axis,
    short,
)
from training.explore.drift import MAJOR, MODERATE
from training.report.drawing import (
    ACCENT,
    FRAUD,
    INK,
    MUTED,
    SURFACE,
    Plot,
    decades,
    legend,
    new_axes,
    new_rows,
    percent_axis,
    shortened,
)

Facts = dict[str, Any]

MOST_NAMES = 20  # down an axis
CELL, LETTER, MARGINS = 0.18, 0.07, 0.45  # inches
LARGEST_CIRCLE = 120  # square points
SMALLEST_INDEX = 1e-3
CROWDED = 500  # largest over least of a scale on which the two limits lie too close to be written


def draw_overview(facts: Facts) -> list[Plot]:
    """Return the plots that the facts allow."""
    plots = [
        _amounts(facts),
        _amount_rates(facts),
        _times(facts),
        _fraud_shares(facts),
        _hours(facts),
        _weekdays(facts),
        _alone(facts),
        _correlations(facts),
        _drift(facts),
    ]
    return [plot for plot in plots if plot is not None]


def _amounts(facts: Facts) -> Plot | None:
    if facts["amount"] is None:
        return None
    name = facts["amount"]["column"]
    column = next(own for own in facts["columns"] if own["name"] == name)
    figure, axes = new_axes(
        shortened(name), "share of each class" if facts["has_classes"] else "share"
    )
    draw_distribution(axes, column)
    percent_axis(axes, "y")
    legend(figure)
    alt = f"Histogram of {name}: the share of rows in each range, by class where there are labels."
    return Plot("amounts", "Amounts", alt, figure)


def _amount_rates(facts: Facts) -> Plot | None:
    if facts["amount"] is None or not facts["amount"]["bands"]:
        return None
    bands = facts["amount"]["bands"]
    figure, axes = new_axes(f"{shortened(facts['amount']['column'])}, from", "share of fraud")
    _draw_shares(axes, np.arange(len(bands)), [band["fraud_share"] for band in bands])
    labels = [short(band["from"]) for band in bands]
    step = 1 if len(labels) <= 6 else 2
    axes.set_xticks(range(0, len(labels), step), labels[::step])
    alt = (
        "Share of fraud in ranges of the amount that hold about as many rows each, with intervals."
    )
    return Plot("amount_rates", "Fraud by amount", alt, figure)


def _draw_shares(axes: Axes, places: Sequence[float], shares: Sequence[Facts]) -> None:
    """Draw shares of fraud with their intervals."""
    known = [(x, s) for x, s in zip(places, shares, strict=True) if s["value"] is not None]
    x = [place for place, _ in known]
    values = np.array([own["value"] for _, own in known])
    below = np.maximum(values - [own["low"] for _, own in known], 0)
    above = np.maximum(np.array([own["high"] for _, own in known]) - values, 0)
    axes.errorbar(x, values, [below, above], fmt="none", ecolor=FRAUD, elinewidth=1.2)
    axes.plot(x, values, "o", color=FRAUD, markersize=4.5)
    axes.set_ylim(bottom=0)
    percent_axis(axes, "y")


def _times(facts: Facts) -> Plot | None:
    time = facts["time"]
    if time is None or time["edges"] is None:
        return None
    figure, axes = new_axes(shortened(time["column"]), "rows")
    edges = np.array(time["edges"]) / (DAY if time["is_date"] else 1)
    axes.stairs(time["rows"], edges, fill=True, color=ACCENT, alpha=0.25, linewidth=0)
    axes.stairs(time["rows"], edges, color=ACCENT, linewidth=1.4)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    _time_axis(axes, time)
    alt = f"Number of rows over {time['column']}, in bars of equal width."
    return Plot("times", "Rows over time", alt, figure)


def _fraud_shares(facts: Facts) -> Plot | None:
    time = facts["time"]
    if time is None or time["edges"] is None or time["fraud_shares"] is None:
        return None
    figure, axes = new_axes(shortened(time["column"]), "share of fraud")
    edges = np.array(time["edges"]) / (DAY if time["is_date"] else 1)
    _draw_shares(axes, (edges[1:] + edges[:-1]) / 2, time["fraud_shares"])
    _time_axis(axes, time)
    alt = f"Share of fraud over {time['column']}, with intervals."
    return Plot("fraud_shares", "Fraud over time", alt, figure)


def _time_axis(axes: Axes, time: Facts) -> None:
    date_axis(axes) if time["is_date"] else number_axis(axes)


def _hours(facts: Facts) -> Plot | None:
    if facts["time"] is None or facts["time"]["hours"] is None:
        return None
    figure, axes = new_axes("hour of the day (UTC)", "share of each class")
    for name, shares in facts["time"]["hours"]["shares"].items():
        draw_steps(axes, np.arange(25), shares, name)
    axes.set_ylim(bottom=0)
    axes.set_xticks(range(0, 25, 4))
    percent_axis(axes, "y")
    legend(figure)
    alt = "Share of the rows in each hour of the day, by class where there are labels."
    return Plot("hours", "Hour of the day", alt, figure)


def _weekdays(facts: Facts) -> Plot | None:
    if facts["time"] is None or facts["time"]["weekdays"] is None:
        return None
    figure, axes = new_axes("", "share of each class")
    draw_groups(axes, facts["time"]["weekdays"]["shares"])
    axes.set_xticks(range(7), WEEKDAY_NAMES)
    percent_axis(axes, "y")
    legend(figure)
    alt = "Share of the rows on each day of the week, by class where there are labels."
    return Plot("weekdays", "Day of the week", alt, figure)


def _alone(facts: Facts) -> Plot | None:
    areas = {
        column["name"]: column["effect"]["alone"]
        for column in facts["columns"]
        if column["effect"] is not None and column["effect"]["alone"] is not None
    }
    names = [name for name in facts["ranking"] if name in areas][:MOST_NAMES]
    if not names:
        return None
    figure, axes = new_rows("ROC-AUC of the column alone", names)
    axes.grid(visible=False, axis="y")
    shown = [max(areas[name], 0.5) for name in names]
    axes.hlines(range(len(names)), 0.5, shown, color=ACCENT, linewidth=2)
    axes.plot(shown, range(len(names)), "o", color=ACCENT, markersize=5, clip_on=False)
    axes.set_xlim(0.5, 1.0)
    axes.set_xticks([0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    alt = (
        "How well each feature alone tells frauds from legitimate rows: 0.5 is chance, 1 is "
        f"perfect. The {len(names)} best are shown."
    )
    return Plot("alone", "What each feature tells by itself", alt, figure)


def _correlations(facts: Facts) -> Plot | None:
    found = facts["correlations"]
    if found is None:
        return None
    names = found["names"]
    figure, axes = new_rows("", names)
    letters = max(len(shortened(name)) for name in names)  # of names that stand upright
    figure.set_size_inches(figure.get_figwidth(), CELL * len(names) + LETTER * letters + MARGINS)
    matrix = np.array([[np.nan if x is None else x for x in row] for row in found["matrix"]])
    rows, columns = np.tril_indices(len(names), -1)
    values = matrix[rows, columns]
    for is_shown, label, face in (
        (values > 0, "together", ACCENT),
        (values < 0, "opposite", SURFACE),
    ):
        axes.scatter(
            columns[is_shown],
            rows[is_shown],
            s=np.maximum(LARGEST_CIRCLE * np.abs(values[is_shown]), 0.4),
            facecolor=face,
            edgecolor=ACCENT if face == ACCENT else INK,
            linewidth=0.9,
            label=label,
        )
    axes.set_xticks(range(len(names)), [shortened(name) for name in names], rotation=90)
    axes.tick_params(labelsize=7.5, pad=3)
    axes.set_xlim(-0.7, len(names) - 0.3)
    axes.set_ylim(len(names) - 0.3, -0.7)
    axes.grid(visible=False)
    legend(figure)
    alt = (
        "Rank correlation of each pair of features, as the area of a circle; filled where both "
        "rise together, hollow where one falls."
    )
    return Plot("correlations", "Correlations", alt, figure)


def _drift(facts: Facts) -> Plot | None:
    tested = [column for column in facts["columns"] if column["drift"] is not None]
    if not tested:
        return None
    tested.sort(key=lambda column: -column["drift"]["psi"])
    shown = tested[:MOST_NAMES]
    figure, axes = new_rows("population stability index", [c["name"] for c in shown])
    axes.grid(visible=False, axis="y")
    indices = np.array([max(c["drift"]["psi"], SMALLEST_INDEX) for c in shown])
    chance = np.array([max(c["drift"]["critical"], SMALLEST_INDEX) for c in shown])
    is_drifting = np.array([c["drift"]["verdict"] != "stable" for c in shown])
    places = np.arange(len(shown))
    decades(
        axes, "x", 0.8 * min(indices.min(), chance.min()), 1.3 * max(indices.max(), 1.5 * MAJOR)
    )
    axes.plot(chance, places, "|", color=MUTED, markersize=8, label="chance stays below")
    for chosen, face, label in (
        (is_drifting, ACCENT, "changed"),
        (~is_drifting, SURFACE, "stable"),
    ):
        if chosen.any():
            axes.plot(
                indices[chosen],
                places[chosen],
                "o",
                markerfacecolor=face,
                markeredgecolor=ACCENT,
                markersize=6,
                label=label,
            )
    low, high = axes.get_xlim()
    ticks = (0.001, 0.01, MODERATE, *([MAJOR] if high < CROWDED * low else []), 1, 10)
    axes.set_xticks([tick for tick in ticks if low <= tick <= high])
    for limit in (MODERATE, MAJOR):
        axes.axvline(limit, color=MUTED, linewidth=1, linestyle=":")
    legend(figure, 3)
    alt = (
        f"Population stability index of the {len(shown)} features that change most between the "
        "first and the last fifth, with what chance alone stays below."
    )
    return Plot("drift", "First fifth against last fifth", alt, figure)
