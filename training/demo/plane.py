"""Pictures of a plane: points of two classes, and what a network says of every place between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from training.report.drawing import FRAUD, INK, LEGITIMATE, SURFACE

Array = NDArray[Any]

STEPS = 61  # of a grid, in each direction
SHADES = (0.5, 0.75, 0.95)  # the surer, the darker
SHADE = 0.13
SMALL = 3  # points: markers below have no room for an edge
HEIGHT = 3.7  # inches, of a plane with axes


@dataclass(frozen=True)
class Grid:
    """Places on a square.

    Attributes
    ----------
    low, high : float
    """

    low: float
    high: float

    @property
    def axis(self) -> Array:
        """The places along each direction."""
        return np.linspace(self.low, self.high, STEPS)

    @property
    def points(self) -> Array:
        """All places, (STEPS², 2)."""
        return np.stack(np.meshgrid(self.axis, self.axis), axis=-1).reshape(-1, 2)

    def square(self, values: Array) -> Array:
        """Return what was computed of all places as it lies on the square."""
        return values.reshape(STEPS, STEPS)


def draw_regions(axes: Axes, grid: Grid, probability: Array) -> list[Artist]:
    """Shade each place in the colour of its class, and draw the line between; return all drawn."""
    p = grid.square(probability)
    drawn: list[Artist] = []
    for shade in SHADES:
        for chance, colour in ((p, FRAUD), (1 - p, LEGITIMATE)):
            drawn += [draw_area(axes, grid, chance, shade, colour)]
    return [*drawn, *draw_line(axes, grid, p, 0.5)]


def draw_area(axes: Axes, grid: Grid, values: Array, low: float, colour: str) -> Artist:
    """Shade the places whose value is above a limit."""
    limits = [low, max(low, values.max()) + 1]
    return axes.contourf(grid.axis, grid.axis, values, limits, colors=[colour], alpha=SHADE)


def draw_line(axes: Axes, grid: Grid, values: Array, level: float) -> list[Artist]:
    """Draw the line where a value is reached, if it is anywhere."""
    if not values.min() < level < values.max():
        return []
    return [axes.contour(grid.axis, grid.axis, values, [level], colors=[INK], linewidths=1.4)]


def draw_points(
    axes: Axes,
    X: Array,
    y: Array,
    names: tuple[str | None, str | None] = ("class 0", "class 1"),
    size: float = 4,
) -> None:
    """Draw points, the two classes with markers of their own; named ones come into a legend."""
    for label, (colour, symbol) in enumerate(((LEGITIMATE, "o"), (FRAUD, "^"))):
        axes.plot(
            *X[y == label].T,
            symbol,
            color=colour,
            markersize=size,
            markeredgecolor=SURFACE,
            markeredgewidth=0.4 if size >= SMALL else 0,
            label=names[label],
        )


def frame_plane(axes: Axes, grid: Grid) -> None:
    """Show exactly the grid, without lines of its own."""
    axes.set_xlim(grid.low, grid.high)
    axes.set_ylim(grid.low, grid.high)
    axes.grid(visible=False)
