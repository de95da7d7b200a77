"""Reading CSV and Parquet files, whole and in chunks."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.training.tables import mixed_frame
from training.errors import DataError
from training.table_files import read_chunks, read_frame

SUFFIXES = [".csv", ".csv.gz", ".parquet"]


def write(frame, path):
    """Write a frame in the format of its suffix."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False)
    return path


def refusal_of(path, **options):
    """Return why a file is refused."""
    with pytest.raises(DataError) as caught:
        list(read_chunks(path, **options))
    assert caught.value.source == str(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("rows", [1, 7, 20, 1000])
def test_chunks_put_together_are_the_whole_file(tmp_path, suffix, rows):
    path = write(
        mixed_frame(20)[["payment_id", "amount", "v2", "is_fraud"]], tmp_path / f"a{suffix}"
    )

    chunks = list(read_chunks(path, rows))

    assert [len(chunk) for chunk in chunks[:-1]] == [rows] * (len(chunks) - 1)
    pd.testing.assert_frame_equal(pd.concat(chunks), read_frame(path))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_rows_are_numbered_through_all_chunks(tmp_path, suffix):
    path = write(pd.DataFrame({"a": range(5)}), tmp_path / f"a{suffix}")

    numbers = [chunk.index.tolist() for chunk in read_chunks(path, 2)]

    assert numbers == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("rows", [None, 10])
def test_file_without_rows_is_one_empty_frame_with_its_columns(tmp_path, suffix, rows):
    path = write(pd.DataFrame({"a": [1.0], "b": [2]}).iloc[:0], tmp_path / f"a{suffix}")

    [frame] = read_chunks(path, rows)

    assert list(frame) == ["a", "b"]
    assert len(frame) == 0


@pytest.mark.parametrize("rows", [None, 2])
def test_text_columns_are_read_as_they_are_written(tmp_path, rows):
    path = tmp_path / "a.csv"
    path.write_text("code,other,n\n007,1,1\n7,2,2\n,3,3\n1e1,4,4\n1,5,5\n")

    frame = pd.concat(read_chunks(path, rows, texts=["code", "absent"]))

    assert frame["code"].fillna("–").tolist() == ["007", "7", "–", "1e1", "1"]
    assert frame["other"].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet", "folder"])
def test_missing_file_and_folder_are_refused(tmp_path, name):
    (tmp_path / "folder").mkdir()

    assert refusal_of(tmp_path / name) == "no such file"


@pytest.mark.parametrize("name", ["a.xlsx", "a.txt", "a.CSV", "a.gz", "a"])
def test_other_formats_are_refused_naming_those_that_are_read(tmp_path, name):
    (tmp_path / name).write_text("a,b\n1,2\n")

    assert refusal_of(tmp_path / name) == "expected a .csv, .csv.gz or .parquet file"


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_file_of_no_bytes_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"")

    assert "empty" in refusal_of(tmp_path / name) or "0 bytes" in refusal_of(tmp_path / name)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet"])
def test_junk_is_refused(tmp_path, rng, name):
    (tmp_path / name).write_bytes(rng.bytes(5000))

    assert refusal_of(tmp_path / name).startswith("cannot be read: ")


def test_endless_line_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a" * 200_000)

    assert refusal_of(tmp_path / "a.csv").startswith("cannot be read: ")


@pytest.mark.parametrize("position", [30, 200, 0.5, -6])
def test_damaged_gzip_is_refused(tmp_path, position):
    content = bytearray(gzip.compress(mixed_frame(300).to_csv(index=False).encode()))
    position = int(len(content) * position) if isinstance(position, float) else position
    content[position] ^= 0xFF
    (tmp_path / "a.csv.gz").write_bytes(content)

    assert refusal_of(tmp_path / "a.csv.gz").startswith("cannot be read: ")


def test_truncated_gzip_is_refused(tmp_path):
    content = gzip.compress(mixed_frame(300).to_csv(index=False).encode())
    (tmp_path / "a.csv.gz").write_bytes(content[: len(content) // 2])

    assert refusal_of(tmp_path / "a.csv.gz").startswith("cannot be read: ")


def test_truncated_parquet_is_refused(tmp_path):
    path = write(mixed_frame(300)[["amount"]], tmp_path / "a.parquet")
    path.write_bytes(path.read_bytes()[:-20])

    assert refusal_of(path).startswith("cannot be read: ")


@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_column_names_that_are_there_twice_are_refused_by_name(tmp_path, start):
    (tmp_path / "a.csv").write_text(f"{start}a,b,a\n1,2,3\n", encoding="utf-8")

    assert refusal_of(tmp_path / "a.csv") == "column names must be unique, found twice: ['a']"


def test_column_names_that_are_there_twice_are_refused_in_parquet(tmp_path):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(table, tmp_path / "a.parquet")

    assert refusal_of(tmp_path / "a.parquet") == "column names must be unique, found twice: ['a']"


@pytest.mark.parametrize("rows", [None, 1])
def test_rows_longer_than_the_header_are_refused_rather_than_shifted(tmp_path, rows):
    (tmp_path / "a.csv").write_text("a,b\n0,1,2\n1,4,5\n")

    reason = refusal_of(tmp_path / "a.csv", rows=rows)

    assert reason == "the header names 2 columns, row 0 has 3"


def test_longer_row_further_down_is_refused_naming_the_line(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n4,5,6\n")

    assert "line 3" in refusal_of(tmp_path / "a.csv")


def test_comma_at_the_end_of_every_row_shifts_nothing(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2,\n3,4,\n")

    assert read_frame(tmp_path / "a.csv").to_numpy().tolist() == [[1, 2], [3, 4]]


def test_index_of_a_parquet_file_is_a_column_if_it_has_a_name(tmp_path):
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="payment"))
    frame.to_parquet(tmp_path / "a.parquet")

    assert read_frame(tmp_path / "a.parquet").to_dict("list") == {
        "payment": ["x", "y"],
        "a": [1, 2],
    }


def test_index_without_a_name_is_no_column(tmp_path):
    pd.DataFrame({"a": range(4)}).iloc[::2].to_parquet(tmp_path / "a.parquet")

    frame = read_frame(tmp_path / "a.parquet")

    assert list(frame) == ["a"]
    assert frame.index.tolist() == [0, 1]


def test_column_names_are_texts(tmp_path):
    pd.DataFrame(np.zeros((2, 2))).to_parquet(tmp_path / "a.parquet")

    assert list(read_frame(tmp_path / "a.parquet")) == ["0", "1"]
