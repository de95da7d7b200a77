"""From a table to a model and its scores: the run of ``python -m training train``, in Python.

    python -m examples.train_and_score [FOLDER]

The table, of simulated transactions, and the model go to the folder; a temporary one if not given.
"""

import sys
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd

from model import load
from training.config import DataConfig, LearningConfig, NetworkConfig, RunConfig
from training.pipeline import run
from training.promote import promote
from training.simulate import simulate

folder = Path(sys.argv[1] if len(sys.argv) > 1 else mkdtemp())
table = folder / "transactions.csv"
simulate(8_000, np.random.default_rng(0)).to_csv(table, index=False)

result = run(
    RunConfig(
        name="example",
        output=str(folder),
        task="fraud",
        data=DataConfig(path=str(table)),
        network=NetworkConfig(layers=(16,), members=4),  # small, to be done in seconds
        learning=LearningConfig(epochs=10),
    )
)
print(f"{len(result.table):,} rows, {int(result.table.classes.sum())} of them fraud")
for name in ("roc_auc", "average_precision"):
    figure = result.evaluation.as_table.figures[name]
    print(f"{name} of the newest rows: {figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]")

promote(folder / "example", result.artifact.version)
fraud = load(folder / "example")
print(fraud)

frame = pd.read_csv(table)
frame["score"], frame["decision"] = fraud.score(frame), fraud.decide(frame)
print(frame.groupby("is_fraud")["score"].describe()[["count", "min", "50%", "max"]].to_string())
print(pd.crosstab(frame["is_fraud"], frame["decision"]).to_string())
