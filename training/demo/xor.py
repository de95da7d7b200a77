"""XOR: what no straight line can do, and a hidden layer of two units can."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import MLP
from model.activations import sigmoid
from training.config import LearningConfig
from training.demo.closing import closing
from training.demo.learning import accuracies_of, learn, losses_of
from training.demo.plane import HEIGHT, Grid, draw_points, draw_regions, frame_plane
from training.report.drawing import ACCENT, INK, MUTED, Plot, legend, new_axes, percent_axis
from training.report.formats import count, number, percent
from training.report.page import Column, Facts, Figure, Page, Section, Table, Text, Tile, Tiles
from training.report.page import Value, at

Array = NDArray[Any]

CORNERS = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]], np.float64)
LABELS = np.array([0, 1, 1, 0], np.float64)
POINTS, SPREAD = 50, 0.4  # of a corner; half the side of their square
PLANE, HIDDEN_PLANE = Grid(-1.7, 1.7), Grid(-1.15, 1.15)
WIDTHS, SHOWN = (0, 1, 2, 3, 4, 8), 2
STARTS = 50
LEARNING = LearningConfig(
    optimizer="sgd", learning_rate=0.5, momentum=0.9, epochs=300, batch_size=50, warmup=0
)


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


def page(seed: int) -> Page:
    """Return the demonstration."""
    data, *streams = np.random.default_rng(seed).spawn(1 + len(WIDTHS))
    X = np.repeat(CORNERS, POINTS, axis=0)
    X += data.uniform(-SPREAD, SPREAD, X.shape)
    y = np.repeat(LABELS, POINTS)
    trials = {
        width: _trial(width, X, y, rng) for width, rng in zip(WIDTHS, streams, strict=True)
    }
    facts = _facts(trials, X, y, seed)
    none, some = trials[0], trials[SHOWN]
    plots = [
        _plane("without", "Without a hidden layer", none, X, y),
        _plane("with", "With two hidden units", some, X, y),
        _hidden(some, X, y),
        _losses(none, some),
        _starts(facts),
    ]
    return Page("Demonstration", "XOR", facts, _sections(facts, plots), summary=[_tiles()])


def _trial(width: int, X: Array, y: Array, rng: np.random.Generator) -> Trial:
    sizes = [2, width, 1] if width else [2, 1]
    activations = ["tanh", "sigmoid"] if width else ["sigmoid"]
    network = MLP(sizes, activations, members=STARTS, rng=rng)
    losses: list[Array] = []
    learn(
        network,
        X,
        y,
        LEARNING,
        rng,
        lambda _epoch, _figures: losses.append(losses_of(network.logits(X), y)),
    )
    return Trial(network, np.array(losses), accuracies_of(network.logits(X), y))


def _facts(trials: dict[int, Trial], X: Array, y: Array, seed: int) -> Facts:
    widths = [
        {
            "units": width,
            "parameters": trial.network.n_parameters // STARTS,
            "best_accuracy": float(trial.accuracies.max()),
            "worst_accuracy": float(trial.accuracies.min()),
            "perfect_share": float((trial.accuracies == 1).mean()),
            "loss": float(trial.losses[-1, trial.best]),
        }
        for width, trial in trials.items()
    ]
    facts: Facts = {
        "seed": seed,
        "points": len(X),
        "starts": STARTS,
        "epochs": LEARNING.epochs,
        "guessing_loss": log(2),
        "line_accuracy": 0.75,
        "without": widths[WIDTHS.index(0)],
        "with": widths[WIDTHS.index(SHOWN)],
        "widths": widths,
        "remarks": [],
    }
    return facts | {"headline": _headline(facts), "readings": _readings(facts)}


def _headline(facts: Facts) -> str:
    return (
        f"Without a hidden layer the network gets {percent(facts['without']['best_accuracy'])} of "
        f"the points right, hardly more than guessing would; with {facts['with']['units']} hidden units "
        f"it gets {percent(facts['with']['best_accuracy'])}."
    )


def _readings(facts: Facts) -> dict[str, str]:
    none, some = facts["without"], facts["with"]
    wrong = round((1 - some["best_accuracy"]) * facts["points"])
    lucky = [own["units"] for own in facts["widths"] if own["perfect_share"] < 1]
    enough = [own["units"] for own in facts["widths"] if own["units"] > max(lucky)]
    always = f"from {enough[0]} units on every start does" if enough else "no width always does"
    return {
        "without": f"The best of {facts['starts']} starts gets {percent(none['best_accuracy'])} of "
        f"{count(facts['points'])} points right: it is sure of nothing, both shades are the "
        "lightest, because a line that is right about one corner is wrong about another.",
        "with": f"The best of {facts['starts']} starts gets {percent(some['best_accuracy'])} right "
        f"with {count(some['parameters'])} parameters: each hidden unit draws a line of its own, "
        "and one class is what lies between the two.",
        "hidden": f"The same points, placed by what the {some['units']} hidden units say of them: "
        f"now one straight line has {count(wrong)} of {count(facts['points'])} on the wrong side.",
        "losses": f"Without a hidden layer the loss ends at {number(none['loss'])}; to say one half "
        f"to everything costs {number(facts['guessing_loss'])}. With two hidden units it ends at "
        f"{number(some['loss'])}.",
        "starts": f"With {some['units']} units {percent(some['perfect_share'])} of the starts get "
        f"every point right; {always}.",
    }


def _plane(name: str, title: str, trial: Trial, X: Array, y: Array) -> Plot:
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


def _hidden(trial: Trial, X: Array, y: Array) -> Plot:
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


def _losses(none: Trial, some: Trial) -> Plot:
    figure, axes = new_axes("epoch", "loss", HEIGHT)
    epochs = range(1, LEARNING.epochs + 1)
    axes.axhline(log(2), color=MUTED, linewidth=1, linestyle=":", label="guessing")
    axes.plot(epochs, none.losses[:, none.best], color=INK, linestyle="--", label="no hidden layer")
    axes.plot(epochs, some.losses[:, some.best], color=ACCENT, label=f"{SHOWN} hidden units")
    axes.set_xlim(1, LEARNING.epochs)
    axes.set_ylim(bottom=0)
    legend(figure, columns=3)
    alt = "Line chart: loss by epoch without a hidden layer, with one, and of guessing."
    return Plot("losses", "Loss by epoch", alt, figure)


def _starts(facts: Facts) -> Plot:
    figure, axes = new_axes("hidden units", "starts with every point right")
    shares = [own["perfect_share"] for own in facts["widths"]]
    axes.vlines(range(len(shares)), 0, shares, color=ACCENT, linewidth=2)
    axes.plot(range(len(shares)), shares, "o", color=ACCENT, markersize=7, clip_on=False)
    axes.set_xticks(range(len(shares)), [str(own["units"]) for own in facts["widths"]])
    axes.set_ylim(0, 1)
    axes.grid(visible=False, axis="x")
    percent_axis(axes, "y")
    alt = "Share of the starts that get every point right, by the number of hidden units."
    return Plot("starts", "Luck and width", alt, figure)


def _tiles() -> Tiles:
    return Tiles(
        [
            Tile("Accuracy, no hidden layer", Value(at("without", "best_accuracy"), "percent")),
            Tile("Accuracy, two hidden units", Value(at("with", "best_accuracy"), "percent")),
            Tile("Starts that succeed", Value(at("with", "perfect_share"), "percent")),
        ]
    )


def _sections(facts: Facts, plots: list[Plot]) -> list[Section]:
    without, with_, hidden, losses, starts = (Figure(plot) for plot in plots)
    task = (
        "XOR is true where exactly one of two inputs is. A network without a hidden layer adds up "
        "its inputs with weights and compares the sum with a limit: it draws one straight line. No "
        "line has both true corners on one side and both false ones on the other; the best of all "
        "lines gets three corners of four right, ",
        Value("/line_accuracy", "percent"),
        ", and the loss prefers no line at all.",
    )
    bend = (
        "A hidden layer does not draw a better line. It moves the points first: each unit squeezes "
        "the plane along a direction that it has learned, and where the points then lie, a line is "
        "enough. Nobody told it how; it follows from going down the gradient of the loss."
    )
    luck = (
        "Two units can do it, but not from every start: a loss with a hidden layer is no bowl, and "
        "going downhill can end in a hollow. Each width was tried from ",
        Value("/starts", "count"),
        " random starts, all of them trained at once as members of one network.",
    )
    return [
        Section("One line or two", [Text(task), without, with_]),
        Section("What the hidden layer does", [Text(bend), hidden, losses]),
        Section("How many units", [Text(luck), starts, _table(facts)]),
        closing("xor", facts["seed"]),
    ]


def _table(facts: Facts) -> Table:
    keys = ("parameters", "worst_accuracy", "best_accuracy", "perfect_share")
    titles = ("Hidden units", "Parameters", "Worst start", "Best start", "All points")
    return Table(
        "Accuracy by width",
        [Column(title) for title in titles],
        [
            [
                [Value(at("widths", n, "units"), "count")],
                *(
                    Value(at("widths", n, key), "count" if key == "parameters" else "percent")
                    for key in keys
                ),
            ]
            for n in range(len(facts["widths"]))
        ],
        note="The last column: starts that get every point right. One unit draws one line.",
        is_half=True,
    )
