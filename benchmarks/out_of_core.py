"""What training costs when memory is limited: peak memory, and time a row against no limit.

Whole runs: a table larger than the limit is written to a temporary folder and trained on in
processes of their own, with and without ``memory``: the run of ``python -m training train``, report
included, but for the printing. Peak memory is the high-water mark of resident memory that the
system keeps of a process (VmHWM).

Epochs: the same rows in an array and in a file of which an eighth is shuffled at a time take turns,
an epoch each, in one process: the machine's speed wanders less between neighbours.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet

from benchmarks.tables import environment, markdown, publish
from training.classifier import build_mlp
from training.config import RunConfig
from training.config_file import load_config
from training.fit import fit
from training.imbalance import fraud_batches
from training.pipeline import run
from training.report import write_report
from training.row_order import row_order
from training.scratch import MappedMatrix

FEATURES, FRAUD_SHARE, GROUP_ROWS = 30, 0.004, 100_000
ASKED = 1.3
STATUS = Path("/proc/self/status")
ROWS, LIMIT = 250_000, "660MB"
FACTS: dict[str, Any] = {
    "network": {"members": 2},
    "learning": {"epochs": 1},
    "autoencoder": {"epochs": 1, "members": 1},
    "split": {"test_share": 0.005, "validation": "holdout"},
}
EPOCHS: dict[str, tuple[int, int, int, dict[str, Any]]] = {  # rows, columns, rounds, configuration
    "default recipe": (60_000, 990, 3, {}),
    "textbook recipe": (600_000, 30, 5, {"recipe": "textbook"}),
}


def write_table(path: Path, n_rows: int, rng: np.random.Generator) -> None:
    """Write numeric transactions in row groups, none of which needs the others."""
    writer = None
    for start in range(0, n_rows, GROUP_ROWS):
        n = min(GROUP_ROWS, n_rows - start)
        is_fraud = rng.random(n) < FRAUD_SHARE
        values = rng.standard_normal((n, FEATURES - 2)) + is_fraud[:, None] * rng.random(28)
        columns = {f"V{number + 1}": values[:, number] for number in range(FEATURES - 2)}
        amount = np.round(rng.lognormal(3, 1, n), 2)
        frame = pd.DataFrame(
            {
                "Time": np.arange(start, start + n, dtype=np.float64),
                **columns,
                "Amount": amount,
                "Class": is_fraud.astype(np.int64),
            }
        )
        group = pyarrow.Table.from_pandas(frame, preserve_index=False)
        writer = writer or pyarrow.parquet.ParquetWriter(path, group.schema)
        writer.write_table(group)
    if writer is not None:
        writer.close()


def measure(config: RunConfig) -> dict[str, float]:
    """Train; return the peak memory of this process, the bytes of its matrices, and a figure."""
    result = run(config)
    write_report(result, Path(config.reports))
    peak = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    n_columns = result.artifact.scorer.preprocessor.n_encoded
    raw, encoded = 8 * FEATURES * len(result.table), 4 * n_columns * len(result.parts.train)
    precision = result.evaluation.as_table.figures["average_precision"].value
    return {
        "peak": int(peak.split()[1]) * 1024,
        "matrices": raw + encoded,
        "average_precision": precision,
    }


def in_a_process(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what a run measures of itself in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.out_of_core", json.dumps(facts)]
    result = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 (ourselves)
    if result.returncode:
        raise SystemExit(result.stderr)
    return json.loads(result.stdout.splitlines()[-1])


def whole_runs() -> list[tuple[str, ...]]:
    """Return the rows of the table of whole runs."""
    rows = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        write_table(path, ROWS, np.random.default_rng(0))
        folders = {"output": f"{folder}/artifacts", "reports": f"{folder}/reports"}
        facts = {**FACTS, **folders, "data": {"path": str(path)}}
        for limit in ("none", LIMIT):
            found = in_a_process(facts if limit == "none" else {**facts, "memory": limit})
            sizes = [f"{found[key] / 1e6:,.0f}" for key in ("matrices", "peak")]
            rows.append((limit, *sizes, f"{found['average_precision']:.3f}"))
    return rows


def epoch_ratios(name: str) -> tuple[str, ...]:
    """Return the row of the table of epochs for a recipe."""
    n_rows, n_columns, rounds, facts = EPOCHS[name]
    config = load_config(None, {**facts, "learning": {"epochs": 1}})
    rng = np.random.default_rng(0)
    in_memory = rng.standard_normal((n_rows, n_columns), np.float32)
    y = (rng.random(n_rows) < FRAUD_SHARE).astype(np.float32)
    in_file = MappedMatrix(in_memory.shape, np.float32, "C", in_memory.nbytes // 4)
    in_file[:] = in_memory
    seconds: dict[str, list[float]] = {"array": [], "file": []}
    for _ in range(rounds + 1):  # the first warms up
        for where, X in (("array", in_memory), ("file", in_file)):
            seconds[where].append(epoch_seconds(X, y, config))
    ratios = [f / a for a, f in zip(seconds["array"], seconds["file"], strict=True)][1:]
    per_row = [f"{min(own[1:]) / n_rows * 1e6:.2f}" for own in seconds.values()]
    size = f"{n_rows:,} × {n_columns}"
    return name, size, *per_row, f"{median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}"


def epoch_seconds(X: np.ndarray | MappedMatrix, y: np.ndarray, config: RunConfig) -> float:
    """Return how long an epoch takes."""
    rng = np.random.default_rng(0)
    mlp = build_mlp(X.shape[1], config.network, rng)
    batch_size = config.learning.batch_size
    start = perf_counter()
    fit(
        mlp,
        X,
        y,
        config.learning,
        rng,
        batches=lambda rng: fraud_batches(y, batch_size, 0, rng, row_order(X, rng)),
    )
    return perf_counter() - start


def main() -> None:
    """Measure, print and keep the tables."""
    epochs = [epoch_ratios(name) for name in EPOCHS]
    runs = whole_runs()
    text = [
        "# Training in limited memory",
        environment("numpy", "pandas", "pyarrow"),
        f"Whole runs of the default recipe with two members and one epoch, {ROWS:,} rows of "
        f"{FEATURES} numeric features in Parquet. Matrices: raw cells and encoded training rows. "
        "Peak: resident memory of the process.",
        markdown(("limit", "matrices MB", "peak MB", "average precision"), runs),
        "Epochs in turns, one BLAS thread, µs a row of the fastest; ratio: median over rounds, "
        f"asked ≤ {ASKED}.",
        markdown(("epoch", "rows × columns", "array", "file", "ratio", "by round"), epochs),
    ]
    publish("out_of_core", "\n\n".join(text))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(load_config(None, json.loads(sys.argv[1])))))
    else:
        main()
