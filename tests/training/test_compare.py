"""Champion against challenger: on which rows, and what they show."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from model.features import Feature, FeatureSpec
from tests.training.runs import train
from tests.training.tables import mixed_frame
from training import promote as promotion
from training.data import matrix_of
from training.promote import (
    Comparison,
    PromotionError,
    compare,
    refuse_other_features,
    unseen_rows,
)

FRAME = mixed_frame(2000)


@pytest.fixture(scope="module")
def champion(tmp_path_factory):
    """Return a run on the first part of a table."""
    return train(FRAME, tmp_path_factory.mktemp("champion"), task="fraud")


def challenger_on(frame, folder, **changes):
    """Return a run on another table."""
    return train(frame, folder, task="fraud", **changes)


@pytest.fixture
def few_draws(monkeypatch):
    """Shorten the bootstrap where the interval is not the point."""
    monkeypatch.setattr(promotion, "RESAMPLES", 40)


def compared(champion, challenger, frame, seed=0):
    """Compare two runs on a frame."""
    spec = challenger.artifact.scorer.spec
    matrix = matrix_of(frame, spec, "new rows")
    y = frame["is_fraud"].to_numpy()
    rng = np.random.default_rng(seed)
    return compare(champion.artifact, challenger.artifact, matrix, y, rng)


def average_precision_of(run, frame):
    """Return the average precision of a run on a frame that it reads by itself."""
    scorer = run.artifact.scorer
    logits = scorer.score(matrix_of(frame, scorer.spec, "new rows")).logits
    return average_precision_score(frame["is_fraud"], logits)


@pytest.mark.parametrize(
    ("low", "high", "is_worse"),
    [(-0.2, -0.1, True), (-0.1, 0.1, False), (-0.1, 0.0, False), (0.1, 0.2, False)],
)
def test_challenger_is_worse_where_the_whole_interval_says_so(low, high, is_worse):
    assert Comparison(100, 10, 0.5, 0.5, low, high).is_worse == is_worse


@pytest.mark.usefixtures("few_draws")
def test_a_model_is_no_worse_than_itself(champion):
    comparison = compared(champion, champion, mixed_frame(300, seed=5))

    assert comparison.champion == comparison.challenger
    assert (comparison.low, comparison.high, comparison.is_worse) == (0, 0, False)
    assert comparison.n_rows == 300


@pytest.mark.usefixtures("few_draws")
def test_challenger_that_learned_nothing_is_shown_to_be_worse(champion, tmp_path, rng):
    frame = FRAME.copy()
    frame["is_fraud"] = rng.permutation(frame["is_fraud"])
    challenger = challenger_on(frame, tmp_path)

    new = mixed_frame(600, seed=5)
    forwards, backwards = compared(champion, challenger, new), compared(challenger, champion, new)

    assert forwards.is_worse
    assert forwards.high < 0
    assert not backwards.is_worse
    assert backwards.low > 0


def test_interval_is_that_of_the_difference_on_the_same_draws(champion, tmp_path, monkeypatch):
    monkeypatch.setattr(promotion, "RESAMPLES", 300)
    challenger = challenger_on(FRAME, tmp_path, seed=1)
    new = mixed_frame(600, seed=5)

    comparison = compared(champion, challenger, new)

    assert comparison.champion == pytest.approx(average_precision_of(champion, new))
    assert comparison.challenger == pytest.approx(average_precision_of(challenger, new))
    difference = comparison.challenger - comparison.champion
    assert comparison.low < difference < comparison.high
    rng = np.random.default_rng(1)
    y = new["is_fraud"].to_numpy()
    logits = [
        run.artifact.scorer.score(matrix_of(new, run.artifact.scorer.spec, "x")).logits
        for run in (champion, challenger)
    ]
    draws = []
    for _ in range(300):
        rows = rng.integers(0, len(y), len(y))
        before, after = (average_precision_score(y[rows], z[rows]) for z in logits)
        draws.append(after - before)
    low, high = np.quantile(draws, [0.025, 0.975])
    assert comparison.low == pytest.approx(low, abs=0.25 * (high - low))
    assert comparison.high == pytest.approx(high, abs=0.25 * (high - low))


@pytest.mark.usefixtures("few_draws")
def test_categories_and_columns_are_read_as_each_model_numbers_them(champion, tmp_path):
    """The challenger knows other categories, so that the same ones have other codes."""
    renamed = FRAME.copy()
    renamed["merchant"] = renamed["merchant"].replace({"games": "zoo", "travel": "aviation"})
    renamed = renamed[[*reversed(renamed.columns)]]
    challenger = challenger_on(renamed, tmp_path)
    new = mixed_frame(600, seed=5)
    new = new[new["merchant"].isin(["grocery", "fuel"]) | new["merchant"].isna()]

    comparison = compared(champion, challenger, new)

    specs = [run.artifact.scorer.spec for run in (champion, challenger)]
    assert specs[0].names == specs[1].names[::-1]
    assert comparison.champion == pytest.approx(average_precision_of(champion, new))
    assert comparison.challenger == pytest.approx(average_precision_of(challenger, new))


@pytest.mark.usefixtures("few_draws")
def test_rows_that_the_champion_would_refuse_are_left_out(champion, tmp_path):
    """Its training had no gaps in v1; the challenger's had."""
    gaps = FRAME.copy()
    gaps.loc[::9, "v1"] = np.nan
    challenger = challenger_on(gaps, tmp_path)
    new = mixed_frame(600, seed=5)
    new.loc[::3, "v1"] = np.nan

    comparison = compared(champion, challenger, new)

    complete = new[new["v1"].notna()]
    assert comparison.n_rows == len(complete) == 400
    assert comparison.champion == pytest.approx(average_precision_of(champion, complete))
    assert comparison.challenger == pytest.approx(average_precision_of(challenger, complete))


