"""One training run, from a table to a verified artifact: read this first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.artifact import Artifact, save
from model.calibration import Calibration
from model.decision import ScoreScale
from model.golden import golden_rows
from model.preprocessing import Preprocessor
from model.scorer import FraudPart, Scorer
from training import chunks
from training.anomaly import train_autoencoder
from training.chunks import RowsOf, chunks_of
from training.classifier import Classifier, build_mlp, train_classifier
from training.config import RunConfig
from training.data import Table, from_frame, load, with_categories_of
from training.diagnostics import SAMPLE_ROWS, warnings_of
from training.evaluate import Evaluation, base_rate_weights, evaluate
from training.facts import anomaly_figures, training_facts
from training.fit import History
from training.listener import Listener
from training.memory import Memory
from training.scratch import MappedMatrix
from training.simulate import COLUMNS, simulate
from training.split import Split, split
from training.thresholds import choose_policy, score_table

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
    evaluated_part : str
        Which of the two.
    history, anomaly_history : History or None
    classifier : Classifier or None
        What it said of rows that it had not learned from.
    """

    config: RunConfig
    table: Table
    parts: Split
    artifact: Artifact
    evaluation: Evaluation | None
    evaluated_part: str
    history: History | None
    anomaly_history: History | None
    classifier: Classifier | None


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
    streams = dict(
        zip(STREAMS, np.random.default_rng(config.seed).spawn(len(STREAMS)), strict=True)
    )
    memory = Memory.of(config.memory)
    memory.refuse()
    table = read_table(config, memory, streams["simulate"])
    listener.on_table(table)
    labels = np.zeros(len(table), np.int64) if table.labels is None else table.labels
    parts = split(
        table,
        config.split,
        _n_members(config),
        streams["split"],
        needs_both_classes=config.task != "anomaly",
    )
    listener.on_split(table, parts)
    table = with_categories_of(table, parts.train)

    train = RowsOf(table.matrix, parts.train)
    is_legitimate = labels == 0
    spec = table.spec.measured(train, is_legitimate[parts.train])
    preprocessor = Preprocessor.fit(
        spec,
        train,
        labels=labels[parts.train] if config.task != "anomaly" else None,
        scaling=config.network.scaling,
        n_bins=config.network.n_bins if config.task != "anomaly" else 0,
    )

    def encode(rows: NDArray[np.intp], *, bins: bool = True) -> NDArray[Any] | MappedMatrix:
        """Encode rows of the table, a chunk at a time, to where memory allows."""
        n_columns = preprocessor.n_encoded if bins else preprocessor.n_base
        X = memory.matrix((len(rows), n_columns), np.float32)
        for chunk in chunks_of(len(rows), n_columns):
            X[chunk] = preprocessor.transform(table.matrix[rows[chunk]], bins=bins)
        return X

    fraud, classifier = None, None
    if config.task != "anomaly":
        fraud, classifier = _fraud_part(
            config, encode, parts, preprocessor, labels, streams, listener
        )
    anomalies, anomaly_history = None, None
    if config.task != "fraud":
        listener.on_autoencoder(config.autoencoder)
        anomalies, anomaly_history = train_autoencoder(
            partial(encode, bins=False),
            is_legitimate,
            parts,
            config.autoencoder,
            streams["autoencoder"],
            listener.on_epoch,
        )
    scorer = Scorer(config.model_name, spec, preprocessor, fraud, anomalies)
    evaluation, part = _evaluation(config, table, parts, scorer, classifier, streams["bootstrap"])
    told = config
    if memory.shuffles_whole(len(parts.train), preprocessor.n_encoded):
        told = replace(config, memory=None)  # it has shaped nothing
    facts = training_facts(told, table, parts, evaluation, part)
    if fraud is not None and classifier is not None:
        facts["score_table"] = _score_table(fraud, classifier, labels, config.base_rate)
    if anomalies is not None and len(np.unique(labels[parts.test])) == 2:
        facts["anomaly_metrics"] = anomaly_figures(scorer, table, parts.test, config.base_rate)
    rows = golden_rows(spec, streams["golden"])
    artifact = save(Path(config.output) / config.model_name, scorer, rows, facts)
    listener.on_artifact(artifact, evaluation, part)
    history = classifier.history if classifier is not None else None
    return Run(
        config, table, parts, artifact, evaluation, part, history, anomaly_history, classifier
    )


