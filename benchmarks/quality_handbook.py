"""How good the recipes are on the Fraud Detection Handbook's folds, beside tuned peers.

Each of our recipes gets the training week as a file and goes through
:func:`training.pipeline.run` itself; the artifact it leaves behind scores the test days. The peers
learn from the same week, with parameters searched on the validation folds.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks import peers as p
from benchmarks.folds import (
    AMOUNT,
    CARD,
    FEATURES,
    LABEL,
    TEST_WEEKS,
    TIME,
    VALIDATION_WEEKS,
    Fold,
    card_precision,
    fold,
    read_transactions,
)
from benchmarks.metrics import CALIBRATION, Array, calibration_figures
from benchmarks.options import options
from benchmarks.peers import peers
from benchmarks.product import RECIPES, scored, trained
from benchmarks.search import Found, Part, parameters_of, search_table
from benchmarks.tables import environment, markdown, publish

NAME = "quality_handbook"
SEEDS = 5
PEERS = peers(p.XGBOOST, p.LIGHTGBM, p.FOREST, p.MLP)
METRICS = ("ROC-AUC", "average precision", "CP@100")
ASKED = (0.880, 0.690, 0.306)
CALIBRATION_ASKED = ("≤ 0.0020", "0.85 to 1.15", "> 0")
PUBLISHED = {  # in the book, for the same folds
    "logistic regression": (0.868, 0.623, 0.297),
    "random forest": (0.870, 0.678, 0.299),
    "XGBoost": (0.869, 0.687, 0.303),
    "balanced bagging": (0.879, 0.680, 0.305),
    "MLP, best of 162": (0.876, 0.675, 0.303),
    "LSTM with attention": (0.874, 0.667, 0.295),
}
OPTIONS = {
    # of the validation folds' test days, from which known compromised cards are gone
    "base_rate": 0.0067,
    "data": {"label": LABEL, "time": TIME, "amount": AMOUNT, "drop": [TIME, CARD]},
    "split": {"test_share": 0.0},
}


def ranking(part: Fold, score: Array) -> list[float]:
    """Return the figures of METRICS."""
    y = part.test[LABEL]
    return [
        roc_auc_score(y, score),
        average_precision_score(y, score),
        card_precision(part.test, score),
    ]


def judged(
    part: Fold, seed: int, found: dict[str, Found]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return ranking figures of every model on one fold, and calibration figures of ours."""
    order, truth = {}, {}
    for name, recipe in RECIPES.items():
        scores = scored(trained(recipe, part.train, seed, OPTIONS), part.test)
        order[name] = ranking(part, scores.logits)
        truth[name] = calibration_figures(part.test[LABEL], scores.probability)
    for name, peer in PEERS.items():
        estimator = peer.build(seed, found[name].parameters)
        estimator.fit(part.train[list(FEATURES)], part.train[LABEL])
        score = estimator.predict_proba(part.test[list(FEATURES)])[:, 1]
        order[f"{name}, tuned"] = ranking(part, score)
    return order, truth


def table(figures: list[list[dict[str, list[float]]]], digits: int) -> list[tuple[str, ...]]:
    """Return mean ± standard deviation over folds of the mean over seeds, a row for each model."""
    rows = []
    for name in figures[0][0]:
        by_fold = np.array([[run[name] for run in runs] for runs in figures]).mean(axis=1)
        cells = zip(by_fold.mean(axis=0), by_fold.std(axis=0), strict=True)
        rows.append((name, *(f"{mean:.{digits}f} ± {std:.{digits}f}" for mean, std in cells)))
    return rows


def main() -> None:
    """Search, train, judge, print and keep the tables."""
    given = options(__doc__, "handbook_features.parquet", SEEDS, "seeds")
    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are a parameter
    transactions = read_transactions(given.data)
    test_folds = [fold(transactions, week) for week in TEST_WEEKS]

    def validation_parts() -> list[Part]:
        folds = (fold(transactions, week) for week in VALIDATION_WEEKS)
        columns = list(FEATURES)
        return [
            (one.train[columns], one.train[LABEL], one.test[columns], one.test[LABEL])
            for one in folds
        ]

    found = parameters_of(NAME, PEERS, validation_parts, given.trials)
    order, truth = [], []
    for part in test_folds:
        runs = []
        for seed in range(given.repeats):
            runs.append(judged(part, seed, found))
            print(f"fold {part.start}, seed {seed}: {runs[-1]}", file=sys.stderr, flush=True)
        order.append([run[0] for run in runs])
        truth.append([run[1] for run in runs])
    rows = table(order, 4)
    rows.append(("asked of the default recipe", *(f"≥ {bar:.3f}" for bar in ASKED)))
    rows += [
        (f"the book's {name}", *(f"{figure:.3f}" for figure in figures))
        for name, figures in PUBLISHED.items()
    ]
    text = [
        "# Quality on the Fraud Detection Handbook's folds",
        environment("numpy", "scikit-learn", "xgboost-cpu", "lightgbm", "optuna"),
        f"{given.data.name}, training weeks from {', '.join(TEST_WEEKS)}, each with the seven "
        "test days that begin two weeks later: mean ± standard deviation over the four folds of "
        f"the mean over {given.repeats} seeds. CP@100: share of compromised cards among the 100 "
        "with the highest score of a day, mean over days.",
        markdown(("model", *METRICS), rows),
        *([f"Not installed, so left out: {', '.join(p.absent())}."] if p.absent() else []),
        "Probabilities of the test days, with a base rate of "
        f"{OPTIONS['base_rate']} stated from the validation folds. ECE over 15 bins of equally "
        "many rows; Brier skill against stating the fold's own share of fraud for every row, "
        "which no forecast knows.",
        markdown(
            ("model", *CALIBRATION),
            [*table(truth, 4), ("asked of the default recipe", *CALIBRATION_ASKED)],
        ),
        "The peers' parameters, by average precision on the validation folds "
        f"({', '.join(VALIDATION_WEEKS)}):",
        search_table(found),
    ]
    publish(NAME, "\n\n".join(text))


if __name__ == "__main__":
    main()
