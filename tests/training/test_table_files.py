"""Reading files of every format, compression, encoding and dialect."""

import bz2
import gzip
import lzma

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.training.tables import mixed_frame
from training.errors import DataError
from training.tables.files import stem_of
from training.tables.source import FileSource

SUFFIXES = [".csv", ".csv.gz", ".parquet"]


def write(frame, path):
    """Write a frame in the format of its suffix."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False)
    return path


def rows_of(path, rows=1000, encoding=None):
    """Return the rows of a file as tuples."""
    batches = list(FileSource(path, encoding).batches(rows))
    return [tuple(row.values()) for batch in batches for row in batch.to_pylist()]


def refusal_of(path, rows=1000, encoding=None):
    """Return why a file is refused."""
    with pytest.raises(DataError) as caught:
        rows_of(path, rows, encoding)
    assert caught.value.source == str(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("rows", [1, 7, 20, 1000])
def test_batches_put_together_are_the_whole_file(tmp_path, suffix, rows):
    frame = mixed_frame(20)[["payment_id", "merchant", "is_fraud"]]
    path = write(frame, tmp_path / f"a{suffix}")

    batches = list(FileSource(path).batches(rows))

    assert [len(batch) for batch in batches[:-1]] == [rows] * (len(batches) - 1)
    found = [row["payment_id"] for batch in batches for row in batch.to_pylist()]
    assert found == frame["payment_id"].tolist()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_file_without_rows_is_one_empty_batch_with_its_columns(tmp_path, suffix):
    path = write(pd.DataFrame({"a": [1.0], "b": [2]}).iloc[:0], tmp_path / f"a{suffix}")

    source = FileSource(path)
    [batch] = source.batches(10)

    assert list(source.looks) == batch.schema.names == ["a", "b"]
    assert len(batch) == 0


def test_cells_of_a_csv_file_are_texts_as_they_are_written(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('code,n\n007,1\n,"x ""y"", z"\n1e1,"a\nb"\n"", NA\n')

    assert rows_of(path) == [("007", "1"), (None, 'x "y", z'), ("1e1", "a\nb"), (None, " NA")]


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.CSV", bytes),
        ("a.txt", bytes),
        ("a.csv.gz", gzip.compress),
        ("a.csv.GZ", gzip.compress),
        ("a.csv.bz2", bz2.compress),
        ("a.csv.xz", lzma.compress),
        ("a.csv.zst", lambda data: pa.Codec("zstd").compress(data, asbytes=True)),
    ],
)
def test_compressed_files_and_upper_case_are_read(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(b"a,b\n1,2\n3,4\n"))

    assert rows_of(tmp_path / name) == [("1", "2"), ("3", "4")]
    assert stem_of(str(tmp_path / name)) == "a"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encoding_and_separator_are_recognised(tmp_path, encoding, separator):
    lines = [["name", "amount, in €"], ["Zoë", "1"], ["x;y|z", "1,5"]]
    cells = [[f'"{cell}"' for cell in line] for line in lines]
    text = "".join(separator.join(line) + "\r\n" for line in cells)
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))

    source = FileSource(tmp_path / "a.csv")

    assert list(source.looks) == lines[0]
    assert rows_of(tmp_path / "a.csv") == [tuple(line) for line in lines[1:]]
    is_usual = separator == "," and encoding in ("utf-8", "utf-8-sig")
    assert bool(source.notes) != is_usual


def test_decimal_commas_do_not_make_a_comma_the_separator(tmp_path):
    (tmp_path / "a.csv").write_text("a;b\n1,5;2,5\n3,5;4,5\n")

    assert rows_of(tmp_path / "a.csv") == [("1,5", "2,5"), ("3,5", "4,5")]


def test_separator_that_excel_states_is_taken(tmp_path):
    (tmp_path / "a.csv").write_text("sep=|\na|b,c\n1|2\n3\n")

    assert list(FileSource(tmp_path / "a.csv").looks) == ["a", "b,c"]
    assert refusal_of(tmp_path / "a.csv") == "row 1 has 1 cell, the header names 2 columns"


def test_single_quotes_around_cells_are_no_part_of_them(tmp_path):
    (tmp_path / "a.csv").write_text("step,customer\n0,'C1'\n1,'C,2'\n")

    assert rows_of(tmp_path / "a.csv") == [("0", "C1"), ("1", "C,2")]


def test_bytes_of_another_encoding_are_refused_naming_the_line_and_the_cure(tmp_path):
    (tmp_path / "a.csv").write_bytes("a,b\n1,2\n3,é\n".encode("windows-1252"))

    reason = refusal_of(tmp_path / "a.csv")

    assert "byte 0xe9 is no utf-8, in line 3" in reason
    assert "--encoding" in reason
    assert rows_of(tmp_path / "a.csv", encoding="windows-1252")[1] == ("3", "é")
    assert "in line 3" in refusal_of(tmp_path / "a.csv", encoding="ascii")


def test_zero_bytes_are_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n3,\0\n")

    assert "a zero byte is no text, in line 3" in refusal_of(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('a,b\n1,2\n3,"4\n5,6\n', "row 1"),
        ('a,"b\n1,2\n', "the header"),
        ('sep=,\na,b\n1,"2\n3,4', "row 0"),
    ],
)
def test_quote_that_is_never_closed_is_refused_naming_its_row(tmp_path, text, where):
    (tmp_path / "a.csv").write_text(text)

    assert refusal_of(tmp_path / "a.csv") == f'{where} opens a quote (") that is never closed'


def test_single_inch_mark_is_no_open_quote(tmp_path):
    (tmp_path / "a.csv").write_text('a,b\n1,5" pipe\n2,x\n')

    assert rows_of(tmp_path / "a.csv") == [("1", '5" pipe'), ("2", "x")]


@pytest.mark.parametrize("names", ["a,", ",b", "a,,c"])
def test_columns_without_a_name_are_refused(tmp_path, names):
    (tmp_path / "a.csv").write_text(f"{names}\n1,2,3\n")

    assert "has no name" in refusal_of(tmp_path / "a.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet"])
def test_missing_file_is_refused(tmp_path, name):
    assert refusal_of(tmp_path / name) == "no such file"


@pytest.mark.parametrize("name", ["a.xlsx", "a.json", "a.gz", "a", "a.parquet.gz"])
def test_other_formats_are_refused_naming_those_that_are_read(tmp_path, name):
    (tmp_path / name).write_text("a,b\n1,2\n")

    reason = refusal_of(tmp_path / name)

    assert reason.startswith("expected a .csv")
    assert ".parquet" in reason


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_files_of_a_folder_and_of_a_pattern_are_one_table(tmp_path, suffix):
    frame = mixed_frame(30)[["payment_id", "amount"]]
    folder = tmp_path / "cards"
    (folder / "sub").mkdir(parents=True)
    for number, name in enumerate(["part-0", "part-1", "sub/part-2"]):
        write(frame[10 * number : 10 * number + 10], folder / f"{name}{suffix}")
    (folder / "_SUCCESS").touch()
    (folder / ".part-0.crc").write_bytes(b"0")

    whole, pattern = rows_of(folder), rows_of(f"{folder}/part-*{suffix}")

    assert [row[0] for row in whole] == frame["payment_id"].tolist()
    assert pattern == whole[:20]
    assert stem_of(str(folder)) == stem_of(f"{folder}/part-*{suffix}") == "cards"


def test_folder_that_is_no_table_is_refused(tmp_path):
    empty, mixed, differing, partitioned = (tmp_path / name for name in "abcd")
    for folder in (empty, mixed, differing, partitioned / "year=2024"):
        folder.mkdir(parents=True)
    frame = pd.DataFrame({"a": [1], "b": ["x"]})
    write(frame, mixed / "a.csv")
    write(frame, mixed / "b.parquet")
    write(frame, differing / "a.csv")
    write(frame.rename(columns={"b": "c"}), differing / "b.csv")
    write(frame, partitioned / "year=2024" / "a.parquet")

    assert refusal_of(empty) == "the folder holds no files"
    assert "some of its files are Parquet" in refusal_of(mixed)
    assert "'year=2024'" in refusal_of(partitioned)
    with pytest.raises(DataError, match=r"b\.csv: other columns than a\.csv has: \['b', 'c'\]"):
        FileSource(differing)


def test_column_of_two_types_in_two_files_is_refused_by_name(tmp_path):
    write(pd.DataFrame({"a": [1], "b": ["x"]}), tmp_path / "1.parquet")
    write(pd.DataFrame({"a": [1.5], "b": ["y"]}), tmp_path / "2.parquet")
    assert rows_of(tmp_path) == [(1, "x"), (1.5, "y")]
    write(pd.DataFrame({"a": [1.5], "b": [2]}), tmp_path / "3.parquet")

    with pytest.raises(DataError, match=r"3\.parquet, column 'b': holds number values"):
        FileSource(tmp_path)


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


def test_row_longer_than_a_block_is_refused_naming_the_row(tmp_path, monkeypatch):
    monkeypatch.setattr("training.tables.delimited.BLOCK_BYTES", 2**16)
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3," + "x" * 300_000 + "\n")

    assert "row 1 or one of the next is longer than" in refusal_of(tmp_path / "a.csv")


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


@pytest.mark.parametrize("rows", [1, 100])
@pytest.mark.parametrize("gap", ["", "\n\n", '"x\ny",2\n'])
def test_rows_of_another_length_are_refused_naming_the_row(tmp_path, rows, gap):
    row = 2 + ('"' in gap)
    for wrong, n_cells in (("4,5,6", "3 cells"), ("4", "1 cell")):
        (tmp_path / "a.csv").write_text(f"\na,b\n1,2\n{gap}\n2,3\n{wrong}\n7,8\n")

        reason = refusal_of(tmp_path / "a.csv", rows)

        assert reason == f"row {row} has {n_cells}, the header names 2 columns"


def test_row_of_another_length_is_named_however_far_down(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n" * 2_000_000 + "3\n")

    assert refusal_of(tmp_path / "a.csv").startswith("row 2000000 has 1 cell")


def test_comma_at_the_end_of_every_row_shifts_nothing(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2,\n3,4,\n")
    assert rows_of(path) == [("1", "2"), ("3", "4")]

    path.write_text("a,b\n1,2,\n3,4,5\n")
    assert refusal_of(path) == "row 1 has 3 cells, the header names 2 columns"
    path.write_text("a,b\n1,2,\n3,4\n")
    assert refusal_of(path).startswith("row 1 does not end with the separator")


def test_index_of_a_parquet_file_is_a_column_if_it_has_a_name(tmp_path):
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="payment"))
    frame.to_parquet(tmp_path / "a.parquet")

    assert sorted(FileSource(tmp_path / "a.parquet").looks) == ["a", "payment"]


def test_index_without_a_name_is_no_column(tmp_path):
    pd.DataFrame({"a": range(4)}).iloc[::2].to_parquet(tmp_path / "a.parquet")

    assert rows_of(tmp_path / "a.parquet") == [(0,), (2,)]


def test_column_names_are_texts(tmp_path):
    pd.DataFrame(np.zeros((2, 2))).to_parquet(tmp_path / "a.parquet")

    assert list(FileSource(tmp_path / "a.parquet").looks) == ["0", "1"]