STREAMS = ("simulate", "split", "classifier", "autoencoder", "bootstrap", "golden")


def read_table(config: RunConfig, memory: Memory, rng: np.random.Generator) -> Table:
    """Return the table of a run: read from its file, or simulated where none is given."""
    needs_label = config.task != "anomaly"
    if config.data.path is not None:
        return load(config.data, memory, needs_label=needs_label)
    units = {name: column.unit for name, column in COLUMNS.items() if column.kind == "numeric"}
    data = replace(config.data, units={**units, **config.data.units})
    return from_frame(simulate(N_SIMULATED, rng), data, SIMULATED, memory)


def _n_members(config: RunConfig) -> int:
    """Return how many members can be cross-fitted; resampled rows cannot be."""
    resampled = config.learning.resampling != "none"
    return 1 if resampled or config.task == "anomaly" else config.network.members


def _fraud_part(
    config: RunConfig,
    encode: Callable[[NDArray[np.intp]], NDArray[Any] | MappedMatrix],
    parts: Split,
    preprocessor: Preprocessor,
    labels: NDArray[np.int64],
    streams: dict[str, np.random.Generator],
    listener: Listener,
) -> tuple[FraudPart, Classifier]:
    rng = streams["classifier"]
    mlp = build_mlp(preprocessor.n_encoded, config.network, rng)
    listener.on_network(mlp, config, labels[parts.train])
    classifier = train_classifier(
        mlp,
        encode,
        labels,
        parts,
        config.learning,
        rng,
        listener.on_epoch,
        groups=preprocessor.category_groups(),
    )
    y = labels[classifier.calibration_rows]
    sample = parts.train[:SAMPLE_ROWS]
    X = encode(sample)[:]
    for warning in warnings_of(mlp, X, labels[sample], classifier.history, int(y.sum())):
        listener.on_warning(warning)
    logits = classifier.calibration_logits
    calibration = Calibration.fit(
        logits, y, method=config.policy.calibration, offset=classifier.offset
    )
    if calibration.method != config.policy.calibration:
        listener.on_warning(
            f"{int(y.sum())} frauds are too few to calibrate by: probabilities rest on the share "
            "of fraud in the training rows alone"
        )
    if config.base_rate is not None:
        known = y if calibration.method != "none" else labels[parts.train]
        calibration = calibration.moved(float(known.mean()), config.base_rate)
    policy = choose_policy(
        config.policy,
        calibration.probability(logits),
        y,
        base_rate_weights(y, config.base_rate),
    )
    if policy.kind == "threshold" and policy.block > 1:
        listener.on_warning(
            f"no threshold reaches the {config.policy.choose} asked for on the calibration rows, "
            "so that decision is never made: lower policy.review or policy.block"
        )
    return FraudPart(mlp, calibration, ScoreScale.fit(logits[y == 0]), policy), classifier


def _evaluation(
    config: RunConfig,
    table: Table,
    parts: Split,
    scorer: Scorer,
    classifier: Classifier | None,
    rng: np.random.Generator,
) -> tuple[Evaluation | None, str]:
    """Evaluate on test rows, or on what the members said of rows they had left out."""
    if classifier is None or scorer.fraud is None or table.labels is None:
        return None, "none"
    if len(parts.test):
        rows, y = RowsOf(table.matrix, parts.test), table.labels[parts.test]
        scores = chunks.score(scorer, rows)
        probability, decision, part = scores.probability, scores.decision, "test"
    else:
        held_out = classifier.calibration_rows
        rows, y = RowsOf(table.matrix, held_out), table.labels[held_out]
        probability = scorer.fraud.calibration.probability(classifier.calibration_logits)
        is_watched = scorer.fraud.policy.anomaly_review is not None
        odd = chunks.anomaly(scorer, rows).anomaly_score if is_watched else None
        decision = scorer.fraud.policy.decide(probability, scorer.amounts(rows), odd)
        part = "validation"
    result = evaluate(y, probability, decision, scorer.amounts(rows), config.base_rate, rng)
    return result, part


def _score_table(
    fraud: FraudPart, classifier: Classifier, labels: NDArray[np.int64], base_rate: float | None
) -> list[dict[str, Any]]:
    y = labels[classifier.calibration_rows]
    weights = base_rate_weights(y, base_rate)
    return score_table(fraud.scale, classifier.calibration_logits, y, weights)
