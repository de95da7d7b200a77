"""What a training report shows of single features and rows, anomalies and the champion."""

from __future__ import annotations

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
    """Return how the new model compares with the one that serves."""
    found = facts["champion"]
    if found is None:
        return [Text("There was no champion to compare with: this is the first of its name.")]
    blocks: list[Block] = [Text(facts["readings"]["champion"])]
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
            [
                name.replace("_", " ").capitalize().replace("Roc auc", "ROC-AUC"),
                Value(
                    at("anomaly", "metrics", name),
                    "percent" if name.startswith("share") else "number",
                ),
            ]
            for name in anomaly["metrics"]
        ]
        caption = "The reconstruction error alone, against the labels of the test rows"
        columns = [Column("Metric"), Column("As the table has it")]
        blocks.append(Table(caption, columns, rows, is_half=True))
    return blocks
