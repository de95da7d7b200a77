"""Depth: why a gradient vanishes on its way through sigmoids, and not through rectifiers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import MLP
from model.activations import ACTIVATIONS
from training.config import LearningConfig
from training.demo import depth_plots as plots
from training.demo.closing import closing
from training.demo.learning import accuracies_of, learn
from training.demo.points import Points, moons
from training.report.formats import count, number, percent, quantity
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

RIVALS = ("sigmoid", "relu")
NAMES = {"sigmoid": "Sigmoid", "relu": "ReLU"}
POINTS, HELD_OUT = 200, 500  # of each class
DEPTHS, WIDTH = (1, 2, 3, 4, 6, 10), 16
STARTS = 10
LEARNING = LearningConfig(
    optimizer="sgd",
    learning_rate=0.02,
    momentum=0.9,
    epochs=30,
    batch_size=20,
    schedule="constant",
    warmup=0,
)


def page(seed: int) -> Page:
    """Return the demonstration."""
    data, *streams = np.random.default_rng(seed).spawn(1 + len(DEPTHS) * len(RIVALS))
    train, held_out = moons(POINTS, data), moons(HELD_OUT, data)
    tried = [(name, depth) for name in RIVALS for depth in DEPTHS]
    trials = [
        _trial(name, depth, train, held_out, rng)
        for (name, depth), rng in zip(tried, streams, strict=True)
    ]
    facts = _facts(trials, seed)
    drawn = {
        plot.name: Figure(plot)
        for plot in (
            plots.gradients(facts["deepest"]),
            plots.slopes(),
            plots.shrinkages(facts["rivals"]),
            plots.accuracies(facts["rivals"]),
        )
    }
    return Page("Demonstration", "Depth", facts, _sections(facts, drawn), "", _tiles())


def _trial(
    activation: str, depth: int, train: Points, held_out: Points, rng: np.random.Generator
) -> Facts:
    """Return gradients before training and accuracy after it, of many starts."""
    sizes = [2, *[WIDTH] * depth, 1]
    network = MLP(sizes, [*[activation] * depth, "sigmoid"], members=STARTS, rng=rng)
    network.loss_and_gradient(*train)
    norms = np.stack([np.linalg.norm(layer.dW, axis=(-2, -1)) for layer in network.layers])
    learn(network, *train, LEARNING, rng)
    accuracies = accuracies_of(network.logits(held_out[0]), held_out[1])
    return {
        "activation": activation,
        "depth": depth,
        "gradients": [_spread(own) for own in norms],
        # between hidden layers: the output layer has a shape of its own
        "shrinkage": float(np.median(norms[-2] / norms[0])),
        "accuracy": _spread(accuracies),
    }


def _spread(values: Array) -> dict[str, float]:
    """Return the middle of the starts and what the middle half of them lies between."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75)).tolist()
    return {"value": middle, "low": low, "high": high}


def _facts(trials: list[Facts], seed: int) -> Facts:
    rivals = {name: [own for own in trials if own["activation"] == name] for name in RIVALS}
    deepest = {name: own[-1] for name, own in rivals.items()}
    facts: Facts = {
        "seed": seed,
        "points": 2 * POINTS,
        "held_out": 2 * HELD_OUT,
        "starts": STARTS,
        "epochs": LEARNING.epochs,
        "width": WIDTH,
        "depth": DEPTHS[-1],
        "steepest_sigmoid": _steepest("sigmoid"),
        "steepest_relu": _steepest("relu"),
        "factors": DEPTHS[-1] - 1,
        "at_least": _steepest("sigmoid") ** (1 - DEPTHS[-1]),
        "rivals": rivals,
        "deepest": deepest,
        "remarks": [],
    }
    slow, fast = (deepest[name] for name in RIVALS)
    headline = (
        f"Through {count(facts['depth'])} layers of sigmoids the gradient becomes "
        f"{quantity(slow['shrinkage'])} times smaller, through as many of rectifiers "
        f"{quantity(fast['shrinkage'])} times. After the same training the first get "
        f"{percent(slow['accuracy']['value'])} of held-out points right, the second "
        f"{percent(fast['accuracy']['value'])}."
    )
    return facts | {"headline": headline, "readings": _readings(facts)}


def _steepest(activation: str) -> float:
    z = plots.SLOPE_RANGE
    function = ACTIVATIONS[activation]
    return float(function.gradient(z, function.function(z)).max())


