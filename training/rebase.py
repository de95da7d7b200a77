"""Another base rate for a trained model: probabilities move, ranks and scores stay.

Nothing is trained. The odds of every transaction change by the change of the prior odds, so do
thresholds on probabilities, and what the card says of the old rate is worked out anew or dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from model.activations import sigmoid
from model.artifact import Artifact, save
from model.calibration import log_odds
from model.decision import Policy
from model.errors import ConfigurationError, TaskError
from model.npz import arrays_of, read_bytes_of
from model.scorer import FraudPart
from training.findings import OF_ALERTS, OF_RANKING
from training.thresholds import PER

Facts = dict[str, Any]

RATE_FREE = ("always_legitimate_accuracy", "roc_auc", "average_precision")
RATE_FREE += ("recall_at_0.1%_false_positives",)  # of the rows as the table has them
OF_RATE = ("precision", "alert_budget", "daily_alerts")  # targets that another rate misses
ROUNDING = 1e-9  # logits: what lies on a threshold stays on its side


def rebase(artifact: Artifact, base_rate: float) -> Artifact:
    """Write a version of a model for another base rate, beside the old one.

    Whatever rates came in between, the version depends on the trained one and the rate alone.

    Parameters
    ----------
    artifact : Artifact
        As :func:`training.pipeline.run` writes it, or a rebased one.
    base_rate : float
        How common fraud really is.

    Returns
    -------
    Artifact
        As loaded back from its file; not promoted.

    Raises
    ------
    ConfigurationError
        If the rate is none, or the artifact does not say how common fraud was in training.
    TaskError
        If there is no classifier.
    """
    if not 0 < base_rate < 1:
        raise ConfigurationError(f"base_rate lies between 0 and 1, got {base_rate}")
    fraud, manifest = artifact.scorer.fraud, artifact.manifest
    if fraud is None:
        raise TaskError("fraud", artifact.name)
    shares = _shares_of_fraud(artifact)
    origin = dict(manifest.get("rebased") or _origin(artifact, fraud.policy))
    learned = shares["train"] if fraud.calibration.method == "none" else shares["calibration"]
    before = learned if origin["base_rate"] is None else origin["base_rate"]
    policy = _moved(fraud.policy, origin, log_odds(base_rate) - log_odds(before))
    calibration = replace(fraud.calibration, shift=0.0).moved(learned, base_rate)
    part = FraudPart(fraud.mlp, calibration, fraud.scale, policy)
    choose = manifest.get("configuration", {}).get("policy", {}).get("choose", "")
    facts = _facts(manifest, policy, base_rate, shares["calibration"])
    facts["rebased"] = {**origin, "note": _note(policy, choose, before)}
    rows = arrays_of(artifact.path, read_bytes_of(artifact.path))["golden.rows"]
    return save(artifact.path.parent, replace(artifact.scorer, fraud=part), rows, facts)


def _origin(artifact: Artifact, policy: Policy) -> Facts:
    """Return what of the trained version a rebased one starts from."""
    return {
        "from": artifact.version,
        "base_rate": artifact.manifest.get("base_rate"),
        "review": policy.review,
        "block": policy.block,
    }


def _shares_of_fraud(artifact: Artifact) -> dict[str, float]:
    """Return how common fraud was among the rows that trained, and those that calibrated."""
    try:
        parts = artifact.manifest["training_data"]["parts"]
        calibrating = parts.get("validation_b", parts["train"])  # cross-fitted: the same rows
        counted = {"train": parts["train"], "calibration": calibrating}
        return {name: part["frauds"] / part["rows"] for name, part in counted.items()}
    except (KeyError, TypeError, ZeroDivisionError):
        raise ConfigurationError(
            f"{artifact.path}: the artifact does not say how common fraud was in training"
        ) from None


def _moved(policy: Policy, origin: Mapping[str, Any], change: float) -> Policy:
    """Return the policy that alerts of the same transactions; costs are for what they cost."""
    if policy.kind == "cost":
        return policy

    def moved(threshold: float) -> float:
        if not 0 < threshold < 1:  # always or never
            return threshold
        return float(sigmoid(np.array(log_odds(threshold) + change - ROUNDING)))

    return replace(policy, review=moved(origin["review"]), block=moved(origin["block"]))


def _note(policy: Policy, choose: str, before: float) -> str:
    if policy.kind == "cost":
        return (
            "Decisions follow the new probabilities; what was measured of decisions is dropped: "
            "measure it with evaluate."
        )
    note = "Thresholds moved with the probabilities: the same transactions are alerted."
    if choose in OF_RATE:
        note += f" The {choose} they were chosen for holds at a base rate of {before:.4g} only."
    return note


def _facts(
    manifest: Mapping[str, Any], policy: Policy, base_rate: float, share: float
) -> dict[str, Any]:
    """Return the manifest at another rate: worked out anew where that is possible, else dropped."""
    facts = {**manifest, "base_rate": base_rate}

    def mixed(of_legitimate: float, of_frauds: float) -> float:
        return PER * ((1 - base_rate) * of_legitimate + base_rate * of_frauds)

    if "score_table" in facts:
        table = []
        for row in facts["score_table"]:
            found, alerts = row["recall"], row["alerts_per_10000_in_table"] / PER
            false_alerts = (alerts - share * found) / (1 - share)
            table.append({**row, "alerts_per_10000": mixed(max(false_alerts, 0.0), found)})
        facts["score_table"] = table
    if "findings" in facts:
        kept = OF_RANKING if policy.kind == "cost" else (*OF_RANKING, *OF_ALERTS)
        facts["findings"] = [finding for finding in facts["findings"] if finding["code"] in kept]
    if "metrics" in facts:
        facts["metrics"] = _metrics(facts["metrics"], policy)
    if "anomaly_metrics" in facts:
        figures = dict(facts["anomaly_metrics"])
        figures.pop("average_precision_at_base_rate", None)
        facts["anomaly_metrics"] = figures
    reviews = facts.pop("anomaly_reviews", None)
    if reviews is not None and policy.kind == "threshold":
        added = mixed(reviews["share_of_legitimate"], reviews["share_of_frauds"])
        facts["anomaly_reviews"] = {**reviews, "in_10000": added}
    return facts


def _metrics(metrics: Mapping[str, Any], policy: Policy) -> Facts:
    """Return what still holds: of a cost policy only what does not depend on its decisions."""
    view = metrics["as_table"]
    if policy.kind == "cost":
        kept = {name: metrics[name] for name in ("evaluated_on", "n_rows", "n_frauds")}
        names = set(RATE_FREE)
    else:
        kept = {name: value for name, value in metrics.items() if name != "at_base_rate"}
        names = set(view["figures"]) - {"brier_score"}
    figures = {name: figure for name, figure in view["figures"].items() if name in names}
    return {**kept, "as_table": {**view, "figures": figures}}
