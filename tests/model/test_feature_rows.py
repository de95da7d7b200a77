"""Transactions → matrix: the fast way, the thorough way, and what they refuse."""

import math
from dataclasses import replace

import numpy as np
import pytest

from model.cells import (
    MISSING,
    NEVER,
    NOT_A_BOOLEAN,
    NOT_A_DATETIME,
    NOT_A_NUMBER,
    NOT_A_STRING,
    NOT_FINITE,
    NULL,
    epoch_seconds,
)
from model.errors import FeatureError
from model.features import Feature, FeatureSpec
from model.rows import MOST_PROBLEM_ROWS, RowReader
from tests.factories import TINY_FEATURES, valid_row

SPEC = FeatureSpec(TINY_FEATURES, id_column="payment_id", amount="Amount")
NAN = float("nan")


def problems(spec, rows):
    """Return the problems that make a specification refuse rows."""
    with pytest.raises(FeatureError) as caught:
        spec.matrix_from_rows(rows)
    return caught.value.problems


def test_every_kind_becomes_its_cell():
    matrix = SPEC.matrix_from_rows([valid_row(is_new_device=True, merchant_category="games")])

    expected = [25.5, 0.3, -1.2, 1.0, 2.0, epoch_seconds("2026-03-01T12:30:00")]
    assert matrix.tolist() == [expected]
    assert matrix.dtype == np.float64


def test_order_of_keys_and_rows_does_not_matter_but_is_kept():
    rows = [valid_row(V1=float(number)) for number in range(5)]
    shuffled = [dict(reversed(row.items())) for row in rows]

    np.testing.assert_array_equal(SPEC.matrix_from_rows(shuffled), SPEC.matrix_from_rows(rows))
    assert SPEC.matrix_from_rows(rows)[:, 1].tolist() == [0, 1, 2, 3, 4]


def test_no_rows_are_an_empty_matrix():
    assert SPEC.matrix_from_rows([]).shape == (0, 6)


@pytest.mark.parametrize("row", [valid_row(V2=None), valid_row(V2=...)])
def test_nullable_feature_may_be_null_or_missing(row):
    assert math.isnan(SPEC.matrix_from_rows([row])[0, 2])


def test_ids_are_accepted_and_never_scored():
    rows = [valid_row(transaction_id="t-1", payment_id=[1, 2]), valid_row()]

    matrix = SPEC.matrix_from_rows(rows)

    np.testing.assert_array_equal(matrix[0], matrix[1])


def test_unseen_category_is_other():
    assert SPEC.matrix_from_rows([valid_row(merchant_category="yachts")])[0, 4] == 3


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("V1", "1.5", NOT_A_NUMBER),
        ("V1", True, NOT_A_NUMBER),
        ("V1", [1.5], NOT_A_NUMBER),
        ("V1", {}, NOT_A_NUMBER),
        ("V1", None, NULL),
        ("V1", ..., MISSING),
        ("V1", NAN, NOT_FINITE),
        ("V1", math.inf, NOT_FINITE),
        ("V1", -math.inf, NOT_FINITE),
        ("V1", 10**400, NOT_FINITE),
        ("V2", NAN, NOT_FINITE),
        ("V1", "", NULL),
        ("V2", " ", NOT_A_NUMBER),
        ("Amount", -0.01, "Must be greater than or equal to 0."),
        ("is_new_device", 1, NOT_A_BOOLEAN),
        ("is_new_device", 0.0, NOT_A_BOOLEAN),
        ("is_new_device", "true", NOT_A_BOOLEAN),
        ("merchant_category", 5, NOT_A_STRING),
        ("merchant_category", True, NOT_A_STRING),
        ("merchant_category", None, NULL),
        ("merchant_category", "", NULL),
        ("merchant_category", ..., MISSING),
        ("transaction_time", 1772368200, NOT_A_DATETIME),
        ("transaction_time", "yesterday", NOT_A_DATETIME),
        ("transaction_time", "", NULL),
        ("transaction_time", "\ud800", NOT_A_DATETIME),
        ("transaction_time", None, NULL),
        ("transaction_time", ..., MISSING),
        ("amount", 5.0, "Unknown field. Did you mean 'Amount'?"),
        ("colour", "red", "Unknown field."),
    ],
)
def test_value_that_cannot_be_scored_is_refused_with_its_reason(name, value, message):
    rows = [valid_row(), valid_row(**{name: value}), valid_row()]

    assert problems(SPEC, rows) == {1: {name: [message]}}


@pytest.mark.parametrize("row", [None, 5, "row", [1, 2], True])
def test_row_that_is_no_object_is_refused(row):
    assert problems(SPEC, [row]) == {0: {"_schema": ["Invalid input type: expected an object."]}}


def test_all_problems_are_found_at_once():
    rows = [valid_row(V1="1", is_new_device=3), valid_row(), valid_row(Amount=..., v1=2.0), None]

    found = problems(SPEC, rows)

    assert {row: sorted(fields) for row, fields in found.items()} == {
        0: ["V1", "is_new_device"],
        2: ["Amount", "v1"],
        3: ["_schema"],
    }


