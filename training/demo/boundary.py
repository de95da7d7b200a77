"""Decision boundaries: how the line between two classes bends as a network learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import MLP
from training.config import LearningConfig
from training.demo import boundary_plots as plots
from training.demo.closing import closing
from training.demo.learning import accuracies_of, learn, losses_of
from training.demo.points import Points, spirals
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

POINTS, HELD_OUT = 200, 500  # of each class
WIDTHS = (2, 4, 8, 32)  # of both hidden layers; the widest is the one that is watched
FRAMES = (0, 1, 2, 4, 6, 8, 10, 12, 16, 24, 64)
LEARNING = LearningConfig(optimizer="adam", learning_rate=0.01, epochs=64, batch_size=40, warmup=0)


@dataclass(frozen=True)
class Lesson:
    """A network while it learned.

    Attributes
    ----------
    network : MLP
    answers : dict of int to ndarray
        What it said of the grid after some epochs, as logits.
    epochs : list of dict
        Loss and accuracy on both parts, before the first epoch and after each.
    """

    network: MLP
    answers: dict[int, Array]
    epochs: list[dict[str, float]]


def page(seed: int) -> Page:
    """Return the demonstration."""
    data, *streams = np.random.default_rng(seed).spawn(1 + len(WIDTHS))
    train, held_out = spirals(POINTS, data), spirals(HELD_OUT, data)
    lessons = {
        width: _lesson(width, train, held_out, rng)
        for width, rng in zip(WIDTHS, streams, strict=True)
    }
    facts = _facts(lessons, seed)
    watched = lessons[WIDTHS[-1]]
    drawn = {
        plot.name: Figure(plot)
        for plot in (
            plots.animation(train, watched.answers, facts["frames"]),
            plots.strip(train, watched.answers),
            plots.losses(facts["history"]),
            plots.widths({width: own.answers[FRAMES[-1]] for width, own in lessons.items()}, train),
        )
    }
    return Page("Demonstration", "Decision boundary", facts, _sections(facts, drawn), "", _tiles())


def _lesson(width: int, train: Points, held_out: Points, rng: np.random.Generator) -> Lesson:
    network = MLP([2, width, width, 1], ["tanh", "tanh", "sigmoid"], rng=rng)
    lesson = Lesson(network, {}, [])

    def look(epoch: int) -> None:
        figures: dict[str, float] = {}
        for part, (X, y) in (("", train), ("held_out_", held_out)):
            logits = network.logits(X)
            figures[f"{part}loss"] = float(losses_of(logits, y))
            figures[f"{part}accuracy"] = float(accuracies_of(logits, y))
        lesson.epochs.append(figures)
        if epoch in FRAMES:
            lesson.answers[epoch] = network.logits(plots.PLANE.points)

    look(0)
    learn(network, *train, LEARNING, rng, lambda epoch, _figures: look(epoch))
    return lesson


def _facts(lessons: dict[int, Lesson], seed: int) -> Facts:
    watched = lessons[WIDTHS[-1]]
    facts: Facts = {
        "seed": seed,
        "points": 2 * POINTS,
        "held_out": 2 * HELD_OUT,
        "epochs": LEARNING.epochs,
        "units": WIDTHS[-1],
        "parameters": watched.network.n_parameters,
        "frames": [{"epoch": epoch, **watched.epochs[epoch]} for epoch in FRAMES],
        "history": {
            name: [figures[name] for figures in watched.epochs] for name in watched.epochs[0]
        },
        "widths": [
            {"units": width, "parameters": own.network.n_parameters, **own.epochs[-1]}
            for width, own in lessons.items()
        ],
        "remarks": [],
    }
    last = facts["frames"][-1]
    headline = (
        f"In {count(facts['epochs'])} epochs a network of {count(facts['parameters'])} parameters "
        f"bends a line around two spirals: {percent(last['held_out_accuracy'])} of "
        f"{count(facts['held_out'])} points that it never saw lie on the right side."
    )
    return facts | {"headline": headline, "readings": _readings(facts)}


def _readings(facts: Facts) -> dict[str, str]:
    frames, narrow, wide = facts["frames"], facts["widths"][0], facts["widths"][-1]
    first, last = frames[0], frames[-1]
    most = 1 + int(np.diff([frame["accuracy"] for frame in frames[1:]]).argmax())
    before, after = frames[most], frames[most + 1]
    return {
        "animation": f"Before the first step {percent(first['accuracy'])} of the points are right, "
        f"after epoch {count(last['epoch'])} it is {percent(last['accuracy'])}. After the first "
        f"epoch the largest step is from {percent(before['accuracy'])} "
        f"(epoch {count(before['epoch'])}) to {percent(after['accuracy'])} "
        f"(epoch {count(after['epoch'])}).",
        "strip": f"The same in six frames: an almost straight line comes first and is right about "
        f"{percent(frames[2]['accuracy'])} after epoch {count(frames[2]['epoch'])}; then it bends.",
        "losses": f"The loss falls from {number(first['loss'])} to {number(last['loss'])} on the "
        f"points it learned from and to {number(last['held_out_loss'])} on those held out: what it "
        "learned is the spirals, not the points.",
        "widths": f"With {count(narrow['units'])} units in each hidden layer "
        f"{percent(narrow['held_out_accuracy'])} of the held-out points are right, with "
        f"{count(wide['units'])} it is {percent(wide['held_out_accuracy'])}.",
    }


def _tiles() -> list[Tiles]:
    last = len(FRAMES) - 1
    tiles = [
        Tile("Right before training", Value(at("frames", 0, "held_out_accuracy"), "percent")),
        Tile("Right after training", Value(at("frames", last, "held_out_accuracy"), "percent")),
        Tile("Parameters", Value("/parameters", "count")),
    ]
    return [Tiles(tiles)]


def _sections(facts: Facts, drawn: dict[str, Figure]) -> list[Section]:
    task = (
        "The network reads two numbers, the place of a point, and answers with the probability "
        "that it is of the second class. The line is where that is one half; the stronger the "
        "colour, the surer the answer. Nothing tells the network of spirals: it sees ",
        Value("/points", "count"),
        " points, ",
        Value("/epochs", "count"),
        " times over, and moves its weights a little downhill after every few of them.",
    )
    pause = (
        "The moving picture rests while the pointer is on it or it has the focus, and stands still "
        "where reduced motion is asked for."
    )
    errors = (
        "Training looks only at the points it learns from. Whether it has learned the matter or "
        "only those points shows on points that were held out."
    )
    room = (
        "Each hidden unit adds one soft fold to the answer. Few units can make few folds, however "
        "long they train; more than enough do no harm here, because there are points enough to say "
        "where the folds go."
    )
    return [
        Section(
            "Watch it learn",
            [Text(task), drawn["animation"], drawn["strip"], Text(pause, is_quiet=True)],
        ),
        Section("Loss and accuracy", [Text(errors), drawn["losses"], _frames(facts)]),
        Section("Room to bend", [Text(room), drawn["widths"], _widths(facts)]),
        closing("boundary", facts["seed"]),
    ]


def _frames(facts: Facts) -> Table:
    titles = ("Epoch", "Loss", "Right", "Right, held out")
    return Table(
        "Frame by frame",
        [Column(title) for title in titles],
        [
            [
                [Value(at("frames", n, "epoch"), "count")],
                Value(at("frames", n, "loss")),
                Value(at("frames", n, "accuracy"), "percent"),
                Value(at("frames", n, "held_out_accuracy"), "percent"),
            ]
            for n in range(len(facts["frames"]))
        ],
        is_half=True,
    )


def _widths(facts: Facts) -> Table:
    titles = ("Units", "Parameters", "Right", "Right, held out")
    return Table(
        "Accuracy by width",
        [Column(title) for title in titles],
        [
            [
                [Value(at("widths", n, "units"), "count")],
                Value(at("widths", n, "parameters"), "count"),
                Value(at("widths", n, "accuracy"), "percent"),
                Value(at("widths", n, "held_out_accuracy"), "percent"),
            ]
            for n in range(len(facts["widths"]))
        ],
        note="Units in each of the two hidden layers; all trained alike.",
        is_half=True,
    )
