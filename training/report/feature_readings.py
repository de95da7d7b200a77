"""Sentences on features, mistakes, anomalies and the champion."""

from __future__ import annotations

from typing import Any

from training.report.formats import contribution, count, number, percent, signed

Facts = dict[str, Any]

WORDS = {
    "legitimate": "legitimate transactions",
    "fraud": "frauds",
    "unlabelled": "transactions",
}


MISTAKES = {
    "missed": ("fraud", "frauds", "approved"),
    "false_alarms": ("legitimate transaction", "legitimate transactions", "alerted"),
}
ORDERS = {
    "amount": "with the largest amounts",
    "probability": "with the highest probabilities",
    "decision": "blocked or nearest to it",
}


def feature_readings(facts: Facts) -> dict[str, str]:
    """Return the sentences on what single features and rows say."""
    found = {}
    if facts["features"] is not None:
        found["features"] = _features(facts["features"])
    if facts["mistakes"] is not None:
        for kind in MISTAKES:
            found[kind] = _mistakes(facts["mistakes"][kind], *MISTAKES[kind])
    if facts["anomaly"] is not None:
        found["autoencoder_errors"] = anomalies_found(facts["anomaly"])
        found["autoencoder_features"] = _error_features(facts["anomaly"]["features"])
    if facts["champion"] is not None:
        found["champion"] = _champion(facts["champion"], facts["model"]["version"])
    return found


def _features(features: Facts) -> str:
    first = features["features"][0]
    parts = [
        f"{contribution(first[name])} for {WORDS[name]}"
        for name in ("fraud", "legitimate")
        if first[name] is not None
    ]
    text = (
        f"{first['name']} weighs most, by the mean size of what it adds to the logit against the "
        f"typical transaction: on average {' and '.join(parts)}"
    )
    if not features["rest"]:
        return f"{text}."
    return (
        f"{text}; the {count(features['rest'])} features not shown carry "
        f"{percent(features['rest_share'])} of all weight."
    )


def _mistakes(mistakes: Facts, one: str, many: str, verb: str) -> str:
    total, shown = mistakes["total"], len(mistakes["worst"])
    if not total:
        return f"No {one} was {verb}."
    if total == 1:
        return f"1 {one} was {verb}."
    if shown == total:
        return f"{count(total)} {many} were {verb}; they are all shown."
    which = ORDERS[mistakes["order"]]
    return f"{count(total)} {many} were {verb}; shown are the {count(shown)} {which}."


def anomalies_found(anomaly: Facts) -> str:
    """Return how many rows of each class the anomaly threshold catches."""
    parts = [
        f"{percent(group['above'])} of {count(group['rows'])} {WORDS[group['name']]}"
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
            f" Reviewing anomalies adds {count(reviews['in_10000'])} reviews in 10,000 "
            "transactions that would be approved otherwise."
        )
    return text


def _error_features(features: Facts) -> str:
    first, means = features["features"][0], features["means"]
    text = f"{first['name']} adds most to the mean error: "
    shares = {name: f"{number(first[name])} of {number(mean)}" for name, mean in means.items()}
    if "unlabelled" in shares:
        return f"{text}{shares['unlabelled']}."
    return f"{text}{' and '.join(f'{share} for {WORDS[name]}' for name, share in shares.items())}."


def _champion(champion: Facts, version: str) -> str:
    comparison = champion["comparison"]
    if champion["is_the_same"]:
        return f"This is the champion itself, version {version}."
    if comparison is None:
        return f"There is no comparison: {champion['refusal']}."
    difference = comparison["difference"]
    verdict = "these rows do not tell which of the two is better"
    if difference["high"] < 0:
        verdict = "these rows show the new model to be worse"
    elif difference["low"] > 0:
        verdict = "these rows show the new model to be better"
    return (
        f"On {count(comparison['rows'])} rows new to both, {count(comparison['frauds'])} of them "
        f"fraud, the average precision changes by {signed(difference['value'])} (interval "
        f"{signed(difference['low'])} to {signed(difference['high'])}): {verdict}."
    )
