"""How well anomalies are found on 22 public tables, beside what people use instead.

The protocol of Livernoche et al. (2024, "On Diffusion Modeling for Anomaly Detection"): train on
the first half of the normal rows in file order, test on the other half and all anomalies. Tables of
more than 50,000 rows are first sampled down, tables of fewer than 1,000 drawn up to 1,000 with
replacement, both anew for each seed. All models read the same columns, standardised on the
training rows; ours is trained by :func:`training.anomaly.train_autoencoder` with its defaults.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from benchmarks.tables import environment, markdown, publish
from training.anomaly import train_autoencoder
from training.config import AutoencoderConfig
from training.split import Split

try:
    import torch
    from pyod.models.auto_encoder import AutoEncoder as PyODAutoEncoder

    torch.set_num_threads(1)
except ImportError:
    PyODAutoEncoder = None

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "adbench"
FEWEST, MOST = 1000, 50_000  # rows of a table
HELD_OUT = 0.2  # of the training rows, for the residuals of the autoencoder
CONTAMINATION = 0.02
BAR = 85.0
OURS = "fraudscore"
PUBLISHED = {
    "VAE": 78.0,
    "IForest": 80.2,
    "PCA": 77.6,
    "DTE-NP": 84.1,
    "KNN": 84.4,
}

Rows = np.ndarray
Contestant = Callable[[Rows, Rows, int], Rows]


def fraudscore(train: Rows, test: Rows, seed: int) -> Rows:
    """Train the product's autoencoder; no setting depends on the table."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(train))
    validation, learned = np.split(order, [round(HELD_OUT * len(order))])
    none = np.empty(0, np.intp)
    part, _ = train_autoencoder(
        lambda rows: train[rows].astype(np.float32),
        np.ones(len(train), bool),
        Split(learned, validation, none, none, None, ""),
        AutoencoderConfig(),
        rng,
    )
    return part.autoencoder.reconstruction_error(test)


def neighbours(train: Rows, test: Rows, _seed: int) -> Rows:
    """Return the distance to the fifth training row, as published, and the mean of the five."""
    distances, _ = NearestNeighbors(n_neighbors=5).fit(train).kneighbors(test)
    return np.column_stack([distances[:, -1], distances.mean(axis=1)])


def isolation_forest(train: Rows, test: Rows, seed: int) -> Rows:
    """Return how soon random cuts isolate a row."""
    return -IsolationForest(random_state=seed).fit(train).score_samples(test)


def principal_components(train: Rows, test: Rows, _seed: int) -> Rows:
    """Return the squared length of the whitened row, over all components."""
    return np.square(PCA(whiten=True, svd_solver="full").fit(train).transform(test)).sum(axis=1)


def pyod_autoencoder(train: Rows, test: Rows, seed: int) -> Rows:
    """Train PyOD's autoencoder with its defaults."""
    model = PyODAutoEncoder(random_state=seed, preprocessing=False, verbose=0, device="cpu")
    return model.fit(train.astype(np.float32)).decision_function(test.astype(np.float32))


MODELS = (fraudscore, neighbours, isolation_forest, principal_components)
NAMES = (OURS, "KNN", "KNN, mean", "IForest", "PCA")
SLOW = () if PyODAutoEncoder is None else (pyod_autoencoder,)


def drawn(path: Path, seed: int) -> tuple[Rows, Rows]:
    """Return a table's rows and labels, of between 1,000 and 50,000 rows."""
    with np.load(path) as table:
        X, y = table["X"].astype(np.float64), table["y"].astype(np.int64)
    if FEWEST <= len(y) <= MOST:
        return X, y
    count = min(max(len(y), FEWEST), MOST)
    rows = np.random.default_rng(seed).choice(len(y), count, replace=len(y) < FEWEST)
    return X[rows], y[rows]


def halves(y: Rows) -> tuple[Rows, Rows]:
    """Return the row numbers of training and test."""
    normal = np.flatnonzero(y == 0)
    middle = round(len(normal) / 2)
    return normal[:middle], np.concatenate([normal[middle:], np.flatnonzero(y == 1)])


