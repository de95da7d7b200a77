"""Columns that are looked at chunk by chunk give what the whole column would."""

import datetime as dt
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import column_scan
from training.column_scan import ColumnScan, TextCounts
from training.config import DataConfig
from training.data import load
from training.errors import DataError
from training.memory import Memory

MEMORY = Memory(4 * 10**9)


@pytest.fixture
def small_chunks(monkeypatch):
    """Read tables in chunks of 50 rows or a little more."""
    monkeypatch.setattr("training.column_scan.BATCH_CELLS", 200)


def loaded(path, memory, **config):
    """Load a table."""
    return load(DataConfig(path=str(path), **config), memory)


@given(chunks=st.lists(st.lists(st.sampled_from(["a", "b", "c", "dd", "", None]))))
def test_texts_are_counted_over_all_chunks(chunks):
    counts = TextCounts()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(column_scan, "FEWEST_PENDING", 2)
        for chunk in chunks:
            counts.add(pa.array(chunk, pa.large_string()))

    expected = Counter(text for chunk in chunks for text in chunk if text is not None)
    assert len(counts) == len(expected)
    ranking = sorted(expected, key=lambda text: (-expected[text], text))
    frequent = [text for text in ranking if expected[text] >= 2]
    assert counts.most_frequent(3, 2) == (frequent or ranking[:1])[:3]


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("column", ["code", "first_digits", "digits_only", "flag"])
def test_chunk_of_digits_in_a_column_of_texts_is_read_as_written(tmp_path, column):
    codes = {
        "code": ["A1"] * 60 + ["007", "7", None] * 20 + ["B2"] * 60,
        "first_digits": ["007"] * 60 + ["150"] * 60 + ["x"] * 60,
        "digits_only": ["150"] * 60 + ["007"] * 120,
        "flag": ["True"] * 60 + ["1"] * 60 + ["unknown"] * 60,
    }
    frame = pd.DataFrame({"c": codes[column], "v": 1.0, "Class": [0, 1] * 90})
    frame.to_csv(tmp_path / "a.csv", index=False)

    whole, chunked = (loaded(tmp_path / "a.csv", memory) for memory in (Memory(None), MEMORY))

    assert chunked.spec == whole.spec
    assert chunked.spec.features[0].kind == "categorical"
    np.testing.assert_array_equal(chunked.matrix[:], whole.matrix)
    assert chunked.digest == whole.digest


@pytest.mark.usefixtures("small_chunks")
def test_category_and_gap_of_the_last_chunk_are_seen(tmp_path):
    frame = pd.DataFrame(
        {"c": ["a"] * 160 + ["b"] * 19 + [None], "v": 1.0, "w": [1] * 179 + [None]}
    )
    frame.assign(Class=[0, 1] * 90).to_parquet(tmp_path / "a.parquet")

    spec = loaded(tmp_path / "a.parquet", MEMORY).spec

    assert spec.features[0].categories == ("a", "b")
    assert [feature.nullable for feature in spec.features] == [True, False, True]


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ({"v": ["1"] * 175 + ["n/v"] * 5, "Class": [0, 1] * 90}, "numbers, but 5 cells are not"),
        ({"v": [1.0] * 179 + [np.inf], "Class": [0, 1] * 90}, "row 179: 'inf'"),
        ({"v": 1.0, "Class": [0, 1] * 89 + [0, 2]}, "labels must be 0 or 1, found '0', '1', '2'"),
        ({"v": 1.0, "Class": [0] * 180}, "all labels are 0"),
        ({"v": 1.0, "Time": ["2026-01-01"] * 179 + [None], "Class": [0, 1] * 90}, "one row has no"),
    ],
)
def test_what_is_wrong_in_the_last_chunk_is_told_as_of_the_whole_table(tmp_path, frame, reason):
    pd.DataFrame(frame).to_csv(tmp_path / "a.csv", index=False)
    told = []

    for memory in (Memory(None), MEMORY):
        with pytest.raises(DataError, match=reason) as caught:
            loaded(tmp_path / "a.csv", memory)
        told.append(str(caught.value))

    assert told[0] == told[1]


def scanned(column, look="text", **config):
    """Return what is known of a column, read in two batches."""
    found = ColumnScan("c", look, DataConfig(**config))
    half = len(column) // 2
    found.add(column[:half], 0)
    found.add(column[half:], half)
    found.decide()
    return found


def test_dates_are_not_counted_as_texts():
    days = pd.Series(pd.date_range("2026-01-01", periods=1500, freq="s")).astype(str)

    column = scanned(pa.array(days, pa.large_string()))

    assert (column.kind, len(column.texts)) == ("datetime", 0)


@pytest.mark.parametrize(
    ("values", "kind", "n_missing"),
    [
        (["1.5", "NA", "-", None, "", "2"], "numeric", 4),
        (["NA", "FR", None, "", "FR", "NA"], "categorical", 2),
        (["2026-01-01", "9999-12-31", "null", "2026-01-01 10:00"], "datetime", 2),
        (["True", "N/A", "false", "TRUE"], "boolean", 1),
        (["NA", None, "", "n/a"], None, 4),
        (["1", "2", "1,234", "2,345,678"], "numeric", 0),
        (["007", "12"], "categorical", 0),
        (["1/2/2026", "3/4/2026"], None, 0),
        (["1", "2", "3", "x"] + ["4"] * 8, None, 0),
    ],
)
def test_what_a_column_of_texts_means(values, kind, n_missing):
    column = scanned(pa.array(values, pa.large_string()))

    assert column.kind == kind
    assert column.is_empty or column.n_missing == n_missing or kind is None


def test_listed_words_mean_missing_in_texts_too():
    column = scanned(pa.array(["NA", "FR", "FR", "DE"], pa.large_string()), missing=("NA",))

    assert (column.kind, column.n_missing, len(column.texts)) == ("categorical", 1, 2)


def test_typed_dates_far_away_are_missing_with_a_count():
    years = [2024, 9999, 1, 2025]
    moments = [dt.datetime(year, 1, 1) for year in years]

    column = scanned(pa.array(moments, pa.timestamp("us")), "moment")

    assert (column.kind, column.n_missing) == ("datetime", 2)
    assert column.note == "2 dates far in the past or future are read as missing"
