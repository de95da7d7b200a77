"""The model card of a run: for what it is, by what data, with which limits and how good.

One dict of JSON types, and the same in Markdown for people; both lie beside the report.
"""

from __future__ import annotations

import json
import re
from typing import Any

from training.report.formats import count, formatted, moment, percent

Facts = dict[str, Any]

LIMITS = (
    "Scores are meant for transactions like those it was trained on; values and categories never "
    "seen in training are scored, counted and shown, not refused.",
    "The model finds patterns, not intentions: a person should be able to review what it blocks.",
    "It judges single transactions by what they say of themselves; it was not made to judge "
    "persons, to grant credit or to be the only ground of a decision about somebody.",
)


def model_card(facts: Facts) -> Facts:
    """Return the card of a run as JSON types.

    Parameters
    ----------
    facts : dict
        Of the report, with ``readings``, ``remarks`` and ``headline``.
    """
    evaluation, readings = facts["evaluation"], facts["readings"]
    verdict = "" if facts["verdict"] is None else facts["verdict"]["sentence"]
    shared = ("source", "attribution", "rows", "frauds", "split", "parts", "notes")
    card = {
        "name": facts["model"]["name"],
        "version": facts["model"]["version"],
        "summary": facts["headline"],
        "use": _use(facts),
        "data": {"summary": readings["data"], **{key: facts["data"][key] for key in shared}},
        "metrics": None,
        "alerts": None,
        "anomalies": readings.get("autoencoder_errors"),
        "champion": " ".join(filter(None, [verdict, readings.get("champion")])) or None,
        "findings": facts["findings"],
        "limits": [*facts["remarks"], *LIMITS],
        "reproducibility": facts["reproducibility"],
    }
    if evaluation is not None:
        keys = ("part", "rows", "frauds", "views", "metrics", "impact")
        card["metrics"] = {key: evaluation[key] for key in keys}
        card["metrics"]["summary"] = [readings["decisions"], readings["impact"]]
        if evaluation["alerts"] is not None:
            known = evaluation["alerts"]
            card["alerts"] = {
                "summary": readings["alerts"],
                "per": "day" if known["is_daily"] else "10,000 transactions",
                "transactions": known["transactions"],
                **known["policy"],
                "needed": known["needed"],
            }
    return card


def _use(facts: Facts) -> list[str]:
    """Return what the model is for, and how it decides."""
    model, found = facts["model"], []
    if "fraud" in model["tasks"]:
        layers = "-".join(map(str, model["layers"]))
        found += [
            f"Scores single transactions for fraud on {count(model['n_features'])} features: a "
            "probability, a score from 0 to 1000 and a decision (approve, review, block). "
            f"Neural networks: {count(model['members'])} of layers {layers}, "
            f"{count(model['n_parameters'])} parameters in all.",
            facts["readings"]["policy"],
        ]
    if "anomaly" in model["tasks"]:
        of_whom = "legitimate transactions only" if facts["anomaly"]["is_labelled"] else "them"
        found.append(
            "Scores how unusual a transaction is with an autoencoder that learned from "
            f"{of_whom} ({count(model['autoencoder_parameters'])} parameters)."
        )
    return found


def markdown_card(card: Facts) -> str:
    """Return a card in Markdown."""
    sections = [
        f"# Model card: {_escaped(card['name'])} {card['version']}\n\n{card['summary']}",
        "\n\n".join(["## Use", *card["use"]]),
        _data(card["data"]),
        _metrics(card["metrics"]),
        _alerts(card["alerts"], card["reproducibility"]["configuration"]["policy"]),
        _sentence("## Anomalies", card["anomalies"]),
        _sentence("## Champion", card["champion"]),
        "## Limits\n\n" + "\n".join(f"- {limit}" for limit in card["limits"]),
        _reproducibility(card["reproducibility"]),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _sentence(title: str, text: str | None) -> str:
    return f"{title}\n\n{_escaped(text)}" if text else ""


def _data(data: Facts) -> str:
    rows = [
        [part["name"], part["use"], count(part["rows"]), formatted(part["frauds"], "count")]
        for part in data["parts"]
    ]
    lines = [
        "## Data",
        "",
        f"{_escaped(data['source'])}: {data['summary']} Divided {data['split']}.",
        "",
        _table(["part", "use", "rows", "frauds"], rows),
    ]
    lines += ["", *(f"- {_escaped(note)}" for note in data["notes"])] if data["notes"] else []
    lines += ["", f"Attribution: {_escaped(data['attribution'])}"] if data["attribution"] else []
    return "\n".join(lines)


def _metrics(metrics: Facts | None) -> str:
    if metrics is None:
        return ""
    views = [f"{view['label']} ({percent(view['prevalence'])} fraud)" for view in metrics["views"]]
    rows = [
        [metric["label"], *(_with_interval(view, metric["form"]) for view in metric["views"])]
        for metric in metrics["metrics"]
    ]
    impact = metrics["impact"]
    impact_rows = [
        [row["label"], *(formatted(value, row["form"]) for value in row["values"])]
        for row in impact["rows"]
    ]
    decided, stopped = metrics["summary"]
    return "\n".join(
        [
            f"## Metrics on {count(metrics['rows'])} {metrics['part']} rows",
            "",
            "With 95 % intervals.",
            "",
            _table(["metric", *views], rows),
            "",
            decided,
            "",
            "## Business impact",
            "",
            _table(["", *impact["views"]], impact_rows),
            "",
            stopped,
        ]
    )


def _with_interval(figure: Facts, form: str) -> str:
    if figure["value"] is None:
        return "not defined"
    value, low, high = (formatted(figure[key], form) for key in ("value", "low", "high"))
    return value if figure["low"] is None else f"{value} ({low} to {high})"


def _alerts(alerts: Facts | None, policy: Facts) -> str:
    if alerts is None:
        return ""
    rows = [[percent(point["recall"]), count(point["alerts"])] for point in alerts["needed"]]
    table = _table(["fraud to be found", f"alerts per {alerts['per']}"], rows)
    traffic = ""
    if alerts["per"] == "day":
        known = f"{count(round(alerts['transactions']))} transactions"
        is_stated = policy.get("transactions_per_day") is not None
        whence = "as was stated" if is_stated else "counted in the table"
        traffic = f" A day brings {known}, {whence}."
    return f"## Alerts\n\n{alerts['summary']}{traffic}\n\n{table}"


def _reproducibility(facts: Facts) -> str:
    configuration = json.dumps(facts["configuration"], indent=2, ensure_ascii=False)
    rows = [
        ["seed", str(facts["seed"])],
        *([["made", moment(facts["made_at"])]] if facts["made_at"] else []),
        ["version", facts["version"]],
        ["artifact SHA-256", facts["artifact_sha256"]],
        ["data SHA-256", facts["data_sha256"]],
        *([name, version] for name, version in facts["versions"].items()),
    ]
    command = f"\n\n```sh\n{facts['command']}\n```" if facts["command"] else ""
    return (
        f"## Reproducibility\n\n{_table(['', ''], rows)}{command}\n\n```json\n{configuration}\n```"
    )


def _table(titles: list[str], rows: list[list[str]]) -> str:
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escaped(text: str) -> str:
    """Return foreign text such that Markdown shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", " ".join(text.split()))
