"""How the values of one column lie, drawn by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from training.report.drawing import ACCENT, FRAUD, LEGITIMATE, decades

Facts = dict[str, Any]

DAY = 86_400.0  # seconds; the unit of dates on an axis
STYLES = {  # colour, line, name
    "legitimate": (LEGITIMATE, "-", "legitimate"),
    "fraud": (FRAUD, "--", "fraud"),
    "all": (ACCENT, "-", "all rows"),
}
MOST_LABELS = 4  # of single values on a small axis


def draw_distribution(axes: Axes, column: Facts) -> None:
    """Draw the share of each class's rows by value, or by bar."""
    histogram = column["histogram"]
    if histogram["values"] is not None:
        _draw_values(axes, histogram, column["kind"])
        return
    edges = np.array(histogram["edges"])
    is_date = column["kind"] == "datetime"
    for name, shares in histogram["shares"].items():
        draw_steps(axes, edges / DAY if is_date else edges, shares, name)
    axes.set_ylim(bottom=0)
    if is_date:
        date_axis(axes)
    elif histogram["is_logarithmic"]:
        decades(axes, "x", edges[0], edges[-1])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    else:
        number_axis(axes)


def draw_steps(axes: Axes, edges: Sequence[float], shares: Sequence[float], name: str) -> None:
    """Draw the bars of a group as one line over a light area."""
    colour, line, label = STYLES[name]
    axes.stairs(shares, edges, fill=True, color=colour, alpha=0.12, linewidth=0)
    axes.stairs(shares, edges, color=colour, linestyle=line, linewidth=1.5, label=label)


def draw_groups(axes: Axes, shares: dict[str, Sequence[float]]) -> None:
    """Draw bars of several groups side by side, at 0, 1, 2, …"""
    width = 0.8 / len(shares)
    for number, (name, own) in enumerate(shares.items()):
        colour, line, label = STYLES[name]
        places = np.arange(len(own)) + (number - (len(shares) - 1) / 2) * width
        axes.bar(
            places,
            own,
            width * 0.92,
            label=label,
            facecolor=(colour, 0.12 if name == "fraud" else 0.7),
            edgecolor=colour,
            linestyle=line,
            linewidth=1.2,
        )


def _draw_values(axes: Axes, histogram: Facts, kind: str) -> None:
    values = histogram["values"]
    draw_groups(axes, histogram["shares"])
    step = -(-len(values) // MOST_LABELS)
    places = range(0, len(values), step)
    if kind == "boolean":
        labels = [{0.0: "false", 1.0: "true"}[values[place]] for place in places]
    elif kind == "datetime":
        labels = [str(np.datetime64(int(values[place]), "s").astype("M8[D]")) for place in places]
    else:
        labels = [short(values[place]) for place in places]
    axes.set_xticks(places, labels)


def date_axis(axes: Axes) -> None:
    """Label the ticks across as dates."""
    locator = AutoDateLocator(minticks=2, maxticks=5)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))


def number_axis(axes: Axes) -> None:
    """Label the ticks across with few, short numbers."""
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def short(value: float) -> str:
    """Return a number in few letters.

    Examples
    --------
    >>> short(172_800.0), short(0.25), short(-2_500_000.0)
    ('173k', '0.25', '-2.5M')
    """
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if unit == 'k' else size):.3g}{unit}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
