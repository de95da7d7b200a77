"""Nearly numbers are read by one rule a column, or refused."""

import re

import pyarrow
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.training.cells.columns import assert_same, reading_of, values_of
from training.cells import CellError, Numbers, Refused, Texts

NAN = float("nan")
SEPARATORS = [None, ",", ".", " ", "\u00a0", "\u2009", "\u202f", "'", "\u2019"]


def grouped(digits, separator, in_twos=False):
    """Return whole digits with their thousands separated."""
    if separator is None:
        return digits
    head, last = digits[:-3], digits[-3:]
    width = 2 if in_twos else 3
    start = len(head) % width
    groups = [head[:start], *(head[i : i + width] for i in range(start, len(head), width)), last]
    return separator.join(group for group in groups if group)


def written(value, decimal, separator, in_twos=False):
    """Return a decimal number as text."""
    whole, _, fraction = f"{abs(value):f}".partition(".")
    text = grouped(whole, separator, in_twos)
    return text + (decimal + fraction if fraction else "")


SIGNS = [
    lambda text, is_negative: f"-{text}" if is_negative else text,
    lambda text, is_negative: f"\u2212{text}" if is_negative else text,
    lambda text, is_negative: f"({text})" if is_negative else text,
    lambda text, is_negative: f"{text}-" if is_negative else text,
]
AFFIXES = [
    "{}", " {} ", "${}", "$ {}", "€{}", "{} €", "{}€", "EUR {}", "{} USD", "R$ {}", "US${}", "£{}",
    "CHF {}", "kr {}", "{} zł", "₹{}", "Rs. {}", "{} kg", "{} %", "{}%", "{} days", "{} pieces",
]  # fmt: skip


@given(
    values=st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=5),
    decimal=st.sampled_from(".,"),
    separator=st.sampled_from(SEPARATORS),
    in_twos=st.booleans(),
    sign=st.sampled_from(SIGNS),
    affix=st.sampled_from(AFFIXES),
)
def test_numbers_come_back_from_any_way_of_writing(
    values, decimal, separator, in_twos, sign, affix
):
    assume(decimal != separator)
    cells = [
        affix.format(sign(written(value, decimal, separator, in_twos), value < 0))
        for value in values
    ]

    reading = reading_of(cells)

    assert isinstance(reading, Numbers), reading
    assert_same(reading.apply(pyarrow.array(cells), 0), [float(value) for value in values])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
@example([1e-05, 2.5e300, -0.0, 5e-324])
def test_floats_come_back_as_python_writes_them(values):
    cells = [repr(value) for value in values]
    assume(not all(re.fullmatch(r"-?[1-9]\d{0,2}\.\d{3}", cell) for cell in cells))

    assert_same(values_of(cells, decimal="."), values)


@given(st.lists(st.integers(-(10**18), 10**18), min_size=1))
def test_whole_numbers_come_back(values):
    assert_same(values_of([str(value) for value in values]), values)


@pytest.mark.parametrize(
    ("cells", "values", "note"),
    [
        (["1,234.50", "12"], [1234.5, 12], "decimal point and thousands comma"),
        (["1.234,50", "12"], [1234.5, 12], "decimal comma and thousands point"),
        (["12,5", "1,234"], [12.5, 1.234], "decimal comma"),
        (["1,234,567", "1,234"], [1234567, 1234], "thousands comma"),
        (["1.234.567", "1.234"], [1234567, 1234], "thousands point"),
        (["1 234", "12"], [1234, 12], "thousands space"),
        (["0,123", "1,234"], [0.123, 1.234], "decimal comma"),
        (["1'234.5"], [1234.5], "decimal point and thousands apostrophe"),
        (
            ["$12.00", "($3.50)", "7"],
            [12, -3.5, 7],
            "minus and currency $ (one cell without)",
        ),
        (["12.50-", "3"], [-12.5, 3], "minus behind the number"),
        (["12.5 %", "3%"], [12.5, 3], "% as it stands (12.5 % is 12.5)"),
        (["12 kg", "3.5kg"], [12, 3.5], "unit 'kg' left out"),
        (["+5", "1e3", "1.5E-2"], [5, 1000, 0.015], None),
        ([".5", "5.", "00012.50"], [0.5, 5, 12.5], None),
        (["1.5", "007"], [1.5, 7], None),
        (["1.234,-", "12,–", "-3,-"], [1234, 12, -3], "decimal comma and thousands point"),
        (["5411", "4829"], [5411, 4829], None),
    ],
)
def test_rule_is_found_and_said(cells, values, note):
    reading = reading_of(cells)

    assert_same(reading.apply(pyarrow.array(cells), 0), values)
    if note is None:
        assert reading.note is None
    else:
        assert reading.note.startswith("numbers are read with ")
        assert note in reading.note


@pytest.mark.parametrize("mark", [",", "."])
def test_mark_that_may_be_both_is_asked_for(mark):
    name = {",": "comma", ".": "point"}[mark]
    cells = [f"{number}{mark}234" for number in range(1, 40)] + ["12", None]

    refused = reading_of(cells)

    assert str(refused) == (
        f"the {name} may be a decimal {name} or separate thousands (row 0: '1{mark}234', "
        f"row 1: '2{mark}234', row 2: '3{mark}234'): say which with --decimal {mark} or "
        f"--thousands {mark}"
    )
    assert_same(values_of(cells, decimal=mark)[:1], [1.234])
    assert_same(values_of(cells, thousands=mark)[:1], [1234])
    other = {",": ".", ".": ","}[mark]
    assert_same(values_of(cells, decimal=other)[:1], [1234])


