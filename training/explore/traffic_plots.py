"""The plots of amounts and times, drawn from the facts of an exploration alone."""

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
from training.report.drawing import ACCENT, FRAUD, Plot, legend, new_axes, percent_axis, shortened

Facts = dict[str, Any]


def draw_traffic(facts: Facts) -> list[Plot]:
    """Return the plots that the facts allow."""
    plots = [
        _amounts(facts),
        _amount_rates(facts),
        _times(facts),
        _fraud_shares(facts),
        _hours(facts),
        _weekdays(facts),
    ]
    return [plot for plot in plots if plot is not None]


def _amounts(facts: Facts) -> Plot | None:
    if facts["amount"] is None:
        return None
    name = facts["amount"]["column"]
    column = next(own for own in facts["columns"] if own["name"] == name)
    if column["histogram"] is None:
        return None
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
