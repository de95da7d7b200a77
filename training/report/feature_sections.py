"""What a training report shows of single features and rows, anomalies and the champion."""

from __future__ import annotations

from collections.abc import Mapping

from training.report.evaluation_sections import Plots, drawn
from training.report.formats import SPACE
from training.report.page import (
    Block,
    Cell,
    Column,
    Facts,
    Lines,
    Table,
    Text,
    Value,
    Words,
    at,
)

# What the figures of an autoencoder are called, and how they are written.
METRICS: Mapping[str, tuple[str, str]] = {
    "roc_auc": ("ROC-AUC", "number"),
    "roc_auc_low": ("ROC-AUC, lower end of the 95 % interval", "number"),
    "roc_auc_high": ("ROC-AUC, upper end of the 95 % interval", "number"),
    "average_precision": ("Average precision, as the table has it", "number"),
    "average_precision_at_base_rate": ("Average precision, at the stated base rate", "number"),
    "share_of_legitimate_called_anomalies": ("Legitimate called anomalies", "percent"),
    "share_of_frauds_called_anomalies": ("Frauds called anomalies", "percent"),
}


def reasons(facts: Facts, plots: Plots) -> list[Block]:
    """Return what the classifier looks at, and its worst mistakes."""
    if facts["features"] is None:
        return []
    sampled = facts["features"]["sampled"]
    note: list[str | Value] = ["Contributions are averages over "]
    for name in sampled:
        joint = " and " if len(note) > 1 else ""
        note += [joint, Value(at("features", "sampled", name), "count"), f" {name}"]
    return [
        *drawn(plots, "features"),
        Text([*note, " rows; their sum is the distance from the typical transaction."], True),
        _mistakes(facts, "missed", "Frauds that were approved"),
        _mistakes(facts, "false_alarms", "Legitimate transactions that were alerted"),
    ]


def _mistakes(facts: Facts, kind: str, caption: str) -> Table:
    unit = facts["data"]["amount_unit"]
    rows = []
    for n, mistake in enumerate(facts["mistakes"][kind]["worst"]):
        place = ("mistakes", kind, "worst", n)
        amount: Words = ""
        if mistake["amount"] is not None:
            amount = [Value(at(*place, "amount"), "money"), f"{SPACE}{unit}" if unit else ""]
        rows.append(
            [
                Cell(("row ", Value(at(*place, "row"), "count")), under=amount),
                Cell(
                    Value(at(*place, "probability"), "percent"),
                    under=(f"{mistake['decision']}, score ", Value(at(*place, "score"), "count")),
                ),
                Cell(Lines([_reason(place, *found) for found in enumerate(mistake["reasons"])])),
            ]
        )
    columns = [Column("Transaction"), Column("Probability"), Column("Reasons", is_words=True)]
    return Table(caption, columns, rows, reading=kind)


def _reason(place: tuple[str | int, ...], number: int, reason: Facts) -> Words:
    """Return a reason: what it adds to the logit, its code, and the value it speaks of."""
    here = (*place, "reasons", number)
    words = [
        Value(at(*here, "contribution"), "contribution"),
        " ",
        Value(at(*here, "code"), "code"),
    ]
    if reason["value"] is not None:
        words += [" of ", Value(at(*here, "value"), "value")]
    return words


def champion(facts: Facts) -> list[Block]:
    """Return what became of the new model, and how it compares with the one that served."""
    found = facts["champion"]
    blocks: list[Block] = []
    if facts["verdict"] is not None:
        blocks.append(Text(facts["verdict"]["sentence"]))
    if found is None:
        return [*blocks, Text("There was no champion to compare with.")]
    blocks.append(Text(facts["readings"]["champion"]))
    if found["comparison"] is not None:
        place = ("champion", "comparison")
        columns = [Column("Average precision"), Column("Value")]
        rows = [
            [f"champion {found['version']}", Value(at(*place, "champion"))],
            [f"this model {facts['model']['version']}", Value(at(*place, "challenger"))],
            ["difference", Value(at(*place, "difference"), "signed", has_interval=True)],
        ]
        blocks.append(Table("New model and champion", columns, rows, is_half=True))
    return blocks


def anomalies(facts: Facts, plots: Plots) -> list[Block]:
    """Return what the autoencoder finds unusual."""
    anomaly = facts["anomaly"]
    if anomaly is None:
        return []
    of_whom = "legitimate " if facts["data"]["frauds"] is not None else ""
    blocks: list[Block] = [
        Text(
            f"An autoencoder learned to reproduce {of_whom}transactions; what it reproduces badly "
            "is unusual."
        ),
        *drawn(plots, "autoencoder_errors", "autoencoder_loss", "autoencoder_features"),
    ]
    if anomaly["metrics"]:
        rows = [
            [label, Value(at("anomaly", "metrics", name), form)]
            for name, (label, form) in METRICS.items()
            if name in anomaly["metrics"]
        ]
        caption = "The reconstruction error alone, against the labels of the test rows"
        blocks.append(Table(caption, [Column("Metric"), Column("Value")], rows, is_half=True))
    return blocks
