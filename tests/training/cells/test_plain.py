"""Chunks of plain numbers give what a look at each mask gives."""

import numpy as np
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.cells.columns import assert_same, chunks_of
from training.cells import Numbers, TextScan, decide
from training.cells.masks import MaskedColumn
from training.cells.plain import are_whole, has_number, read_plain

PLAIN = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(["0.5", "7", "1.25", ".5", "5.", "1e5", None]),
)


@given(cells=st.lists(PLAIN, min_size=1), sizes=st.lists(st.integers(0, 7), max_size=6))
def test_columns_of_plain_numbers_are_decided_on_and_read_alike(cells, sizes):
    cells = ["0.5", "1.5", "2.5", *cells]
    slow, fast = TextScan(), TextScan()
    for start, texts in chunks_of(cells, sizes):
        slow.add(texts, start)
        fast.add(texts, start, read_plain(texts))

    reading = decide(fast, name="c")

    assert reading == decide(slow, name="c")
    assert isinstance(reading, Numbers)
    found = [reading.apply(texts, start) for start, texts in chunks_of(cells, sizes)]
    expected = reading.rule.read(MaskedColumn(pyarrow.array(cells, pyarrow.string())))
    assert_same(np.concatenate(found), expected)


@pytest.mark.parametrize("cell", ["NA", "", "inf", "nan", "1,5", "+4915112345678", "1e999", "0x1f"])
def test_what_is_not_plain_is_left_to_others(cell):
    assert read_plain(pyarrow.array(["1.5", cell])) is None
    assert_same(read_plain(pyarrow.array(["1.5", None])), [1.5, np.nan])


def test_numbers_that_mean_missing_are_missing_in_chunks_of_plain_numbers_too():
    assert has_number(["x", "-999"])
    assert not has_number(["x", "", "nan"])
    scan, chunks = TextScan(["-999"]), [["1.5", "2.5", "3.5"], ["-999", "4.5"], ["-999"]]
    for start, cells in zip((0, 3, 5), chunks, strict=True):
        texts = pyarrow.array(cells)
        scan.add(texts, start, read_plain(texts))

    reading = decide(scan, name="c")

    assert reading.n_missing == 2
    assert not reading.reads_plain
    assert_same(reading.apply(pyarrow.array(["-999", "4.5"]), 3), [np.nan, 4.5])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [(["1", "-20", None], True), (["007"], False), (["1.0"], False), ([" 1"], False), ([], True)],
)
def test_whole_numbers(cells, expected):
    assert are_whole(pyarrow.array(cells, pyarrow.string())) == expected
