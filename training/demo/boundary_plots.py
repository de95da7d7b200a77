"""The pictures of the decision boundary, moving and still."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from model.activations import sigmoid
from training.demo.animation import Animation
from training.demo.plane import HEIGHT, Grid, draw_points, draw_regions, frame_plane
from training.report.drawing import (
    ACCENT,
    INK,
    Plot,
    decades,
    legend,
    new_axes,
    new_panels,
)
from training.report.formats import count, percent
from training.report.page import Facts

Array = NDArray[Any]
Points = tuple[Array, Array]

PLANE = Grid(-3.6, 3.6)
STILLS = (0, 2, 4, 8, 16, 64)


def animation(points: Points, answers: dict[int, Array], frames: list[Facts]) -> Animation:
    """Draw the boundary after one epoch and the next."""
    figure, axes = new_axes("first input", "second input", HEIGHT)
    drawn = []
    for frame in frames:
        regions = draw_regions(axes, PLANE, sigmoid(answers[frame["epoch"]]))
        text = f"epoch {count(frame['epoch'])}: {percent(frame['accuracy'])} right"
        label = axes.text(0, 1.02, text, transform=axes.transAxes, color=INK, fontsize=10)
        drawn.append([*regions, label])
    draw_points(axes, *points, size=3.2)
    frame_plane(axes, PLANE)
    legend(figure)
    alt = (
        "Two spirals of points wound into each other, and the line that the network draws between "
        "them: straight at first, bent around both at the end. It moves; the table of frames and "
        "the stills tell the same."
    )
    return Animation(Plot("animation", "The boundary, epoch by epoch", alt, figure), drawn)


def strip(points: Points, answers: dict[int, Array]) -> Plot:
    """Draw six frames side by side."""
    stills = {f"epoch {count(epoch)}": answers[epoch] for epoch in STILLS}
    alt = "Six pictures of the boundary while the network learns, from hardly any to both spirals."
    return Plot("strip", "Six stills", alt, _panels(stills, points, 3, 1.65))


def widths(answers: dict[int, Array], points: Points) -> Plot:
    """Draw the last boundary of each width."""
    named = {f"{count(width)} units": logits for width, logits in answers.items()}
    alt = "The last boundary of networks of several widths: the wider, the closer to the spirals."
    return Plot("widths", "The boundary by width", alt, _panels(named, points, 2, 1.75))


def _panels(answers: dict[str, Array], points: Points, columns: int, height: float) -> Canvas:
    """Draw several answers over half of the points."""
    figure, grid = new_panels(list(answers), columns, height)
    X, y = (part[::2] for part in points)
    for n, (axes, logits) in enumerate(zip(grid, answers.values(), strict=True)):
        names = (None, None) if n else ("class 0", "class 1")
        draw_regions(axes, PLANE, sigmoid(logits))
        draw_points(axes, X, y, names, size=1.8)
        frame_plane(axes, PLANE)
        axes.set_xticks([])
    legend(figure)
    return figure


def losses(history: Facts) -> Plot:
    """Draw the loss by epoch on both parts."""
    figure, axes = new_axes("epoch", "loss (logarithmic)", HEIGHT)
    both = [*history["loss"], *history["held_out_loss"]]
    epochs = np.arange(len(history["loss"]))
    axes.plot(epochs, history["loss"], color=ACCENT, label="points learned from")
    axes.plot(epochs, history["held_out_loss"], color=INK, linestyle="--", label="held-out points")
    axes.set_xlim(0, epochs[-1])
    decades(axes, "y", min(both) * 0.7, max(both) * 1.3)
    legend(figure)
    alt = "Line chart: loss by epoch, of the points learned from and of those held out."
    return Plot("losses", "Loss by epoch", alt, figure)
