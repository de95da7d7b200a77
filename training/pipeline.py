"""One training run, from a table to a verified artifact: read this first."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
from training.anomaly import train_autoencoder
from training.classifier import Classifier, build_mlp, train_classifier
from training.config import RunConfig
from training.data import Table, from_frame, load, with_categories_of
from training.diagnostics import warnings_of
from training.evaluate import Evaluation, base_rate_weights, evaluate
from training.facts import anomaly_figures, anomaly_reviews, training_facts
from training.fit import History
from training.listener import Listener
from training.simulate import COLUMNS, simulate
from training.split import Split, split
from training.thresholds import choose_policy, score_table
from training.traffic import as_alert_budget, transactions_per_day

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
    streams = streams_of(config.seed)
    table = read_table(config, streams["simulate"])
    listener.on_table(table)
    labels = np.zeros(len(table), np.int64) if table.labels is None else table.labels
    parts = split(
        table,
        config.split,
        n_members(config),
        streams["split"],
        needs_both_classes=config.task != "anomaly",
    )
    listener.on_split(table, parts)
    fitted = fit_scorer(config, table, parts, streams, listener)
    table, scorer, classifier = fitted.table, fitted.scorer, fitted.classifier
    fraud = scorer.fraud
    evaluation, part = _evaluation(config, table, parts, scorer, classifier, streams["bootstrap"])
    facts = training_facts(config, table, parts, evaluation, part)
    if fraud is not None and classifier is not None:
        facts["score_table"] = _score_table(fraud, classifier, labels, config.base_rate)
    if fitted.transactions_per_day is not None:
        facts["transactions_per_day"] = fitted.transactions_per_day
    if scorer.anomalies is not None and len(np.unique(labels[parts.test])) == 2:
        facts["anomaly_metrics"] = anomaly_figures(scorer, table, parts.test, config.base_rate)
    if fraud is not None and fraud.policy.anomaly_review is not None:
        facts["anomaly_reviews"] = anomaly_reviews(
            scorer, fraud.policy, table, parts, config.base_rate
        )
    rows = golden_rows(scorer.spec, streams["golden"])
    artifact = save(Path(config.output) / config.model_name, scorer, rows, facts)
    listener.on_artifact(artifact, evaluation, part)
    history = classifier.history if classifier is not None else None
    return Run(
        config,
        table,
        parts,
        artifact,
        evaluation,
        part,
        history,
        fitted.anomaly_history,
        classifier,
    )


STREAMS = ("simulate", "split", "classifier", "autoencoder", "bootstrap", "golden", "calibration")


def streams_of(*seed: int) -> dict[str, np.random.Generator]:
    """Return a generator for each use of chance, so that none disturbs another."""
    return dict(zip(STREAMS, np.random.default_rng(seed).spawn(len(STREAMS)), strict=True))


@dataclass(frozen=True)
class Fitted:
    """What training rows gave.

    Attributes
    ----------
    table : Table
        With the categories that the training rows show.
    scorer : Scorer
    classifier : Classifier or None
    anomaly_history : History or None
    transactions_per_day : float or None
        The traffic that a daily number of alerts was turned into a share by.
    """

    table: Table
    scorer: Scorer
    classifier: Classifier | None
    anomaly_history: History | None
    transactions_per_day: float | None


def fit_scorer(
    config: RunConfig,
    table: Table,
    parts: Split,
    streams: dict[str, np.random.Generator],
    listener: Listener,
) -> Fitted:
    """Train what the task asks for on the rows of a split; its test rows are not looked at.

    Raises
    ------
    TrainingError, ConfigurationError
        As :func:`run`.
    """
    table = with_categories_of(table, parts.train)
    labels = np.zeros(len(table), np.int64) if table.labels is None else table.labels
    train = table.matrix[parts.train]
    is_legitimate = labels == 0
    spec = table.spec.measured(train, is_legitimate[parts.train])
    preprocessor = Preprocessor.fit(
        spec,
        train,
        labels=labels[parts.train] if config.task != "anomaly" else None,
        scaling=config.network.scaling,
        n_bins=config.network.n_bins if config.task != "anomaly" else 0,
    )

    fraud, classifier, per_day = None, None, None
    if config.task != "anomaly":
        policy = config.policy
        if policy.choose == "daily_alerts":
            per_day = transactions_per_day(policy, table, parts)
            policy = as_alert_budget(policy, per_day)
        fraud, classifier = _fraud_part(
            replace(config, policy=policy), table, parts, preprocessor, labels, streams, listener
        )
    anomalies, anomaly_history = None, None
    if config.task != "fraud":
        listener.on_autoencoder(config.autoencoder)
        anomalies, anomaly_history = train_autoencoder(
            lambda rows: preprocessor.transform(table.matrix[rows], bins=False),
            is_legitimate,
            parts,
            config.autoencoder,
            streams["autoencoder"],
            listener.on_epoch,
        )
    scorer = Scorer(config.model_name, spec, preprocessor, fraud, anomalies)
    return Fitted(table, scorer, classifier, anomaly_history, per_day)


def read_table(config: RunConfig, rng: np.random.Generator) -> Table:
    """Return the table of a run: read from its file, or simulated where none is given."""
    needs_label = config.task != "anomaly"
    if config.data.path is not None:
        return load(config.data, needs_label=needs_label)
    units = {name: column.unit for name, column in COLUMNS.items() if column.kind == "numeric"}
    data = replace(config.data, units={**units, **config.data.units})
    return from_frame(simulate(N_SIMULATED, rng), data, SIMULATED)


def n_members(config: RunConfig) -> int:
    """Return how many members can be cross-fitted; resampled rows cannot be."""
    resampled = config.learning.resampling != "none"
    return 1 if resampled or config.task == "anomaly" else config.network.members


def _fraud_part(
    config: RunConfig,
    table: Table,
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
        lambda rows: preprocessor.transform(table.matrix[rows]),
        labels,
        parts,
        config.learning,
        rng,
        listener.on_epoch,
        groups=preprocessor.category_groups(),
    )
    y = labels[classifier.calibration_rows]
    sample = parts.train[: 2**14]
    X = preprocessor.transform(table.matrix[sample])
    for warning in warnings_of(mlp, X, labels[sample], classifier.history, int(y.sum())):
        listener.on_warning(warning)
    logits = classifier.calibration_logits
    method = config.policy.calibration
    calibration = Calibration.fit(
        logits, y, method=method, offset=classifier.offset, rng=streams["calibration"]
    )
    if calibration.method == "none" != method:
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
        matrix, y = table.matrix[parts.test], table.labels[parts.test]
        scores = scorer.score(matrix)
        probability, decision, part = scores.probability, scores.decision, "test"
    else:
        rows = classifier.calibration_rows
        matrix, y = table.matrix[rows], table.labels[rows]
        probability = scorer.fraud.calibration.probability(classifier.held_out_logits)
        is_watched = scorer.fraud.policy.anomaly_review is not None
        odd = scorer.anomaly(matrix).anomaly_score if is_watched else None
        decision = scorer.fraud.policy.decide(probability, scorer.amounts(matrix), odd)
        part = "validation"
    result = evaluate(y, probability, decision, scorer.amounts(matrix), config.base_rate, rng)
    return result, part


def _score_table(
    fraud: FraudPart, classifier: Classifier, labels: NDArray[np.int64], base_rate: float | None
) -> list[dict[str, Any]]:
    y = labels[classifier.calibration_rows]
    weights = base_rate_weights(y, base_rate)
    return score_table(fraud.scale, classifier.calibration_logits, y, weights)
