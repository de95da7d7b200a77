"""The training report as a page: what stands where."""

from __future__ import annotations

from collections.abc import Mapping

from training.report.drawing import Plot
from training.report.page import (
    Block,
    Bullets,
    Cell,
    Code,
    Column,
    Facts,
    Figure,
    Page,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
    Value,
    at,
)

Plots = Mapping[str, Plot]

SUMMARY = ("recall_at_0.1%_false_positives", "average_precision", "roc_auc")
NO_CURVES = (
    "The curves are not defined: one of the two classes is missing among the evaluated rows."
)


def training_page(facts: Facts, plots: Plots) -> Page:
    """Return the page of a training report."""
    parts = [
        ("Data", _data(facts)),
        ("Learning", _learning(facts, plots)),
        ("Quality", _quality(facts, plots)),
        ("Decisions", _decisions(facts)),
        ("Scores", _scores(facts, plots)),
        ("Anomalies", _anomalies(facts, plots)),
        ("Reproducibility", _reproducibility(facts)),
    ]
    return Page(
        "Training report",
        facts["model"]["name"],
        facts,
        [Section(title, blocks) for title, blocks in parts if blocks],
        version=facts["model"]["version"],
        summary=_summary(facts),
    )


def _drawn(plots: Plots, *names: str) -> list[Block]:
    """Return the figures of those plots that there are."""
    return [Figure(plots[name]) for name in names if name in plots]


def _summary(facts: Facts) -> list[Block]:
    evaluation = facts["evaluation"]
    if evaluation is None:
        return []
    tiles = [
        Tile(
            metric["label"], Value(at("evaluation", "metrics", n, "views", 0), metric["form"], True)
        )
        for n, metric in enumerate(evaluation["metrics"])
        if metric["name"] in SUMMARY
    ]
    tiles.sort(key=lambda tile: tile.label)
    if evaluation["impact"]["amount_caught_share"] is not None:
        share = Value(at("evaluation", "impact", "amount_caught_share"), "percent")
        tiles.append(Tile("Fraud amount caught", share))
    note = (
        "On ",
        Value(at("evaluation", "rows"), "count"),
        f" {evaluation['part']} rows, ",
        Value(at("evaluation", "frauds"), "count"),
        " of them fraud, as common as the table has it; with bootstrap 95 % intervals.",
    )
    return [Tiles(tiles), Text(note, is_quiet=True)]


def _data(facts: Facts) -> list[Block]:
    data = facts["data"]
    tiles = [Tile("Transactions", Value(at("data", "rows"), "count"))]
    if data["frauds"] is not None:
        tiles.append(Tile("Frauds", Value(at("data", "frauds"), "count"), "fraud"))
        tiles.append(Tile("Legitimate to fraud", Value(at("data", "imbalance_ratio"), "ratio")))
    kinds: list[str | Value] = ["Features ("]
    for kind in data["kinds"]:
        comma = ", " if len(kinds) > 1 else ""
        kinds += [comma, Value(at("data", "kinds", kind), "count"), f" {kind}"]
    tiles.append(Tile([*kinds, ")"], Value(at("model", "n_features"), "count")))
    missing: tuple[str | Value, ...] = (" No value is missing.",)
    if data["missing_share"]:
        missing = (
            " ",
            Value(at("data", "missing_share"), "percent"),
            " of all values are missing.",
        )
    parts = Table(
        "How the rows were used",
        [Column("Part"), Column("Use", is_words=True), Column("Rows"), Column("Frauds")],
        [
            [
                part["name"],
                part["use"],
                Value(at("data", "parts", n, "rows"), "count"),
                Value(at("data", "parts", n, "frauds"), "count"),
            ]
            for n, part in enumerate(data["parts"])
        ],
        note=(f"Divided {data['split']}.", *missing),
    )
    source = f"Source: {data['source']}."
    if data["attribution"]:
        source += f" Attribution: {data['attribution']}"
    return [
        Text(facts["readings"]["data"]),
        Tiles(tiles),
        parts,
        *([Bullets(data["notes"])] if data["notes"] else []),
        Text(source, is_quiet=True),
    ]


def _learning(facts: Facts, plots: Plots) -> list[Block]:
    if facts["learning"] is None:
        return []
    model = facts["model"]
    network = (
        Value(at("model", "members"), "count"),
        f" network{'s' if model['members'] != 1 else ''} of layers ",
        Code("-".join(map(str, model["layers"]))),
        ", ",
        Value(at("model", "n_parameters"), "count"),
        f" parameters in all; recipe “{model['recipe']}”.",
    )
    return [Text(network), *_drawn(plots, "learning_loss", "learning_quality")]


def _quality(facts: Facts, plots: Plots) -> list[Block]:
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
            *(_metric(n, view, metric["form"]) for view in range(len(metric["views"]))),
        ]
        for n, metric in enumerate(evaluation["metrics"])
    ]
    caption = f"Metrics on the {evaluation['part']} rows"
    curves = _drawn(plots, "precision_recall", "roc")
    return [*(curves or [Text(NO_CURVES)]), Table(caption, columns, rows)]


def _decisions(facts: Facts) -> list[Block]:
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
    return [Text(facts["readings"]["policy"]), confusion, _impact(facts)]


def _metric(number: int, view: int, form: str) -> Value:
    return Value(at("evaluation", "metrics", number, "views", view), form, has_interval=True)


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


def _scores(facts: Facts, plots: Plots) -> list[Block]:
    if facts["evaluation"] is None:
        return []
    blocks = _drawn(plots, "calibration", "scores")
    if not facts["score_table"]:
        return blocks
    figures = [
        ("score", "Score, from", "count"),
        ("false_positive_rate", "False-positive rate", "percent"),
        ("recall", "Recall", "percent"),
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
        reading="score_table",
    )
    return [*blocks, table]


def _anomalies(facts: Facts, plots: Plots) -> list[Block]:
    anomaly = facts["anomaly"]
    if anomaly is None:
        return []
    of_whom = "legitimate " if facts["data"]["frauds"] is not None else ""
    blocks: list[Block] = [
        Text(
            f"An autoencoder learned to reproduce {of_whom}transactions; what it reproduces badly "
            "is unusual."
        ),
        *_drawn(plots, "autoencoder_errors", "autoencoder_loss"),
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
        blocks.append(Table(caption, [Column("Metric"), Column("As the table has it")], rows))
    return blocks


def _reproducibility(facts: Facts) -> list[Block]:
    proof = facts["reproducibility"]
    named = [
        ("Seed", Value(at("reproducibility", "seed"), "count")),
        ("Version", Code(proof["version"])),
        ("Artifact, SHA-256", Code(proof["artifact_sha256"])),
        ("Data, SHA-256", Code(proof["data_sha256"])),
        *((library, Code(version)) for library, version in proof["library_versions"].items()),
    ]
    columns = [Column("What"), Column("Value", is_words=True)]
    return [
        Text(
            "The same data, configuration and seed on the same machine give the same artifact, "
            "byte for byte."
        ),
        Table("What identifies this run", columns, named),
        Table("Configuration", [Column("Key"), columns[1]], _keys(proof), is_folded=True),
    ]


def _keys(proof: Facts) -> list[list[Code | Value]]:
    """Return every key of the configuration with its value, sections flattened."""
    place = ("reproducibility", "configuration")
    rows: list[list[Code | Value]] = []
    for section, found in proof["configuration"].items():
        if not isinstance(found, dict):
            rows.append([Code(section), Value(at(*place, section), "json")])
            continue
        for key in found:
            rows.append([Code(f"{section}.{key}"), Value(at(*place, section, key), "json")])
    return rows
