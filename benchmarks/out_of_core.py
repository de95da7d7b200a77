"""What training costs when memory is limited: peak memory and time a row, against no limit.

Writes a table larger than the limit to a temporary folder and trains on it in processes of their
own, with and without ``memory``, in turns. The run is that of ``python -m training train``, report
included, but for the printing: in its place stands a listener with a clock. Peak memory is the
high-water mark of resident memory that the system keeps for the process (Linux: VmHWM).
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
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
from training.config import RunConfig
from training.config_file import load_config
from training.fit import Figures
from training.listener import Listener
from training.pipeline import run
from training.report import write_report

FEATURES, FRAUD_SHARE, GROUP_ROWS = 30, 0.004, 100_000
ROUNDS = 2
ASKED = 1.3
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Case:
    """A table, a recipe, and the limit they are trained with."""

    name: str
    rows: int
    memory: str
    facts: dict[str, Any]


CASES = [
    Case(
        "default recipe, 2 members",
        600_000,
        "768MB",
        {
            "network": {"members": 2},
            "learning": {"epochs": 3},
            "autoencoder": {"epochs": 2, "members": 1},
        },
    ),
    Case(
        "textbook recipe",
        3_000_000,
        "1GB",
        {
            "recipe": "textbook",
            "learning": {"epochs": 3},
            "autoencoder": {"epochs": 2, "members": 1},
        },
    ),
]


class Clock(Listener):
    """Notes how long each epoch takes, the figures of its evaluation included."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}
        self._last = perf_counter()

    def on_network(self, *_: Any) -> None:
        """Begin with the classifier."""
        self._begin("classifier")

    def on_autoencoder(self, *_: Any) -> None:
        """Begin with the autoencoder."""
        self._begin("autoencoder")

    def on_epoch(self, _epoch: int, _figures: Figures) -> None:
        """Note an epoch."""
        now = perf_counter()
        self._current.append(now - self._last)
        self._last = now

    def _begin(self, network: str) -> None:
        self._current = self.seconds.setdefault(network, [])
        self._last = perf_counter()


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


def measure(config: RunConfig) -> dict[str, Any]:
    """Train, and return seconds by epoch, rows and peak memory of this process."""
    clock, start = Clock(), perf_counter()
    result = run(config, clock)
    write_report(result, Path(config.reports))
    peak = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    labels = result.table.labels
    n_train = len(result.parts.train)
    return {
        "peak": int(peak.split()[1]) * 1024,
        "whole": perf_counter() - start,
        "seconds": clock.seconds,
        "rows": {
            "classifier": n_train,
            "autoencoder": int((labels[result.parts.train] == 0).sum()),
        },
        "average_precision": result.evaluation.as_table.figures["average_precision"].value,
    }


def in_a_process(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what a run measures of itself in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.out_of_core", json.dumps(facts)]
    result = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 (ourselves)
    if result.returncode:
        raise SystemExit(result.stderr)
    return json.loads(result.stdout.splitlines()[-1])


def compared(case: Case, folder: Path) -> list[tuple[str, ...]]:
    """Return the rows of the table for a case."""
    path = folder / "table.parquet"
    write_table(path, case.rows, np.random.default_rng(0))
    facts = {
        **case.facts,
        "output": str(folder / "artifacts"),
        "reports": str(folder / "reports"),
        "data": {"path": str(path)},
        "split": {"test_share": 0.1, "validation": "holdout"},
    }
    found: dict[str, list[dict[str, Any]]] = {"none": [], case.memory: []}
    for _ in range(ROUNDS):
        for limit, measured in found.items():
            given = {} if limit == "none" else {"memory": limit}
            measured.append(in_a_process({**facts, **given}))
            print(limit, json.dumps(measured[-1]), file=sys.stderr)
    path.unlink()
    rows = []
    for limit, measured in found.items():
        cells = [f"{case.name}, limit {limit}", f"{max(m['peak'] for m in measured) / 1e6:,.0f}"]
        for network in ("classifier", "autoencoder"):
            per_row, ratios = [], []
            for m, base in zip(measured, found["none"], strict=True):
                fastest = min(m["seconds"][network])
                per_row.append(fastest / m["rows"][network] * 1e6)
                ratios.append(fastest / min(base["seconds"][network]))
            cells += [f"{min(per_row):.2f}", f"{median(ratios):.2f}"]
        cells += [f"{min(m['whole'] for m in measured):.0f}"]
        cells += [f"{measured[0]['average_precision']:.3f}"]
        rows.append(tuple(cells))
    return rows


def main() -> None:
    """Measure, print and keep the table."""
    rows = []
    for case in CASES:
        with TemporaryDirectory() as folder:
            rows += compared(case, Path(folder))
    header = (
        "run",
        "peak MB",
        "classifier µs",
        "ratio",
        "autoencoder µs",
        "ratio",
        "whole s",
        "average precision",
    )
    text = [
        "# Training in bounded memory",
        environment("numpy", "pandas", "pyarrow"),
        f"{FEATURES} numeric features in Parquet, "
        + ", ".join(f"{case.rows:,} rows ({case.name})" for case in CASES)
        + f"; one BLAS thread, {ROUNDS} rounds in turns. µs: a row and epoch, the fastest epoch; "
        f"ratios to no limit, asked ≤ {ASKED}; peak: resident memory of the process.",
        markdown(header, rows),
    ]
    publish("out_of_core", "\n\n".join(text))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(load_config(None, json.loads(sys.argv[1])))))
    else:
        main()
