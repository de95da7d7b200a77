"""Small but real models for tests, trained for no longer than their shapes need."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from model import MLP, Autoencoder
from model.anomaly import AnomalyScale
from model.artifact import Artifact, save
from model.calibration import Calibration, Method
from model.decision import Policy, ScoreScale
from model.features import Feature, FeatureSpec
from model.golden import golden_rows
from model.pointer import Pointer, write_pointer
from model.preprocessing import Preprocessor
from model.scorer import AnomalyPart, FraudPart, Scorer

TINY_FEATURES = (
    Feature("Amount", unit="EUR", minimum=0.0),
    Feature("V1"),
    Feature("V2", nullable=True),
    Feature("is_new_device", "boolean", nullable=True),
    Feature("merchant_category", "categorical", categories=("grocery", "travel", "games")),
    Feature("transaction_time", "datetime"),
)


def tiny_rows(n_rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return raw rows of the tiny features and labels that depend on them."""
    rows = np.column_stack(
        [
            rng.lognormal(3, 1, n_rows),
            rng.normal(size=n_rows),
            np.where(rng.random(n_rows) < 0.1, np.nan, rng.normal(size=n_rows)),
            np.where(rng.random(n_rows) < 0.1, np.nan, rng.integers(0, 2, n_rows)),
            rng.integers(0, 3, n_rows),
            rng.uniform(1.76e9, 1.77e9, n_rows).round(),
        ]
    )
    logits = 2 * rows[:, 1] + (rows[:, 4] == 2) - 2
    labels = (rng.random(n_rows) < 1 / (1 + np.exp(-logits))).astype(int)
    return rows, labels


def valid_row(**changes: Any) -> dict[str, Any]:
    """Return a transaction that the tiny model accepts; a value of ``...`` drops the key."""
    row = {
        "Amount": 25.5,
        "V1": 0.3,
        "V2": -1.2,
        "is_new_device": False,
        "merchant_category": "grocery",
        "transaction_time": "2026-03-01T12:30:00",
        **changes,
    }
    return {name: value for name, value in row.items() if value is not ...}


def tiny_scorer(
    *,
    name: str = "tiny",
    tasks: str = "both",
    members: int | None = 2,
    n_bins: int = 4,
    policy: Policy | None = None,
    seed: int = 0,
    features: tuple[Feature, ...] = TINY_FEATURES,
    calibration: Method = "platt",
    has_birth: bool = False,
) -> Scorer:
    """Train a scorer on a few hundred rows; ``tasks`` is 'both', 'fraud' or 'anomaly'.

    With a birth there is one feature more: a date that is not the transaction's time.
    """
    rng = np.random.default_rng(seed)
    rows, labels = tiny_rows(400, rng)
    roles: dict[str, Any] = {"id_column": "payment_id", "amount": "Amount"}
    n_more = len(features) - len(TINY_FEATURES)
    if n_more:  # numbers that say nothing
        rows = np.column_stack([rows, rng.normal(size=(len(rows), n_more))])
    if has_birth:
        rows = np.column_stack([rows, rng.uniform(-1e9, 1e9, 400).round()])
        features = (*features, Feature("birth", "datetime", nullable=True))
        roles |= {"time": "transaction_time", "dates": ("birth",), "missing": ("unknown",)}
    spec = FeatureSpec(features, **roles)
    spec = spec.measured(rows, labels == 0)
    preprocessor = Preprocessor.fit(spec, rows, labels=labels, n_bins=n_bins)
    encoded = preprocessor.transform(rows)
    fraud = anomalies = None
    if tasks != "anomaly":
        sizes = [preprocessor.n_encoded, 8, 1]
        mlp = MLP(sizes, members=members, rng=rng, dtype=np.float32)
        mlp.fit(encoded, labels, epochs=20, batch_size=32, learning_rate=0.1, rng=rng)
        logits = np.atleast_2d(mlp.logits(encoded)).mean(axis=0)
        fraud = FraudPart(
            mlp,
            Calibration.fit(logits, labels, method=calibration),
            ScoreScale.fit(logits[labels == 0]),
            policy or Policy(review=0.3, block=0.6),
        )
    if tasks != "fraud":
        legitimate = encoded[labels == 0, : preprocessor.n_base]
        autoencoder = Autoencoder(preprocessor.n_base, (6,), 3, rng=rng, dtype=np.float32)
        autoencoder.fit(legitimate, epochs=5, batch_size=32, learning_rate=0.05, rng=rng)
        autoencoder.fit_whitening(legitimate)
        errors = autoencoder.reconstruction_error(legitimate)
        anomalies = AnomalyPart(autoencoder, AnomalyScale.fit(errors, 0.99))
    return Scorer(name, spec, preprocessor, fraud, anomalies)


def write_tiny_artifact(directory: Path, **changes: Any) -> Path:
    """Train and save a tiny artifact, make it the champion, and return its path."""
    artifact = save_tiny(directory, **changes)
    pointer = Pointer(artifact.version, artifact.sha256, None, "2026-01-01T00:00:00+00:00")
    write_pointer(directory, pointer)
    return artifact.path


def save_tiny(directory: Path, **changes: Any) -> Artifact:
    """Train and save a tiny artifact without promoting it."""
    scorer = tiny_scorer(**changes)
    rows = golden_rows(scorer.spec, np.random.default_rng(1))
    return save(directory, scorer, rows, {"base_rate": 0.2, "seed": 0})


def renamed(features: tuple[Feature, ...], **names: str) -> tuple[Feature, ...]:
    """Return the features with some of them renamed."""
    return tuple(replace(f, name=names.get(f.name, f.name)) for f in features)