def test_one_number_settles_the_mark_of_all_others_wherever_it_stands():
    cells = ["1,234"] * 50

    for place in (0, 25, 50):
        assert_same(values_of([*cells[:place], "1,5", *cells[place:]])[-2:-1], [1.234])
        assert_same(values_of([*cells[:place], "1.5", *cells[place:]])[-2:-1], [1234])


def test_what_is_said_settles_what_the_cells_leave_open():
    assert_same(values_of(["1,234.5", "2"], decimal=".", thousands=","), [1234.5, 2])
    assert_same(values_of(["1.234", "2"], thousands="."), [1234, 2])
    assert isinstance(reading_of(["1,5", "2.5"], decimal=","), Refused)
    assert isinstance(reading_of(["1,5"] * 30 + ["x"], decimal=","), Refused)


def test_column_that_can_only_have_its_own_marks_is_read_by_them():
    reading = reading_of(["1.5", "12"], thousands=".")

    assert_same(reading.apply(pyarrow.array(["1.5", "12"]), 0), [1.5, 12])
    assert reading.note == "its numbers have their own marks, decimal point"
    assert reading_of(["1.5", "12"], decimal=".").note is None
    assert_same(values_of(["1,5", "1,234"], decimal="."), [1.5, 1.234])


@pytest.mark.parametrize("marks", [(".", "."), (";", None), (None, "_"), (",", ",")])
def test_marks_that_are_none_cannot_be_said(marks):
    with pytest.raises(ValueError, match="expected"):
        reading_of(["1.5"], decimal=marks[0], thousands=marks[1])


@pytest.mark.parametrize(
    ("cells", "row", "value"),
    [
        (["1,234.50"] * 9 + ["1.234,50"], 9, "1.234,50"),
        (["12 kg", "3 lb", "5 kg"], 1, "3 lb"),
        (["12 %", "0.12", "13 %", "14 %"], 1, "0.12"),
        (["$12", "€ 12", "$3"], 1, "€ 12"),
        (["1.5"] * 95 + ["oops"] * 5, 95, "oops"),
        (["1.5"] * 20 + ["0x1f"], 20, "0x1f"),
        (["1.5"] * 20 + ["1_000"], 20, "1_000"),
        (["1.5"] * 20 + ["inf"], 20, "inf"),
        (["1.5"] * 20 + ["2024-01-31"], 20, "2024-01-31"),
        (["1.5"] * 20 + ["true"], 20, "true"),
        (["1.5"] * 20 + ["12:30"], 20, "12:30"),
        (["1.5"] * 20 + ["1.5k"], 20, "1.5k"),
    ],
)
def test_number_that_is_written_otherwise_and_junk_are_refused_naming_the_row(cells, row, value):
    refused = reading_of(cells)

    assert isinstance(refused, Refused)
    assert refused.examples[0].row == row
    assert refused.examples[0].value == value
    assert "a column of numbers" in refused.reason
    assert "data.categorical" in refused.cure


@pytest.mark.parametrize(
    "cells",
    [
        ["A1", "B2", "web"],
        ["12A", "14B", "3"],
        ["+49151234567", "+49160765432"],
        ["555-1234", "555-9876"],
        ["01067", "10115", "80331"],
        ["007"],
        ["DE89370400440532013000", "GB33BUKB20201555555555"],
        ["10.0.0.1", "192.168.1.17"],
        ["1.2.3", "1.10.0"],
        ["4111 1111 1111 1111", "5500 0000 0000 0004"],
        ["12 apples", "3 pears"],
        ["3rd", "4th", "1st"],
        ["4G", "5G", "3G"],
        ["18-24", "25-34", "65+"],
        ["0x1f", "0x2e"],
        ["deadbeef12", "12e4567"],
        ["(1", "1)", "--1"],
        ["1/2", "3/4"],
        ["1", "2", "3+", "4 or more"],
    ],
)
def test_codes_stay_texts(cells):
    assert isinstance(reading_of(cells), Texts)


def test_codes_with_leading_zeros_say_why_and_may_be_numbers_for_who_wants_them():
    assert "leading zeros" in reading_of(["007", "12"]).note
    assert_same(values_of(["007", "12"], wanted="number"), [7, 12])


def test_number_beyond_all_bounds_is_refused_where_it_stands():
    reading = reading_of(["1.5", "1e999"])

    with pytest.raises(CellError, match="row 8 holds '1e999', expected a number that is finite"):
        reading.apply(pyarrow.array(["1.5", "1e999"]), 7)


def test_cell_of_another_table_that_does_not_fit_is_refused():
    reading = reading_of(["1.234,50 €"])

    with pytest.raises(CellError) as caught:
        reading.apply(pyarrow.array([None, "2,5", "1,234.50"]), 100)

    assert (caught.value.row, caught.value.value) == (102, "1,234.50")
    assert "decimal comma, thousands point and '€'" in caught.value.expected
