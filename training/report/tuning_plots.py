"""The plots of a search: how it went, and where good settings lie."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from training.report.drawing import (
    ACCENT,
    INK,
    MUTED,
    Plot,
    decades,
    legend,
    new_axes,
    new_rows,
    percent_axis,
)

Facts = dict[str, Any]

LOOKS = {"complete": ("o", ACCENT), "given up": ("x", MUTED)}


def history(facts: Facts) -> Plot:
    """Draw the value of each trial, and the best so far."""
    name = facts["metric"]["title"]
    figure, axes = new_axes("trial", name)
    _scatter(axes, facts, [trial["number"] for trial in facts["trials"]])
    complete = [trial for trial in facts["trials"] if trial["state"] == "complete"]
    best = np.maximum.accumulate if facts["metric"]["is_maximized"] else np.minimum.accumulate
    so_far = best([trial["value"] for trial in complete])
    axes.plot(
        [*(trial["number"] for trial in complete), len(facts["trials"]) - 1],
        [*so_far, so_far[-1]],
        color=INK,
        linewidth=1.4,
        drawstyle="steps-post",
        label="best so far",
    )
    if facts["untuned"] is not None:
        value = facts["trials"][facts["untuned"]]["value"]
        axes.axhline(value, color=MUTED, linewidth=1.2, linestyle="--", label="untuned")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    legend(figure)
    alt = f"Scatter plot: {name} of each trial, and the best so far."
    return Plot("history", "The search", alt, figure)


def _scatter(axes: Axes, facts: Facts, positions: list[Any]) -> None:
    """Draw each trial that has a value, complete ones and those given up apart."""
    for state, (symbol, colour) in LOOKS.items():
        points = [
            (position, trial["value"])
            for position, trial in zip(positions, facts["trials"], strict=True)
            if trial["state"] == state and trial["value"] is not None and position is not None
        ]
        if points:
            label = "given up (fewer folds)" if state == "given up" else state
            axes.plot(*zip(*points, strict=True), symbol, color=colour, markersize=5, label=label)


def importance(facts: Facts) -> Plot:
    """Draw the share of each setting in what the values differ by."""
    settings = [s for s in facts["settings"] if s["importance"] is not None]
    names = [setting["name"].partition(".")[2] for setting in settings]
    shares = [setting["importance"] for setting in settings]
    figure, axes = new_rows("share in what the values differ by (fANOVA)", names)
    axes.barh(range(len(names)), shares, color=ACCENT, height=0.6)
    axes.set_xlim(0, 1.1 * max(*shares, 0.01))
    axes.grid(visible=False, axis="y")
    percent_axis(axes, "x")
    alt = "Bar chart: importance of each setting, the weightiest at the top."
    return Plot("importance", "Settings that mattered", alt, figure)


def setting_plot(facts: Facts, setting: Facts) -> Plot:
    """Draw the value of each trial over one of its settings; the best is ringed."""
    key = setting["name"]
    name = key.partition(".")[2]
    values = [trial["settings"].get(key) for trial in facts["trials"]]
    known = [value for value in values if value is not None]
    figure, axes = new_axes(name, facts["metric"]["title"])
    if all(isinstance(value, int | float) for value in known):
        positions = values
    else:
        names = sorted(set(map(str, known)), key=_widths)
        positions = [None if value is None else names.index(str(value)) for value in values]
        axes.set_xticks(range(len(names)), names)
        axes.set_xlim(-0.5, len(names) - 0.5)
    _scatter(axes, facts, positions)
    best = facts["best"]
    axes.plot(
        positions[best],
        facts["trials"][best]["value"],
        "o",
        markersize=11,
        markerfacecolor="none",
        markeredgecolor=INK,
        markeredgewidth=1.4,
        label="best",
    )
    if setting["is_logarithmic"]:
        decades(axes, "x", min(known) * 0.9, max(known) * 1.1)
    elif positions is values and all(isinstance(value, int) for value in known):
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    elif positions is values:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))  # decimals are wide: more would touch
    legend(figure, 3)
    alt = f"Scatter plot: {facts['metric']['title']} of each trial over {name}."
    return Plot(f"setting_{name}", name, alt, figure)


def _widths(text: str) -> tuple[int, list[int]]:
    """Return what orders names of layers as numbers, by depth first."""
    parts = text.split(",")
    is_numbers = all(part.isdigit() for part in parts)
    return (len(parts), [int(part) for part in parts]) if is_numbers else (0, [])