def _readings(facts: Facts) -> dict[str, str]:
    slow, fast = (facts["deepest"][name] for name in RIVALS)
    learned = [
        own["depth"] for own in facts["rivals"]["sigmoid"] if own["accuracy"]["value"] > 0.75
    ]
    until = f"up to {count(max(learned))} layers" if learned else "at no depth"
    few = facts["rivals"]["sigmoid"][2]
    first, last = (slow["gradients"][n]["value"] for n in (0, -2))
    worst = min(own["accuracy"]["value"] for own in facts["rivals"]["relu"])
    return {
        "gradients": f"With sigmoids the norm is {number(last)} in the last hidden layer and "
        f"{number(first)} in the first, {quantity(slow['shrinkage'])} times smaller; with ReLU it "
        f"is {quantity(fast['shrinkage'])} times smaller.",
        "slopes": f"A sigmoid is nowhere steeper than {quantity(facts['steepest_sigmoid'])}; ReLU "
        f"is {quantity(facts['steepest_relu'])} wherever it is active.",
        "shrinkages": f"Every further layer of sigmoids multiplies: at {count(few['depth'])} "
        f"layers the gradient is {quantity(few['shrinkage'])} times smaller, at "
        f"{count(slow['depth'])} layers {quantity(slow['shrinkage'])} times; with ReLU it is "
        f"{quantity(fast['shrinkage'])} times.",
        "accuracies": f"Sigmoids get more than three quarters of the held-out points right "
        f"{until}; with ReLU the middle start is never below {percent(worst)}.",
    }


def _tiles() -> list[Tiles]:
    tiles = [
        Tile(f"{NAMES[name]}: {title}", Value(at("deepest", name, *keys), form))
        for title, keys, form in (
            ("times smaller", ("shrinkage",), "quantity"),
            ("right, deepest network", ("accuracy", "value"), "percent"),
        )
        for name in RIVALS
    ]
    return [Tiles(tiles)]


def _sections(facts: Facts, drawn: dict[str, Figure]) -> list[Section]:
    slow = facts["deepest"][RIVALS[0]]["shrinkage"]
    weights = (
        "make up for a part of that: together"
        if slow < facts["at_least"]
        else "do not make up for it: together"
    )
    chain = (
        "Backpropagation is the chain rule: on its way back through a layer the gradient is "
        "multiplied by the layer's weights and by the slope of its activation. A sigmoid's slope "
        "is at most ",
        Value("/steepest_sigmoid", "quantity"),
        ": ",
        Value("/factors", "count"),
        " such slopes in a row, as between the first and the last of ",
        Value("/depth", "count"),
        " hidden layers, by themselves make it at least ",
        Value("/at_least", "count"),
        " times smaller, whatever the network has to learn. The weights of Glorot's start "
        f"{weights} they make it ",
        Value(at("deepest", RIVALS[0], "shrinkage"), "quantity"),
        " times smaller here. ReLU's slope is one where it is active; He's start makes the "
        "weights larger because half of the units are not.",
    )
    setting = (
        "Networks of ",
        Value("/width", "count"),
        " units in each hidden layer, before the first step; from ",
        Value("/starts", "count"),
        " random starts the line shows the middle one and the band the middle half.",
    )
    outcome = (
        "A layer moves by its gradient times the learning rate: one with a millionth of the "
        "gradient needs about a million steps for one. All these networks were trained alike, for ",
        Value("/epochs", "count"),
        " epochs on ",
        Value("/points", "count"),
        " points of two half moons, and judged on ",
        Value("/held_out", "count"),
        " others; to guess is to be right about half.",
    )
    cure = (
        "What helps: rectifiers with He's start, as here; residual connections, which give the "
        "gradient a way around each layer; batch normalisation, which keeps units where they are "
        "steep; and no more layers than the task asks for. Training reports show the gradient "
        "norms of every layer, so that a vanishing one is seen."
    )
    return [
        Section(
            "Where the gradient goes",
            [
                Text(chain),
                drawn["gradients"],
                drawn["slopes"],
                Text(setting, is_quiet=True),
            ],
        ),
        Section(
            "What it does to learning",
            [Text(outcome), drawn["shrinkages"], drawn["accuracies"], *_tables()],
        ),
        Section("What to do", [Text(cure)]),
        closing("depth", facts["seed"]),
    ]


def _tables() -> list[Table]:
    smaller = "Of the first hidden layer, against that of the last; the middle start."
    right = "After the same training; the middle start."
    return [
        _table("Gradient, times smaller", ("shrinkage",), "quantity", smaller),
        _table("Held-out points right", ("accuracy", "value"), "percent", right),
    ]


def _table(caption: str, keys: tuple[str, ...], form: str, note: str) -> Table:
    return Table(
        caption,
        [Column("Hidden layers"), *(Column(NAMES[name]) for name in RIVALS)],
        [
            [
                [Value(at("rivals", "sigmoid", n, "depth"), "count")],
                *(Value(at("rivals", name, n, *keys), form) for name in RIVALS),
            ]
            for n in range(len(DEPTHS))
        ],
        note=note,
        is_half=True,
    )
