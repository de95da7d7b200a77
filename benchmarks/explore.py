"""What an exploration costs: seconds and peak memory for a million rows of 31 columns.

A table is made in a temporary folder, as CSV and as Parquet, and each is explored in a process of
its own: the run of ``python -m training explore``, report and plots included, but for the printing.
Peak memory is the largest resident memory of that process, as the system tells it. Two readings of
the same table by pandas alone stand beside it: what merely holding it takes.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pandas as pd

from benchmarks.tables import environment, markdown, publish
from training.config_file import load_config
from training.explore import exploration_facts, survey, write_exploration

ROWS = 1_000_000
FRAUD_SHARE = 0.002
ASKED_SECONDS, ASKED_BYTES = 60, 2 * 10**9
WAYS = ("explored", "read by pandas")


def transactions(n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return 31 columns of every kind, with gaps, drift, and frauds that can be told."""
    is_fraud = rng.random(n_rows) < FRAUD_SHARE
    late = np.linspace(0, 1, n_rows)
    columns = {
        "time": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n_rows) * 7, unit="s"),
        "amount": np.round(rng.lognormal(3, 1.2, n_rows) * (1 + is_fraud), 2),
        "merchant": np.char.add("M", rng.integers(0, 2000, n_rows).astype(str)),
        "category": rng.choice([f"category {n}" for n in range(14)], n_rows),
        "country": rng.choice(
            ["DE", "FR", "IT", "ES", "US"], n_rows, p=[0.8, 0.05, 0.05, 0.05, 0.05]
        ),
        "is_online": rng.random(n_rows) < 0.4,
        "transactions_today": rng.poisson(2 + 3 * is_fraud),
    }
    for number in range(23):
        values = rng.standard_normal(n_rows) + is_fraud * number / 10 + late * (number % 7 == 0)
        columns[f"v{number}"] = np.where(rng.random(n_rows) < 0.02, np.nan, values)
    return pd.DataFrame({**columns, "fraud": is_fraud.astype(np.int8)})


def make(folder: str) -> dict[str, int]:
    """Write the table in both forms; return its size."""
    frame = transactions(ROWS, np.random.default_rng(0))
    frame.to_parquet(Path(folder) / "table.parquet", index=False)
    frame.to_csv(Path(folder) / "table.csv", index=False)
    return {"rows": len(frame), "columns": len(frame.columns)}


def measure(way: str, path: str, reports: str) -> dict[str, float]:
    """Return the seconds and the peak memory of this process."""
    start = perf_counter()
    if way == "explored":
        config = load_config(None, {"data": {"path": path}, "reports": reports})
        write_exploration(exploration_facts(survey(config.data, config.seed), config), config)
    else:
        (pd.read_parquet if path.endswith(".parquet") else pd.read_csv)(path)
    seconds = perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if sys.platform == "darwin" else 1024
    processor = usage.ru_utime + usage.ru_stime
    return {"seconds": seconds, "processor": processor, "bytes": usage.ru_maxrss * unit}


def in_a_process(*arguments: str) -> dict[str, float]:
    """Return what a process of its own measures of itself."""
    command = [sys.executable, "-m", "benchmarks.explore", *arguments]
    result = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 (ourselves)
    if result.returncode:
        raise SystemExit(result.stderr)
    return json.loads(result.stdout.splitlines()[-1])


def main() -> None:
    """Measure, print and keep the table."""
    rows = []
    with TemporaryDirectory() as folder:
        # made elsewhere: a process begins with the peak of the one that started it
        size = in_a_process(folder)
        shape = f"{size['rows']:,} rows × {size['columns']} columns"
        paths = {"Parquet": Path(folder) / "table.parquet", "CSV": Path(folder) / "table.csv"}
        for form, path in paths.items():
            megabytes = f"{path.stat().st_size / 1e6:,.0f}"
            for way in WAYS:
                found = in_a_process(way, str(path), folder)
                rows.append(
                    (
                        f"{form}, {way}",
                        megabytes,
                        f"{found['seconds']:.1f}",
                        f"{found['processor']:.1f}",
                        f"{found['bytes'] / 1e6:,.0f}",
                    )
                )
    rows.append(("asked", "", f"≤ {ASKED_SECONDS}", "", f"≤ {ASKED_BYTES / 1e6:,.0f}"))
    text = [
        "# Exploring a table",
        environment("numpy", "pandas", "pyarrow", "matplotlib"),
        f"{shape}: numbers, categories, a date-time, a boolean; report and plots included. One "
        "process each; seconds of the clock and of the processor (imports included).",
        markdown(("table", "file MB", "seconds", "processor", "peak MB"), rows),
    ]
    publish("explore", "\n\n".join(text))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(*sys.argv[1:]) if sys.argv[2:] else make(sys.argv[1])))
    else:
        main()
