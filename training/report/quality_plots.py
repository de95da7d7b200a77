"""How well classes are told apart, and whether probabilities come true."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

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


def precision_recall(evaluation: dict[str, Any]) -> Plot:
    """Draw precision over recall at each prevalence."""
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


def roc(evaluation: dict[str, Any]) -> Plot:
    """Draw recall over the false-positive rate, where it is small."""
    figure, axes = new_axes("false-positive rate (logarithmic)", "recall: frauds found")
    curve, points = evaluation["roc"], evaluation["operating_points"]
    floor = min(curve["smallest_rate"], 0.1)
    rates = np.maximum(curve["false_positive_rate"], floor)
    axes.plot(rates, curve["recall"], color=ACCENT, linewidth=2, label="model")
    chance = np.geomspace(floor, 1, 100)
    axes.plot(chance, chance, color=MUTED, linestyle=":", linewidth=1.2, label="chance")
    if floor < FALSE_POSITIVE_RATE:
        found = next(m for m in evaluation["metrics"] if m["name"].startswith("recall_at"))
        recall = percent(found["views"][0]["value"])
        label = f"{100 * FALSE_POSITIVE_RATE:g} % false positives: {recall}"
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


def calibration(calibration: dict[str, Any]) -> Plot:
    """Draw what came true over what was predicted, after calibration and before."""
    figure, axes = new_axes("predicted probability of fraud", "share that was fraud")
    bins = calibration["bins"]
    shown = [b["predicted"] for b in bins] + [b["observed"] for b in bins if b["frauds"]]
    floor = 10.0 ** np.floor(np.log10(max(min(shown), 1e-6)))
    axes.plot([floor, 1], [floor, 1], color=MUTED, linestyle=":", label="perfectly calibrated")
    before = calibration["before"]["bins"]
    axes.plot(
        [max(b["predicted"], floor) for b in before],
        [max(b["observed"], floor) for b in before],
        "x",
        color=MUTED,
        markersize=6,
        label="before calibration",
        clip_on=False,
    )
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


def distributions(axes: Axes, points: dict[str, Any]) -> None:
    """Draw each group's histogram: filled, and with an outline that tells them apart unaided."""
    for name, shares in points["shares"].items():
        colour, dashes = GROUP_COLOURS[name], "--" if name == "fraud" else "-"
        axes.stairs(shares, points["edges"], fill=True, color=colour, alpha=0.25, linewidth=0)
        axes.stairs(
            shares, points["edges"], color=colour, linewidth=1.8, linestyle=dashes, label=name
        )
    axes.set_ylim(bottom=0)
    percent_axis(axes, "y")


def scores(points: dict[str, Any]) -> Plot:
    """Draw how scores are spread over each class."""
    figure, axes = new_axes("score", "share of the class")
    distributions(axes, points)
    axes.set_xlim(0, 1000)
    legend(figure)
    alt = "Histogram of scores from 0 to 1000, legitimate and fraudulent rows apart."
    return Plot("scores", "Scores by class", alt, figure)