@pytest.mark.parametrize(("frauds", "rows"), [(9, 300), (0, 300), (300, 305)])
def test_rows_that_cannot_tell_are_refused(champion, frauds, rows):
    new = mixed_frame(rows, seed=5)
    new["is_fraud"] = (np.arange(rows) < frauds).astype(int)

    with pytest.raises(PromotionError, match=f"{frauds} frauds among {rows} rows .* by hand"):
        compared(champion, champion, new)


def test_models_without_a_classifier_cannot_be_compared(champion, tmp_path):
    anomaly = train(FRAME, tmp_path, task="anomaly")

    for pair in ((champion, anomaly), (anomaly, champion)):
        with pytest.raises(PromotionError, match="no classifier"):
            compared(*pair, mixed_frame(300))


SPEC = FeatureSpec(
    (
        Feature("amount"),
        Feature("gaps", nullable=True),
        Feature("shop", "categorical", categories=("a", "b")),
    )
)


def with_features(**changes):
    """Return the specification with some features changed, or left out for None."""
    features = {feature.name: feature for feature in SPEC.features}
    return FeatureSpec(tuple(f for f in {**features, **changes}.values() if f is not None))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"shop": None}, "shop is gone"),
        ({"age": Feature("age")}, "age is new"),
        ({"amount": Feature("amount", "boolean")}, "amount was numeric, is boolean"),
        ({"gaps": Feature("gaps")}, "gaps may not be missing any more"),
        ({"shop": None, "age": Feature("age")}, "age is new; shop is gone"),
    ],
)
def test_other_features_are_refused_saying_which_and_why(changes, what):
    with pytest.raises(PromotionError) as caught:
        refuse_other_features(SPEC, with_features(**changes))

    assert str(caught.value).endswith(f"clients would be refused: {what}")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": Feature("amount", nullable=True)},
        {"shop": Feature("shop", "categorical", categories=("c",))},
        {"amount": Feature("amount", unit="EUR", seen=(0.0, 1.0))},
    ],
)
def test_what_clients_do_not_notice_is_no_other_feature(changes):
    refuse_other_features(SPEC, with_features(**changes))


def test_unseen_rows_are_those_after_the_champions_latest(champion):
    latest = champion.artifact.manifest["training_data"]["latest_time"]
    rows = np.arange(1500, 2000)

    found = unseen_rows(champion.artifact, champion.table, rows)

    np.testing.assert_array_equal(found, rows[champion.table.times[rows] > latest])
    assert 0 < len(found) < len(rows)
    assert len(unseen_rows(champion.artifact, champion.table, champion.parts.train)) == 0
    np.testing.assert_array_equal(
        unseen_rows(champion.artifact, champion.table, champion.parts.test), champion.parts.test
    )


def test_without_times_no_row_is_known_to_be_unseen(champion, tmp_path):
    timeless = challenger_on(FRAME.drop(columns="transaction_time"), tmp_path)
    table = replace(champion.table, times=None)

    for artifact, rows_of in ((timeless.artifact, champion.table), (champion.artifact, table)):
        with pytest.raises(PromotionError, match="without a time column"):
            unseen_rows(artifact, rows_of, np.arange(10))
