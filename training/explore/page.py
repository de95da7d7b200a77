"""The exploration as a page: what stands where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.explore.page_of_features import categories, correlations, drift, features, figures
from training.report.drawing import Plot
from training.report.page import (
    Block,
    Bullets,
    Cell,
    Code,
    Column,
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
        ("Amounts", figures(plots, "amounts", "amount_rates") + _amounts(facts)),
        ("Time", figures(plots, "times", "fraud_shares", "hours", "weekdays")),
        ("Features", features(facts, plots)),
        ("Categories", categories(facts, plots)),
        ("Correlations", correlations(facts, plots)),
        ("Drift", drift(facts, plots)),
        ("How it was made", _method(facts)),
    ]
    sections = [Section(title, blocks) for title, blocks in parts if blocks]
    return Page("Exploration", facts["name"], facts, sections, summary=_summary(facts))


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
        Text(_command(facts)),
    ]


def _command(facts: Facts) -> Words:
    if facts["command"] is None:
        return f"No command can train on this table as it is: {facts['refusal']}."
    return ["A command to begin with: ", Code(facts["command"])]


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
    if column["note"] is not None:
        remarks.append(column["note"])
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