def contaminated(
    X: Rows, y: Rows, train: Rows, test: Rows, rng: np.random.Generator
) -> tuple[Rows, Rows]:
    """Move anomalies into the training rows: 2 % of them, but at most half of those there are.

    What is moved leaves the test with all its copies, which tables that were drawn up hold.
    """
    anomalies = np.flatnonzero(y == 1)
    _, group = np.unique(X[anomalies], axis=0, return_inverse=True)
    count = min(round(CONTAMINATION / (1 - CONTAMINATION) * len(train)), len(anomalies) // 2)
    order = rng.permutation(group.max() + 1)
    sizes = np.bincount(group)[order].cumsum()
    taken = order[: max(1, np.searchsorted(sizes, count, side="right"))]
    moved = anomalies[np.isin(group, taken)]
    return np.concatenate([train, moved[:count]]), np.setdiff1d(test, moved)


def judged(
    path: Path, seed: int, models: Sequence[Contestant], *, spoilt: bool = False
) -> list[float]:
    """Return the ROC-AUC × 100 of each score of each model on one table."""
    X, y = drawn(path, seed)
    train, test = halves(y)
    if spoilt:
        train, test = contaminated(X, y, train, test, np.random.default_rng(seed))
    centre, scale = X[train].mean(axis=0), X[train].std(axis=0)
    X = (X - centre) / np.where(scale > 0, scale, 1)
    scores = [model(X[train], X[test], seed) for model in models]
    return [100 * roc_auc_score(y[test], own) for own in np.column_stack(scores).T]


def name_of(path: Path) -> str:
    """Return the name of a table without its number."""
    return path.stem.split("_", 1)[-1]


def table_of(names: Sequence[str], models: Sequence[str], values: Rows) -> str:
    """Return a row for each table and their mean, from values (tables, models)."""
    rows = [
        (name, *(f"{value:.1f}" for value in own)) for name, own in zip(names, values, strict=True)
    ]
    rows.append(("mean", *(f"{value:.2f}" for value in values.mean(axis=0))))
    return markdown(("table", *models), rows)


def main() -> int:
    """Train, judge, print and keep the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", type=Path, default=FOLDER, help="folder of .npz tables")
    parser.add_argument("--seeds", type=int, default=5, help="seeds from 0 on")
    parser.add_argument("--clean", action="store_true", help="normal training rows only, no PyOD")
    parser.add_argument("--tables", nargs="+", help="names, for fewer than all")
    arguments = parser.parse_args()
    paths = [
        path
        for path in sorted(arguments.data.glob("*.npz"), key=lambda path: name_of(path).lower())
        if arguments.tables is None or name_of(path) in arguments.tables
    ]
    if not paths:
        print(
            f"Skipped: there are no tables in {arguments.data.name}. Name a folder of .npz files."
        )
        return 0
    clean = []
    for seed in range(arguments.seeds):
        clean.append([judged(path, seed, MODELS) for path in paths])
        print(f"seed {seed + 1} of {arguments.seeds}", file=sys.stderr)
    first = np.array(clean[0])
    names = [name_of(path) for path in paths]
    text = [
        "# Anomalies in public tables",
        environment("numpy", "scikit-learn", "pyod"),
        f"ROC-AUC × 100 on {len(paths)} tables of ADBench, trained on normal rows: means of seeds "
        f"0 to {arguments.seeds - 1}. At least {BAR} is asked of {OURS} as the mean.",
        table_of(names, NAMES, np.mean(clean, axis=0)),
        "Published under this protocol, means of the 22: "
        + ", ".join(f"{name} {value}" for name, value in PUBLISHED.items())
        + ".",
    ]
    if not arguments.clean:
        spoilt = np.array([judged(path, 0, MODELS, spoilt=True) for path in paths])
        text += [
            f"Seed 0 alone, with anomalies as {CONTAMINATION:.0%} of the training rows (fewer "
            "where that would be more than half of them), and how far it lies from seed 0 without:",
            table_of(names, NAMES, spoilt),
            table_of(names, NAMES, spoilt - first),
        ]
        if SLOW:
            slow = np.array([judged(path, 0, SLOW) for path in paths])
            both = np.column_stack([first[:, 0], slow])
            text += ["Seed 0 alone, beside PyOD:", table_of(names, (OURS, "PyOD AE"), both)]
        else:
            text.append("PyOD is not installed: its autoencoder is left out.")
    publish("quality_adbench", "\n\n".join(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
