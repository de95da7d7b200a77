"""The plots of single features: small distributions side by side, and fraud by category."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from training.explore.distributions import draw_distribution
from training.report.drawing import ACCENT, FRAUD, Plot, legend, new_panels, new_rows, percent_axis
from training.report.formats import count, percent, quantity

Facts = dict[str, Any]

PANELS, PANELS_IN_A_ROW, PANEL_HEIGHT = 6, 2, 1.15  # inches
MOST_PANELS = 36
SMALL = 0.2  # standard deviations: a small effect (Cohen, 1988)
MOST_CATEGORICAL = 8


def panels(facts: Facts) -> list[list[Facts]]:
    """Return the numeric features to be drawn, those that tell the classes apart best first."""
    columns = {column["name"]: column for column in facts["columns"]}
    shown = [columns[n] for n in facts["ranking"] if columns[n]["histogram"] is not None]
    shown = [column for column in shown if not column["is_constant"]][:MOST_PANELS]
    n_groups = -(-len(shown) // PANELS)
    size, longer = divmod(len(shown), max(n_groups, 1))  # of about the same size: none is alone
    ends = [size * group + min(group, longer) for group in range(n_groups + 1)]
    return [shown[start:end] for start, end in pairwise(ends)]


def categorical(facts: Facts) -> list[Facts]:
    """Return the categorical features to be drawn, the best first."""
    columns = {column["name"]: column for column in facts["columns"]}
    shown = [columns[name] for name in facts["ranking"] if columns[name]["categories"] is not None]
    return shown[:MOST_CATEGORICAL]


def draw_features(facts: Facts) -> list[Plot]:
    """Return the plots of the single features."""
    plots = [
        _draw_panels(number, group, facts["has_classes"])
        for number, group in enumerate(panels(facts), start=1)
    ]
    for number_, column in enumerate(categorical(facts), start=1):
        plots.append(_draw_categories(number_, column, facts["has_classes"]))
    return plots


def feature_readings(facts: Facts) -> dict[str, str]:
    """Return a sentence for each of the plots, by name."""
    found = {}
    for position, group in enumerate(panels(facts), start=1):
        found[f"features_{position}"] = _panels_reading(group)
    for position, column in enumerate(categorical(facts), start=1):
        found[f"category_{position}"] = _category_reading(column, facts)
    return found


def _draw_panels(position: int, group: Sequence[Facts], has_classes: bool) -> Plot:
    names = [column["name"] for column in group]
    figure, grid = new_panels(names, PANELS_IN_A_ROW, PANEL_HEIGHT)
    for axes, column in zip(grid, group, strict=True):
        draw_distribution(axes, column)
    for axes in grid[1:]:  # one legend for all
        for artist in (*axes.patches, *axes.containers):
            artist.set_label("")
    legend(figure)
    by = "by class" if has_classes else "of all rows"
    alt = f"Distributions {by} of {', '.join(names)}."
    title = "The strongest features" if position == 1 else "Further features"
    return Plot(f"features_{position}", title if has_classes else "Features", alt, figure)


def _panels_reading(group: Sequence[Facts]) -> str:
    judged = [
        column
        for column in group
        if column["effect"] is not None and column["effect"]["difference"] is not None
    ]
    if not judged:
        names = ", ".join(column["name"] for column in group)
        return f"How the values of {names} lie."
    most = max(judged, key=lambda column: abs(column["effect"]["difference"]))
    difference = most["effect"]["difference"]
    where = "higher" if difference > 0 else "lower"
    beginning = "Of these" if abs(difference) >= SMALL else "None of these differs much on average"
    return (
        f"{beginning}, {most['name']} {'differs most' if abs(difference) >= SMALL else 'most'}: "
        f"frauds lie {quantity(abs(difference))} standard deviations {where}."
    )


def _draw_categories(position: int, column: Facts, has_classes: bool) -> Plot:
    rows = column["categories"]["rows"]
    name = column["name"]
    what = "share of fraud" if has_classes else "share of the rows"
    figure, axes = new_rows(what, [row["name"] for row in rows])
    places = np.arange(len(rows))
    if has_classes:
        known = [(y, row["fraud_share"]) for y, row in enumerate(rows)]
        known = [(y, own) for y, own in known if own["value"] is not None]
        y = [place for place, _ in known]
        axes.hlines(
            y, [own["low"] for _, own in known], [own["high"] for _, own in known], color=FRAUD
        )
        axes.plot([own["value"] for _, own in known], y, "o", color=FRAUD, markersize=5)
    else:
        axes.barh(places, [row["share"] for row in rows], color=ACCENT)
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    percent_axis(axes, "x")
    shown = "Share of fraud with its interval" if has_classes else "Share of the rows"
    return Plot(f"category_{position}", name, f"{shown} in each category of {name}.", figure)


def _category_reading(column: Facts, facts: Facts) -> str:
    listed = column["categories"]["rows"][: column["categories"]["n_listed"]]
    name = column["name"]
    if not facts["has_classes"]:
        most = listed[0]
        return f"{percent(most['share'])} of the rows have {name} {most['name']}."
    known = [row for row in listed if row["fraud_share"]["value"] is not None]
    if not known:
        return f"No category of {name} has labelled rows."
    most = max(known, key=lambda row: row["fraud_share"]["low"])
    average = facts["classes"]["fraud_share"]["value"]
    if most["fraud_share"]["low"] <= average:
        return (
            f"No category of {name} that is listed has surely more fraud than the average of "
            f"{percent(average)}."
        )
    return (
        f"Most surely above the average of {percent(average)}: {name} {most['name']} with "
        f"{percent(most['fraud_share']['value'])} fraud in {count(most['rows'])} rows."
    )
