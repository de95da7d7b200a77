"""The model card: JSON beside the artifact, Markdown beside the report."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model.artifact import Artifact
from model.card import describe
from model.files import write_atomically
from training.report.formats import count, formatted, percent

Facts = dict[str, Any]


def write_card(artifact: Artifact, directory: Path, trained_at: datetime | None = None) -> Path:
    """Write what ``GET /model`` says of an artifact, and when it was trained.

    The time is here and not in the artifact: the same run must give the same artifact.

    Parameters
    ----------
    artifact : Artifact
    directory : Path
        Where the artifact is; the card becomes ``<version>.json`` beside it.
    trained_at : datetime, optional
        Now, if omitted.

    Returns
    -------
    Path
    """
    moment = trained_at or datetime.now(UTC)
    card = {**describe(artifact), "trained_at": moment.isoformat(timespec="seconds")}
    path = directory / f"{artifact.version}.json"
    text = json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(path, f"{text}\n".encode())
    return path


def trained_at(artifact: Artifact) -> datetime | None:
    """Return when an artifact was trained, as its card says; None where no card says it."""
    try:
        card = json.loads(artifact.path.with_suffix(".json").read_text(encoding="utf-8"))
        return datetime.fromisoformat(card["trained_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def markdown_card(facts: Facts) -> str:
    """Return the model card in Markdown: use, data, limits, metrics with intervals.

    Parameters
    ----------
    facts : dict
        Of the report, with ``readings``, ``remarks`` and ``headline``.
    """
    model = facts["model"]
    sections = [
        f"# Model card: {_escaped(model['name'])} {model['version']}\n\n{facts['headline']}",
        _use(facts),
        _data(facts),
        _evaluation(facts),
        _anomaly(facts),
        "## Limits\n\n" + "\n".join(f"- {remark}" for remark in [*facts["remarks"], *LIMITS]),
        _reproducibility(facts["reproducibility"]),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


LIMITS = (
    "Scores are meant for transactions like those it was trained on; values and categories never "
    "seen in training are scored, counted and shown, not refused.",
    "The model finds patterns, not intentions: a person should be able to review what it blocks.",
)


def _use(facts: Facts) -> str:
    model, lines = facts["model"], ["## Use", ""]
    if "fraud" in model["tasks"]:
        layers = "-".join(map(str, model["layers"]))
        lines += [
            f"Scores single transactions for fraud on {count(model['n_features'])} features: a "
            "probability, a score from 0 to 1000 and a decision (approve, review, block). "
            f"Neural networks: {count(model['members'])} of layers {layers}, "
            f"{count(model['n_parameters'])} parameters in all.",
            "",
            facts["readings"]["policy"],
            "",
        ]
    if "anomaly" in model["tasks"]:
        lines += [
            "Scores how unusual a transaction is with an autoencoder that learned from legitimate "
            f"transactions only ({count(model['autoencoder_parameters'])} parameters).",
        ]
    return "\n".join(lines).rstrip()


def _data(facts: Facts) -> str:
    data = facts["data"]
    rows = [
        [part["name"], part["use"], count(part["rows"]), formatted(part["frauds"], "count")]
        for part in data["parts"]
    ]
    lines = [
        "## Data",
        "",
        f"{_escaped(data['source'])}: {facts['readings']['data']} Divided {data['split']}.",
        "",
        _table(["part", "use", "rows", "frauds"], rows),
    ]
    lines += ["", *(f"- {_escaped(note)}" for note in data["notes"])] if data["notes"] else []
    lines += ["", f"Attribution: {_escaped(data['attribution'])}"] if data["attribution"] else []
    return "\n".join(lines)


def _evaluation(facts: Facts) -> str:
    evaluation = facts["evaluation"]
    if evaluation is None:
        return ""
    views = [
        f"{view['label']} ({percent(view['prevalence'])} fraud)" for view in evaluation["views"]
    ]
    rows = [
        [metric["label"], *(_with_interval(view, metric["form"]) for view in metric["views"])]
        for metric in evaluation["metrics"]
    ]
    impact = evaluation["impact"]
    impact_rows = [
        [row["label"], *(formatted(value, row["form"]) for value in row["values"])]
        for row in impact["rows"]
    ]
    return "\n".join(
        [
            f"## Metrics on {count(evaluation['rows'])} {evaluation['part']} rows",
            "",
            "With bootstrap 95 % intervals.",
            "",
            _table(["metric", *views], rows),
            "",
            facts["readings"]["decisions"],
            "",
            "## Business impact",
            "",
            _table(["", *impact["views"]], impact_rows),
            "",
            facts["readings"]["impact"],
        ]
    )


def _with_interval(figure: Facts, form: str) -> str:
    if figure["value"] is None:
        return "not defined"
    value, low, high = (formatted(figure[key], form) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _anomaly(facts: Facts) -> str:
    if facts["anomaly"] is None:
        return ""
    return f"## Anomalies\n\n{facts['readings']['autoencoder_errors']}"


def _reproducibility(facts: Facts) -> str:
    configuration = json.dumps(facts["configuration"], indent=2, ensure_ascii=False)
    rows = [
        ["seed", str(facts["seed"])],
        ["version", facts["version"]],
        ["artifact SHA-256", facts["artifact_sha256"]],
        ["data SHA-256", facts["data_sha256"]],
        *([name, version] for name, version in facts["library_versions"].items()),
    ]
    table = _table(["", ""], rows)
    return f"## Reproducibility\n\n{table}\n\n```json\n{configuration}\n```"


def _table(titles: list[str], rows: list[list[str]]) -> str:
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escaped(text: str) -> str:
    """Return foreign text such that Markdown shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", " ".join(text.split()))
