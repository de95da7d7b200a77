"""Small searches for the tests of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from optuna.distributions import CategoricalDistribution, FloatDistribution

from tests.training.runs import quick
from training.config import RunConfig
from training.config_file import load_config

SMALL_SPACE = {
    "network.layers": CategoricalDistribution(("4", "8", "8,4")),
    "learning.learning_rate": FloatDistribution(1e-3, 1e-1, log=True),
}
SMALL_AUTOENCODER_SPACE = {
    "autoencoder.bottleneck": CategoricalDistribution((2, 3, 4)),
    "autoencoder.learning_rate": FloatDistribution(1e-3, 1e-1, log=True),
}


def config_for(frame: pd.DataFrame, folder: Path, **overrides: Any) -> RunConfig:
    """Write a frame into a folder; return the configuration of short trials on it."""
    path = folder / "cards.csv"
    frame.to_csv(path, index=False)
    facts = quick(**overrides)
    facts["data"] = {**facts["data"], "path": str(path)}
    return load_config(None, {"reports": str(folder / "reports"), **facts})
