"""Whether the networks are sound: units that work, and gradients that reach every layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.network import Network
from training.diagnostics import SAMPLE_ROWS, gradient_norms, unit_activity
from training.pipeline import Run
from training.report.explanations import spread

Array = NDArray[Any]
Facts = dict[str, Any]


def health_facts(run: Run) -> list[Facts]:
    """Return the state of each dense layer on a sample of training rows.

    Returns
    -------
    list of dict
        ``network``, ``layer`` (from 1), ``units``, ``activation``, ``gradient_norm``; ``active``,
        the mean share of rows that a rectifier is active for, and ``dead``, the share of
        rectifiers that no row activates, both None for other units.
    """
    scorer = run.artifact.scorer
    rows = spread(run.parts.train, SAMPLE_ROWS)
    matrix, y = run.table.matrix[rows], run.table.classes[rows]
    found = []
    if scorer.fraud is not None:
        X = scorer.preprocessor.transform(matrix)
        found += _layers("classifier", scorer.fraud.mlp, X, y)
    if scorer.anomalies is not None:
        X = scorer.preprocessor.transform(matrix[y == 0], bins=False)
        found += _layers("autoencoder", scorer.anomalies.autoencoder, X, X)
    return found


def _layers(name: str, network: Network, X: Array, targets: Array) -> list[Facts]:
    still = without_chance(network)
    norms, activity = gradient_norms(still, X, targets), unit_activity(still, X)
    return [
        {
            "network": name,
            "layer": number,
            "units": layer.n_out,
            "activation": layer.activation.name,
            "gradient_norm": norm,
            "active": None if share is None else float(share.mean()),
            "dead": None if share is None else float((share == 0).mean()),
        }
        for number, (layer, norm, share) in enumerate(
            zip(network.layers, norms, activity, strict=True), start=1
        )
    ]


def without_chance(network: Network) -> Network:
    """Return a copy that drops nothing in training passes: a report has no chance in it."""
    copy = type(network).rebuild(_undropped(network.describe()), np.float32)
    copy.restore(network.snapshot())
    return copy


def _undropped(part: Any) -> Any:
    if isinstance(part, list):
        return [_undropped(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        key: 0.0 if key == "drop_probability" else _undropped(item) for key, item in part.items()
    }
