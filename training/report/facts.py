"""What a training report shows, as JSON types: page, plots and card are views of this."""

from __future__ import annotations

import platform
from datetime import datetime
from importlib.metadata import version
from typing import Any

import numpy as np

from model.scorer import FraudPart
from training.challenge import Challenge
from training.data import Table
from training.pipeline import Run
from training.report.anomalies import anomaly_facts
from training.report.evaluation import evaluation_facts
from training.report.explanations import feature_facts, mistake_facts
from training.report.health import health_facts
from training.report.history import learning_facts
from training.report.slices import slice_facts
from training.verdict import Verdict

Facts = dict[str, Any]

USES = {
    "train": "fits the weights",
    "validation_a": "stops training early",
    "validation_b": "calibrates and sets thresholds",
    "test": "read once, for this report",
}
CROSS_FITTED = "fits the weights; each member judges the fold that it left out"


LIBRARIES = ("numpy", "pandas", "scikit-learn", "imbalanced-learn", "matplotlib")


def report_facts(
    run: Run,
    challenge: Challenge | None = None,
    command: str | None = None,
    made_at: datetime | None = None,
    verdict: Verdict | None = None,
) -> Facts:
    """Return every figure of a run's report.

    Returns
    -------
    dict
        ``model``, ``base_rate``, ``data``, ``learning``, ``health``, ``evaluation``, ``features``,
        ``mistakes``, ``slices``, ``score_table``, ``policy``, ``anomaly``, ``champion``,
        ``findings``, ``verdict``, ``reproducibility``; None or empty where a run has no such thing.
    """
    artifact, scorer = run.artifact, run.artifact.scorer
    manifest = artifact.manifest
    fraud = scorer.fraud
    return {
        "model": {
            "name": artifact.name,
            "version": artifact.version,
            "tasks": sorted(scorer.tasks),
            "recipe": run.config.recipe,
            "n_features": len(scorer.spec.features),
            "members": None if fraud is None else fraud.mlp.members or 1,
            "layers": None if fraud is None else _sizes(fraud),
            "n_parameters": None if fraud is None else fraud.mlp.n_parameters,
            "autoencoder_parameters": None
            if scorer.anomalies is None
            else scorer.anomalies.autoencoder.n_parameters,
        },
        "base_rate": run.config.base_rate,
        "data": _data(run),
        "learning": None
        if fraud is None
        else learning_facts(
            run.history,
            is_best_chosen=run.parts.folds is None,
            is_weighted=run.config.learning.class_weight > 0,
        ),
        "health": health_facts(run),
        "evaluation": evaluation_facts(run),
        **_of_single_rows(run),
        "score_table": manifest.get("score_table", []),
        "policy": None if fraud is None else fraud.policy.to_dict(),
        "anomaly": anomaly_facts(run),
        "champion": _champion(challenge, artifact.version),
        "findings": [finding.to_dict() for finding in run.findings],
        "verdict": None
        if verdict is None
        else {
            "is_champion": verdict.is_champion,
            "reason": verdict.reason,
            "sentence": str(verdict),
        },
        "reproducibility": {
            "seed": run.config.seed,
            "data_sha256": run.table.digest,
            "version": artifact.version,
            "artifact_sha256": artifact.sha256,
            "command": command,
            "made_at": None if made_at is None else made_at.isoformat(timespec="seconds"),
            "versions": {
                "python": platform.python_version(),
                **{library: version(library) for library in LIBRARIES},
            },
            "configuration": manifest["configuration"],
        },
    }


def _of_single_rows(run: Run) -> Facts:
    """Return what is told of features, mistakes and slices; empty without a classifier."""
    if run.judged is None:
        return {"features": None, "mistakes": None, "slices": []}
    scorer, seen = run.artifact.scorer, run.judged
    features = feature_facts(scorer, run, seen)
    return {
        "features": features,
        "mistakes": mistake_facts(scorer, run, seen),
        "slices": slice_facts(run, seen, features["ranking"]),
    }


def _champion(challenge: Challenge | None, version: str) -> Facts | None:
    if challenge is None:
        return None
    comparison = challenge.comparison
    found: Facts = {
        "version": challenge.champion,
        "is_the_same": challenge.champion == version,
        "refusal": challenge.refusal,
        "comparison": None,
    }
    if comparison is not None:
        found["comparison"] = {
            "rows": comparison.n_rows,
            "frauds": comparison.n_frauds,
            "champion": comparison.champion,
            "challenger": comparison.challenger,
            "difference": {
                "value": comparison.challenger - comparison.champion,
                "low": comparison.low,
                "high": comparison.high,
            },
        }
    return found


def _sizes(fraud: FraudPart) -> list[int]:
    layers = fraud.mlp.layers
    return [layers[0].n_in, *(layer.n_out for layer in layers)]


def _data(run: Run) -> Facts:
    facts = run.artifact.manifest["training_data"]
    rows, frauds = facts["rows"], facts["frauds"]
    uses = dict(USES)
    if run.parts.folds is not None:
        uses["train"] = CROSS_FITTED
    elif run.artifact.scorer.fraud is None:
        uses |= dict.fromkeys(("validation_a", "validation_b"), "sets the anomaly threshold")
    amount = run.table.spec.amount
    kinds = [feature.kind for feature in run.table.spec.features]
    return {
        "source": facts["source"],
        "attribution": facts["attribution"],
        "rows": rows,
        "frauds": frauds,
        "legitimate": None if frauds is None else rows - frauds,
        "fraud_share": None if frauds is None else frauds / rows,
        "imbalance_ratio": (rows - frauds) / frauds if frauds else None,
        "missing_share": _missing_share(run.table),
        "kinds": {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
        "amount": amount,
        "amount_unit": next((f.unit for f in run.table.spec.features if f.name == amount), None),
        "split": facts["split"],
        "split_how": run.config.split.how,
        "parts": [
            {"name": name.replace("_", " "), "use": use, **facts["parts"][name]}
            for name, use in uses.items()
            if name in facts["parts"]
        ],
        "notes": facts["notes"],
    }


def _missing_share(table: Table) -> float:
    n_features = len(table.spec.features)
    missing = sum(int(np.isnan(table.matrix[:, column]).sum()) for column in range(n_features))
    return missing / (len(table) * n_features)
