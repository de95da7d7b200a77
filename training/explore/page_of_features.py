"""The part of an exploration's page that is about single features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.explore.feature_plots import categorical, panels
from training.report.drawing import Plot
from training.report.page import Block, Cell, Code, Column, Figure, Table, Text, Value, Words, at

Facts = dict[str, Any]
Plots = Mapping[str, Plot]

MANY_ROWS = 40  # of a table that is not to share its row


def figures(plots: Plots, *names: str) -> list[Block]:
    """Return the figures of those plots that there are."""
    return [Figure(plots[name]) for name in names if name in plots]


def features(facts: Facts, plots: Plots) -> list[Block]:
    """Return how each feature lies, by class."""
    blocks: list[Block] = []
    if "alone" in plots:
        blocks.append(Figure(plots["alone"]))
    elif facts["has_classes"]:
        blocks.append(Text(facts["readings"]["alone"]))
    if facts["has_classes"]:
        blocks.append(_effects(facts))
    names = [f"features_{number}" for number in range(1, len(panels(facts)) + 1)]
    return blocks + figures(plots, *names)


def _effects(facts: Facts) -> Table:
    places = {column["name"]: number for number, column in enumerate(facts["columns"])}
    rows: list[list[Cell | Words]] = []
    for name in facts["ranking"]:
        place = ("columns", places[name], "effect")
        column = facts["columns"][places[name]]
        keys = ("alone", "difference", "kolmogorov_smirnov", "cramers_v")
        values = (Value(at(*place, key), "quantity") for key in keys)
        rows.append([Code(name), column["kind"], *values])
    titles = ["Standardised mean difference", "Kolmogorov–Smirnov distance", "Cramér’s V"]
    note = (
        "ROC-AUC of the column alone: rows score the fraud rate of their bin or category, learned "
        "on one half of the rows and judged on the other; or their value, if that tells more. Mean "
        "difference: frauds minus "
        "legitimate rows, over the root of the mean of both variances. Kolmogorov–Smirnov: the "
        "largest distance between the two distribution functions, at the edges of the bins. "
        "Cramér’s V: bias corrected."
    )
    return Table(
        "Frauds against legitimate rows, feature by feature",
        [Column("Feature"), Column("Kind", True), Column("AUC alone"), *map(Column, titles)],
        rows,
        note=note,
        is_folded=True,
    )


def categories(facts: Facts, plots: Plots) -> list[Block]:
    """Return the categories and their fraud."""
    places = {column["name"]: number for number, column in enumerate(facts["columns"])}
    shown = categorical(facts)
    names = [f"category_{number}" for number in range(1, len(shown) + 1)]
    tables = [_category(own, places[own["name"]], facts["has_classes"]) for own in shown]
    return [*figures(plots, *names), *tables]


def _category(column: Facts, place: int, has_classes: bool) -> Table:
    titles = [Column("Category"), Column("Rows")]
    titles += [Column("Frauds"), Column("Share of fraud")] if has_classes else [Column("Share")]
    rows: list[list[Cell | Words]] = []
    for number, row in enumerate(column["categories"]["rows"]):
        here = ("columns", place, "categories", "rows", number)
        cells: list[Cell | Words] = [row["name"], Value(at(*here, "rows"), "count")]
        if has_classes:
            cells.append(Value(at(*here, "frauds"), "count"))
            cells.append(Value(at(*here, "fraud_share"), "percent", True))
        else:
            cells.append(Value(at(*here, "share"), "percent"))
        rows.append(cells)
    return Table(f"{column['name']}, category by category", titles, rows, is_folded=True)


def correlations(facts: Facts, plots: Plots) -> list[Block]:
    """Return which features say the same."""
    blocks = figures(plots, "correlations")
    if facts["correlations"] is not None and facts["correlations"]["pairs"]:
        rows = []
        for number, pair in enumerate(facts["correlations"]["pairs"]):
            place = at("correlations", "pairs", number, "correlation")
            names = (Code(pair[which]) for which in ("first", "second"))
            rows.append([*names, Value(place, "quantity")])
        titles = [Column("Feature"), Column("and", True), Column("Rank correlation")]
        blocks.append(Table("Most correlated", titles, rows, is_half=True))
    return blocks


def drift(facts: Facts, plots: Plots) -> list[Block]:
    """Return which features change with time."""
    blocks = figures(plots, "drift") or [Text(facts["readings"]["drift"])]
    places = {column["name"]: number for number, column in enumerate(facts["columns"])}
    if facts["drifting"]:
        rows = [
            [
                Code(name),
                facts["columns"][places[name]]["drift"]["verdict"],
                Value(at("columns", places[name], "drift", "psi"), "quantity"),
                Value(at("columns", places[name], "drift", "critical"), "quantity"),
            ]
            for name in facts["drifting"]
        ]
        titles = [Column("Feature"), Column("Change", True), Column("Index"), Column("Chance")]
        blocks.append(Table("What changes with time", titles, rows, is_half=len(rows) <= MANY_ROWS))
    return blocks
