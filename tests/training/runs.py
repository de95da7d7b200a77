"""Small runs for the tests of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from training import evaluate
from training.cli.console import RunConsole
from training.config_file import load_config
from training.pipeline import Run, run

QUICK: dict[str, dict[str, Any]] = {
    "data": {"id": "payment_id"},
    "network": {"layers": [8], "members": 3, "n_bins": 4},
    "learning": {"epochs": 6, "batch_size": 64, "learning_rate": 0.01},
    "autoencoder": {"hidden": [8], "bottleneck": 3, "members": 2, "epochs": 4, "batch_size": 64},
}


def quick(**overrides: Any) -> dict[str, Any]:
    """Return a configuration for small runs; a section given adds to that of ``QUICK``."""
    merged: dict[str, Any] = {**QUICK, **overrides}
    for section, facts in QUICK.items():
        merged[section] = {**facts, **overrides.get(section, {})}
    return merged


def train(frame: pd.DataFrame, folder: Path, listener: Any = None, **overrides: Any) -> Run:
    """Write a frame into a folder, train on it there, with a short bootstrap."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cards.csv"
    frame.to_csv(path, index=False)
    facts = quick(**overrides)
    facts["data"] = {**facts["data"], "path": str(path)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "RESAMPLES", 10)
        result = run(load_config(None, {"output": str(folder / "artifacts"), **facts}), listener)
    if isinstance(listener, RunConsole):
        listener.close()
        listener.print_result(result)
    return result


def figures_of(run: Run) -> dict[str, float | None]:
    """Return the metrics of a run at the prevalence of its rows."""
    return {name: figure.value for name, figure in run.evaluation.as_table.figures.items()}
