"""How good the recipes are on a table of categories, dates and coordinates, beside tuned peers.

Sparkov's simulated transactions, trained on what came before a day and tested on what came after,
for five such days. Our recipes get the rows as they are, through :func:`training.pipeline.run`;
the peers get date parts, age and distance worked out by hand.

In this sample the legitimate rows come from January 2019 and December 2020 alone, the frauds from
all of both years, until 11 December. So a share of rows in order of time has no fraud to test on;
a day in between has legitimate rows and frauds on either side. And a model that sees the date
itself, or the month, tells fraud by it: nobody gets more than hour and weekday.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from benchmarks import peers as p
from benchmarks.metrics import RANKING, Array, ranking_figures, resampled_deviation
from benchmarks.options import options
from benchmarks.peers import Parameters, Peer
from benchmarks.product import DEFAULT, RECIPES, scored, trained
from benchmarks.search import Found, Part, parameters_of, search_table
from benchmarks.tables import environment, markdown, publish

NAME = "quality_sparkov"
SEEDS = 3
LABEL, TIME, AMOUNT = "is_fraud", "trans_date_trans_time", "amt"
ORIGINS = ("2019-07-01", "2019-10-01", "2020-01-01", "2020-04-01", "2020-07-01")
SEARCH_SEEDS = (100, 101, 102)  # of random splits of what came before the first day
CATEGORIES = ["merchant", "category", "city", "state", "job"]
OPTIONS = {
    "data": {"label": LABEL, "time": TIME, "amount": AMOUNT},
    # the last of the rows before a day are all fraud: validate on random ones
    "split": {"how": "random", "test_share": 0.0},
}
YEAR = pd.Timedelta(days=365.25)


def read_transactions(path: Path) -> pd.DataFrame:
    """Return the distinct transactions in order of time, without their random number."""
    frame = pd.read_parquet(path).drop_duplicates().drop(columns="trans_num")
    return frame.sort_values(TIME, kind="stable", ignore_index=True)


def worked_out(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the features that the peers get: date parts, age and distance, by hand."""
    moment = frame[TIME].dt
    latitude, longitude = np.radians(frame["lat"]), np.radians(frame["long"])
    merchant_latitude, merchant_longitude = (
        np.radians(frame[f"merch_{name}"]) for name in ("lat", "long")
    )
    haversine = (
        np.sin((merchant_latitude - latitude) / 2) ** 2
        + np.cos(latitude)
        * np.cos(merchant_latitude)
        * np.sin((merchant_longitude - longitude) / 2) ** 2
    )
    return frame.drop(columns=[TIME, "dob", LABEL]).assign(
        hour=moment.hour + moment.minute / 60,
        weekday=moment.day_of_week,
        age=(frame[TIME] - frame["dob"]) / YEAR,
        distance_km=2 * 6371 * np.arcsin(np.sqrt(haversine)),
        **{name: frame[name].astype("category") for name in CATEGORIES},
    )


def _encoded(peer: Peer) -> Peer:
    """Return a peer that reads categories as numbers; one unseen in training is −1."""

    def build(seed: int, parameters: Parameters) -> object:
        ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        encoder = make_column_transformer((ordinal, CATEGORIES), remainder="passthrough")
        return make_pipeline(encoder, peer.build(seed, parameters))

    return Peer(build, peer.space)


# LightGBM also takes categories as they are
PEERS = {
    **{f"{name}, categories": peer for name, peer in p.peers(p.LIGHTGBM).items()},
    **{name: _encoded(peer) for name, peer in p.peers(p.LIGHTGBM, p.XGBOOST, p.FOREST).items()},
}


def judged(
    train: pd.DataFrame, test: pd.DataFrame, X: pd.DataFrame, seed: int, found: dict[str, Found]
) -> dict[str, Array]:
    """Return what every model says of the test rows; X holds all rows as the peers get them."""
    scores = {
        name: scored(trained(recipe, train, seed, OPTIONS), test).logits
        for name, recipe in RECIPES.items()
    }
    for name, peer in PEERS.items():
        estimator = peer.build(seed, found[name].parameters)
        estimator.fit(X.loc[train.index], train[LABEL])
        scores[f"{name}, tuned"] = estimator.predict_proba(X.loc[test.index])[:, 1]
    return scores


def main() -> None:
    """Search, train, judge, print and keep the tables."""
    given = options(__doc__, "sparkov_small.parquet", SEEDS, "seeds")
    frame = read_transactions(given.data)
    X, y = worked_out(frame), frame[LABEL]

    def search_parts() -> list[Part]:
        before = frame.index[frame[TIME] < ORIGINS[0]]
        splits = (
            train_test_split(before, test_size=0.2, stratify=y[before], random_state=seed)
            for seed in SEARCH_SEEDS
        )
        return [(X.loc[a], y[a], X.loc[b], y[b]) for a, b in splits]

    found = parameters_of(NAME, PEERS, search_parts, given.trials)
    runs: dict[str, list[list[Array]]] = {}  # model → origin → seed → scores of the test rows
    sizes, labels = [], []
    for origin in ORIGINS:
        train, test = frame[frame[TIME] < origin], frame[frame[TIME] >= origin]
        sizes.append((len(train), train[LABEL].sum(), len(test), test[LABEL].sum()))
        labels.append(test[LABEL].to_numpy())
        by_seed = [judged(train, test, X, seed, found) for seed in range(given.repeats)]
        for name in by_seed[0]:
            runs.setdefault(name, []).append([scores[name] for scores in by_seed])
            figures = [ranking_figures(labels[-1], scores[name]) for scores in by_seed]
            print(f"{origin}, {name}: {np.mean(figures, axis=0)}", file=sys.stderr, flush=True)
    means = {
        name: np.mean(
            [
                [ranking_figures(truth, score) for score in scores]
                for truth, scores in zip(labels, by_origin, strict=True)
            ],
            axis=(0, 1),
        )
        for name, by_origin in runs.items()
    }
    deviation = resampled_deviation(labels, runs, DEFAULT)
    rows = [(name, *(f"{mean:.4f}" for mean in own)) for name, own in means.items()]
    differences = [
        (
            name,
            *(
                f"{gain:+.4f} ± {1.96 * std:.4f}"
                for gain, std in zip(means[DEFAULT] - own, deviation[name], strict=True)
            ),
        )
        for name, own in means.items()
        if name != DEFAULT
    ]
    text = [
        "# Quality on transactions with categories, dates and coordinates",
        environment("numpy", "scikit-learn", "xgboost-cpu", "lightgbm", "optuna"),
        f"{given.data.name}, {len(frame):,} distinct rows, {int(y.sum()):,} frauds. Trained on "
        "the rows before a day, tested on all from that day on; means over five days and "
        f"{given.repeats} seeds. F1 at the threshold that is best on the test rows.",
        markdown(
            ("first test day", "rows to train on", "frauds", "rows to test on", "frauds"),
            [(day, *(f"{n:,}" for n in size)) for day, size in zip(ORIGINS, sizes, strict=True)],
        ),
        markdown(("model", *RANKING), rows),
        *([f"Not installed, so left out: {', '.join(p.absent())}."] if p.absent() else []),
        "What the default recipe gains on the same rows, with a 95 % interval from resampling "
        "the test rows of either class:",
        markdown((f"{DEFAULT} −", *RANKING), differences),
        "The peers' parameters, by average precision on the held-out fifths of three random "
        f"splits of the rows before {ORIGINS[0]}:",
        search_table(found),
    ]
    publish(NAME, "\n\n".join(text))


if __name__ == "__main__":
    main()
