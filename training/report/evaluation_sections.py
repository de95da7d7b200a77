"""What a training report shows of the evaluated rows: what stands where."""

from __future__ import annotations

from collections.abc import Mapping

from training.report.drawing import Plot
from training.report.page import (
    Block,
    Cell,
    Column,
    Facts,
    Figure,
    Table,
    Text,
    Value,
    Words,
    at,
)

Plots = Mapping[str, Plot]

NO_CURVES = (
    "The curves are not defined: one of the two classes is missing among the evaluated rows."
)


def drawn(plots: Plots, *names: str) -> list[Block]:
    """Return the figures of those plots that there are."""
    return [Figure(plots[name]) for name in names if name in plots]


def quality(facts: Facts, plots: Plots) -> list[Block]:
    """Return the curves and the metrics."""
    evaluation = facts["evaluation"]
    if evaluation is None:
        return []
    columns = [Column("Metric, with 95 % interval")]
    for n, view in enumerate(evaluation["views"]):
        prevalence = Value(at("evaluation", "views", n, "prevalence"), "percent")
        columns.append(Column((f"{view['label']} (", prevalence, " fraud)")))
    rows = [
        [
            Cell(metric["label"], under=metric["meaning"]),
            *(metric_value(n, view, metric["form"]) for view in range(len(metric["views"]))),
        ]
        for n, metric in enumerate(evaluation["metrics"])
    ]
    caption = f"Metrics on the {evaluation['part']} rows"
    curves = drawn(plots, "precision_recall", "roc")
    return [*(curves or [Text(NO_CURVES)]), Table(caption, columns, rows)]


def decisions(facts: Facts, plots: Plots) -> list[Block]:
    """Return what was decided, what it costs, and for whom it works."""
    evaluation = facts["evaluation"]
    if evaluation is None:
        return []
    rows = []
    for n, row in enumerate(evaluation["decisions"]):
        total = Value(at("evaluation", "decisions", n, "total"), "count")
        cells = [Cell(row["actual"], under=("of ", total), tone=row["actual"])]
        for decision in row["counts"]:
            is_right = (row["actual"] == "fraud") != (decision == "approved")
            cells.append(
                Cell(
                    Value(at("evaluation", "decisions", n, "counts", decision), "count"),
                    under=Value(at("evaluation", "decisions", n, "shares", decision), "percent"),
                    tone="good" if is_right else "",
                )
            )
        rows.append(cells)
    confusion = Table(
        "Confusion matrix",
        [Column(title) for title in ("Actual", "Approved", "Reviewed", "Blocked")],
        rows,
        reading="decisions",
        note="Shaded: what should happen. An alert is a review or a block; metrics count alerts.",
        is_half=True,
    )
    return [
        Text(facts["readings"]["policy"]),
        confusion,
        _impact(facts),
        *drawn(plots, "costs", "alerts", "slices_recall", "slices_false_alarms"),
        *_slices(facts),
    ]


def metric_value(number: int, view: int, form: str) -> Value:
    """Return the place of a metric in a view."""
    return Value(at("evaluation", "metrics", number, "views", view), form, has_interval=True)


def _slices(facts: Facts) -> list[Block]:
    rows: list[list[Cell | Value]] = []
    for g, group in enumerate(facts["slices"]):
        for n, part in enumerate(group["slices"]):
            place = ("slices", g, "slices", n)
            span = f"{part['span']}" if part["span"] else ""
            rows.append(
                [
                    Cell(f"{group['by']}: {part['label']}", under=span),
                    Value(at(*place, "rows"), "count"),
                    Value(at(*place, "frauds"), "count"),
                    Value(at(*place, "recall"), "percent", has_interval=True),
                    Value(at(*place, "false_positive_rate"), "percent", has_interval=True),
                ]
            )
    titles = ("Part of the rows", "Rows", "Frauds", "Recall", "False-positive rate")
    note = "Of the policy's alerts, as common as fraud is in the table; with 95 % intervals."
    columns = [Column(title) for title in titles]
    caption = "Parts of the evaluated rows"
    return [Table(caption, columns, rows, note=note, is_folded=True)] if rows else []


def _impact(facts: Facts) -> Table:
    impact, data = facts["evaluation"]["impact"], facts["data"]
    amounts = f"Amounts in {data['amount_unit'] or 'units of ' + str(data['amount'])}"
    return Table(
        "Business impact",
        [
            Column(amounts if data["amount"] else "No amounts"),
            *(Column(view) for view in impact["views"]),
        ],
        [
            [
                row["label"],
                *(
                    Value(at("evaluation", "impact", "rows", n, "values", view), row["form"])
                    for view in range(len(impact["views"]))
                ),
            ]
            for n, row in enumerate(impact["rows"])
        ],
        reading="impact",
        is_half=True,
    )


def scores(facts: Facts, plots: Plots) -> list[Block]:
    """Return calibration, the spread of scores and what a score means."""
    if facts["evaluation"] is None:
        return []
    place = ("evaluation", "calibration")
    distance: Words = (
        "Expected calibration error: ",
        Value(at(*place, "error"), "percent"),
        " (before calibration ",
        Value(at(*place, "before", "error"), "percent"),
        "), the mean distance between what is predicted and what comes true.",
    )
    blocks = [*drawn(plots, "calibration", "scores"), Text(distance, is_quiet=True)]
    if not facts["score_table"]:
        return blocks
    figures = [
        ("score", "Score, from", "count"),
        ("false_positive_rate", "False-positive rate", "percent"),
        ("recall", "Recall, calibration rows", "percent"),
        ("alerts_per_10000", "Alerts in 10,000", "count"),
    ]
    if facts["base_rate"] is not None:
        figures[-1] = ("alerts_per_10000", "Alerts in 10,000 at the base rate", "count")
        figures.append(("alerts_per_10000_in_table", "as the table has it", "count"))
    table = Table(
        "What a score means",
        [Column(title) for _, title, _ in figures],
        [
            [Value(at("score_table", n, key), form) for key, _, form in figures]
            for n in range(len(facts["score_table"]))
        ],
        is_folded=True,
    )
    return [*blocks, Text(facts["readings"]["score_table"]), table]
