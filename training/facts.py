"""What the artifact says of its own making: data, configuration, metrics. No clock and no path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from model.decision import APPROVE
from model.scorer import FraudPart, Scorer
from training import chunks
from training.chunks import RowsOf
from training.classifier import Classifier
from training.config import RunConfig
from training.data import Table
from training.evaluate import Evaluation, base_rate_weights
from training.intervals import auc_interval
from training.split import Split
from training.thresholds import PER


def training_facts(
    config: RunConfig, table: Table, parts: Split, evaluation: Evaluation | None, part: str
) -> dict[str, Any]:
    """Return the manifest's entries about the run, as JSON types."""
    facts: dict[str, Any] = {
        "seed": config.seed,
        "recipe": config.recipe,
        "base_rate": config.base_rate,
        "configuration": _without_paths(config),
        "training_data": {
            "source": PurePath(table.source).name,
            "sha256": table.digest,
            "rows": len(table),
            "frauds": None if table.labels is None else int(table.labels.sum()),
            "split": parts.note,
            "latest_time": _latest_time(table, parts),
            "parts": {
                name: {
                    "rows": len(rows),
                    "frauds": None if table.labels is None else int(table.labels[rows].sum()),
                }
                for name, rows in parts.parts().items()
            },
            "attribution": config.data.attribution,
            "notes": list(table.notes),
        },
        "library_versions": {"numpy": np.__version__},
    }
    if evaluation is not None:
        facts["metrics"] = {"evaluated_on": part, **evaluation.to_dict()}
    return facts


def _latest_time(table: Table, parts: Split) -> float | None:
    """Return the time of the newest row that shaped the model: later rows are new to it."""
    if table.times is None:
        return None
    used = np.concatenate([parts.train, parts.validation_a, parts.validation_b])
    return float(table.times[used].max())


def _without_paths(config: RunConfig) -> dict[str, Any]:
    facts = config.to_dict()
    facts["data"]["path"] = None if config.data.path is None else PurePath(config.data.path).name
    del facts["output"], facts["reports"]
    return facts


def anomaly_figures(
    scorer: Scorer, table: Table, rows: NDArray[np.intp], base_rate: float | None
) -> dict[str, Any]:
    """Return how well the reconstruction error alone tells fraud from the rest of some rows.

    The bounds are those of the 95 % interval.
    """
    labels = np.zeros(0) if table.labels is None else table.labels[rows]
    anomalies = chunks.anomaly(scorer, RowsOf(table.matrix, rows))
    errors = anomalies.reconstruction_error
    at_base_rate = {}
    if base_rate is not None:
        weights = base_rate_weights(labels, base_rate)
        average_precision = average_precision_score(labels, errors, sample_weight=weights)
        at_base_rate["average_precision_at_base_rate"] = float(average_precision)
    low, high = auc_interval(labels, errors)
    return {
        "roc_auc": float(roc_auc_score(labels, errors)),
        "roc_auc_low": low,
        "roc_auc_high": high,
        "average_precision": float(average_precision_score(labels, errors)),
        **at_base_rate,
        "share_of_legitimate_called_anomalies": float(anomalies.is_anomaly[labels == 0].mean()),
        "share_of_frauds_called_anomalies": float(anomalies.is_anomaly[labels == 1].mean()),
    }


def rows_new_to_autoencoder(parts: Split) -> tuple[NDArray[np.intp], str]:
    """Return rows that the autoencoder did not learn from, and of which part they are."""
    if len(parts.test):
        return parts.test, "test"
    if parts.folds is not None:
        return parts.train[parts.folds == 0], "validation"
    return np.concatenate([parts.validation_a, parts.validation_b]), "validation"


def anomaly_reviews(
    scorer: Scorer,
    part: FraudPart,
    table: Table,
    parts: Split,
    classifier: Classifier,
    base_rate: float | None,
) -> dict[str, Any]:
    """Return what reviewing anomalies adds: reviews of what would be approved otherwise.

    Without test rows it is measured where neither network has learned from the rows that it judges.

    Returns
    -------
    dict
        ``evaluated_on``, ``share_of_legitimate`` and ``share_of_frauds`` reviewed for their
        anomaly score alone, and such reviews ``in_10000`` transactions at the stated base rate.
    """
    rows, evaluated_on = rows_new_to_autoencoder(parts)
    if evaluated_on == "test":
        probability = chunks.score(scorer, RowsOf(table.matrix, rows)).probability
    else:
        is_new = np.isin(classifier.calibration_rows, rows)
        rows = classifier.calibration_rows[is_new]
        probability = part.calibration.probability(classifier.held_out_logits[is_new])
    labels, chosen = table.classes[rows], RowsOf(table.matrix, rows)
    alone = replace(part.policy, anomaly_review=None).decide(probability, scorer.amounts(chosen))
    odd = part.policy.is_odd(chunks.anomaly(scorer, chosen).anomaly_score)
    added = odd & (alone == APPROVE)
    weights = base_rate_weights(labels, base_rate)
    return {
        "evaluated_on": evaluated_on,
        "share_of_legitimate": float(added[labels == 0].mean()),
        "share_of_frauds": float(added[labels == 1].mean()),
        "in_10000": PER * float((weights * added).sum() / weights.sum()),
    }
