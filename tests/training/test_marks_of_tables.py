"""What the one mark of numbers is where the column does not tell: what the table says of it."""

import numpy as np
import pandas as pd
import pytest

from model.features import Feature, FeatureSpec
from tests.training.tables import plain_frame
from training.cells.missing import note_on
from training.config import DataConfig
from training.data import from_frame, load
from training.errors import DataError
from training.explore.grid import grid_of
from training.table_reader import TableReader
from training.tables.source import FileSource, FrameSource

POINTS, COMMAS = ["1.234", "12.345", "7.001"], ["1,234", "12,345", "7,001"]
SPEC = FeatureSpec((Feature("x"),))


def read(tmp_path, columns, sep=",", **config):
    """Return the first column of a CSV file as a model reads it, and the notes."""
    path = tmp_path / "t.csv"
    pd.DataFrame(columns).to_csv(path, index=False, sep=sep)
    spec = FeatureSpec(tuple(Feature(name) for name in columns))
    reader = TableReader(FileSource(path), spec, DataConfig(**config))
    return reader.matrix()[:, 0].tolist(), reader.notes


@pytest.mark.parametrize("sep", [",", "\t"])
def test_point_is_the_decimal_mark_where_nothing_says_otherwise(tmp_path, sep):
    values, notes = read(tmp_path, {"x": POINTS}, sep)

    assert values == [1.234, 12.345, 7.001]
    assert "'x': 1.234 is read with a decimal point" in notes[-1]
    assert "--thousands . if it separates thousands" in notes[-1]
    assert read(tmp_path, {"x": POINTS}, sep, thousands=".")[0] == [1234.0, 12345.0, 7001.0]


def test_one_row_of_floats_is_read_as_parquet_holds_it(tmp_path):
    values, _ = read(tmp_path, {"x": ["1.234"]})
    frame = FrameSource(pd.DataFrame({"x": [1.234]}), "made up")

    assert values == TableReader(frame, SPEC, DataConfig()).matrix()[:, 0].tolist()


def test_other_floats_settle_a_point_without_a_word(tmp_path):
    assert read(tmp_path, {"x": POINTS, "y": ["0.5", "1.25", "3.5"]}) == (
        [1.234, 12.345, 7.001],
        (),
    )


@pytest.mark.parametrize(
    ("columns", "sep"),
    [
        ({"x": POINTS, "y": ["7", "8", "9"]}, ";"),
        ({"x": POINTS, "y": ["0,5", "1,25", "3,5"]}, ","),
        ({"x": [f"{point} €" for point in POINTS]}, ","),
        ({"x": COMMAS}, ","),
        ({"x": COMMAS, "y": ["0,5", "1,25", "3,5"], "z": ["0.5", "1.25", "3.5"]}, ","),
    ],
)
def test_what_the_table_does_not_tell_is_asked(tmp_path, columns, sep):
    with pytest.raises(DataError, match=r"say which with --decimal [.,] or --thousands [.,]"):
        read(tmp_path, columns, sep)

    mark = "." if "." in columns["x"][0] else ","
    assert read(tmp_path, columns, sep, decimal=mark)[0] == [1.234, 12.345, 7.001]


@pytest.mark.parametrize(
    ("other", "expected", "name"),
    [
        (["0.5", "1.25", "3.5"], [1234.0, 12345.0, 7001.0], "point"),
        (["0,5", "1,25", "3,5"], [1.234, 12.345, 7.001], "comma"),
    ],
)
def test_other_columns_settle_a_comma_with_a_note(tmp_path, other, expected, name):
    values, notes = read(tmp_path, {"x": COMMAS, "y": other})

    assert values == expected
    assert any(f"1,234 is read by the decimal {name} of other columns" in note for note in notes)


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("booked_at", lambda k: 1_767_225_600_000 + 60_000 * k, "milliseconds since 1970"),
        ("ts", lambda k: 1_767_225_600 + 60 * k, "seconds since 1970"),
        ("booking_date", lambda k: 20_260_101 + k % 28, "days written YYYYMMDD"),
    ],
)
def test_numbers_that_are_times_but_order_no_rows_are_told(name, values, words):
    frame = plain_frame().drop(columns="Time", errors="ignore")
    frame[name] = [values(k) for k in range(len(frame))]

    table = from_frame(frame, DataConfig(), "made up")

    assert table.times is None
    [note] = [note for note in table.notes if repr(name) in note]
    assert words in note
    assert f"--time {name}" in note
    told = from_frame(frame, DataConfig(time=name), "made up")
    assert told.are_dated


def test_created_at_orders_the_rows_also_beside_other_dates():
    frame = plain_frame().drop(columns="Time", errors="ignore")
    days = pd.date_range("2026-01-01", periods=len(frame), freq="h")
    frame["created_at"], frame["dob"] = days.strftime("%Y%m%d%H%M%S"), "1980-02-03"

    table = from_frame(frame, DataConfig(), "made up")

    assert table.times.tolist() == (days - pd.Timestamp(0)).total_seconds().tolist()


def test_never_among_days_written_as_numbers_has_no_time():
    frame = plain_frame().drop(columns="Time", errors="ignore")
    frame["date"] = [99_991_231 if k == 5 else 20_260_101 + k % 28 for k in range(len(frame))]

    with pytest.raises(DataError, match="one row has no readable time, row 5 first"):
        from_frame(frame, DataConfig(), "made up")


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"PAR1\x15\x04", "a Parquet file: name it .parquet"),
        (b"PK\x03\x04\x14", "an Excel or a zip file: save the table as CSV"),
        (b"\x1f\x8b\x08", "compressed by gzip: name it .csv.gz"),
        (b"a,Class\n\0,1\n", "a zero byte is no text, in line 2: remove it"),
    ],
)
def test_files_of_other_kinds_are_named(tmp_path, start, said):
    (tmp_path / "t.csv").write_bytes(start)

    with pytest.raises(DataError, match=said):
        load(DataConfig(path=str(tmp_path / "t.csv")))


def test_what_is_no_truth_value_is_named_with_its_row():
    frame = FrameSource(pd.DataFrame({"x": ["true", "false", "maybe"]}), "made up")

    with pytest.raises(DataError, match=r"\(row 2: 'maybe'\): expected true or false"):
        TableReader(frame, FeatureSpec((Feature("x", "boolean"),)), DataConfig())


def test_grid_of_the_largest_numbers_does_not_overflow():
    largest, none = np.finfo(np.float64).max, np.empty(0)

    spread = np.linspace(-1, 1, 50) * largest
    for values in ([largest, 1.0], spread, np.arange(40) * (largest / 40)):
        grid = grid_of(np.array(values), none, np.array(values))

        assert grid.bins_of(np.array([largest]))[0] == len(grid.edges[grid.edges <= largest])
        assert not np.isnan(grid.edges).any()


def test_words_for_missing_are_quoted_as_they_stand():
    assert note_on({"\\N": 3}) == r"3 cells are read as missing: 3 '\N'"
