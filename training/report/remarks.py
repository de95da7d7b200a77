"""What a reader of a report should know first: its one sentence, and its limits."""

from __future__ import annotations

from typing import Any

from training.findings import Finding
from training.report.feature_readings import anomalies_found
from training.report.formats import SPACE, count, formatted, percent

Facts = dict[str, Any]

FEW_FRAUDS = 30  # evaluated frauds below which intervals are too wide to rest on a value


def remarks(facts: Facts) -> list[str]:
    """Return what a reader must know before trusting the figures."""
    data, evaluation = facts["data"], facts["evaluation"]
    found = [str(Finding(**finding)) for finding in facts["findings"]]
    if evaluation is None:
        found.append("There is no classifier: this model scores anomalies only.")
        if data["frauds"] is None:
            found.append(
                "There are no labels: fraud among the training rows was learned as if it were "
                "usual, and nothing here says how much fraud the model finds."
            )
    else:
        if evaluation["part"] != "test":
            found.append(
                "No test rows were kept. All figures are of validation rows, which also set the "
                "calibration and the thresholds: expect a little less of new transactions."
            )
        if not evaluation["frauds"]:
            found.append(
                "There is no fraud among the evaluated rows: what depends on fraud is not defined."
            )
        elif evaluation["frauds"] < FEW_FRAUDS:
            found.append(
                f"Only {count(evaluation['frauds'])} frauds were evaluated: trust the intervals "
                "more than the values."
            )
        if not evaluation["legitimate"]:
            found.append("There is no legitimate transaction among the evaluated rows.")
        if facts["base_rate"] is None:
            found.append(
                f"No base rate was stated: probabilities, precision and alerts hold where fraud "
                f"is as common as in this table ({percent(data['fraud_share'])})."
            )
    if data["split_how"] == "random":
        found.append(
            "Rows were divided at random. Fraud changes with time: a division by time is closer "
            "to what the model will meet."
        )
    if data["amount"] is None:
        found.append("No column is the amount of a transaction: there are no figures in money.")
    return found


def headline(facts: Facts) -> str:
    """Return the one sentence that a reader should take away."""
    evaluation, anomaly = facts["evaluation"], facts["anomaly"]
    if evaluation is not None:
        recall = next(m for m in evaluation["metrics"] if m["name"].startswith("recall_at"))
        figure = recall["views"][0]
        if figure["value"] is not None:
            return (
                f"On {count(evaluation['rows'])} {evaluation['part']} transactions this model "
                f"finds {percent(figure['value'])} of fraud (95{SPACE}% interval "
                f"{formatted(figure['low'], 'percent')} to "
                f"{formatted(figure['high'], 'percent')}) when one legitimate "
                "transaction in 1,000 may be alerted."
            )
        return (
            f"On {count(evaluation['rows'])} {evaluation['part']} transactions the quality of "
            "this model is not defined: one of the two classes is missing."
        )
    return anomalies_found(anomaly)
