"""One training run, from a table to a verified artifact: read this first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from model.artifact import Artifact, save
from model.golden import golden_rows
from model.scorer import FraudPart
from training.classifier import Classifier
from training.config import RunConfig
from training.data import Table, from_frame, load
from training.evaluate import Evaluation, base_rate_weights, evaluate
from training.facts import anomaly_figures, anomaly_reviews, training_facts
from training.fit import History
from training.fitting import fit_scorer, n_members, streams_of
from training.judged import Judged, judged
from training.listener import Listener
from training.memory import Memory
from training.simulate import COLUMNS, simulate
from training.split import Split, split
from training.thresholds import score_table

SIMULATED = "simulated transactions"
N_SIMULATED = 120_000


@dataclass(frozen=True)
class Run:
    """What a run leaves behind.

    Attributes
    ----------
    config : RunConfig
    table, parts : Table, Split
    artifact : Artifact
        As loaded back from its file.
    evaluation : Evaluation or None
        On the test rows, or on the calibration rows where there are none.
    judged : Judged or None
        What it said of those rows.
    history, anomaly_history : History or None
    classifier : Classifier or None
        What it said of rows that it had not learned from.
    """

    config: RunConfig
    table: Table
    parts: Split
    artifact: Artifact
    evaluation: Evaluation | None
    judged: Judged | None
    history: History | None
    anomaly_history: History | None
    classifier: Classifier | None

    @property
    def evaluated_part(self) -> str:
        """The part of the rows that it was evaluated on: "test", "validation" or "none"."""
        return "none" if self.judged is None else self.judged.part


# With more threads, sums are rounded by how many cores there are, and the bytes would differ.
@threadpool_limits.wrap(limits=1)
def run(config: RunConfig, listener: Listener | None = None) -> Run:
    """Train, calibrate, evaluate and save one model.

    Parameters
    ----------
    config : RunConfig
    listener : Listener, optional
        Told what happens as it happens.

    Raises
    ------
    TrainingError
        If the table cannot be trained on, or the run diverges.
    ConfigurationError
        If what was asked for cannot work.
    """
    listener = listener or Listener()
    streams = streams_of(config.seed)
    memory = Memory.of(config.memory)
    memory.refuse()
    table = read_table(config, memory, streams["simulate"])
    listener.on_table(table)
    parts = split(
        table,
        config.split,
        n_members(config),
        streams["split"],
        needs_both_classes=config.task != "anomaly",
    )
    listener.on_split(table, parts)
    fitted = fit_scorer(config, table, parts, memory, streams, listener)
    table, scorer, classifier = fitted.table, fitted.scorer, fitted.classifier
    fraud = scorer.fraud
    seen, evaluation, part = None, None, "none"
    if fraud is not None and classifier is not None:
        seen = judged(scorer, fraud, classifier, table, parts)
        part, rng = seen.part, streams["bootstrap"]
        evaluation = evaluate(
            seen.y, seen.probability, seen.decision, seen.at_stake, config.base_rate, rng
        )
    told = config
    if memory.shuffles_whole(len(parts.train), scorer.preprocessor.n_encoded):
        told = replace(config, memory=None)  # it has shaped nothing
    facts = training_facts(told, table, parts, evaluation, part)
    if fraud is not None and classifier is not None:
        facts["score_table"] = _score_table(fraud, classifier, table, config.base_rate)
        if fraud.policy.anomaly_review is not None:
            facts["anomaly_reviews"] = anomaly_reviews(
                scorer, fraud, table, parts, classifier, config.base_rate
            )
    if fitted.transactions_per_day is not None:
        facts["transactions_per_day"] = fitted.transactions_per_day
    if scorer.anomalies is not None and len(np.unique(table.classes[parts.test])) == 2:
        facts["anomaly_metrics"] = anomaly_figures(scorer, table, parts.test, config.base_rate)
    rows = golden_rows(scorer.spec, streams["golden"])
    artifact = save(Path(config.output) / config.model_name, scorer, rows, facts)
    history = classifier.history if classifier is not None else None
    return Run(
        config,
        table,
        parts,
        artifact,
        evaluation,
        seen,
        history,
        fitted.anomaly_history,
        classifier,
    )


def read_table(config: RunConfig, memory: Memory, rng: np.random.Generator) -> Table:
    """Return the table of a run: read from its file, or simulated where none is given."""
    needs_label = config.task != "anomaly"
    if config.data.path is not None:
        return load(config.data, memory, needs_label=needs_label)
    units = {name: column.unit for name, column in COLUMNS.items() if column.kind == "numeric"}
    data = replace(config.data, units={**units, **config.data.units})
    return from_frame(simulate(N_SIMULATED, rng), data, SIMULATED, memory)


def _score_table(
    fraud: FraudPart, classifier: Classifier, table: Table, base_rate: float | None
) -> list[dict[str, Any]]:
    y = table.classes[classifier.calibration_rows]
    weights = base_rate_weights(y, base_rate)
    return score_table(fraud.scale, classifier.calibration_logits, y, weights)
