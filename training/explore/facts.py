"""Everything that an exploration tells, as JSON types: the page only shows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.categories import MOST_CATEGORIES
from training.config import RunConfig
from training.explore.advice import advice
from training.explore.classes import amount_facts, change_facts, class_facts, time_facts
from training.explore.columns import column_facts
from training.explore.correlations import MOST_ROWS, clocks, correlation_facts
from training.explore.drift import CHANCE, MAJOR, MODERATE
from training.explore.feature_plots import feature_readings
from training.explore.reading import OnRows, unwatched
from training.explore.readings import headline, readings, remarks
from training.explore.recommendation import command_of, followed
from training.explore.survey import Survey
from training.explore.suspects import ALONE, MANY, suspects
from training.explore.trial import tried

Facts = dict[str, Any]

FLOAT_BYTES, ENCODED_BYTES = 8, 4


def exploration_facts(
    survey: Survey, config: RunConfig, file: str | None = None, on_rows: OnRows = unwatched
) -> Facts:
    """Return the facts of a table, with a training command that was tried.

    Parameters
    ----------
    survey : Survey
    config : RunConfig
        That the table was explored with: the advice builds on it.
    file : str, optional
        The file that the configuration was read from.
    on_rows : callable
        Told of progress.
    """
    classes = class_facts(survey)
    has_classes = classes is not None and classes["legitimate"] > 0 and classes["fraud"] > 0
    features = [column.name for column in survey.layout.features]
    running = clocks(survey)
    apart = (survey.layout.time, *running)  # that these change with time is no drift
    columns = column_facts(survey, has_classes, [name for name in features if name not in apart])
    ranked = ranking(
        [c for c in columns if c["name"] in features and c["name"] != survey.layout.time]
    )
    facts: Facts = {
        "limits": {
            "moderate": MODERATE,
            "major": MAJOR,
            "chance": CHANCE,
            "correlated_rows": MOST_ROWS,
            "alone": ALONE,
            "many": MANY,
        },
        "name": config.model_name,
        "data": _data(survey, columns, config),
        "sample": _sample(survey),
        "classes": classes,
        "label_refusal": survey.layout.label_refusal,
        "label_values": list(survey.layout.label_values),
        "parts": sorted(survey.layout.parts),
        "has_classes": has_classes,
        "columns": columns,
        "ranking": ranked,
        "repeats": _repeats(survey),
        "time": time_facts(survey, has_classes),
        "change": change_facts(survey) if has_classes else None,
        "amount": amount_facts(survey, has_classes),
        "correlations": correlation_facts(survey, _numeric(columns, ranked)),
        "clocks": running,
        "suspects": suspects(columns, survey.tally.columns, classes) if has_classes else [],
        "drifting": _drifting(columns),
    }
    facts["n_suspects"], facts["n_drifting"] = len(facts["suspects"]), len(facts["drifting"])
    facts |= _to_do(survey, facts, config, file, on_rows)
    facts["headline"] = headline(facts)
    facts["remarks"] = remarks(facts)
    facts["readings"] = readings(facts) | feature_readings(facts)
    return facts


def _to_do(
    survey: Survey, facts: Facts, config: RunConfig, file: str | None, on_rows: OnRows
) -> Facts:
    """Return the advice, and the command that follows it, or why none can be run."""
    pieces = advice(facts, config)
    run = followed(config, pieces)
    trial = tried(survey.source, survey.known, run, survey.layout.parts, on_rows)
    return {
        "advice": [
            {"topic": own.topic, "text": own.text, "option": own.option}
            for own in (*trial.more, *pieces)
        ],
        "command": None if trial.refusal is not None else command_of(trial.config, file),
        "refusal": trial.refusal,
    }


def ranking(columns: Sequence[Facts]) -> list[str]:
    """Return the names of columns, those that tell the classes apart best first."""

    def strength(column: Facts) -> float:
        effect = column["effect"]
        return -1.0 if effect is None or effect["alone"] is None else effect["alone"]

    return [column["name"] for column in sorted(columns, key=strength, reverse=True)]


def _data(survey: Survey, columns: Sequence[Facts], config: RunConfig) -> Facts:
    layout = survey.layout
    kinds = [column.kind for column in layout.columns]
    n_missing = sum(column.n_missing for column in layout.columns)
    return {
        "source": Path(layout.source).name,
        "rows": layout.n_rows,
        "columns": len(layout.columns),
        "features": len(layout.features),
        "kinds": {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
        "label": layout.label,
        "time": layout.time,
        "amount": layout.amount,
        "id": layout.id,
        "file_bytes": survey.n_bytes,
        "cell_bytes": FLOAT_BYTES * layout.n_rows * len(layout.columns),
        "encoded_bytes": ENCODED_BYTES * layout.n_rows * _encoded(survey, config),
        "missing": n_missing,
        "missing_share": n_missing / (layout.n_rows * len(layout.columns)),
        "columns_with_missing": sum(column.n_missing > 0 for column in layout.columns),
        "constant": [column["name"] for column in columns if column["is_constant"]],
        "empty": [column.name for column in layout.columns if column.kind == "empty"],
        "left_out": {c.name: c.note for c in layout.columns if c.kind == "other"},
    }


def _encoded(survey: Survey, config: RunConfig) -> int:
    """Return about how many columns the networks would read."""
    n_bins = config.network.n_bins
    widths = {"numeric": 1 + n_bins, "datetime": 5 + n_bins, "boolean": 1}
    return sum(
        widths[column.kind]
        if column.kind in widths
        else 1 + min(len(column.categories), MOST_CATEGORIES)
        for column in survey.layout.features
    )


def _sample(survey: Survey) -> Facts:
    samples = survey.samples
    return {
        "rows": len(samples.rows),
        "is_whole": samples.is_whole,
        "frauds": None if samples.frauds is None else len(samples.frauds),
        "has_all_frauds": samples.has_all_frauds,
        "seed": survey.seed,
    }


def _repeats(survey: Survey) -> Facts:
    repeats = survey.tally.repeats
    whole, content = repeats.whole.found(), repeats.content.found()
    n_repeated = whole.n_repeated if repeats.has_columns else 0
    return {
        "rows": n_repeated,
        "frauds": whole.n_frauds if n_repeated else 0,
        "share": n_repeated / survey.layout.n_rows,
        "alike": content.n_repeated if survey.layout.features else None,
        "contradictory": content.n_contradictory if survey.layout.features else None,
        "compared_share": whole.share,
    }


def _numeric(columns: Sequence[Facts], ranked: Sequence[str]) -> list[str]:
    kinds = {column["name"]: column["kind"] for column in columns}
    return [name for name in ranked if kinds[name] in ("numeric", "datetime", "boolean")]


def _drifting(columns: Sequence[Facts]) -> list[str]:
    """Return the columns that change between first and last fifth, those most changed first."""
    found = [c for c in columns if c["drift"] is not None and c["drift"]["verdict"] != "stable"]
    return [c["name"] for c in sorted(found, key=lambda column: -column["drift"]["psi"])]
