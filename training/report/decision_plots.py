"""What decisions cost, how many alerts they raise, and for whom they work."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from training.report.drawing import (
    ACCENT,
    FRAUD,
    INK,
    LEGITIMATE,
    MUTED,
    Plot,
    decades,
    legend,
    marker,
    new_axes,
    new_rows,
    percent_axis,
)

HEADROOM = 1.35  # of the cost axis over what matters: the cost of blocking everything does not


def costs(found: dict[str, Any], unit: str | None) -> Plot:
    """Draw the cost of single thresholds, and of the decisions as they were made."""
    figure, axes = new_axes(
        "threshold on the probability of fraud (logarithmic)",
        f"cost in 10,000 transactions{f', {unit}' if unit else ''}".replace("$", r"\$"),
    )
    thresholds = found["thresholds"]
    for name, label, colour, dashes in (
        ("reviewing", "review from here on", INK, "-"),
        ("blocking", "block from here on", MUTED, "--"),
    ):
        axes.plot(thresholds, found[name], color=colour, linestyle=dashes, label=label)
    chosen = {
        "reviewing": (found["review"], "o", ACCENT),
        "blocking": (found["block"], "s", ACCENT),
    }
    axes.axhline(found["policy"], color=ACCENT, linewidth=2, label="as decided")
    for name, (threshold, symbol, colour) in chosen.items():
        if threshold is not None and threshold <= 1:
            cost = float(np.interp(threshold, thresholds, found[name]))
            marker(axes, max(threshold, thresholds[0]), cost, symbol, f"chosen: {name}", colour)
    axes.axhline(found["approving"], color=MUTED, linewidth=1.2, linestyle=":", label="no model")
    cheapest = (best["cost"] for best in found["cheapest"].values())
    highest = max(found["approving"], found["policy"], *cheapest)
    top = HEADROOM * highest or 1.0
    shown = np.minimum(found["reviewing"], found["blocking"]) <= top
    decades(axes, "x", 10.0 ** np.floor(np.log10(thresholds[int(shown.argmax())])), 1)
    percent_axis(axes, "x")
    axes.set_ylim(0, top)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    legend(figure)
    alt = "Line chart: cost over the threshold if all above it is reviewed, or blocked."
    return Plot("costs", "What a threshold costs", alt, figure)


def alerts(found: dict[str, Any]) -> Plot:
    """Draw the share of fraud found over the number of alerts."""
    unit = "alerts a day" if found["is_daily"] else "alerts in 10,000 transactions"
    figure, axes = new_axes(f"{unit} (logarithmic)", "recall: frauds found")
    drawn = np.array([found["alerts"], found["recall"]])
    drawn = drawn[:, drawn[0] > 0]
    axes.plot(*drawn, color=ACCENT, linewidth=2, label="alerting from a score on")
    point = found["policy"]
    low = 10.0 ** np.floor(np.log10(drawn[0].min()))
    marker(axes, max(point["alerts"], low), point["recall"], "o", "policy: review or block", INK)
    decades(axes, "x", low, drawn[0].max())
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.set_ylim(0, 1.02)
    percent_axis(axes, "y")
    legend(figure)
    alt = f"Line chart: share of fraud found over {unit}, with the point where the policy works."
    return Plot("alerts", "Alerts and the fraud they find", alt, figure)


def slices(groups: list[dict[str, Any]], rate: str, overall: float | None) -> Plot:
    """Draw recall, or the false-positive rate, of each part of the rows with its interval."""
    is_recall = rate == "recall"
    colour, symbol = (FRAUD, "D") if is_recall else (LEGITIMATE, "o")
    name = "recall: frauds found" if is_recall else "false-positive rate"
    labels, headings, points = [], [], []
    for group in groups:
        headings.append(len(labels))
        labels.append(group["by"])
        for part in group["slices"]:
            points.append((len(labels), part[rate]))
            labels.append(part["label"])
    figure, axes = new_rows(name, labels, headings)
    axes.grid(visible=False, axis="y")
    known = [(place, figures) for place, figures in points if figures["value"] is not None]
    for number, (place, figures) in enumerate(known):
        first = not number
        span = [figures["low"], figures["high"]]
        label = "95 % interval" if first else "_"
        axes.plot(span, [place, place], color=colour, linewidth=2.5, alpha=0.4, label=label)
        marker(axes, figures["value"], place, symbol, "of the part" if first else "_", colour, 7)
    if overall is not None:
        axes.axvline(overall, color=INK, linewidth=1, linestyle=":", label="of all rows")
    highest = max((figures["high"] for _, figures in known), default=1.0)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlim(0, 1 if is_recall else max(1.05 * highest, 1e-4))
    percent_axis(axes, "x")
    legend(figure, 3)
    alt = f"Dot plot: {name.partition(':')[0]} by part of the evaluated rows, with 95 % intervals."
    title = "Fraud found, by part of the rows" if is_recall else "False alarms, by part of the rows"
    return Plot(f"slices_{'recall' if is_recall else 'false_alarms'}", title, alt, figure)
