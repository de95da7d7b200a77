"""The models that serve in the benchmark, and the transactions that are put to them."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.out_of_core import write_table
from benchmarks.serving_contestants import ROOT, Rows
from model.artifact import Artifact
from model.decision import DECISIONS
from model.features import FeatureSpec
from model.pointer import Pointer, load_champion, write_pointer
from training.config_file import load_config
from training.pipeline import run
from training.rebase import rebase

SHIPPED = ROOT / "artifacts" / "creditcard"
TRAINING_ROWS = 50_000
OTHER_BASE_RATE = 0.01  # makes a second version of a model without training


@dataclass(frozen=True)
class Model:
    """A folder with a champion and a second version beside it."""

    name: str
    folder: Path
    versions: tuple[Artifact, Artifact]

    def promote(self, number: int) -> None:
        """Point to the first or the second version."""
        chosen, other = self.versions[number], self.versions[1 - number]
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        write_pointer(self.folder, Pointer(chosen.version, chosen.sha256, other.version, moment))

    def described(self, rows: Rows) -> str:
        """Say which model it is and what it decides about some transactions."""
        artifact = self.versions[0]
        matrix = artifact.scorer.spec.matrix_from_rows(list(rows))
        counts = Counter(artifact.scorer.score(matrix).decision.tolist())
        decided = ", ".join(f"{counts[code]} {name}" for code, name in enumerate(DECISIONS))
        return f"{self.name}: {artifact.name} {artifact.version} ({decided})"


def textbook(folder: Path) -> Model:
    """Train a [30, 16, 16, 1] network on synthetic rows with the columns of card transactions."""
    path = folder / "textbook.parquet"
    write_table(path, TRAINING_ROWS, np.random.default_rng(0))
    facts = {
        "recipe": "textbook",
        "task": "fraud",
        "name": "textbook",
        "output": str(folder),
        "reports": str(folder / "reports"),
        "data": {"path": str(path)},
        "learning": {"epochs": 10},
    }
    artifact = run(load_config(None, facts)).artifact
    model = Model("textbook", artifact.path.parent, (artifact, rebase(artifact, OTHER_BASE_RATE)))
    model.promote(0)
    return model


def shipped(folder: Path) -> Model:
    """Copy the shipped card model, so that its pointer can be moved."""
    copy = Path(shutil.copytree(SHIPPED, folder / "shipped"))
    artifact, _ = load_champion(copy)
    return Model("shipped default", copy, (artifact, rebase(artifact, OTHER_BASE_RATE)))


def typical_rows(spec: FeatureSpec, n_rows: int, rng: np.random.Generator) -> Rows:
    """Draw transactions from what a specification of numbers calls typical."""
    drawn = {}
    for feature in spec.features:
        low, high = feature.typical or feature.seen or (feature.central, feature.central)
        drawn[feature.name] = rng.uniform(low, high, n_rows).round(6).tolist()
    return [dict(zip(drawn, cells, strict=True)) for cells in zip(*drawn.values(), strict=True)]
