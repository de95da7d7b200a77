"""How the networks learned: figures by epoch, gradients by layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from training.report.drawing import ACCENT, INK, MUTED, Plot, decades, legend, new_axes
from training.report.formats import count

WIDE_RANGE = 10.0  # values that differ by more are drawn on a logarithmic scale
FEW_EPOCHS = 10  # fewer are drawn as points: a line alone could be missed
NETWORKS = {"classifier": (ACCENT, "o", "-"), "autoencoder": (INK, "s", "--")}


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
        axes.axvline(
            learning["best_epoch"],
            color=MUTED,
            linewidth=1,
            label=f"epoch kept: {count(learning['best_epoch'])}",
        )
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    if len(epochs) > 1:
        axes.set_xlim(1, len(epochs))
    return drawn


def loss(name: str, title: str, learning: dict[str, Any]) -> Plot:
    """Draw the loss over epochs, of training rows and of those held out."""
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


def quality(learning: dict[str, Any]) -> Plot:
    """Draw average precision, recall and precision on held-out rows over epochs."""
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


def gradients(health: list[dict[str, Any]]) -> Plot:
    """Draw the norm of each layer's gradient, on a logarithmic scale."""
    figure, axes = new_axes("layer", "norm of the gradient (logarithmic)")
    norms = [layer["gradient_norm"] for layer in health]
    floor = max(min(norms), 1e-12)
    for name, (colour, symbol, dashes) in NETWORKS.items():
        layers = [layer for layer in health if layer["network"] == name]
        if layers:
            axes.plot(
                [layer["layer"] for layer in layers],
                [max(layer["gradient_norm"], floor) for layer in layers],
                marker=symbol,
                linestyle=dashes,
                color=colour,
                label=name,
            )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    decades(axes, "y", 10 ** floor_log10(floor), 10 ** (floor_log10(max(*norms, floor)) + 1))
    legend(figure)
    alt = "Line chart: norm of the gradient by layer of each network, on a logarithmic scale."
    return Plot("gradients", "Gradients by layer", alt, figure)


def floor_log10(value: float) -> int:
    """Return the power of ten at or below a value."""
    return int(np.floor(np.log10(value)))
