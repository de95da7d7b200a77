"""Cells that are written alike are found, with their bytes."""

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.cells.masks import LONGEST, TOO_LONG, MaskedColumn

TEXTS = st.one_of(
    st.none(), st.text(max_size=6), st.from_regex(r"[0-9]{1,3},[0-9]{2}", fullmatch=True)
)


def test_cells_that_differ_in_digits_share_a_mask():
    column = MaskedColumn(pyarrow.array(["1,234.50", " 9,876.54 ", None, "7"]))

    assert column.masks == ["0,000.00", "0"]
    assert column.codes.tolist() == [0, 0, -1, 1]
    assert column.positions(0).tolist() == [0, 1]
    assert column.cells(column.positions(0)).tobytes() == b"1,234.509,876.54"


@given(before=st.integers(0, 3), texts=st.lists(TEXTS, max_size=8))
def test_masks_are_those_of_each_cell_by_itself(before, texts):
    cells = pyarrow.array(["12"] * before + texts, pyarrow.string())[before:]

    column = MaskedColumn(cells)

    stripped = [None if text is None else text.strip() for text in texts]
    assert column.texts.to_pylist() == stripped
    found = [None if code < 0 else column.masks[code] for code in column.codes]
    expected = [
        text if text is None else "".join("0" if c in "0123456789" else c for c in text)
        for text in stripped
    ]
    assert found == expected
    for code, mask in enumerate(column.masks):
        positions = column.positions(code)
        assert positions.tolist() == [i for i, text in enumerate(expected) if text == mask]
        read = [row.tobytes().decode() for row in column.cells(positions)]
        assert read == [stripped[i] for i in positions]


def test_long_texts_have_one_mask():
    column = MaskedColumn(pyarrow.array(["1" * LONGEST, "1" * (LONGEST + 1)]))

    assert column.masks == ["0" * LONGEST, TOO_LONG]


def test_column_may_be_of_any_type_of_strings_or_of_none():
    for kind in (pyarrow.string(), pyarrow.large_string(), pyarrow.string_view()):
        assert MaskedColumn(pyarrow.array(["1", "22", "3"], kind)).codes.tolist() == [0, 1, 0]
    categories = pyarrow.array(["1", "22", "3"]).dictionary_encode()
    assert MaskedColumn(categories).codes.tolist() == [0, 1, 0]
    assert MaskedColumn(pyarrow.array([None, None])).codes.tolist() == [-1, -1]
    assert MaskedColumn(pyarrow.array([], pyarrow.string())).masks == []
    assert MaskedColumn(pyarrow.array([None, None], pyarrow.string())).codes.tolist() == [-1, -1]


def test_cells_can_be_left_out():
    column = MaskedColumn(pyarrow.array(["1", "NA"]))

    assert column.without(column.codes == 1).codes.tolist() == [0, -1]


@pytest.mark.parametrize(
    ("text", "may_be"),
    [
        ("1,234.50", True),
        ("1e5", True),
        ("31JAN2024:13:45:00", True),
        ("2024-01-31T13:45:00Z", True),
        ("Wed Jan 31 2024 13:45:00 GMT+0100 (Central European Standard Time)", True),
        ("web", False),
        ("1b4e28ba-2fa1-11d2-883f-b9a761bde3fb", False),
        ("9a8b7", False),
        ("1a2 b3", True),
        ("1" * (LONGEST + 1), False),
    ],
)
def test_masks_of_codes_are_known_without_a_look_at_each(text, may_be):
    assert bool(MaskedColumn(pyarrow.array([text])).with_digits) == may_be
