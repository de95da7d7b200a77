"""One sentence under every plot and table, computed from the figures it shows."""

from __future__ import annotations

from typing import Any

from training.report.evaluation_readings import evaluation_readings
from training.report.feature_readings import feature_readings
from training.report.formats import count, number, percent, price, ratio

Facts = dict[str, Any]


def readings(facts: Facts) -> dict[str, str]:
    """Return the sentences of a report, by the name of what they stand under."""
    learning, evaluation, anomaly = (facts[key] for key in ("learning", "evaluation", "anomaly"))
    found = {"data": _data(facts["data"], facts["base_rate"])}
    if learning is not None:
        found["learning_loss"] = _loss(learning)
        found["learning_quality"] = _quality(learning)
    found["gradients"] = _gradients(facts["health"])
    if evaluation is not None:
        found |= evaluation_readings(facts)
    if facts["policy"] is not None:
        found["policy"] = _policy(facts["policy"], facts["data"])
    if facts["score_table"]:
        found["score_table"] = _score_table(facts["score_table"])
    if anomaly is not None and anomaly["learning"] is not None:
        found["autoencoder_loss"] = _loss(anomaly["learning"])
    return {**found, **feature_readings(facts)}


def _data(data: Facts, base_rate: float | None) -> str:
    if data["frauds"] is None:
        return (
            f"{count(data['rows'])} transactions without labels: what is fraud among them is not "
            "known."
        )
    if not data["frauds"]:
        return f"None of the {count(data['rows'])} transactions is labelled as fraud."
    text = (
        f"{count(data['frauds'])} of {count(data['rows'])} transactions are fraud "
        f"({percent(data['fraud_share'])}, an imbalance of {ratio(data['imbalance_ratio'])})"
    )
    if base_rate is None:
        return f"{text}."
    return f"{text}; probabilities are calibrated to a base rate of {percent(base_rate)}."


def _loss(learning: Facts) -> str:
    losses = learning["figures"]["loss"]
    n_epochs = learning["n_epochs"]
    change = f"from {number(losses[0])} to {number(losses[-1])}"
    text = f"The training loss went {change} in {count(n_epochs)} epochs"
    if n_epochs == 1:
        text = f"The training loss was {number(losses[0])} after the only epoch"
    held_out = learning["figures"].get("validation_loss")
    if held_out is None:
        return f"{text}."
    lowest = min(held_out)
    return (
        f"{text}; on held-out rows it was lowest in epoch {count(held_out.index(lowest) + 1)} "
        f"({number(lowest)})."
    )


def _quality(learning: Facts) -> str:
    kept = learning["best_epoch"]
    value = learning["figures"]["average_precision"][kept - 1]
    if not learning["is_best_chosen"]:
        return (
            f"The weights of the last epoch, {count(kept)}, are used (average precision "
            f"{number(value)} on held-out folds): where members are cross-fitted no epoch is "
            "chosen."
        )
    text = f"Epoch {count(kept)} of {count(learning['n_epochs'])} was kept"
    stopped = "; training stopped early" if learning["stopped_early"] else ""
    return f"{text}, with an average precision of {number(value)} on held-out rows{stopped}."


def _gradients(health: list[Facts]) -> str:
    weakest, strongest = (
        pick(health, key=lambda layer: layer["gradient_norm"]) for pick in (min, max)
    )
    dead = [layer["dead"] for layer in health if layer["dead"] is not None]
    text = (
        f"Gradient norms of the trained networks lie between {number(weakest['gradient_norm'])} "
        f"and {number(strongest['gradient_norm'])}"
    )
    if not dead:
        return f"{text}; no unit is a rectifier that could be dead."
    return f"{text}; in the worst layer {percent(max(dead))} of the rectifiers are never active."


def _policy(policy: Facts, data: Facts) -> str:
    unit = data["amount_unit"]
    if policy["kind"] == "cost":
        floor = ""
        if policy["amount_floor"] > 0:
            floor = f" ({price(policy['amount_floor'], unit)} at least)"
        loss = f"the amount{floor} and a fee of {price(policy['fee'], unit)}"
        if data["amount"] is None:
            loss = price(policy["amount_floor"] + policy["fee"], unit)
        text = (
            "Each transaction gets the decision that is expected to cost least: approving a fraud "
            f"loses {loss}, blocking a legitimate "
            f"transaction costs {price(policy['friction'], unit)}, a review "
            f"{price(policy['review_cost'], unit)}"
        )
    else:
        text = (
            f"Probabilities from {number(policy['review'])} are reviewed and from "
            f"{number(policy['block'])} blocked"
        )
        if policy["block"] > 1:
            text += " (above 1: never)"
    if policy["anomaly_review"] is not None:
        text += f"; anomaly scores from {number(policy['anomaly_review'])} are reviewed"
    return f"{text}."


def _score_table(table: list[Facts]) -> str:
    row = next((row for row in table if row["score"] == 750), table[-1])
    return (
        f"On the calibration rows, alerting from a score of {count(row['score'])} on would find "
        f"{percent(row['recall'])} of fraud with {count(row['alerts_per_10000'])} alerts in 10,000 "
        "transactions."
    )
