"""What a score costs: one row and a thousand, with and without reasons, beside other libraries.

The shipped card model scores synthetic rows drawn from its own specification; the peers learn from
such rows with random labels, which says nothing of how good they are but makes their trees as
large as they get. Every contestant takes the same raw float64 matrix, in one thread, and is charged
the processor's time, so that neighbours count less. The machine's speed wanders nevertheless, so
they take turns in rounds and are compared within a round.
"""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from benchmarks.scoring_contestants import Contestant, ours, peers, same_in_pytorch, torch
from benchmarks.tables import environment, markdown, publish
from benchmarks.turns import timed_rounds
from model.activations import sigmoid
from model.golden import golden_rows
from model.pointer import load_champion

MODEL = Path(__file__).resolve().parents[1] / "artifacts" / "creditcard"
ROUNDS = 25
SECONDS_A_TURN = 0.005
BATCH, TRAINING_ROWS = 1000, 10_000

# microseconds a row that ours may take
ASKED = {"score": (40, 5), "explain": (300, 30)}
JOBS = {
    "score": "probability; ours with score and decision",
    "explain": "probability and contributions; ours with the four strongest as reasons",
    "anomaly": "anomaly score; ours with each feature's share",
}


def repetitions(contestant: Contestant, rows: np.ndarray) -> int:
    """Return how many calls fill a turn."""
    contestant(rows)
    start = process_time()
    contestant(rows)
    return max(1, int(SECONDS_A_TURN / max(process_time() - start, 1e-5)))


def seconds_a_row(contestant: Contestant, rows: np.ndarray, calls: int) -> float:
    """Return how long one row takes, on average over some calls."""
    start = process_time()
    for _ in range(calls):
        contestant(rows)
    return (process_time() - start) / calls / len(rows)


def compared(contestants: dict[str, Contestant], rows: np.ndarray) -> dict[str, list[str]]:
    """Return each contestant's shortest and median microseconds a row, and its ratio to ours."""
    runs = {
        name: partial(seconds_a_row, contestant, rows, repetitions(contestant, rows))
        for name, contestant in contestants.items()
    }
    times = timed_rounds(runs, ROUNDS)
    base = next(iter(times.values()))
    cells = {}
    for name, own in times.items():
        ratio = median(theirs / first for theirs, first in zip(own, base, strict=True))
        cells[name] = [f"{1e6 * min(own):.4g}", f"{1e6 * median(own):.4g}", f"{ratio:.2f}"]
    return cells


def table(job: str, contestants: dict[str, Contestant], rows: np.ndarray) -> str:
    """Return the table of one job."""
    alone, together = compared(contestants, rows[:1]), compared(contestants, rows)
    asked = ASKED.get(job)
    lines = [(name, *alone[name], *together[name]) for name in contestants]
    if asked is not None:
        lines.append(("asked of ours", f"≤ {asked[0]}", "", "", f"≤ {asked[1]}", "", ""))
    heading = ("one row: least µs", "median", "times ours")
    return markdown((job, *heading, f"{BATCH:,} rows: least µs a row", *heading[1:]), lines)


def main() -> None:
    """Measure, print and keep the tables."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # a few epochs converge nowhere
    warnings.filterwarnings("ignore", message="X does not have valid feature names")  # LightGBM's
    artifact, _ = load_champion(MODEL)
    rng = np.random.default_rng(0)
    training = golden_rows(artifact.scorer.spec, rng, TRAINING_ROWS)
    rows = golden_rows(artifact.scorer.spec, rng, BATCH)
    jobs, others = ours(artifact.scorer), peers(training, rng.integers(0, 2, TRAINING_ROWS))
    if torch is not None:
        same = same_in_pytorch(artifact.scorer)
        np.testing.assert_allclose(
            same(rows), sigmoid(artifact.scorer.score(rows).logits), atol=1e-4
        )
        jobs["score"]["PyTorch, the same network"] = same
    text = [
        "# What a score costs",
        environment("numpy", "scikit-learn", "xgboost-cpu", "lightgbm", "torch"),
        f"Model {artifact.name} {artifact.version}, one thread, {ROUNDS} rounds. The peers learned "
        f"from {TRAINING_ROWS:,} rows.",
    ]
    for job, what in JOBS.items():
        text += [f"## {job.capitalize()}: {what}", table(job, jobs[job] | others[job], rows)]
    publish("scoring_speed", "\n\n".join(text))


if __name__ == "__main__":
    main()
