"""The pictures of the autoencoder: reconstructions, the band of usual rows, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import Autoencoder
from training.demo.plane import HEIGHT, Grid, draw_area, draw_line, draw_points, frame_plane
from training.report.drawing import (
    ACCENT,
    FRAUD,
    INK,
    LEGITIMATE,
    Plot,
    decades,
    legend,
    new_axes,
    percent_axis,
)
from training.report.formats import count
from training.report.page import Facts

Array = NDArray[Any]

PLANE = Grid(-1.8, 1.8)
DRAWN = 150  # points of each kind, so that they can be told apart
NAMES = ("usual", "anomaly")
BINS = 40


def reconstructions(network: Autoencoder, usual: Array, odd: Array) -> Plot:
    """Draw rows, what comes back of them, and how far that is."""
    figure, axes = new_axes("first feature", "second feature", HEIGHT)
    for rows, colour in ((usual[:DRAWN], LEGITIMATE), (odd[: DRAWN // 3], FRAUD)):
        ends = np.stack([rows, network.reconstruct(rows)])
        axes.plot(*ends.transpose(2, 0, 1), color=colour, linewidth=0.8, alpha=0.6)
    output = _curve(network, usual)
    axes.plot(*output.T, color=ACCENT, linewidth=2, label="what can come back", zorder=1.5)
    points = np.concatenate([usual[:DRAWN], odd[: DRAWN // 3]])
    draw_points(axes, points, np.arange(len(points)) >= DRAWN, NAMES, size=3.2)
    frame_plane(axes, PLANE)
    legend(figure, columns=3)
    alt = (
        "Points about a curve and anomalies anywhere in the plane, each joined by a line to its "
        "reconstruction; all reconstructions lie on one curve, so anomalies have long lines."
    )
    return Plot("reconstructions", "Rows and what comes back", alt, figure)


def _curve(network: Autoencoder, usual: Array) -> Array:
    """Return what the decoder makes of every code between those of usual rows."""
    half = len(network.components) // 2
    codes = usual
    for component in network.components[:half]:
        codes = component.apply(codes)
    output = np.linspace(codes.min(), codes.max(), 200)[:, None]
    for component in network.components[half:]:
        output = component.apply(output)
    return output


def alarm(network: Autoencoder, usual: Array, odd: Array) -> Plot:
    """Draw the band of the plane whose error is below the threshold."""
    figure, axes = new_axes("first feature", "second feature", HEIGHT)
    error = PLANE.square(network.reconstruction_error(PLANE.points))
    limit = float(network.threshold or 0)
    draw_area(axes, PLANE, -error, -limit, ACCENT)
    draw_line(axes, PLANE, error, limit)
    points = np.concatenate([usual[:DRAWN], odd[:DRAWN]])
    draw_points(axes, points, np.arange(len(points)) >= DRAWN, NAMES, size=3.2)
    frame_plane(axes, PLANE)
    legend(figure)
    alt = (
        "The plane with a band around the curve where the error is below the threshold; usual "
        "rows lie in it, most anomalies outside."
    )
    return Plot("alarm", "Where alarms begin", alt, figure)


def errors(network: Autoencoder, usual: Array, odd: Array) -> Plot:
    """Draw the errors of both kinds, with the threshold."""
    figure, axes = new_axes("reconstruction error (logarithmic)", "share of each kind")
    found = [network.reconstruction_error(rows) for rows in (usual, odd)]
    low, high = np.quantile(np.concatenate(found), (0.005, 1))
    edges = np.geomspace(low, high * 1.001, BINS + 1)
    looks = ((LEGITIMATE, "-"), (FRAUD, "--"))
    for own, name, (colour, dashes) in zip(found, NAMES, looks, strict=True):
        shares = np.histogram(np.clip(own, low, high), edges)[0] / len(own)
        axes.stairs(shares, edges, fill=True, color=colour, alpha=0.18, linewidth=0)
        axes.stairs(shares, edges, color=colour, linestyle=dashes, linewidth=1.6, label=name)
    axes.axvline(float(network.threshold or 0), color=INK, linewidth=1.2, label="threshold")
    decades(axes, "x", low, high)
    axes.set_ylim(bottom=0)
    percent_axis(axes, "y")
    legend(figure, columns=3)
    alt = (
        "Histograms of the reconstruction error on a logarithmic scale: usual rows to the left, "
        "anomalies to the right, and the threshold between."
    )
    return Plot("errors", "Reconstruction error", alt, figure)


def bottlenecks(facts: list[Facts]) -> Plot:
    """Draw the share of anomalies called, by the width of the middle."""
    figure, axes = new_axes("units in the middle", "anomalies called")
    widths = [own["bottleneck"] for own in facts]
    axes.plot(widths, [own["found"] for own in facts], "o-", color=ACCENT, clip_on=False)
    axes.set_ylim(0, 1)
    axes.set_xticks(widths)
    percent_axis(axes, "y")
    alt = (
        "Line chart: the share of anomalies above the threshold, by the number of units in the "
        f"middle; highest with {count(max(facts, key=lambda own: own['found'])['bottleneck'])}."
    )
    return Plot("bottlenecks", "Anomalies called by bottleneck", alt, figure)
