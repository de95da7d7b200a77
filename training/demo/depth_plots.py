"""The pictures of depth: gradients, slopes and what becomes of learning."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from model.activations import ACTIVATIONS
from training.report.drawing import (
    ACCENT,
    INK,
    MUTED,
    Plot,
    decades,
    legend,
    new_axes,
    percent_axis,
)
from training.report.formats import quantity
from training.report.page import Facts

LOOKS = {"sigmoid": ("sigmoid", INK, "s", "--"), "relu": ("ReLU", ACCENT, "o", "-")}
SLOPE_RANGE = np.linspace(-6, 6, 241)
ROOM = 3.0  # factor, above and below what is drawn


def gradients(deepest: Facts) -> Plot:
    """Draw the norm of the gradient by layer of the deepest networks."""
    figure, axes = new_axes("layer, from the input", "norm of the gradient (logarithmic)")
    for name, trial in deepest.items():
        layers = range(1, len(trial["gradients"]) + 1)
        _band(axes, name, layers, trial["gradients"])
    _whole(axes)
    _decades(axes, [own for trial in deepest.values() for own in trial["gradients"]])
    legend(figure)
    alt = (
        "Line chart on a logarithmic scale: the norm of the gradient by layer. With sigmoids it "
        "falls steeply towards the input, with ReLU it stays about level."
    )
    return Plot("gradients", "Gradient by layer", alt, figure)


def slopes() -> Plot:
    """Draw the derivatives."""
    figure, axes = new_axes("sum that enters the unit", "slope of the activation")
    for name, (label, colour, _, dashes) in LOOKS.items():
        own = ACTIVATIONS[name]
        slope = own.gradient(SLOPE_RANGE, own.function(SLOPE_RANGE))
        axes.plot(SLOPE_RANGE, slope, color=colour, linestyle=dashes, label=label)
    axes.set_xlim(SLOPE_RANGE[0], SLOPE_RANGE[-1])
    axes.set_ylim(0, 1.05)
    legend(figure)
    alt = "The slope of a sigmoid, a low hill around zero, and of ReLU, a step from zero to one."
    return Plot("slopes", "Slope of the activations", alt, figure)


def shrinkages(rivals: Facts) -> Plot:
    """Draw how much smaller the gradient of the first hidden layer is, by depth."""
    figure, axes = new_axes("hidden layers", "times smaller (logarithmic)")
    values = []
    for name, trials in rivals.items():
        label, colour, symbol, dashes = LOOKS[name]
        own = [trial["shrinkage"] for trial in trials]
        depths = [trial["depth"] for trial in trials]
        axes.plot(depths, own, symbol, linestyle=dashes, color=colour, markersize=5, label=label)
        values += own
    _whole(axes)
    decades(axes, "y", min(values) / ROOM, max(values) * ROOM)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: quantity(value)))
    legend(figure)
    alt = (
        "Line chart on a logarithmic scale: how many times smaller the gradient of the first "
        "hidden layer is than that of the last, by the number of layers, sigmoids and ReLU."
    )
    return Plot("shrinkages", "How much the gradient shrinks", alt, figure)


def accuracies(rivals: Facts) -> Plot:
    """Draw the accuracy after the same training, by depth."""
    figure, axes = new_axes("hidden layers", "held-out points right")
    for name, trials in rivals.items():
        _band(axes, name, [own["depth"] for own in trials], [own["accuracy"] for own in trials])
    axes.axhline(0.5, color=MUTED, linewidth=1, linestyle=":", label="guessing")
    _whole(axes)
    axes.set_ylim(0.4, 1.02)
    percent_axis(axes, "y")
    legend(figure, columns=3)
    alt = "Line chart: accuracy on held-out points by the number of layers, sigmoids and ReLU."
    return Plot("accuracies", "Accuracy by depth", alt, figure)


def _band(axes: Axes, name: str, x: range | list[int], spreads: list[dict[str, float]]) -> None:
    """Draw the middle start over the middle half of them."""
    label, colour, symbol, dashes = LOOKS[name]
    low, middle, high = ([own[key] for own in spreads] for key in ("low", "value", "high"))
    axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(x, middle, symbol, linestyle=dashes, color=colour, markersize=5, label=label)


def _whole(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _decades(axes: Axes, spreads: list[dict[str, float]]) -> None:
    low, high = min(own["low"] for own in spreads), max(own["high"] for own in spreads)
    decades(axes, "y", low / ROOM, high * ROOM)
