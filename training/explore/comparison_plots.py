"""The plots that show all features beside each other, drawn from the facts alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.explore.drift import MAJOR, MODERATE
from training.report.drawing import (
    ACCENT,
    INK,
    MUTED,
    SURFACE,
    Plot,
    decades,
    legend,
    new_rows,
    shortened,
)

Facts = dict[str, Any]

MOST_NAMES = 20  # down an axis
CELL, LETTER, MARGINS = 0.18, 0.07, 0.45  # inches
LARGEST_CIRCLE = 120  # square points
SMALLEST_INDEX = 1e-3
CROWDED = 500  # largest over least of a scale on which the two limits lie too close to be written


def draw_comparisons(facts: Facts) -> list[Plot]:
    """Return the plots that the facts allow."""
    plots = [_alone(facts), _correlations(facts), _drift(facts)]
    return [plot for plot in plots if plot is not None]


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
