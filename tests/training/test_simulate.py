"""The built-in data set: readable, reproducible, and hard enough to need a network."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

from model import MLP
from model.errors import ConfigurationError
from model.network import minibatches
from training.config import LearningConfig
from training.fit import fit
from training.simulate import (
    CHANNELS,
    COLUMNS,
    FRAUD,
    LEGITIMATE,
    simulate,
    simulate_with_behaviours,
)

N_TRANSACTIONS = 120_000
CUT = int(0.8 * N_TRANSACTIONS)
NUMERIC = [name for name, column in COLUMNS.items() if column.kind == "numeric"]
CATEGORICAL = [name for name, column in COLUMNS.items() if column.kind == "categorical"]


@pytest.fixture(scope="module")
def drawn() -> tuple[pd.DataFrame, pd.Series]:
    return simulate_with_behaviours(N_TRANSACTIONS, np.random.default_rng(0))


@pytest.fixture(scope="module")
def frame(drawn) -> pd.DataFrame:
    return drawn[0]


@pytest.fixture(scope="module")
def behaviours(drawn) -> pd.Series:
    return drawn[1]


@pytest.fixture(scope="module")
def design(frame) -> pd.DataFrame:
    """Every column as numbers: logarithms, dummies, clock, and indicators of what is missing."""
    hour = 2 * np.pi * (frame["transaction_time"].dt.hour / 24)
    gaps = frame[[*NUMERIC, "is_new_device"]].isna().astype(float).add_suffix("_missing")
    numeric = np.log1p(frame[NUMERIC].astype(float))
    categories = frame[CATEGORICAL].astype(object).fillna("missing").astype(str)
    return pd.concat(
        [
            numeric.fillna(numeric.median()),
            frame["is_new_device"].astype("Float64").fillna(0).astype(float),
            gaps.loc[:, gaps.any()],
            pd.get_dummies(categories, dtype=float),
            np.sin(hour).rename("hour_sin"),
            np.cos(hour).rename("hour_cos"),
        ],
        axis=1,
    )


def mlp_scores(X: np.ndarray, y: np.ndarray, X_test: np.ndarray) -> np.ndarray:
    """Train our network, which the linear one is compared with; return its scores of test rows."""
    rng = np.random.default_rng(0)
    X, y = X.astype(np.float32), np.asarray(y)
    network = MLP([X.shape[1], 32, 16, 1], members=2, rng=rng, dtype=np.float32)
    learning = LearningConfig(batch_size=512, learning_rate=3e-3, epochs=8)
    fit(network, X, y, learning, rng, batches=lambda rng: minibatches(len(y), 512, rng))
    return network.predict_proba(X_test)


def linear_scores(
    X: np.ndarray, y: np.ndarray, X_test: np.ndarray, class_weight: str | None
) -> np.ndarray:
    regression = LogisticRegression(max_iter=2_000, class_weight=class_weight)
    return regression.fit(X, y).decision_function(X_test)


def test_columns_are_those_documented_and_of_their_kinds(frame):
    is_kind = {
        "identifier": lambda column: column.is_unique and column.map(type).eq(str).all(),
        "datetime": pd.api.types.is_datetime64_any_dtype,
        "numeric": pd.api.types.is_numeric_dtype,
        "categorical": lambda column: column.dropna().map(type).eq(str).all(),
        "boolean": pd.api.types.is_bool_dtype,
        "label": lambda column: set(column) == {0, 1},
    }

    assert list(frame.columns) == list(COLUMNS)
    for name, column in COLUMNS.items():
        assert is_kind[column.kind](frame[name]), name
        assert column.description
        assert column.unit or column.kind != "numeric", name


def test_rows_are_sorted_by_time_over_ninety_days(frame):
    time = frame["transaction_time"]

    assert time.is_monotonic_increasing
    assert 88 < (time.iloc[-1] - time.iloc[0]).days + 1 <= 90


def test_values_are_plausible(frame):
    amount = frame["amount"]
    assert amount.min() >= 0.5
    np.testing.assert_allclose(amount, amount.round(2))
    assert (amount[frame["channel"] == "atm"] % 10 == 0).all()
    assert (frame["merchant_category"].eq("cash") <= frame["channel"].eq("atm")).all()
    assert (frame[NUMERIC].min().dropna() >= 0).all()
    quiet = frame["seconds_since_last_transaction"] >= 86_400
    assert (frame.loc[quiet, "transactions_last_24h"] == 0).all()
    recent = frame["seconds_since_last_transaction"] < 86_400
    assert (frame.loc[recent, "transactions_last_24h"] >= 1).all()


def test_categories_are_a_readable_handful(frame):
    assert frame["merchant_category"].nunique() == 14
    assert frame["country"].nunique() == 9
    assert set(frame["channel"]) == set(CHANNELS)


def test_values_are_missing_where_documented(frame):
    online = frame["channel"] == "online"
    card_used = frame["channel"].isin(["pos", "contactless", "atm"])

    assert frame.loc[online, "distance_from_home_km"].isna().all()
    assert 0.01 < frame.loc[~online, "distance_from_home_km"].isna().mean() < 0.03
    assert frame.loc[card_used, "is_new_device"].isna().all()
    assert 0.02 < frame.loc[~card_used, "is_new_device"].isna().mean() < 0.04
    for name in ("merchant_category", "card_age_days", "amount_ratio_to_30d_average"):
        assert 0.005 < frame[name].isna().mean() < 0.05, name
    assert frame["seconds_since_last_transaction"].isna().any()
    assert not frame[["amount", "country", "channel", "is_fraud"]].isna().any(axis=None)


@pytest.mark.parametrize("seed", range(3))
def test_half_a_percent_is_fraud_in_every_fifth_of_the_time(seed):
    frame = simulate(N_TRANSACTIONS, np.random.default_rng(seed))

    fifth = pd.cut(frame["transaction_time"], 5, labels=False)
    assert frame["is_fraud"].mean() == pytest.approx(0.005, abs=1e-6)
    assert frame["is_fraud"].groupby(fifth).mean().between(0.004, 0.006).all()


def test_same_generator_state_gives_the_same_table():
    first = simulate(2_000, np.random.default_rng(7))
    second = simulate(2_000, np.random.default_rng(7))
    other = simulate(2_000, np.random.default_rng(8))

    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert not first["amount"].equals(other["amount"])


def test_too_few_transactions_for_a_fraud_are_refused():
    assert simulate(200, np.random.default_rng(0))["is_fraud"].sum() == 1
    with pytest.raises(ConfigurationError, match="at least 200 for one fraud, got 199"):
        simulate(199, np.random.default_rng(0))


def test_frauds_follow_every_pattern_and_only_those(frame, behaviours):
    is_fraud = frame["is_fraud"] == 1
    counts = behaviours[is_fraud].value_counts()

    assert set(counts.index) == set(FRAUD)
    assert len(FRAUD) >= 4
    assert counts.min() >= 20
    assert set(behaviours[~is_fraud]) == set(LEGITIMATE)


def test_the_pattern_is_no_column(frame):
    names = {*LEGITIMATE, *FRAUD}

    assert not names & set(frame.columns)
    assert not any(frame[name].isin(names).any() for name in CATEGORICAL)


def test_no_feature_alone_gives_fraud_away(frame, design):
    """Neither by its order, either way round, nor by the fraud rate of its values or quantiles."""
    y = frame["is_fraud"].to_numpy()
    for name, column in design.items():
        quantile = pd.qcut(column, 100, labels=False, duplicates="drop")
        groups = quantile if column.nunique() > 100 else column
        rate = pd.Series(y).groupby(groups).transform("mean")
        best = max(average_precision_score(y, score) for score in (column, -column, rate))
        assert best < 0.15, f"{name}: {best:.3f}"


def test_a_network_finds_what_a_weighted_sum_cannot(frame, design):
    X = StandardScaler().fit(design.iloc[:CUT]).transform(design)
    y = frame["is_fraud"].to_numpy()
    train, test = (X[:CUT], y[:CUT], X[CUT:]), y[CUT:]

    linear = max(
        average_precision_score(test, linear_scores(*train, class_weight))
        for class_weight in (None, "balanced")
    )
    scores = mlp_scores(*train)

    assert average_precision_score(test, scores) >= linear + 0.10
    assert linear > 0.1
    assert roc_auc_score(test, scores) > 0.9
