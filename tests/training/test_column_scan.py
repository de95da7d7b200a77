"""Columns that are looked at chunk by chunk give what the whole column would."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import column_scan
from training.column_scan import ColumnScan, TextCounts, texts_of
from training.config import DataConfig
from training.data import load
from training.errors import DataError
from training.memory import Memory

MEMORY = Memory(4 * 10**9)


@pytest.fixture
def small_chunks(monkeypatch):
    """Read tables in chunks of 50 rows or a little more."""
    monkeypatch.setattr("training.data.FRAME_CELLS", 200)


def loaded(path, memory, **config):
    """Load a table."""
    return load(DataConfig(path=str(path), **config), memory)


@given(chunks=st.lists(st.lists(st.sampled_from(["a", "b", "c", "dd", "", None]))))
def test_texts_are_counted_over_all_chunks(chunks):
    counts = TextCounts()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(column_scan, "FEWEST_PENDING", 2)
        for chunk in chunks:
            counts.add(chunk)

    expected = Counter(text for chunk in chunks for text in chunk if text is not None)
    assert len(counts) == len(expected)
    ranking = sorted(expected, key=lambda text: (-expected[text], text))
    frequent = [text for text in ranking if expected[text] >= 2]
    assert counts.most_frequent(3, 2) == (frequent or ranking[:1])[:3]


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("column", ["code", "first_digits", "flag"])
def test_chunk_of_digits_in_a_column_of_texts_is_read_as_written(tmp_path, column):
    codes = {
        "code": ["A1"] * 60 + ["007", "7", None] * 20 + ["B2"] * 60,
        "first_digits": ["007"] * 60 + ["1.50"] * 60 + ["x"] * 60,
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
        ({"v": ["1"] * 175 + ["n/v"] * 5, "Class": [0, 1] * 90}, "column of numbers, but for"),
        ({"v": [1.0] * 179 + [np.inf], "Class": [0, 1] * 90}, "row 179 holds inf"),
        ({"v": 1.0, "Class": [0, 1] * 89 + [0, 2]}, "labels must be 0 or 1, found 2"),
        ({"v": 1.0, "Class": [0] * 180}, "all labels are 0"),
        ({"v": 1.0, "Time": ["2026"] * 179 + [None], "Class": [0, 1] * 90}, "1 rows have no"),
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


def test_dates_are_not_counted_as_texts():
    column = ColumnScan("t", is_declared=False)

    for day in range(3):
        column.add(
            pd.Series(pd.date_range(f"2026-01-0{day + 1}", periods=500, freq="s")).astype(str)
        )

    assert column.begins_with_dates()
    assert len(column.texts) == 0


def test_text_of_a_number_does_not_depend_on_its_neighbours():
    whole, fraction = pd.Series([7.0, np.nan]), pd.Series([7.0, 7.5, np.nan])

    assert texts_of(whole) == ["7", None]
    assert texts_of(fraction) == ["7", "7.5", None]
