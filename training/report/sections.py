"""The training report as a page: what stands where."""

from __future__ import annotations

from training.report.evaluation_sections import (
    Plots,
    decisions,
    drawn,
    metric_value,
    quality,
    scores,
)
from training.report.feature_sections import anomalies, champion, reasons
from training.report.formats import SPACE
from training.report.page import (
    Block,
    Bullets,
    Cell,
    Code,
    Column,
    Facts,
    Page,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
    Value,
    at,
)

SUMMARY = ("recall_at_0.1%_false_positives", "average_precision", "roc_auc")


def training_page(facts: Facts, plots: Plots) -> Page:
    """Return the page of a training report."""
    parts = [
        ("Data", _data(facts)),
        ("Learning", _learning(facts, plots)),
        ("Quality", quality(facts, plots)),
        ("Decisions", decisions(facts, plots)),
        ("Scores", scores(facts, plots)),
        ("Reasons", reasons(facts, plots)),
        ("Anomalies", anomalies(facts, plots)),
        ("Champion", champion(facts)),
        ("Reproducibility", _reproducibility(facts)),
    ]
    return Page(
        "Training report",
        facts["model"]["name"],
        facts,
        [Section(title, blocks) for title, blocks in parts if blocks],
        version=facts["model"]["version"],
        summary=[*_summary(facts), *_made(facts)],
    )


def _summary(facts: Facts) -> list[Block]:
    evaluation = facts["evaluation"]
    if evaluation is None:
        return _anomaly_summary(facts["anomaly"])
    places = {metric["name"]: n for n, metric in enumerate(evaluation["metrics"])}
    chosen = [(places[name], evaluation["metrics"][places[name]]) for name in SUMMARY]
    tiles = [Tile(metric["label"], metric_value(n, 0, metric["form"])) for n, metric in chosen]
    if evaluation["impact"]["amount_caught_share"] is not None:
        share = Value(at("evaluation", "impact", "amount_caught_share"), "percent")
        tiles.append(Tile("Fraud amount caught", share))
    note = (
        "On ",
        Value(at("evaluation", "rows"), "count"),
        f" {evaluation['part']} rows, ",
        Value(at("evaluation", "frauds"), "count"),
        " of them fraud, as common as the table has it; with 95 % intervals.",
    )
    return [Tiles(tiles), Text(note, is_quiet=True)]


def _made(facts: Facts) -> list[Block]:
    """Return when the report was made, by what, and what became of the model."""
    proof, words = facts["reproducibility"], list[Block]()
    if facts["verdict"] is not None:
        words.append(Text(facts["verdict"]["sentence"]))
    if proof["made_at"] is not None:
        made: list[str | Value | Code] = [
            "Made ",
            Value(at("reproducibility", "made_at"), "moment"),
        ]
        if proof["command"] is not None:
            made += [" by ", Code(proof["command"])]
        words.append(Text([*made, "."], is_quiet=True))
    return words


def _anomaly_summary(anomaly: Facts) -> list[Block]:
    tiles = [
        Tile(
            f"Called anomalies: {group['name']}",
            Value(at("anomaly", "groups", n, "above"), "percent"),
        )
        for n, group in enumerate(anomaly["groups"])
    ]
    if anomaly["metrics"]:
        tiles.insert(0, Tile("ROC-AUC", Value(at("anomaly", "metrics", "roc_auc"))))
    note = (
        "On ",
        Value(at("anomaly", "rows"), "count"),
        f" {anomaly['part']} rows that the autoencoder did not learn from.",
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
    model, blocks = facts["model"], list[Block]()
    if facts["learning"] is not None:
        network = (
            Value(at("model", "members"), "count"),
            f" network{'s' if model['members'] != 1 else ''} of layers ",
            Code("-".join(map(str, model["layers"]))),
            ", ",
            Value(at("model", "n_parameters"), "count"),
            f" parameters in all; recipe “{model['recipe']}”.",
        )
        blocks.append(Text(network))
    columns = ("Layer", "Units", "Gradient norm", "Active for", "Never active")
    health = Table(
        "Units and gradients by layer",
        [Column(title) for title in columns],
        [
            [
                Cell(
                    (f"{layer['network']}{SPACE}", Value(at("health", n, "layer"), "count")),
                    under=layer["activation"],
                ),
                Value(at("health", n, "units"), "count"),
                Value(at("health", n, "gradient_norm")),
                Value(at("health", n, "active"), "percent"),
                Value(at("health", n, "dead"), "percent"),
            ]
            for n, layer in enumerate(facts["health"])
        ],
        note=(
            "Of the trained networks, on a sample of training rows. A rectifier that is active "
            "for no row is dead; other units cannot be."
        ),
        is_half=True,
    )
    return [*blocks, *drawn(plots, "learning_loss", "learning_quality", "gradients"), health]


def _reproducibility(facts: Facts) -> list[Block]:
    proof = facts["reproducibility"]
    named = [
        ("Seed", Value(at("reproducibility", "seed"), "count")),
        ("Version", Code(proof["version"])),
        ("Artifact, SHA-256", Code(proof["artifact_sha256"])),
        ("Data, SHA-256", Code(proof["data_sha256"])),
        *((library, Code(version)) for library, version in proof["versions"].items()),
    ]
    if proof["command"] is not None:
        named.insert(0, ("Command", Code(proof["command"])))
    if proof["made_at"] is not None:
        named.insert(0, ("Made", Value(at("reproducibility", "made_at"), "moment")))
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
