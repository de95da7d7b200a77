"""One sentence under every plot and table, computed from the figures it shows."""

from __future__ import annotations

from typing import Any

from training.report.formats import SPACE, count, money, number, percent, ratio

Facts = dict[str, Any]


def readings(facts: Facts) -> dict[str, str]:
    """Return the sentences of a report, by the name of what they stand under."""
    learning, evaluation, anomaly = (facts[key] for key in ("learning", "evaluation", "anomaly"))
    found = {"data": _data(facts["data"], facts["base_rate"])}
    if learning is not None:
        found["learning_loss"] = _loss(learning)
        found["learning_quality"] = _quality(learning)
    if evaluation is not None:
        found |= _of_evaluation(facts, evaluation)
    if facts["policy"] is not None:
        found["policy"] = _policy(facts["policy"])
    if facts["score_table"]:
        found["score_table"] = _score_table(facts["score_table"])
    if anomaly is not None:
        found["autoencoder_errors"] = anomalies_found(anomaly)
        if anomaly["learning"] is not None:
            found["autoencoder_loss"] = _loss(anomaly["learning"])
    return found


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


def _of_evaluation(facts: Facts, evaluation: Facts) -> dict[str, str]:
    legitimate, fraud = evaluation["decisions"]
    found = {
        "decisions": _decisions(legitimate, fraud),
        "calibration": _calibration(evaluation["calibration"]),
        "impact": _impact(evaluation["impact"], evaluation["operating_points"]["alert"]),
        "scores": _scores(evaluation["scores"]),
    }
    if evaluation["roc"] is not None:
        found["roc"] = _roc(evaluation, facts["policy"])
        found["precision_recall"] = _precision_recall(evaluation)
    return found


def _decisions(legitimate: Facts, fraud: Facts) -> str:
    if not fraud["total"]:
        return (
            f"{count(legitimate['alerted'])} of {count(legitimate['total'])} legitimate "
            "transactions were alerted."
        )
    return (
        f"Of {count(fraud['total'])} frauds {count(fraud['alerted'])} were alerted and "
        f"{count(fraud['counts']['approved'])} approved; of {count(legitimate['total'])} "
        f"legitimate transactions {count(legitimate['alerted'])} were alerted."
    )


def _roc(evaluation: Facts, policy: Facts) -> str:
    recall = next(m for m in evaluation["metrics"] if m["name"].startswith("recall_at"))
    alert = evaluation["operating_points"]["alert"]
    text = (
        f"At 0.1{SPACE}% false positives this model finds "
        f"{percent(recall['views'][0]['value'])} of fraud; the policy finds "
        f"{percent(alert['recall'])} at {percent(alert['false_positive_rate'])}"
    )
    if policy["kind"] == "cost":
        return f"{text}, away from the curve where it weighs amounts besides probabilities."
    return f"{text}."


def _precision_recall(evaluation: Facts) -> str:
    alert = evaluation["operating_points"]["alert"]
    pairs = [
        (percent(precision), percent(view["prevalence"]))
        for view, precision in zip(evaluation["views"], alert["precision"], strict=True)
        if precision is not None
    ]
    if not pairs:
        return "The policy alerts none of these rows."
    (precision, prevalence), *others = pairs
    text = (
        f"The policy finds {percent(alert['recall'])} of fraud. Of its alerts {precision} are "
        f"fraud where {prevalence} of transactions are"
    )
    return "; ".join([text, *(f"{share} where {common} are" for share, common in others)]) + "."


def _calibration(calibration: Facts) -> str:
    return (
        f"On average {percent(calibration['predicted'])} was predicted and "
        f"{percent(calibration['observed'])} was fraud; the prediction lies within the 95{SPACE}% "
        f"interval of what came true in {count(calibration['n_agreeing'])} of "
        f"{count(len(calibration['bins']))} ranges."
    )


def _scores(points: Facts) -> str:
    high = points["high"]
    words = {"fraud": "fraud", "legitimate": "legitimate transactions"}
    parts = [f"{percent(high[name])} of {words[name]}" for name in words if name in high]
    return f"{' and '.join(parts)} score {count(points['high_from'])} or more."


def _impact(impact: Facts, alert: Facts) -> str:
    by_label = {row["label"]: row["values"][0] for row in impact["rows"]}
    alerts = f"{count(alert['alerts_per_10000'][-1])} alerts in 10,000 transactions"
    text = f"The policy raises {alerts}"
    if impact["amount_caught_share"] is not None:
        caught = by_label["Amount of fraud caught"]
        text += (
            f" and stops {percent(impact['amount_caught_share'])} of the amount at stake in fraud "
            f"({money(caught)} on these rows)"
        )
    return f"{text}."


def _policy(policy: Facts) -> str:
    if policy["kind"] == "cost":
        text = (
            "Each transaction gets the decision that is expected to cost least: approving a fraud "
            f"loses the amount and a fee of {money(policy['fee'])}, blocking a legitimate "
            f"transaction costs {money(policy['friction'])}, a review "
            f"{money(policy['review_cost'])}"
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
        f"Alerting from a score of {count(row['score'])} on would find {percent(row['recall'])} "
        f"of fraud with {count(row['alerts_per_10000'])} alerts in 10,000 transactions "
        "(measured on calibration rows)."
    )


def anomalies_found(anomaly: Facts) -> str:
    """Return how many rows of each class the anomaly threshold catches."""
    words = {
        "legitimate": "legitimate transactions",
        "fraud": "frauds",
        "unlabelled": "transactions",
    }
    parts = [
        f"{percent(group['above'])} of {count(group['rows'])} {words[group['name']]}"
        for group in anomaly["groups"]
        if group["above"] is not None
    ]
    whose = "legitimate " if anomaly["is_labelled"] else ""
    text = (
        f"Above the anomaly threshold of {number(anomaly['threshold'])} lie "
        f"{' and '.join(parts)} ({anomaly['part']} rows); it was set above "
        f"{percent(anomaly['quantile'])} of {whose}validation errors."
    )
    reviews = anomaly["reviews"]
    if reviews is not None:
        text += (
            f" Reviewing anomalies adds {number(reviews['in_10000'])} reviews in 10,000 "
            "transactions that would be approved otherwise."
        )
    return text
