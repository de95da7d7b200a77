"""Our side of the quality benchmarks: the product's own pipeline, from a frame to a scorer."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from model.scorer import Scorer, Scores
from training.config_file import RECIPES as KNOWN
from training.config_file import load_config
from training.data import matrix_of
from training.pipeline import run

RECIPES = {f"fraudscore, {recipe}": recipe for recipe in KNOWN}
DEFAULT = "fraudscore, default"


def trained(recipe: str, frame: pd.DataFrame, seed: int, options: Mapping[str, Any]) -> Scorer:
    """Run the whole pipeline on the rows of a frame, as ``python -m training train`` would."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "development.parquet"
        frame.to_parquet(path)
        overrides = {
            **options,
            "recipe": recipe,
            "task": "fraud",
            "seed": seed,
            "output": folder,
            "data": {**options.get("data", {}), "path": str(path)},
        }
        return run(load_config(None, overrides)).artifact.scorer


def scored(scorer: Scorer, frame: pd.DataFrame) -> Scores:
    """Return what a trained model says of the rows of a frame."""
    return scorer.score(matrix_of(frame, scorer.spec, "test rows"))
