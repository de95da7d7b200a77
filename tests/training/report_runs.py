"""Small runs for the tests of reports, and a reader of what was reported."""

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import pandas as pd

from tests.training.pages import facts_of, parsed, visible
from training.challenge import Challenge
from training.config_file import load_config
from training.pipeline import Run, run
from training.promote import Comparison

SMALL = {
    "network": {"layers": [8], "members": 2, "n_bins": 4},
    "learning": {"epochs": 2, "batch_size": 64},
    "autoencoder": {"hidden": [8], "bottleneck": 2, "members": 1, "epochs": 2, "batch_size": 64},
}

COMMAND = "python -m training train --data payments.csv"
RIVALS = Challenge("0123456789ab", Comparison(120, 17, 0.5, 0.4, -0.3, 0.1), None)


def small_table(n_rows: int = 600) -> pd.DataFrame:
    """Return a frame with a readable signal, a category, gaps, an amount and a time."""
    rng = np.random.default_rng(0)
    signal = rng.normal(size=n_rows)
    return pd.DataFrame(
        {
            "Time": np.arange(n_rows),
            "Amount": rng.lognormal(3, 1, n_rows).round(2),
            "signal": signal,
            "gaps": np.where(rng.random(n_rows) < 0.2, np.nan, rng.normal(size=n_rows)),
            "channel": rng.choice(["online", "shop"], n_rows),
            "Class": (rng.random(n_rows) < 1 / (1 + np.exp(3 - 2 * signal))).astype(int),
        }
    )


def train_small(folder: Path, frame: pd.DataFrame | None = None, **overrides: Any) -> Run:
    """Train on a frame for as long as a report needs."""
    path = folder / "payments.csv"
    (small_table() if frame is None else frame).to_csv(path, index=False)
    data = {"path": str(path), **overrides.pop("data", {})}
    return run(load_config(None, {**SMALL, "output": str(folder), "data": data, **overrides}))


def read(page: Path) -> tuple[Element, str, dict[str, Any]]:
    """Return the parsed page, its visible text, and its figures in JSON."""
    root = parsed(page)
    return root, visible(root), facts_of(page)
