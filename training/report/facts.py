"""What a training report shows, as JSON types: page, plots and card are views of this."""

from __future__ import annotations

from typing import Any

import numpy as np

from model.scorer import FraudPart
from training import chunks
from training.chunks import RowsOf
from training.data import Table
from training.facts import rows_new_to_autoencoder
from training.fit import History
from training.pipeline import Run
from training.report.curves import error_histogram
from training.report.evaluation import classes, evaluation_facts

Facts = dict[str, Any]

USES = {
    "train": "fits the weights",
    "validation_a": "stops training early",
    "validation_b": "calibrates and sets thresholds",
    "test": "read once, for this report",
}
CROSS_FITTED = "fits the weights; each member judges the fold that it left out"


def report_facts(run: Run) -> Facts:
    """Return every figure of a run's report.

    Returns
    -------
    dict
        ``model``, ``base_rate``, ``data``, ``learning``, ``evaluation``, ``score_table``,
        ``policy``, ``anomaly``, ``reproducibility``; None or empty where a run has no such thing.
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
        else _learning(
            run.history,
            is_best_chosen=run.parts.folds is None,
            is_weighted=run.config.learning.class_weight > 0,
        ),
        "evaluation": evaluation_facts(run),
        "score_table": manifest.get("score_table", []),
        "policy": None if fraud is None else fraud.policy.to_dict(),
        "anomaly": _anomaly(run),
        "reproducibility": {
            "seed": run.config.seed,
            "data_sha256": run.table.digest,
            "version": artifact.version,
            "artifact_sha256": artifact.sha256,
            "library_versions": manifest["library_versions"],
            "configuration": manifest["configuration"],
        },
    }


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


def _learning(
    history: History | None, *, is_best_chosen: bool = False, is_weighted: bool = False
) -> Facts | None:
    if history is None or not history.epochs:
        return None
    names = list(history.epochs[0])
    return {
        "n_epochs": len(history.epochs),
        "best_epoch": history.best_epoch,
        "is_best_chosen": is_best_chosen,
        "is_weighted": is_weighted,
        "stopped_early": history.stopped_early,
        "figures": {name: [epoch[name] for epoch in history.epochs] for name in names},
    }


def _anomaly(run: Run) -> Facts | None:
    """Return how the autoencoder's errors lie on rows that it did not learn from."""
    part = run.artifact.scorer.anomalies
    if part is None:
        return None
    rows, name = rows_new_to_autoencoder(run.parts)
    anomalies = chunks.anomaly(run.artifact.scorer, RowsOf(run.table.matrix, rows))
    labels = run.table.labels
    groups = {"unlabelled": np.ones(len(rows), bool)}
    if labels is not None:
        groups = classes(labels[rows])
    return {
        "part": name,
        "rows": len(rows),
        "is_labelled": labels is not None,
        "threshold": anomalies.threshold,
        "quantile": run.config.autoencoder.threshold_quantile,
        "groups": [
            {
                "name": group,
                "rows": int(inside.sum()),
                "above": float(anomalies.is_anomaly[inside].mean()) if inside.any() else None,
            }
            for group, inside in groups.items()
        ],
        "errors": error_histogram(anomalies.reconstruction_error, groups, anomalies.threshold),
        "metrics": run.artifact.manifest.get("anomaly_metrics"),
        "reviews": run.artifact.manifest.get("anomaly_reviews"),
        "learning": _learning(run.anomaly_history),
    }
