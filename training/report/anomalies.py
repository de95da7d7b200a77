"""What an autoencoder finds unusual, on rows that it did not learn from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import chunks
from training.chunks import RowsOf
from training.facts import rows_new_to_autoencoder
from training.pipeline import Run
from training.report.curves import classes, error_histogram
from training.report.explanations import SAMPLE, spread
from training.report.history import learning_facts

Array = NDArray[Any]
Facts = dict[str, Any]

MOST_FEATURES = 12


def anomaly_facts(run: Run) -> Facts | None:
    """Return how errors lie in each class, and which features make them; None without a network."""
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
        "features": _features(run, {group: rows[inside] for group, inside in groups.items()}),
        "metrics": run.artifact.manifest.get("anomaly_metrics"),
        "reviews": run.artifact.manifest.get("anomaly_reviews"),
        "learning": learning_facts(run.anomaly_history),
    }


def _features(run: Run, groups: dict[str, Array]) -> Facts:
    """Return what each feature adds to the error of each class, on average; the largest first."""
    scorer = run.artifact.scorer
    samples = {group: spread(rows, SAMPLE) for group, rows in groups.items()}
    means = {
        group: scorer.anomaly(run.table.matrix[rows]).shares.mean(axis=0)
        for group, rows in samples.items()
        if len(rows)
    }
    largest = np.max(list(means.values()), axis=0)
    order = np.argsort(-largest, kind="stable")[:MOST_FEATURES]
    return {
        "sampled": {group: len(rows) for group, rows in samples.items()},
        "means": {group: float(mean.sum()) for group, mean in means.items()},
        "features": [
            {
                "name": scorer.spec.names[column],
                **{group: float(mean[column]) for group, mean in means.items()},
            }
            for column in order
        ],
    }
