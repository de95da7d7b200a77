"""The public card of an artifact: what ``GET /model`` and the model card say of it."""

from __future__ import annotations

from typing import Any

from model.artifact import Artifact
from model.rare import RareTexts

PRIVATE = frozenset({"fraud", "anomaly", "features"})  # networks, and what is shown in other words


def describe(artifact: Artifact) -> dict[str, Any]:
    """Return the card of an artifact as JSON types.

    Returns
    -------
    dict
        ``name``, ``version``, ``sha256``, ``tasks``, ``features`` (name, kind, unit, range seen,
        bounds, nullable, typical values, categories, how many rare ones), ``id_keys``,
        ``amount``, ``time`` and ``dates``, ``policy``, ``anomaly_threshold``, and what training
        wrote: ``base_rate``, ``metrics``, ``score_table``, ``training_data``, …
    """
    scorer = artifact.scorer
    card: dict[str, Any] = {
        "name": artifact.name,
        "version": artifact.version,
        "sha256": artifact.sha256,
        "tasks": sorted(scorer.tasks),
        **{key: value for key, value in artifact.manifest.items() if key not in PRIVATE},
        "features": [_shown(facts) for facts in artifact.manifest["features"]["features"]],
        "id_keys": list(scorer.spec.id_keys),
        "amount": scorer.spec.amount,
    }
    if scorer.spec.time is not None or scorer.spec.dates:
        card["time"], card["dates"] = scorer.spec.time, list(scorer.spec.dates)
    if scorer.fraud is not None:
        card["policy"] = scorer.fraud.policy.to_dict()
        card["calibration"] = scorer.fraud.calibration.method
        card["n_parameters"] = scorer.fraud.mlp.n_parameters
    if scorer.anomalies is not None:
        card["anomaly_threshold"] = scorer.anomalies.scale.threshold
    return card


def _shown(feature: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a feature with the number of rare categories for their checksums."""
    rare = feature.get("rare")
    return feature if rare is None else {**feature, "rare": len(RareTexts(rare))}
