"""XOR: what no straight line can do, and a hidden layer of two units can."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import MLP
from training.config import LearningConfig
from training.demo import xor_plots as plots
from training.demo.closing import closing
from training.demo.learning import accuracies_of, learn, losses_of
from training.demo.points import corners
from training.demo.xor_plots import Trial
from training.report.formats import count, number, percent
from training.report.page import (
    Column,
    Facts,
    Figure,
    Page,
    Section,
    Table,
    Text,
    Tile,
    Tiles,
    Value,
    at,
)

Array = NDArray[Any]

POINTS = 50  # of a corner
WIDTHS, SHOWN = (0, 1, 2, 3, 4, 8), 2
STARTS = 50
LEARNING = LearningConfig(
    optimizer="sgd", learning_rate=0.5, momentum=0.9, epochs=200, batch_size=50, warmup=0
)


def page(seed: int) -> Page:
    """Return the demonstration."""
    data, *streams = np.random.default_rng(seed).spawn(1 + len(WIDTHS))
    X, y = corners(POINTS, data)
    trials = {width: trial(width, X, y, rng) for width, rng in zip(WIDTHS, streams, strict=True)}
    facts = _facts(trials, X, seed)
    none, some = trials[0], trials[SHOWN]
    drawn = {
        plot.name: Figure(plot)
        for plot in (
            plots.plane("without", "Without a hidden layer", none, X, y),
            plots.plane("with", "With two hidden units", some, X, y),
            plots.hidden(some, X, y),
            plots.losses(none, some, SHOWN),
            plots.starts(facts["widths"]),
        )
    }
    return Page("Demonstration", "XOR", facts, _sections(facts, drawn), "", _tiles())


def trial(width: int, X: Array, y: Array, rng: np.random.Generator) -> Trial:
    """Train networks with so many hidden units, none for a width of 0, from many starts."""
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


def _facts(trials: dict[int, Trial], X: Array, seed: int) -> Facts:
    widths = [
        {
            "units": width,
            "parameters": trial.network.n_parameters // STARTS,
            "best_accuracy": float(trial.accuracies.max()),
            "worst_accuracy": float(trial.accuracies.min()),
            "perfect_share": float((trial.accuracies == 1).mean()),
            "loss": float(trial.losses[-1, trial.best]),
            "lowest": float(trial.probability(X).min()),
            "highest": float(trial.probability(X).max()),
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
        f"the points right, where guessing gets half; with {facts['with']['units']} hidden "
        f"units it gets {percent(facts['with']['best_accuracy'])}."
    )


def _readings(facts: Facts) -> dict[str, str]:
    none, some = facts["without"], facts["with"]
    wrong = round((1 - some["best_accuracy"]) * facts["points"])
    lucky = [own["units"] for own in facts["widths"] if own["perfect_share"] < 1]
    enough = [own["units"] for own in facts["widths"] if own["units"] > max(lucky)]
    always = f"from {enough[0]} units on every start does" if enough else "no width always does"
    return {
        "without": f"The best of {facts['starts']} starts gets {percent(none['best_accuracy'])} of "
        f"{count(facts['points'])} points right. It says {number(none['lowest'])} to "
        f"{number(none['highest'])} of all of them, about one half, because a line that is right "
        "about one corner is wrong about another.",
        "with": f"The best of {facts['starts']} starts gets {percent(some['best_accuracy'])} right "
        f"with {count(some['parameters'])} parameters: each hidden unit draws a line of its own, "
        "and one class is what lies between the two.",
        "hidden": f"The same points, placed by what the {some['units']} hidden units say of them: "
        f"now one straight line has {count(wrong)} of {count(facts['points'])} on the wrong side.",
        "losses": f"Without a hidden layer the loss ends at {number(none['loss'])}; to say one "
        f"half to everything costs {number(facts['guessing_loss'])}. With two hidden units it ends "
        f"at {number(some['loss'])}.",
        "starts": f"With {some['units']} units {percent(some['perfect_share'])} of the starts get "
        f"every point right; {always}.",
    }


def _tiles() -> list[Tiles]:
    tiles = [
        Tile("Accuracy, no hidden layer", Value(at("without", "best_accuracy"), "percent")),
        Tile("Accuracy, two hidden units", Value(at("with", "best_accuracy"), "percent")),
        Tile("Starts that succeed", Value(at("with", "perfect_share"), "percent")),
    ]
    return [Tiles(tiles)]


def _sections(facts: Facts, drawn: dict[str, Figure]) -> list[Section]:
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
        Section("One line or two", [Text(task), drawn["without"], drawn["with"]]),
        Section("What the hidden layer does", [Text(bend), drawn["hidden"], drawn["losses"]]),
        Section("How many units", [Text(luck), drawn["starts"], _table(facts)]),
        closing("xor", facts["seed"]),
    ]


def _table(facts: Facts) -> Table:
    keys = ("worst_accuracy", "best_accuracy", "perfect_share")
    titles = ("Hidden units", "Worst", "Best", "All points")
    return Table(
        "Accuracy by width",
        [Column(title) for title in titles],
        [
            [
                [Value(at("widths", n, "units"), "count")],
                *(Value(at("widths", n, key), "percent") for key in keys),
            ]
            for n in range(len(facts["widths"]))
        ],
        note="The worst and the best start, and the share of starts that get all points right.",
        is_half=True,
    )
