"""From the rows of a split to a scorer: preprocessing, both networks, calibration and policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.calibration import Calibration
from model.decision import ScoreScale
from model.preprocessing import Preprocessor
from model.scorer import FraudPart, Scorer
from training.anomaly import train_autoencoder
from training.categories import with_categories_of
from training.chunks import RowsOf, chunks_of
from training.classifier import Classifier, build_mlp, train_classifier
from training.config import RunConfig
from training.data import Table
from training.diagnostics import SAMPLE_ROWS, warnings_of
from training.evaluate import base_rate_weights
from training.fit import History
from training.listener import Listener
from training.memory import Memory
from training.scratch import MappedMatrix
from training.split import Split
from training.thresholds import choose_policy
from training.traffic import as_alert_budget, transactions_per_day

STREAMS = ("simulate", "split", "classifier", "autoencoder", "bootstrap", "golden", "calibration")


def streams_of(*seed: int) -> dict[str, np.random.Generator]:
    """Return a generator for each use of chance, so that none disturbs another."""
    return dict(zip(STREAMS, np.random.default_rng(seed).spawn(len(STREAMS)), strict=True))


def n_members(config: RunConfig) -> int:
    """Return how many members can be cross-fitted; resampled rows cannot be."""
    resampled = config.learning.resampling != "none"
    return 1 if resampled or config.task == "anomaly" else config.network.members


@dataclass(frozen=True)
class Fitted:
    """What training rows gave.

    Attributes
    ----------
    table : Table
        With the categories that the training rows decided.
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
    memory: Memory,
    streams: dict[str, np.random.Generator],
    listener: Listener,
) -> Fitted:
    """Train what the task asks for on the rows of a split; its test rows are not looked at.

    The codes of the table's categories are changed in place.

    Raises
    ------
    TrainingError, ConfigurationError
        As :func:`training.pipeline.run`.
    """
    if parts.folds is not None and config.task != "anomaly":
        memory.refuse(len(table), len(table.spec.features), config.network.members)
    n_told = len(table.notes)
    table = with_categories_of(table, parts.train)
    for note in table.notes[n_told:]:
        listener.on_warning(note)
    labels = table.classes
    train = RowsOf(table.matrix, parts.train)
    is_legitimate = labels == 0
    spec = table.spec.measured(train, is_legitimate[parts.train])
    preprocessor = Preprocessor.fit(
        spec,
        train,
        labels=labels[parts.train] if config.task != "anomaly" else None,
        scaling=config.network.scaling,
        n_bins=config.network.n_bins if config.task != "anomaly" else 0,
        calendar=config.data.time_features,
    )

    def encode(rows: NDArray[np.intp], *, bins: bool = True) -> NDArray[Any] | MappedMatrix:
        """Encode rows of the table, a chunk at a time, to where memory allows."""
        n_columns = preprocessor.n_encoded if bins else preprocessor.n_base
        X = memory.matrix((len(rows), n_columns), np.float32)
        for chunk in chunks_of(len(rows), n_columns):
            X[chunk] = preprocessor.transform(table.matrix[rows[chunk]], bins=bins)
        return X

    fraud, classifier, per_day = None, None, None
    if config.task != "anomaly":
        policy = config.policy
        if policy.choose == "daily_alerts":
            per_day = transactions_per_day(policy, table, parts)
            policy = as_alert_budget(policy, per_day)
        told = replace(config, policy=policy)
        fraud, classifier = _fraud_part(
            told, encode, parts, preprocessor, labels, streams, listener
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
    return Fitted(table, scorer, classifier, anomaly_history, per_day)


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
    sample = parts.train[:: -(-len(parts.train) // SAMPLE_ROWS)]
    X = encode(sample)[:]
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
            "no threshold reaches policy.review or policy.block on the calibration rows, so that "
            "decision is never made: ask for a lower precision, or for more alerts"
        )
    return FraudPart(mlp, calibration, ScoreScale.fit(logits[y == 0]), policy), classifier
