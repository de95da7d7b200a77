"""The plots of a training report."""

from __future__ import annotations

from typing import Any

from training.report import decision_plots, feature_plots, learning_plots, quality_plots
from training.report.drawing import Plot


def draw(facts: dict[str, Any]) -> dict[str, Plot]:
    """Return the plots that a report's facts allow, by name."""
    plots = []
    learning, anomaly = facts["learning"], facts["anomaly"]
    if learning is not None:
        title = "Loss by epoch"
        plots += [
            learning_plots.loss("learning_loss", title, learning),
            learning_plots.quality(learning),
        ]
    plots.append(learning_plots.gradients(facts["health"]))
    if facts["evaluation"] is not None:
        plots += _of_evaluation(facts, facts["evaluation"])
    if anomaly is not None:
        if anomaly["learning"] is not None:
            title = "Loss of the autoencoder by epoch"
            plots.append(learning_plots.loss("autoencoder_loss", title, anomaly["learning"]))
        plots += [
            feature_plots.errors(anomaly),
            feature_plots.error_features(anomaly["features"]),
        ]
    return {plot.name: plot for plot in plots}


def _of_evaluation(facts: dict[str, Any], evaluation: dict[str, Any]) -> list[Plot]:
    plots = [
        quality_plots.calibration(evaluation["calibration"]),
        quality_plots.scores(evaluation["scores"]),
        decision_plots.costs(evaluation["costs"], facts["data"]["amount_unit"]),
        feature_plots.features(facts["features"]),
    ]
    if evaluation["roc"] is not None:
        plots += [
            quality_plots.precision_recall(evaluation),
            quality_plots.roc(evaluation),
            decision_plots.alerts(evaluation["alerts"]),
        ]
    if facts["slices"]:
        point = evaluation["operating_points"]["alert"]
        plots += [
            decision_plots.slices(facts["slices"], rate, point[rate])
            for rate in ("recall", "false_positive_rate")
        ]
    return plots
