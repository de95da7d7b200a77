"""Which kind of feature a column is, and its values as cells."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from model.cells import epoch_seconds as epoch_seconds_of_text
from model.features import Feature, FeatureSpec
from tests.training.explorations import ChunkedFrame
from training.column_scan import ColumnScan, scan
from training.columns import infer_features
from training.config import DataConfig
from training.data import matrix_of
from training.errors import DataError
from training.table_reader import TableReader

N = 60


def infer(frame, rows=N, **config):
    """Return the features of a frame that is read in chunks of so many rows, and the notes."""
    config, source = DataConfig(**config), ChunkedFrame(frame, rows)
    columns = [
        ColumnScan(name, look, config, type_name=source.types[name])
        for name, look in source.looks.items()
    ]
    scan(source, columns)
    return infer_features(columns, config, "made up")


def inferred(column, **config):
    """Return the only feature of a frame with one column, and the notes."""
    frame = pd.DataFrame({"c": column, "other": 1.0})
    features, notes = infer(frame, **config)
    found = [feature for feature in features if feature.name == "c"]
    return (found[0] if found else None), notes


def repeated(*values, dtype=None):
    """Return a column in which some values take turns."""
    return pd.Series(list(values) * (N // len(values)), dtype=dtype)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (repeated(1, 2, 3), "numeric"),
        (repeated(0, 1), "numeric"),
        (repeated(1.5, np.nan), "numeric"),
        (repeated(1, None, dtype="Int64"), "numeric"),
        (repeated("1", "2.5", "-3e4"), "numeric"),
        (repeated(decimal.Decimal("1.5"), None), "numeric"),
        (repeated(True, False), "boolean"),
        (repeated(True, None, False), "boolean"),
        (repeated(True, np.nan, dtype=object), "boolean"),
        (repeated(True, None, dtype="boolean"), "boolean"),
        (repeated("2026-01-31", "2026-02-01T03:04:05"), "datetime"),
        (repeated("2026-01-31T03:04:05Z", None, "2026-02-01 03:04:05+02:00"), "datetime"),
        (repeated(datetime.date(2026, 1, 31), None, dtype=object), "datetime"),
        (pd.Series(pd.date_range("2026", periods=N)), "datetime"),
        (pd.Series(pd.date_range("2026", periods=N, tz="Europe/Berlin")), "datetime"),
        (repeated("travel", "games"), "categorical"),
        (repeated("travel", None, "games"), "categorical"),
        (repeated("travel", "games", dtype="category"), "categorical"),
        (repeated("A1", "2"), "categorical"),
        (repeated("yes", "no"), "categorical"),
        (repeated("31.01.2026", "01.02.2026", "x", "y"), "categorical"),
        (repeated(1, 2, dtype="category"), "numeric"),
        (repeated(np.float32(1.5), 2, True, dtype=object), "categorical"),
        (repeated(b"web", b"app"), "categorical"),
    ],
)
def test_kinds_are_inferred(column, kind):
    feature, notes = inferred(column)

    assert (feature.kind, notes) == (kind, [])
    assert feature.nullable == column.isna().any()


def test_column_without_any_value_is_left_out_with_a_note():
    feature, notes = inferred(pd.Series([None] * N))

    assert feature is None
    assert notes == ["column 'c' has no values at all and is left out"]


def test_all_texts_are_categories_until_training_rows_decide():
    feature, notes = inferred(["b"] * 30 + ["a", "d", "c"])

    assert (feature.categories, feature.rare, notes) == (("a", "b", "c", "d"), "", [])


def test_of_very_many_texts_the_most_frequent_are_remembered(monkeypatch):
    monkeypatch.setattr("training.columns.MOST_TEXTS", 2)

    feature, _ = inferred(["b"] * 30 + ["a"] * 20 + ["d", "c"])

    assert feature.categories == ("a", "b")


def test_text_that_tells_rows_apart_is_left_out_with_a_note():
    feature, notes = inferred([f"T{number}" for number in range(200)])

    assert feature is None
    assert "200 different texts in 200 rows" in notes[0]
    assert "--id" in notes[0]


def test_numbers_written_as_text_with_junk_among_them_are_refused():
    column = ["1.5"] * 95 + ["n/v"] * 3 + ["–"] * 2

    with pytest.raises(DataError, match="a column of numbers, but 5 cells are not") as caught:
        inferred(column)

    assert caught.value.column == "c"
    assert "row 95: 'n/v'" in caught.value.reason


@pytest.mark.parametrize(
    "column",
    [
        [[1, 2]] * N,
        [{"a": 1}] * N,
        [datetime.timedelta(hours=1)] * N,
        [datetime.time(1, 2)] * N,
        [b"\xff\xfe"] * N,
        [b"a\0b"] * N,
        pd.period_range("2026-01", periods=N, freq="M"),
        pd.interval_range(0, N),
    ],
)
def test_values_that_are_no_cells_are_left_out_by_name(column):
    feature, notes = inferred(column)

    assert feature is None
    assert len(notes) == 1
    assert notes[0].startswith("column 'c' holds values of the type ")
    assert notes[0].endswith("and is left out")


def test_what_is_declared_reaches_the_feature():
    feature, _ = inferred(
        repeated(1, 2),
        nullable=("c",),
        bounds={"c": {"minimum": 0, "maximum": 9}},
        units={"c": "€"},
    )

    assert (feature.nullable, feature.minimum, feature.maximum, feature.unit) == (True, 0, 9, "€")


@pytest.mark.parametrize(
    ("key", "value"),
    [("nullable", ("d",)), ("bounds", {"d": {"minimum": 0}}), ("units", {"d": "€"})],
)
def test_declaring_what_is_no_feature_is_refused(key, value):
    with pytest.raises(DataError, match=rf"data\.{key} names \['d'\]"):
        inferred(repeated(1, 2), **{key: value})


def test_table_with_nothing_to_learn_from_is_refused():
    frame = pd.DataFrame({"c": [None, None]})

    with pytest.raises(DataError, match="no column is left"):
        infer(frame)


def cells_of(kind, column, **facts):
    """Return the cells of a column for a feature of some kind."""
    feature = Feature("c", kind, **{"nullable": True, **facts})
    return matrix_of(pd.DataFrame({"c": column}), FeatureSpec((feature,)), "made up")[:, 0]


def refusal_of(kind, column, **facts):
    """Return why the cells of a column are refused."""
    with pytest.raises(DataError) as caught:
        cells_of(kind, column, **facts)
    assert (caught.value.source, caught.value.column) == ("made up", "c")
    return caught.value.reason


@pytest.mark.parametrize(
    ("kind", "column", "expected"),
    [
        ("numeric", [1, 2.5, None], [1, 2.5, np.nan]),
        ("numeric", ["1", "2.5", None], [1, 2.5, np.nan]),
        ("numeric", pd.array([1, None], "Int64"), [1, np.nan]),
        ("numeric", [True, False], [1, 0]),
        ("boolean", [True, False, None], [1, 0, np.nan]),
        ("boolean", ["True", "false", None], [1, 0, np.nan]),
        ("boolean", pd.array([True, None], "boolean"), [1, np.nan]),
        ("boolean", [1, 0], [1, 0]),
        ("boolean", ["1", "0"], [1, 0]),
        ("numeric", ["1,234.50", "(12.00)", "NA"], [1234.5, -12, np.nan]),
        ("numeric", ["NA", None, "-"], [np.nan] * 3),
        ("datetime", ["31.01.2026 12:00", "0000-00-00"][:1], [1769860800]),
        ("datetime", ["1970-01-02", None], [86_400, np.nan]),
        ("datetime", ["1970-01-01T01:00:00+01:00"], [0]),
        ("datetime", [None, None], [np.nan, np.nan]),
    ],
)
def test_values_become_floats(kind, column, expected):
    np.testing.assert_array_equal(cells_of(kind, column), expected)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (["a", None, "b", ""], [0, np.nan, 1, np.nan]),
        ([7.0, np.nan], [2, np.nan]),
        ([7, 8], [2, 3]),
        (pd.Series(["a", None], dtype="category"), [0, np.nan]),
        ([b"a", b"b"], [0, 1]),
        ([np.nan, np.nan], [np.nan, np.nan]),
    ],
)
def test_categories_are_texts(column, expected):
    found = cells_of("categorical", column, categories=("a", "b", "7"))

    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("kind", "column", "reason"),
    [
        ("numeric", ["1", "two"], "a column of numbers, but one cell is not (row 1: 'two')"),
        ("numeric", [1, np.inf], "row 1 holds inf, expected a finite number"),
        ("numeric", ["x", "y"], "it holds no numbers (row 0: 'x', row 1: 'y')"),
        ("boolean", [True, "yes"], "the model reads boolean values here, the table holds"),
        ("boolean", [1, 2], "row 1 holds '2', expected true or false"),
        ("datetime", ["2026-01-01", "soon"], "but one cell is not (row 1: 'soon')"),
        ("datetime", [1.7e9, 1.8e9], "the model reads datetime values here, the table holds num"),
        ("numeric", [[1], [2]], "the table holds values of a nested or other type"),
    ],
)
def test_values_of_another_kind_are_refused(kind, column, reason):
    assert reason in refusal_of(kind, column)


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("numeric", [1, np.nan]),
        ("numeric", ["1", "NA"]),
        ("boolean", [True, None]),
        ("datetime", ["2026-01-01", None]),
        ("datetime", ["2026-01-01", "9999-12-31"]),
        ("categorical", ["a", None]),
        ("categorical", ["a", ""]),
    ],
)
def test_gap_where_training_had_none_is_refused_with_the_cure(kind, column):
    reason = refusal_of(kind, column, nullable=False)

    assert reason.startswith("row 1 holds ")
    assert "data.nullable" in reason


def test_declared_bounds_are_enforced():
    bounds = {"minimum": 0.0, "maximum": 10.0}

    np.testing.assert_array_equal(cells_of("numeric", [0, 10, None], **bounds), [0, 10, np.nan])
    assert refusal_of("numeric", [5, -0.5], **bounds) == "row 1 holds -0.5, expected at least 0"
    assert refusal_of("numeric", [11], **bounds) == "row 0 holds 11, expected at most 10"


def test_row_numbers_are_those_of_the_file():
    column = pd.DataFrame({"c": [1.0, 2.0, np.inf]})
    source = ChunkedFrame(column, 1)

    with pytest.raises(DataError, match="row 2 holds inf"):
        TableReader(source, FeatureSpec((Feature("c"),)), DataConfig()).matrix()


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T12:30:00",
        "2026-03-01 12:30",
        "2026-03-01",
        "2026-03-01T12:30:00.125",
        "2026-03-01T12:30:00.123456",
        "2026-03-01T12:30:00Z",
        "2026-03-01T12:30:00+02:00",
        "1999-12-31T23:59:59-05:30",
    ],
)
def test_a_table_reads_date_times_as_a_request_does(text):
    moment = epoch_seconds_of_text(text)

    assert cells_of("datetime", [text]).tolist() == [moment]
    for unit in ("us", "ns"):
        typed = pd.to_datetime(pd.Series([text]), utc=True, format="ISO8601").dt.as_unit(unit)
        assert cells_of("datetime", typed).tolist() == [moment]
