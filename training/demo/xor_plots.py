"""The pictures of XOR: the plane, what the hidden units make of it, and how starts fare."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any

from numpy.typing import NDArray

from model import MLP
from model.activations import sigmoid
from training.demo.plane import HEIGHT, Grid, draw_points, draw_regions, frame_plane
from training.report.drawing import ACCENT, INK, MUTED, Plot, legend, new_axes, percent_axis
from training.report.page import Facts

Array = NDArray[Any]

PLANE, HIDDEN_PLANE = Grid(-1.7, 1.7), Grid(-1.15, 1.15)


@dataclass(frozen=True)
class Trial:
    """Networks of one width from many starts.

    Attributes
    ----------
    network : MLP
        Its members are the starts.
    losses : ndarray (epochs, K)
    accuracies : ndarray (K,)
    """

    network: MLP
    losses: Array
    accuracies: Array

    @property
    def best(self) -> int:
        """The start that got most points right; the first of them."""
        return int(self.accuracies.argmax())

    def probability(self, X: Array) -> Array:
        """Return what the best start says of points."""
        return sigmoid(self.network.logits(X)[self.best])


def plane(name: str, title: str, trial: Trial, X: Array, y: Array) -> Plot:
    """Draw the points over what the best start says of the plane."""
    figure, axes = new_axes("first input", "second input", HEIGHT)
    draw_regions(axes, PLANE, trial.probability(PLANE.points))
    draw_points(axes, X, y)
    frame_plane(axes, PLANE)
    legend(figure)
    alt = (
        "Four clouds of points at the corners of a square, opposite corners of one class, over "
        f"the network's answer everywhere between: {title.lower()}."
    )
    return Plot(name, title, alt, figure)


def hidden(trial: Trial, X: Array, y: Array) -> Plot:
    """Draw the points where the hidden units of the best start place them."""
    first, output = trial.network.layers
    k = trial.best
    figure, axes = new_axes("first hidden unit", "second hidden unit", HEIGHT)
    logits = HIDDEN_PLANE.points @ output.weights[k] + output.biases[k]
    draw_regions(axes, HIDDEN_PLANE, sigmoid(logits[:, 0]))
    draw_points(axes, first.apply(X)[k], y)
    frame_plane(axes, HIDDEN_PLANE)
    legend(figure)
    alt = (
        "The points where the two hidden units place them, and the straight line that the output "
        "layer draws between the classes."
    )
    return Plot("hidden", "What the output layer sees", alt, figure)


def losses(none: Trial, some: Trial, units: int) -> Plot:
    """Draw the loss of the best starts by epoch."""
    figure, axes = new_axes("epoch", "loss", HEIGHT)
    epochs = range(1, len(none.losses) + 1)
    axes.axhline(log(2), color=MUTED, linewidth=1, linestyle=":", label="guessing")
    axes.plot(epochs, none.losses[:, none.best], color=INK, linestyle="--", label="no hidden layer")
    axes.plot(epochs, some.losses[:, some.best], color=ACCENT, label=f"{units} hidden units")
    axes.set_xlim(1, len(none.losses))
    axes.set_ylim(bottom=0)
    legend(figure, columns=3)
    alt = "Line chart: loss by epoch without a hidden layer, with one, and of guessing."
    return Plot("losses", "Loss by epoch", alt, figure)


def starts(widths: list[Facts]) -> Plot:
    """Draw the share of starts that get every point right, by width."""
    figure, axes = new_axes("hidden units", "starts with every point right")
    shares = [own["perfect_share"] for own in widths]
    axes.vlines(range(len(shares)), 0, shares, color=ACCENT, linewidth=2)
    axes.plot(range(len(shares)), shares, "o", color=ACCENT, markersize=7, clip_on=False)
    axes.set_xticks(range(len(shares)), [str(own["units"]) for own in widths])
    axes.set_ylim(0, 1)
    axes.grid(visible=False, axis="x")
    percent_axis(axes, "y")
    alt = "Share of the starts that get every point right, by the number of hidden units."
    return Plot("starts", "Luck and width", alt, figure)
