"""Which features speak for fraud, and which are unusual."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.report.drawing import (
    GRID,
    INK,
    MUTED,
    Plot,
    decades,
    legend,
    marker,
    new_axes,
    new_rows,
)
from training.report.learning_plots import floor_log10
from training.report.quality_plots import GROUP_COLOURS, distributions

SYMBOLS = {"legitimate": "o", "fraud": "D", "unlabelled": "o"}
SMALLEST = 1e-6  # errors below are drawn as this


def _rows(
    x: str, features: list[dict[str, Any]], floor: float | None = None
) -> tuple[Figure, Axes]:
    """Draw a row for each feature: a point for each class, and a line between them."""
    figure, axes = new_rows(x, [feature["name"] for feature in features])
    groups = [name for name in SYMBOLS if features and features[0].get(name) is not None]
    for place, feature in enumerate(features):
        values = [feature[name] if floor is None else max(feature[name], floor) for name in groups]
        axes.plot([min(values), max(values)], [place, place], color=GRID, linewidth=3, zorder=1)
        for name, value in zip(groups, values, strict=True):
            label = name if not place else "_"
            marker(axes, value, place, SYMBOLS[name], label, GROUP_COLOURS[name], 7)
    axes.grid(visible=False, axis="y")
    legend(figure)
    return figure, axes


def features(found: dict[str, Any]) -> Plot:
    """Draw what each feature adds to the logit of each class on average."""
    figure, axes = _rows("mean contribution to the logit", found["features"])
    axes.axvline(0, color=MUTED, linewidth=1, zorder=0)
    alt = (
        "Dot plot: for each of the heaviest features its mean contribution to the logit of "
        "legitimate and of fraudulent rows."
    )
    return Plot("features", "What the classifier looks at", alt, figure)


def errors(anomaly: dict[str, Any]) -> Plot:
    """Draw how reconstruction errors are spread over each class."""
    figure, axes = new_axes("reconstruction error (logarithmic)", "share of the class")
    points = anomaly["errors"]
    distributions(axes, points)
    threshold = anomaly["threshold"]
    axes.axvline(threshold, color=INK, linewidth=1.2, linestyle=":", label="anomaly threshold")
    decades(axes, "x", points["edges"][0], points["edges"][-1])
    if "unlabelled" in points["shares"]:
        axes.set_ylabel("share of rows")
    legend(figure, 3)
    alt = "Histogram of reconstruction errors by class with the threshold of anomalies."
    return Plot("autoencoder_errors", "Reconstruction errors", alt, figure)


def error_features(found: dict[str, Any]) -> Plot:
    """Draw what each feature adds to the reconstruction error of each class on average."""
    figure, axes = _rows("mean part of the error (logarithmic)", found["features"], SMALLEST)
    values = [
        max(value, SMALLEST)
        for feature in found["features"]
        for name, value in feature.items()
        if name != "name"
    ]
    decades(axes, "x", 10.0 ** floor_log10(min(values)), 10.0 ** (floor_log10(max(values)) + 1))
    alt = (
        "Dot plot: for each feature its mean part of the reconstruction error, by class, on a "
        "logarithmic scale."
    )
    return Plot("autoencoder_features", "Reconstruction error by feature", alt, figure)
