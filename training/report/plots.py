"""The plots of a training report, drawn from its facts."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from training.evaluate import FALSE_POSITIVE_RATE
from training.report.drawing import (
    ACCENT,
    FRAUD,
    INK,
    LEGITIMATE,
    MUTED,
    SURFACE,
    Plot,
    decades,
    legend,
    marker,
    new_axes,
    percent_axis,
)
from training.report.formats import percent

GROUP_COLOURS = {"legitimate": LEGITIMATE, "fraud": FRAUD, "unlabelled": MUTED}
WIDE_RANGE = 10.0  # values that differ by more are drawn on a logarithmic scale
FEW_EPOCHS = 10  # fewer are drawn as points: a line alone could be missed


def draw(facts: dict[str, Any]) -> dict[str, Plot]:
    """Return the plots that a report's facts allow, by name."""
    plots = []
    learning, evaluation, anomaly = (facts[key] for key in ("learning", "evaluation", "anomaly"))
    if learning is not None:
        plots += [_loss("learning_loss", "Loss by epoch", learning), _quality(learning)]
    if evaluation is not None:
        if evaluation["roc"] is not None:
            plots += [_precision_recall(evaluation), _roc(evaluation)]
        plots += [_calibration(evaluation["calibration"]), _scores(evaluation["scores"])]
    if anomaly is not None:
        if anomaly["learning"] is not None:
            title = "Loss of the autoencoder by epoch"
            plots.append(_loss("autoencoder_loss", title, anomaly["learning"]))
        plots.append(_errors(anomaly))
    return {plot.name: plot for plot in plots}


def _by_epoch(
    axes: Axes, learning: dict[str, Any], lines: list[tuple[str, str, str, str]]
) -> list[float]:
    """Draw figures over epochs, (name, label, colour, dashes) each, and return what was drawn."""
    epochs = range(1, learning["n_epochs"] + 1)
    points: dict[str, Any] = {"marker": "o", "markersize": 3} if len(epochs) < FEW_EPOCHS else {}
    drawn: list[float] = []
    for name, label, colour, dashes in lines:
        values = learning["figures"].get(name)
        if values is not None:
            axes.plot(epochs, values, color=colour, linestyle=dashes, label=label, **points)
            drawn += values
    if learning["is_best_chosen"]:
        axes.axvline(learning["best_epoch"], color=MUTED, linewidth=1, label="epoch kept")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    if len(epochs) > 1:
        axes.set_xlim(1, len(epochs))
    return drawn


def _loss(name: str, title: str, learning: dict[str, Any]) -> Plot:
    figure, axes = new_axes("epoch", "loss")
    training = "training rows, weighted by class" if learning["is_weighted"] else "training rows"
    lines = [
        ("loss", training, ACCENT, "-"),
        ("validation_loss", "held-out rows", INK, "--"),
    ]
    drawn = _by_epoch(axes, learning, lines)
    if min(drawn) > 0 and max(drawn) > WIDE_RANGE * min(drawn):
        decades(axes, "y", min(drawn) * 0.8, max(drawn) * 1.2)
    else:
        axes.set_ylim(bottom=0)
    legend(figure)
    return Plot(name, title, f"Line chart: {title.lower()}.", figure)


def _quality(learning: dict[str, Any]) -> Plot:
    figure, axes = new_axes("epoch", "on held-out rows")
    lines = [
        ("average_precision", "average precision", ACCENT, "-"),
        ("recall", "recall at p = 0.5", INK, "--"),
        ("precision", "precision at p = 0.5", MUTED, ":"),
    ]
    _by_epoch(axes, learning, lines)
    axes.set_ylim(0, 1.02)
    legend(figure)
    alt = "Line chart: average precision, recall and precision on held-out rows by epoch."
    return Plot("learning_quality", "Quality by epoch", alt, figure)


def _precision_recall(evaluation: dict[str, Any]) -> Plot:
    figure, axes = new_axes("recall: frauds found", "precision: alerts that are fraud")
    views, curves = evaluation["views"], evaluation["precision_recall"]
    alert = evaluation["operating_points"]["alert"]
    for number, (view, curve) in enumerate(zip(views, curves, strict=True)):
        is_last = number == len(views) - 1
        colour, width, dashes = (ACCENT, 2.0, "-") if is_last else (MUTED, 1.2, "--")
        axes.plot(
            curve["recall"],
            curve["precision"],
            color=colour,
            linewidth=width,
            linestyle=dashes,
            label=f"at {percent(view['prevalence'])} fraud",
        )
        if alert["precision"][number] is not None:
            label = "policy: review or block" if is_last else "_"
            marker(axes, alert["recall"], alert["precision"][number], "o", label, colour)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    percent_axis(axes, "x", "y")
    legend(figure)
    alt = "Precision–recall curve of the evaluated rows with the point where the policy works."
    return Plot("precision_recall", "Precision and recall", alt, figure)