def test_list_of_problems_ends_after_a_hundred_rows():
    assert len(problems(SPEC, [{}] * 10_000)) == MOST_PROBLEM_ROWS == 100


def test_message_names_the_first_problem_and_counts_the_others():
    with pytest.raises(FeatureError) as caught:
        SPEC.matrix_from_rows([valid_row(), valid_row(V1=None, is_new_device=1)])

    assert str(caught.value) == "row 1, V1: Field may not be null. (and 1 more)"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1_000_000.0, None),
        (1_234_567.0, None),
        (999_999.9, "Must be greater than or equal to 1000000."),
        (1_234_567.5, "Must be less than or equal to 1234567."),
    ],
)
def test_declared_bounds_are_enforced_and_shown_with_all_their_digits(value, message):
    spec = FeatureSpec((Feature("x", minimum=1_000_000, maximum=1_234_567),))

    if message is None:
        assert spec.matrix_from_rows([{"x": value}]).tolist() == [[value]]
    else:
        assert problems(spec, [{"x": value}]) == {0: {"x": [message]}}


def test_bounds_do_not_refuse_what_may_be_missing():
    spec = FeatureSpec((Feature("x", nullable=True, minimum=0.0), Feature("y")))

    assert math.isnan(spec.matrix_from_rows([{"x": None, "y": -1}])[0, 0])


def test_range_seen_in_training_refuses_nothing():
    spec = FeatureSpec((Feature("x", seen=(0.0, 1.0), typical=(0.1, 0.9)),))

    assert spec.matrix_from_rows([{"x": 1e300}]).tolist() == [[1e300]]


def test_big_whole_numbers_are_numbers():
    spec = FeatureSpec((Feature("x"), Feature("y")))

    assert spec.matrix_from_rows([{"x": 2**64, "y": -(10**300)}]).tolist() == [[2.0**64, -1e300]]


def test_rows_in_order_take_the_fast_way():
    rows = [valid_row(), valid_row(V2=None), valid_row(V2=..., payment_id=7)]

    assert RowReader(SPEC.features, SPEC.id_keys).matrix_if_plain(rows) is not None


def test_input_is_not_changed():
    row = valid_row(transaction_id="t-1")

    SPEC.matrix_from_rows([row])

    assert row == valid_row(transaction_id="t-1")


def test_table_gives_the_same_matrix_as_its_rows():
    rows = [
        valid_row(),
        valid_row(V2=None, is_new_device=None, merchant_category="yachts"),
        valid_row(is_new_device=True, transaction_time="2026-03-02T00:00:00"),
    ]
    columns = {
        "Amount": [25.5] * 3,
        "V1": [0.3] * 3,
        "V2": [-1.2, NAN, -1.2],
        "is_new_device": np.array([0, NAN, 1]),
        "merchant_category": ["grocery", "yachts", "grocery"],
        "transaction_time": [epoch_seconds(row["transaction_time"]) for row in rows],
        "a column that the model does not know": [1, 2, 3],
    }

    np.testing.assert_array_equal(SPEC.matrix_from_columns(columns), SPEC.matrix_from_rows(rows))


def test_missing_category_of_a_table_is_missing_and_not_other():
    feature = replace(TINY_FEATURES[4], nullable=True)
    spec = FeatureSpec((feature,))

    matrix = spec.matrix_from_columns({feature.name: ["travel", None, "yachts"]})

    assert matrix[:, 0].tolist() == pytest.approx([1.0, NAN, 3.0], nan_ok=True)


@pytest.mark.parametrize(
    "text", ["9999-12-31", "2200-01-01T00:00:00", "2099-12-31T10:00", "0001-01-01"]
)
def test_dates_that_stand_for_none_are_missing(text):
    spec = FeatureSpec((Feature("paid", "datetime", nullable=True), Feature("v")))
    strict = FeatureSpec((Feature("paid", "datetime"), Feature("v")))
    rows = [{"paid": text, "v": 1.0}, {"paid": "2099-12-30", "v": 1.0}]

    assert np.isnan(spec.matrix_from_rows(rows)[:, 0]).tolist() == [True, False]
    assert problems(strict, rows) == {0: {"paid": [NEVER]}}


def test_words_that_mean_missing_do_so_in_every_feature():
    features = (Feature("c", "categorical", nullable=True, categories=("a",)), Feature("v"))
    spec = FeatureSpec(features, missing=("NA",))
    rows = [{"c": text, "v": 1.0} for text in ("NA", "", "a", "na")]

    np.testing.assert_array_equal(spec.matrix_from_rows(rows)[:, 0], [np.nan, np.nan, 0, 1])
    assert problems(spec, [{"c": "a", "v": "NA"}]) == {0: {"v": [NULL]}}
    assert problems(spec, [{"c": "a", "v": "na"}]) == {0: {"v": [NOT_A_NUMBER]}}
