"""The exploration as a page: what stands where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.explore.feature_plots import categorical, panels
from training.report.drawing import Plot
from training.report.page import (
    Block,
    Bullets,
    Cell,
    Code,
    Column,
    Figure,
    Page,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
    Value,
    Words,
    at,
)

Facts = dict[str, Any]
Plots = Mapping[str, Plot]

LIMITS = {
    "moderate": "quantity",
    "major": "quantity",
    "chance": "percent",
    "correlated_rows": "count",
    "alone": "quantity",
    "many": "percent",
}
PARTS = ("label", "time", "amount", "id")
MANY_COLUMNS = 40  # of a table that is folded


def exploration_page(facts: Facts, plots: Plots) -> Page:
    """Return the page of an exploration."""
    parts = [
        ("Advice", _advice(facts)),
        ("Columns", _columns(facts)),
        ("Amounts", _figures(plots, "amounts", "amount_rates") + _amounts(facts)),
        ("Time", _figures(plots, "times", "fraud_shares", "hours", "weekdays")),
        ("Features", _features(facts, plots)),
        ("Categories", _categories(facts, plots)),
        ("Correlations", _correlations(facts, plots)),
        ("Drift", _drift(facts, plots)),
        ("How it was made", _method(facts)),
    ]
    sections = [Section(title, blocks) for title, blocks in parts if blocks]
    return Page("Exploration", facts["name"], facts, sections, summary=_summary(facts))


def _figures(plots: Plots, *names: str) -> list[Block]:
    return [Figure(plots[name]) for name in names if name in plots]


def _summary(facts: Facts) -> list[Block]:
    tiles = [
        Tile("Rows", Value(at("data", "rows"), "count")),
        Tile(
            ["Features, of ", Value(at("data", "columns"), "count"), " columns"],
            Value(at("data", "features"), "count"),
        ),
    ]
    if facts["classes"] is not None:
        tiles += [
            Tile("Frauds", Value(at("classes", "fraud"), "count"), "fraud"),
            Tile("Share of fraud", Value(at("classes", "fraud_share"), "percent", True)),
        ]
        if facts["classes"]["ratio"] is not None:
            tiles.append(Tile("Legitimate to fraud", Value(at("classes", "ratio"), "ratio")))
    tiles += [
        Tile("Missing values", Value(at("data", "missing_share"), "percent")),
        Tile("Repeated rows", Value(at("repeats", "rows"), "count")),
        Tile("Suspect columns", Value(at("n_suspects"), "count")),
        Tile("Features that drift", Value(at("n_drifting"), "count")),
        Tile("In memory, as numbers", Value(at("data", "cell_bytes"), "bytes")),
    ]
    return [Tiles(tiles)]


def _advice(facts: Facts) -> list[Block]:
    rows: list[list[Cell | Words]] = [
        [Cell(own["topic"], under=Code(own["option"]) if own["option"] else ""), own["text"]]
        for own in facts["advice"]
    ]
    columns = [Column(["What, and with which option of ", Code("train")]), Column("Why", True)]
    return [
        Table("What to do before training", columns, rows),
        Text(["A command to begin with: ", Code(facts["command"])]),
    ]


def _columns(facts: Facts) -> list[Block]:
    titles = [
        Column("Column"),
        Column("Kind", True),
        Column("Missing"),
        Column("Different values"),
        Column("Least"),
        Column("Mean"),
        Column("Largest"),
    ]
    rows = [_column_row(number, column) for number, column in enumerate(facts["columns"])]
    note = "Date-times are in UTC."
    if not facts["sample"]["is_whole"]:
        note += " Different values of numbers are counted in the sample: there may be more."
    table = Table(
        "All columns",
        titles,
        rows,
        reading="columns",
        note=note,
        is_folded=len(rows) > MANY_COLUMNS,
    )
    parts = (f"{part} {facts['data'][part] or '(none)'}" for part in PARTS)
    return [
        Text(f"Found: {', '.join(parts)}. {facts['readings']['repeats']}"),
        table,
    ]


def _column_row(number: int, column: Facts) -> list[Cell | Words]:
    place = ("columns", number)
    remarks = [column["role"]] if column["role"] else []
    if column["is_constant"]:
        remarks.append("constant")
    numbers = column["numbers"]
    if numbers is None:
        ends: list[Cell | Words] = ["–", "–", "–"]
    elif column["kind"] == "datetime":
        first, last = (Value(at(*place, "numbers", end), "words") for end in ("first", "last"))
        ends = [first, "–", last]
    else:
        ends = [Value(at(*place, "numbers", key), "quantity") for key in ("low", "mean", "high")]
    return [
        Cell(Code(column["name"]), under=", ".join(remarks)),
        column["kind"],
        Value(at(*place, "missing_share"), "percent") if column["missing"] else "–",
        Value(at(*place, "distinct"), "count"),
        *ends,
    ]


def _amounts(facts: Facts) -> list[Block]:
    if facts["amount"] is None:
        return []
    keys = (("Rows", "rows", "count"), ("Sum", "total", "money"), ("Mean", "mean", "money"))
    keys += (("Median", "median", "money"), ("95 % below", "high", "money"))
    keys += (("Largest", "largest", "money"),)
    rows = [
        [
            Cell(group["name"], tone=group["name"] if facts["has_classes"] else ""),
            *(Value(at("amount", "groups", number, key), form) for _, key, form in keys),
        ]
        for number, group in enumerate(facts["amount"]["groups"])
    ]
    note: Words = (
        Value(at("amount", "zeros"), "count"),
        " amounts are zero, ",
        Value(at("amount", "negatives"), "count"),
        " negative.",
    )
    titles = [Column("Class"), *(Column(title) for title, _, _ in keys)]
    caption = "Amounts by class" if facts["has_classes"] else "Amounts in figures"
    return [Table(caption, titles, rows, note=note)]


def _features(facts: Facts, plots: Plots) -> list[Block]:
    blocks: list[Block] = []
    if "alone" in plots:
        blocks.append(Figure(plots["alone"]))
    elif facts["has_classes"]:
        blocks.append(Text(facts["readings"]["alone"]))
    if facts["has_classes"]:
        blocks.append(_effects(facts))
    names = [f"features_{number}" for number in range(1, len(panels(facts)) + 1)]
    return blocks + _figures(plots, *names)


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


def _categories(facts: Facts, plots: Plots) -> list[Block]:
    places = {column["name"]: number for number, column in enumerate(facts["columns"])}
    shown = categorical(facts)
    names = [f"category_{number}" for number in range(1, len(shown) + 1)]
    tables = [_category(own, places[own["name"]], facts["has_classes"]) for own in shown]
    return [*_figures(plots, *names), *tables]


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


def _correlations(facts: Facts, plots: Plots) -> list[Block]:
    blocks = _figures(plots, "correlations")
    if facts["correlations"] is not None and facts["correlations"]["pairs"]:
        rows = []
        for number, pair in enumerate(facts["correlations"]["pairs"]):
            place = at("correlations", "pairs", number, "correlation")
            names = (Code(pair[which]) for which in ("first", "second"))
            rows.append([*names, Value(place, "quantity")])
        titles = [Column("Feature"), Column("and", True), Column("Rank correlation")]
        blocks.append(Table("Most correlated", titles, rows, is_half=True))
    return blocks


def _drift(facts: Facts, plots: Plots) -> list[Block]:
    blocks = _figures(plots, "drift") or [Text(facts["readings"]["drift"])]
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
        blocks.append(
            Table("What changes with time", titles, rows, is_half=len(rows) <= MANY_COLUMNS)
        )
    return blocks


def _method(facts: Facts) -> list[Block]:
    limit = {name: Value(at("limits", name), form) for name, form in LIMITS.items()}
    items: list[Words] = [
        ["Source: ", Code(facts["data"]["source"]), "."],
        "Intervals of shares are Wilson’s, at 95 %.",
        [
            "Drift is the population stability index between the rows of the first and of the last "
            "fifth in time, by row order where there is no time column. A feature counts as "
            "changed where the index exceeds both ",
            limit["moderate"],
            " and what chance exceeds for any feature of a table without drift in ",
            limit["chance"],
            " of cases; above ",
            limit["major"],
            " the change is major.",
        ],
        ["Correlations are Spearman’s, on at most ", limit["correlated_rows"], " rows."],
        [
            "A column is suspect where it alone reaches a ROC-AUC of ",
            limit["alone"],
            ", or where one of its values is found in at least ",
            limit["many"],
            " of all frauds and hardly anywhere else.",
        ],
    ]
    return [Bullets(items)]
