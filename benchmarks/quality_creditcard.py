"""How good the recipes are on real card transactions, beside what people use instead.

Ten random stratified 80/20 splits. Each of our recipes gets the larger part as a file and goes
through :func:`training.pipeline.run` itself; the artifact it leaves behind scores the test rows.
The peers learn from the same rows, with the defaults people use and with parameters searched on
other splits.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from benchmarks import peers as p
from benchmarks.metrics import RANKING, half_width, ranking_figures
from benchmarks.options import options
from benchmarks.peers import peers
from benchmarks.product import DEFAULT, RECIPES, scored, trained
from benchmarks.search import Found, Part, parameters_of, search_table
from benchmarks.tables import environment, markdown, publish

NAME = "quality_creditcard"
LABEL = "Class"
SPLITS = 10
SEARCH_SEEDS = (100, 101, 102)  # of the splits on which the peers' parameters are searched
TEST_SHARE = 0.2
ASKED = (0.978, 0.905, 0.90)  # of the default recipe
OPTIONS = {"split": {"how": "random", "test_share": 0.0}}

PEERS = peers(p.LOGISTIC, p.FOREST, p.XGBOOST, p.LIGHTGBM, p.MLP)
UNTUNED = {p.MLP: {"hidden_layer_sizes": (16, 16)}}  # ours of the textbook; others: no parameters


def parts(frame: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training and test rows of one split."""
    train, test = train_test_split(
        frame, test_size=TEST_SHARE, stratify=frame[LABEL], random_state=seed
    )
    return train, test


def xy(train: pd.DataFrame, test: pd.DataFrame) -> Part:
    """Return the rows as the peers take them."""
    return train.drop(columns=LABEL), train[LABEL], test.drop(columns=LABEL), test[LABEL]


def judged(frame: pd.DataFrame, seed: int, found: dict[str, Found]) -> dict[str, list[float]]:
    """Return the figures of every model on one split."""
    train, test = parts(frame, seed)
    X, y, X_test, y_test = xy(train, test)
    results = {}
    for name, recipe in RECIPES.items():
        logits = scored(trained(recipe, train, seed, OPTIONS), test).logits
        results[name] = ranking_figures(y_test, logits)
    for name, peer in PEERS.items():
        variants = {name: UNTUNED.get(name, {}), f"{name}, tuned": found[name].parameters}
        for variant, parameters in variants.items():
            score = peer.build(seed, parameters).fit(X, y).predict_proba(X_test)[:, 1]
            results[variant] = ranking_figures(y_test, score)
    return results


def main() -> None:
    """Search, train, judge, print and keep the tables."""
    given = options(__doc__, "creditcard_sample.csv.gz", SPLITS, "splits")
    warnings.simplefilter("ignore", ConvergenceWarning)  # the peer's default of 200 epochs
    frame = pd.read_csv(given.data)
    found = parameters_of(
        NAME, PEERS, lambda: [xy(*parts(frame, seed)) for seed in SEARCH_SEEDS], given.trials
    )
    results = []
    for seed in range(given.repeats):
        results.append(judged(frame, seed, found))
        print(f"split {seed}: {results[-1]}", file=sys.stderr, flush=True)
    values = {name: np.array([split[name] for split in results]) for name in results[0]}
    rows, differences = [], []
    for name, own in values.items():
        means, widths = own.mean(axis=0), half_width(own, TEST_SHARE)
        rows.append((name, *(f"{m:.3f} ± {w:.3f}" for m, w in zip(means, widths, strict=True))))
        if name != DEFAULT:
            paired = values[DEFAULT] - own
            means, widths = paired.mean(axis=0), half_width(paired, TEST_SHARE)
            cells = (f"{m:+.3f} ± {w:.3f}" for m, w in zip(means, widths, strict=True))
            differences.append((name, *cells))
    rows.append(("asked of the default recipe", *(f"≥ {bar:.3f}" for bar in ASKED)))
    text = [
        "# Quality on real card transactions",
        environment("numpy", "scikit-learn", "xgboost-cpu", "lightgbm", "optuna"),
        f"{given.data.name}, {given.repeats} random stratified 80/20 splits (seeds 0 to "
        f"{given.repeats - 1}): mean on the test rows with its 95 % interval; F1 at the threshold "
        "that is best on the test rows, for every model alike.",
        markdown(("model", *RANKING), rows),
        *([f"Not installed, so left out: {', '.join(p.absent())}."] if p.absent() else []),
        "What the default recipe gains on the same splits, with its 95 % interval:",
        markdown((f"{DEFAULT} −", *RANKING), differences),
        "The tuned peers' parameters, by average precision on the held-out fifths of the splits "
        f"with the seeds {', '.join(map(str, SEARCH_SEEDS))}:",
        search_table(found),
    ]
    publish(NAME, "\n\n".join(text))


if __name__ == "__main__":
    main()