def _roc(evaluation: dict[str, Any]) -> Plot:
    figure, axes = new_axes("false-positive rate (logarithmic)", "recall: frauds found")
    curve, points = evaluation["roc"], evaluation["operating_points"]
    floor = min(curve["smallest_rate"], 0.1)
    rates = np.maximum(curve["false_positive_rate"], floor)
    axes.plot(rates, curve["recall"], color=ACCENT, linewidth=2, label="model")
    chance = np.geomspace(floor, 1, 100)
    axes.plot(chance, chance, color=MUTED, linestyle=":", linewidth=1.2, label="chance")
    if floor < FALSE_POSITIVE_RATE:
        label = f"{100 * FALSE_POSITIVE_RATE:g} % false positives"
        axes.axvline(FALSE_POSITIVE_RATE, color=INK, linewidth=1, linestyle="--", label=label)
    for name, symbol, label in (("alert", "o", "review or block"), ("block", "s", "block")):
        point = points[name]
        x = max(point["false_positive_rate"], floor)
        marker(axes, x, point["recall"], symbol, f"policy: {label}")
    decades(axes, "x", floor, 1)
    percent_axis(axes, "x", "y")
    axes.set_ylim(0, 1.02)
    legend(figure)
    alt = "ROC curve with a logarithmic false-positive rate and the points where the policy works."
    return Plot("roc", "Recall against false positives (ROC)", alt, figure)


def _calibration(calibration: dict[str, Any]) -> Plot:
    figure, axes = new_axes("predicted probability of fraud", "share that was fraud")
    bins = calibration["bins"]
    shown = [b["predicted"] for b in bins] + [b["observed"] for b in bins if b["frauds"]]
    floor = 10.0 ** np.floor(np.log10(max(min(shown), 1e-6)))
    axes.plot([floor, 1], [floor, 1], color=MUTED, linestyle=":", label="perfectly calibrated")
    for number, b in enumerate(bins):
        x = max(b["predicted"], floor)
        label = "95 % interval" if not number else "_"
        span = np.maximum([b["low"], b["high"]], floor)
        axes.plot([x, x], span, color=ACCENT, linewidth=2.5, alpha=0.35, label=label)
    for is_empty, symbol, label in (
        (False, "o", "observed"),
        (True, "v", "no fraud in this range"),
    ):
        chosen = [b for b in bins if (b["frauds"] == 0) == is_empty]
        if chosen:
            x = [max(b["predicted"], floor) for b in chosen]
            y = [max(b["observed"], floor) for b in chosen]
            face = SURFACE if is_empty else ACCENT
            axes.plot(x, y, symbol, color=ACCENT, markerfacecolor=face, label=label, clip_on=False)
    for name in ("x", "y"):
        decades(axes, name, floor, 1)
    percent_axis(axes, "x", "y")
    legend(figure)
    alt = "Calibration diagram: predicted probability against observed share, both logarithmic."
    return Plot("calibration", "Calibration", alt, figure)


def _distributions(axes: Axes, points: dict[str, Any]) -> None:
    """Draw each group's histogram: filled, and with an outline that tells them apart unaided."""
    for name, shares in points["shares"].items():
        colour, dashes = GROUP_COLOURS[name], "--" if name == "fraud" else "-"
        axes.stairs(shares, points["edges"], fill=True, color=colour, alpha=0.25, linewidth=0)
        axes.stairs(
            shares, points["edges"], color=colour, linewidth=1.8, linestyle=dashes, label=name
        )
    axes.set_ylim(bottom=0)
    percent_axis(axes, "y")


def _scores(points: dict[str, Any]) -> Plot:
    figure, axes = new_axes("score", "share of the class")
    _distributions(axes, points)
    axes.set_xlim(0, 1000)
    legend(figure)
    alt = "Histogram of scores from 0 to 1000, legitimate and fraudulent rows apart."
    return Plot("scores", "Scores by class", alt, figure)


def _errors(anomaly: dict[str, Any]) -> Plot:
    figure, axes = new_axes("reconstruction error (logarithmic)", "share of the class")
    points = anomaly["errors"]
    _distributions(axes, points)
    threshold = anomaly["threshold"]
    axes.axvline(threshold, color=INK, linewidth=1.2, linestyle=":", label="anomaly threshold")
    decades(axes, "x", points["edges"][0], points["edges"][-1])
    if "unlabelled" in points["shares"]:
        axes.set_ylabel("share of rows")
    legend(figure, 3)
    alt = "Histogram of reconstruction errors by class with the threshold of anomalies."
    return Plot("autoencoder_errors", "Reconstruction errors", alt, figure)
