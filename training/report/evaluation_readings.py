"""Sentences on how good the decisions are, computed from the figures they speak of."""

from __future__ import annotations

from typing import Any

from training.findings import PARTS
from training.report.formats import SPACE, count, percent, price

Facts = dict[str, Any]

SHOWN_RECALL = 0.8  # whose price in alerts is told


def evaluation_readings(facts: Facts) -> dict[str, str]:
    """Return the sentences on the evaluated rows."""
    evaluation, unit = facts["evaluation"], facts["data"]["amount_unit"]
    legitimate, fraud = evaluation["decisions"]
    found = {
        "decisions": _decisions(legitimate, fraud),
        "calibration": _calibration(evaluation["calibration"]),
        "impact": _impact(evaluation, unit),
        "scores": _scores(evaluation["scores"], PARTS[evaluation["part"]]),
        "costs": _costs(evaluation["costs"], unit),
    }
    if evaluation["roc"] is not None:
        found["roc"] = _roc(evaluation, facts["policy"])
        found["precision_recall"] = _precision_recall(evaluation)
        found["alerts"] = _alerts(evaluation["alerts"])
    if facts["slices"]:
        point = evaluation["operating_points"]["alert"]
        found["slices_recall"] = _slices(facts["slices"], "recall", point)
        found["slices_false_alarms"] = _slices(facts["slices"], "false_positive_rate", point)
    return found


def _decisions(legitimate: Facts, fraud: Facts) -> str:
    alarms = legitimate["alerted"]
    text = (
        f"of {count(legitimate['total'])} legitimate transactions {count(alarms)} "
        f"{'was' if alarms == 1 else 'were'} alerted."
    )
    if not fraud["total"]:
        return f"{text[0].upper()}{text[1:]}"
    return (
        f"Of {count(fraud['total'])} frauds {count(fraud['alerted'])} "
        f"{'was' if fraud['alerted'] == 1 else 'were'} alerted and "
        f"{count(fraud['counts']['approved'])} approved; {text}"
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
    before = calibration["before"]
    return (
        f"On average {percent(calibration['predicted'])} was predicted "
        f"({percent(before['predicted'])} before calibration) and "
        f"{percent(calibration['observed'])} was fraud; the prediction lies within the 95{SPACE}% "
        f"interval of what came true in {count(calibration['n_agreeing'])} of "
        f"{count(len(calibration['bins']))} ranges (before: {count(before['n_agreeing'])} of "
        f"{count(len(before['bins']))})."
    )


def _scores(points: Facts, rows: str) -> str:
    high = points["high"]
    words = {"fraud": "fraud", "legitimate": "legitimate transactions"}
    parts = [f"{percent(high[name])} of {words[name]}" for name in words if name in high]
    return f"Of the {rows}, {' and '.join(parts)} score {count(points['high_from'])} or more."


def _impact(evaluation: Facts, unit: str | None) -> str:
    impact, alert = evaluation["impact"], evaluation["operating_points"]["alert"]
    by_label = {row["label"]: row["values"][0] for row in impact["rows"]}
    alerts = f"{count(alert['alerts_per_10000'][-1])} alerts in 10,000 transactions"
    text = f"The policy raises {alerts}"
    if impact["amount_caught_share"] is not None:
        caught = by_label["Amount of fraud caught"]
        text += (
            f" and stops {percent(impact['amount_caught_share'])} of the amount at stake in fraud "
            f"({price(caught, unit)} on these rows)"
        )
    return f"{text}."


def _costs(costs: Facts, unit: str | None) -> str:
    name, best = min(costs["cheapest"].items(), key=lambda pair: pair[1]["cost"])
    return (
        f"In 10,000 transactions the decisions cost {price(costs['policy'], unit)} and approving "
        f"everything would cost {price(costs['approving'], unit)}; the cheapest single threshold, "
        f"known only in hindsight, would be {name} from {percent(best['threshold'])} on, for "
        f"{price(best['cost'], unit)}."
    )


def _alerts(alerts: Facts) -> str:
    unit = "a day" if alerts["is_daily"] else "in 10,000 transactions"
    needed = next(point for point in alerts["needed"] if point["recall"] == SHOWN_RECALL)
    return (
        f"The policy raises {count(alerts['policy']['alerts'])} alerts {unit} and finds "
        f"{percent(alerts['policy']['recall'])} of fraud; alerting by score, "
        f"{percent(needed['recall'])} would take {count(needed['alerts'])} alerts {unit}."
    )


def _slices(groups: list[Facts], rate: str, point: Facts) -> str:
    overall = point[rate]
    what = "fraud found" if rate == "recall" else "legitimate transactions alerted"
    parts = [
        (part[rate], f"{group['by']} {part['label']}")
        for group in groups
        for part in group["slices"]
        if part[rate]["value"] is not None
    ]
    if overall is None or not parts:
        return f"No row tells the share of {what}."
    worst = min if rate == "recall" else max
    figures, name = worst(parts, key=lambda part: part[0]["value"])
    n_apart = sum(not part["low"] <= overall <= part["high"] for part, _ in parts)
    text = (
        f"The share of {what} is {percent(overall)} over all rows and "
        f"{'lowest' if rate == 'recall' else 'highest'}, {percent(figures['value'])}, for {name}"
    )
    if not n_apart:
        return f"{text}; no interval leaves the share of all rows out."
    return (
        f"{text}; {count(n_apart)} of {count(len(parts))} intervals leave the share of all rows "
        "out."
    )
