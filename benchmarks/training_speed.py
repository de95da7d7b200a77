"""What a training step costs: the production loop against scikit-learn and PyTorch.

The network is [30, 16, 16, 1] in float32 on random rows, with one thread for BLAS. A step is all
that one batch takes: its share of the shuffle, gathering its rows, forward, loss, backward,
update. The machine's speed wanders, so the contestants take turns in many short rounds and are
compared within a round; the table shows medians over the rounds. What counts is processor time:
waiting for a neighbour on the same core is nobody's cost, and nobody uses a second thread.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from statistics import median
from time import process_time

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from benchmarks.contestants import TEXTBOOK, Data, ours, pytorch, scikit_learn, torch
from benchmarks.tables import environment, markdown, publish
from benchmarks.turns import timed_rounds

ROUNDS = 25
WHOLE_RUN_ROUNDS = 3
ROWS, FEATURES, EPOCHS = 25_600, 30, 2
WHOLE_RUN_ROWS, WHOLE_RUN_HELD_OUT, PEER_EPOCHS = 227_846, 56_961, 12
FRAUD_SHARE = 0.0017

Contestant = Callable[[np.ndarray, np.ndarray, int, int], None]


def random_rows(n_rows: int, share: float, rng: np.random.Generator) -> Data:
    """Return rows and labels that have nothing to do with each other."""
    X = rng.normal(size=(n_rows, FEATURES)).astype(np.float32)
    return X, (rng.random(n_rows) < share).astype(np.float32)


PLAIN_SGD = {"solver": "sgd", "momentum": 0.0, "nesterovs_momentum": False}

# group → its contestants; ours, which the others are divided by, comes first
STEPS: dict[tuple[str, int, int], dict[str, Contestant]] = {
    ("SGD, batch 64", 64, EPOCHS): {
        "fraudscore": ours,
        "fraudscore, class weights": partial(ours, weighted=True),
        "fraudscore, 8 members": partial(ours, members=8),
        "scikit-learn, no momentum": partial(scikit_learn, **PLAIN_SGD),
        "scikit-learn, its default": partial(scikit_learn, solver="sgd"),
        "PyTorch, sliced batches": partial(pytorch, loop="sliced"),
        "PyTorch, indexed batches": partial(pytorch, loop="indexed"),
        "PyTorch, DataLoader": partial(pytorch, loop="DataLoader"),
    },
    ("Adam, batch 64", 64, EPOCHS): {
        "fraudscore": partial(ours, optimizer="adam"),
        "scikit-learn": partial(scikit_learn, solver="adam"),
        "PyTorch, sliced batches": partial(pytorch, loop="sliced", optimizer="Adam"),
    },
    ("SGD, batch 1024", 1024, 4 * EPOCHS): {
        "fraudscore": ours,
        "scikit-learn, no momentum": partial(scikit_learn, **PLAIN_SGD),
        "PyTorch, sliced batches": partial(pytorch, loop="sliced"),
    },
}


# what the ratios of the table must reach
ASKED = {
    "SGD, batch 64: fraudscore, 8 members": "≤ 4",
    "SGD, batch 64: scikit-learn, no momentum": "≥ 6",
    "SGD, batch 64: scikit-learn, its default": "≥ 6",
    "SGD, batch 64: PyTorch, sliced batches": "≥ 10",
    "SGD, batch 64: PyTorch, indexed batches": "≥ 10",
    "SGD, batch 64: PyTorch, DataLoader": "≥ 10",
    "SGD, batch 1024: scikit-learn, no momentum": "≥ 2",
    "SGD, batch 1024: PyTorch, sliced batches": "≥ 2",
    f"scikit-learn, {PEER_EPOCHS} epochs": "≥ 1",
}


def seconds(contestant: Contestant, data: Data, batch_size: int, epochs: int) -> float:
    """Return the processor time of one training."""
    start = process_time()
    contestant(*data, batch_size, epochs)
    return process_time() - start


def compared(times: dict[str, list[float]], unit: float) -> list[tuple[str, str, str, str]]:
    """Return a row for each contestant: its median, and ratios to the first one's, by round."""
    first = next(iter(times.values()))
    rows = []
    for name, own in times.items():
        ratios = [theirs / base for theirs, base in zip(own, first, strict=True)]
        spread = f"{min(ratios):.1f} to {max(ratios):.1f}"
        rows.append((name, f"{median(own) * unit:.4g}", f"{median(ratios):.2f}", spread))
    return rows


def main() -> None:
    """Measure, print and keep the tables."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # a few epochs converge nowhere
    rng = np.random.default_rng(0)
    data = random_rows(ROWS, 0.5, rng)
    rows = []
    for (group, batch_size, epochs), contestants in STEPS.items():
        n_steps = epochs * -(-ROWS // batch_size)
        runs = {
            name: partial(seconds, contestant, data, batch_size, epochs)
            for name, contestant in contestants.items()
            if torch is not None or "PyTorch" not in name
        }
        table = compared(timed_rounds(runs, ROUNDS), 1e6 / n_steps)
        for name, *cells in table:
            label = f"{group}: {name}"
            rows.append((label, *cells, ASKED.get(label, "")))
    whole = random_rows(WHOLE_RUN_ROWS, FRAUD_SHARE, rng)
    held_out = random_rows(WHOLE_RUN_HELD_OUT, FRAUD_SHARE, rng)
    textbook = partial(ours, held_out=held_out, weighted=True)
    epochs = TEXTBOOK.learning.epochs
    peer = partial(scikit_learn, **PLAIN_SGD)
    whole_runs = {
        f"fraudscore, {epochs} epochs, evaluated": partial(seconds, textbook, whole, 64, epochs),
        f"scikit-learn, {PEER_EPOCHS} epochs": partial(seconds, peer, whole, 64, PEER_EPOCHS),
    }
    whole_table = compared(timed_rounds(whole_runs, WHOLE_RUN_ROUNDS), 1)
    whole_rows = [(*row, ASKED.get(row[0], "")) for row in whole_table]
    heading = ("times ours", "by round")
    text = [
        "# What a training step costs",
        environment("numpy", "scikit-learn", "torch"),
        f"Network [{FEATURES}, 16, 16, 1], float32, one BLAS thread, {ROWS:,} random rows, "
        f"{ROUNDS} rounds.",
        markdown(("one step", "µs", *heading, "asked"), rows),
        f"The textbook run: {WHOLE_RUN_ROWS:,} rows, batch 64; {WHOLE_RUN_HELD_OUT:,} held-out "
        f"rows evaluated after each of our epochs, {WHOLE_RUN_ROUNDS} rounds.",
        markdown(("whole run", "s", *heading, "asked"), whole_rows),
    ]
    publish("training_speed", "\n\n".join(text))


if __name__ == "__main__":
    main()
