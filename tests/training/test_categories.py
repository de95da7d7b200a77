"""Which categories are told apart, which are rare and which unseen: decided by training rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.features import FeatureSpec
from model.rare import RareTexts
from tests.training.runs import train
from tests.training.tables import mixed_frame, plain_frame
from training import columns
from training.categories import (
    FEWEST_ROWS_PER_CATEGORY,
    MOST_CATEGORIES,
    frequent_codes,
    with_categories_of,
)
from training.config import DataConfig
from training.data import from_frame, matrix_of


def decided(texts, n_training):
    """Return the table of a column of texts, its categories decided by the first rows."""
    table = from_frame(plain_frame(len(texts), code=texts), DataConfig(), "cards.csv")
    return with_categories_of(table, np.arange(n_training))


def meanings(table):
    """Return what each cell of the texts means."""
    feature = table.spec.features[-1]
    names = [*feature.categories, "unseen", "rare"]
    return [None if np.isnan(cell) else names[int(cell)] for cell in table.matrix[:, -1]]


def test_frequent_rare_and_unseen_categories_are_told_apart():
    counts = {"a": 30, "b": FEWEST_ROWS_PER_CATEGORY, "c": FEWEST_ROWS_PER_CATEGORY - 1, "d": 1}
    training = [text for text, count in counts.items() for _ in range(count)]
    texts = [*training, *["e"] * 40, "a", "d", None, "c"]

    table = decided(texts, len(training))

    assert table.spec.features[-1].categories == ("a", "b")
    assert len(table.spec.features[-1].rare_texts) == 2
    of = {"a": "a", "b": "b", "c": "rare", "d": "rare", "e": "unseen", None: None}
    assert meanings(table) == [of[text] for text in texts]


def test_note_of_one_rare_category_is_in_the_singular():
    training = ["a"] * 30 + ["d"]

    *_, note = decided(training, len(training)).notes

    assert "1 of 2 categories is told apart; 1 rare one (d) counts as 'other' in 1 of 31" in note


def test_note_says_what_was_kept_and_how_many_rows_are_pooled():
    training = ["a"] * 30 + ["b"] * 20 + ["c"] * 9 + ["d"]

    *_, note = decided([*training, *["e"] * 40], len(training)).notes

    assert note == (
        "column 'code': 2 of 4 categories are told apart; 2 rare (c, d) count as 'other' in 10 of "
        "60 training rows: fewer than 10 training rows each"
    )


def test_nothing_is_noted_where_all_are_told_apart():
    assert decided(["a", "b"] * 30, 60).notes == ()


def test_where_all_categories_are_rare_the_most_frequent_stays():
    table = decided(["a"] * 20 + ["b"] * 20 + ["c"], 41 - 19)

    assert table.spec.features[-1].categories == ("a",)


def test_the_most_frequent_categories_are_kept_where_there_are_many():
    names = [f"shop {number:03d}" for number in range(MOST_CATEGORIES + 5)]
    texts = [text for number, text in enumerate(names) for _ in range(200 - number)]

    table = decided(texts, len(texts))

    assert table.spec.features[-1].categories == tuple(names[:MOST_CATEGORIES])
    assert table.notes[-1].endswith("all but the 64 most frequent")


@pytest.mark.parametrize(("n_rows", "enough"), [(300, 10), (2_000, 40), (50_000, 100)])
def test_a_category_needs_more_rows_the_larger_the_table(n_rows, enough):
    counts = np.array([n_rows - 2 * enough + 1, enough, enough - 1])

    assert frequent_codes(counts, n_rows).tolist() == [0, 1]


def test_texts_that_are_too_many_to_remember_are_unseen_everywhere(monkeypatch):
    monkeypatch.setattr(columns, "MOST_TEXTS", 2)
    texts = ["a"] * 30 + ["b"] * 9 + ["c"]

    table = decided(texts, len(texts))

    assert meanings(table)[-11:] == ["a", *["rare"] * 9, "unseen"]
    assert matrix_of(plain_frame(40, code=texts), table.spec, "x")[-1, -1] == table.matrix[-1, -1]


TEXTS = st.one_of(st.none(), st.sampled_from(["a", "b", "c", "d"]), st.text("xyé", max_size=3))


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(TEXTS, min_size=60, max_size=80), n_training=st.integers(20, 60))
def test_rows_are_read_alike_in_training_from_a_table_and_from_json(texts, n_training):
    """The codes that training leaves behind are those that the specification gives the texts."""
    texts = ["a", *texts]
    table = decided(texts, n_training)
    spec = FeatureSpec.from_dict(table.spec.to_dict())
    frame = plain_frame(len(texts), code=texts)
    rows = frame.drop(columns="Class").to_dict("records")
    rows = [{k: None if pd.isna(v) else v for k, v in row.items()} for row in rows]

    np.testing.assert_array_equal(spec.matrix_from_rows(rows), table.matrix[:])
    np.testing.assert_array_equal(matrix_of(frame, spec, "x"), table.matrix[:])

    known = {text for text in texts[:n_training] if text}
    told_apart = set(spec.features[-1].categories)
    novelty = spec.count_novel(table.matrix[:])
    n_rare = sum(text in known - told_apart for text in texts)
    n_unseen = sum(bool(text) and text not in known for text in texts)
    n_unseen -= sum(text in told_apart - known for text in texts)
    assert (novelty.rare_categories, novelty.unseen_categories) == (n_rare, n_unseen)
    assert len(RareTexts(spec.features[-1].rare)) == len(known - told_apart)


def test_traffic_of_the_training_table_has_no_unseen_category(tmp_path):
    """A few merchants with many rows each, and hundreds with a few."""
    rng = np.random.default_rng(5)
    frame = mixed_frame(3000)
    shops = np.array([f"shop {number}" for number in range(400)])
    weights = 1 / (1 + np.arange(400.0))
    frame["merchant"] = rng.choice(shops, 3000, p=weights / weights.sum())

    run = train(frame, tmp_path)

    spec = run.artifact.scorer.spec
    training = set(frame["merchant"].iloc[run.parts.train])
    column = spec.names.index("merchant")
    kept = spec.features[column].categories
    assert 1 < len(kept) < 30
    novelty = spec.count_novel(matrix_of(frame, spec, "x"))
    per_row = frame["merchant"]
    assert novelty.rare_categories == int(per_row.isin(training - set(kept)).sum())
    assert novelty.unseen_categories == int((~per_row.isin(training)).sum()) < 100
    counts = per_row.iloc[run.parts.train].value_counts()
    assert set(kept) == set(counts.index[counts >= 0.02 * len(run.parts.train)])
    (note,) = [
        note
        for note in run.artifact.manifest["training_data"]["notes"]
        if "shop" in note or "'merchant'" in note
    ]
    n_rare = int((~per_row.iloc[run.parts.train].isin(kept)).sum())
    assert f"{len(kept)} of {len(training)} categories are told apart" in note
    assert f"in {n_rare:,} of {len(run.parts.train):,} training rows" in note
