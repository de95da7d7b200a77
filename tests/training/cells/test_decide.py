"""A column is decided on as a whole, whatever the chunks in which it is read."""

import numpy as np
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.cells.columns import chunks_of, reading_of, scan_of, values_of
from training.cells import Booleans, CellError, Dates, Numbers, Refused, Texts, decide, scan
from training.cells.tally import LONGEST_EXAMPLE

NUMBERS = ["1", "1.5", "1,234", "1.234", "1,234.5", "0.123", "007", "12 kg", "3 lb", "$5", "€5"]
DATES = ["2024-01-31", "2024-01-31 13:45:00 UTC", "01/02/2024", "13/02/2024", "02/13/2024"]
DATES += ["31/12/9999", "0000-00-00", "01/02/24", "2024-01-31 10:00:00 CST", "2024-02-30"]
OTHERS = [None, "NA", "-", " ", "true", "False", "web", "12 apples", "3 pears", "x" * 200]
CELLS = st.one_of(*(st.sampled_from(cells) for cells in (NUMBERS, DATES, OTHERS)), st.text())


def columns(cells=CELLS):
    """Return columns, some of which are mostly of one kind."""
    few = st.lists(cells, max_size=4)
    alike = st.one_of(*(st.sampled_from(kind) for kind in (NUMBERS, DATES)))
    many = st.lists(alike, max_size=2).flatmap(
        lambda kinds: st.lists(st.sampled_from(kinds), max_size=40) if kinds else st.just([])
    )
    return st.tuples(few, many, few).map(lambda parts: [*parts[0], *parts[1], *parts[2]])


@given(cells=columns(), sizes=st.lists(st.integers(0, 7), max_size=6))
def test_chunks_do_not_matter(cells, sizes):
    whole = decide(scan_of(cells), name="c")

    in_chunks = decide(scan_of(cells, sizes), name="c")

    assert in_chunks == whole
    if not isinstance(whole, Texts | Refused):
        expected = whole.apply(pyarrow.array(cells, pyarrow.string()), 0)
        found = [whole.apply(texts, start) for start, texts in chunks_of(cells, sizes)]
        np.testing.assert_array_equal(np.concatenate(found), expected)


@given(cells=columns(), wanted=st.sampled_from([None, "number", "date"]))
def test_any_column_gives_values_or_texts_or_one_line_that_says_why_not(cells, wanted):
    reading = reading_of(cells, wanted=wanted)

    if isinstance(reading, Refused):
        assert all(example.value == cells[example.row].strip() for example in reading.examples)
        assert reading.examples == tuple(sorted(reading.examples))
        assert reading.examples or not any(cells)
    elif not isinstance(reading, Texts):
        values = reading.apply(pyarrow.array(cells, pyarrow.string()), 0)
        n_missing = np.isnan(values).sum() - cells.count(None)
        assert n_missing == reading.n_missing


def test_too_many_shapes_are_texts_and_the_same_for_all_chunks(monkeypatch):
    monkeypatch.setattr(scan, "MOST_SHAPES", 3)
    cells = [f"{number} {unit}" for number in (1, 23) for unit in "abcdefgh"] * 2

    whole, in_chunks = scan_of(cells), scan_of(cells, [1, 2, 3, 5, 1, 1])

    assert list(whole.numbers) == list(in_chunks.numbers)
    assert len(whole.numbers) == 3
    assert whole.texts == in_chunks.texts
    assert whole.texts.count == 20


@pytest.mark.parametrize("place", [0, 3, 1500, 1999])
@pytest.mark.parametrize(
    ("good", "bad"),
    [("12.5", "unknown"), ("2024-01-31T10:00:00Z", "unknown"), ("31/01/2024", "32/01/2024")],
)
def test_bad_cell_is_refused_wherever_it_stands(place, good, bad):
    cells = [good] * 2000
    cells[place] = bad

    refused = decide(scan_of(cells, [500, 500, 500]), name="c")

    assert isinstance(refused, Refused)
    assert [(example.row, example.value) for example in refused.examples] == [(place, bad)]
    assert "one cell is not" in refused.reason


@pytest.mark.parametrize(
    ("share_of_junk", "kind"), [(0.0, Numbers), (0.1, Refused), (0.11, Texts), (1.0, Texts)]
)
def test_junk_in_more_than_a_tenth_of_the_cells_makes_a_column_of_texts(share_of_junk, kind):
    n_junk = round(100 * share_of_junk)

    assert isinstance(reading_of(["junk"] * n_junk + ["1.5"] * (100 - n_junk)), kind)


def test_empty_cells_and_words_for_missing_are_no_junk():
    assert isinstance(reading_of([None] * 50 + ["NA"] * 50 + ["1.5"]), Numbers)


def test_dates_among_which_numbers_stand_are_refused():
    refused = reading_of(["31/01/2024"] * 6 + ["45321"] * 4)

    assert "a column of dates" in refused.reason
    assert refused.examples[0].value == "45321"


def test_column_that_has_to_hold_numbers_or_dates_is_refused_without_any():
    assert str(reading_of(["a", None, "b"], wanted="number")).startswith(
        "it holds no numbers (row 0: 'a', row 2: 'b')"
    )
    assert "holds no dates" in reading_of(["a", "true"], wanted="date").reason
    assert isinstance(reading_of(["a", "1"], wanted="number"), Refused)
    assert isinstance(reading_of([None, "NA"], wanted="number"), Numbers)
    assert isinstance(reading_of(["20240131"], wanted="date"), Numbers)
    assert isinstance(reading_of(["2024-01-31", "x"], wanted="date"), Refused)


def test_truth_values():
    assert isinstance(reading_of(["true", "False", None, "NA", " TRUE "]), Booleans)
    assert values_of(["true", "False", " TRUE "]).tolist() == [1, 0, 1]
    assert isinstance(reading_of(["true", "maybe"]), Texts)
    with pytest.raises(CellError, match="row 5 holds 'maybe', expected true or false"):
        reading_of(["true"]).apply(pyarrow.array(["maybe"]), 5)


def test_column_without_any_value_is_one_of_texts():
    assert reading_of([]) == Texts()
    assert reading_of([None, None]) == Texts()


def test_long_cells_are_shortened_in_messages():
    refused = reading_of(["1.5"] * 20 + ["x" * 10_000])

    assert len(str(refused)) < 300
    assert f"'{'x' * (LONGEST_EXAMPLE - 1)}…'" in str(refused)


def test_texts_show_the_first_that_are_neither_numbers_nor_dates():
    reading = reading_of(["1", "web", "2024-01-31", "app"])

    assert [(example.row, example.value) for example in reading.examples] == [
        (1, "web"),
        (3, "app"),
    ]


def test_dates_keep_the_order_of_the_cells():
    cells = ["2024-01-02", "NA", "2024-01-01"]

    reading = reading_of(cells)

    assert isinstance(reading, Dates)
    assert values_of(cells).tolist()[0] - values_of(cells).tolist()[2] == 86400
