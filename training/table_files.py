"""CSV and Parquet files → frames, whole or in chunks, with their rows numbered through."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.parquet

from training.errors import DataError

CHUNK_ROWS = 50_000
PAGE_BYTES = 2**16


def read_frame(path: Path, texts: Sequence[str] = ()) -> pd.DataFrame:
    """Read a whole CSV, gzipped CSV or Parquet file; see :func:`read_chunks`."""
    [frame] = read_chunks(path, None, texts)
    return frame


def read_chunks(
    path: Path, rows: int | None = CHUNK_ROWS, texts: Sequence[str] = ()
) -> Iterator[pd.DataFrame]:
    """Yield a file in frames of so many rows; None: in one. A file without rows is one empty frame.

    Parameters
    ----------
    path : Path
    rows : int, optional
    texts : sequence of str
        Columns of a CSV file that are read as they are written: "007" is no number, whatever else
        a chunk of the column holds.

    Raises
    ------
    DataError
        If the file is missing, unreadable, or has a column name twice.
    """
    if not path.is_file():
        raise DataError(str(path), "no such file")
    try:
        if path.suffix == ".parquet":
            yield from _parquet_chunks(path, rows)
        elif path.name.endswith((".csv", ".csv.gz")):
            yield from _csv_chunks(path, rows, texts)
        else:
            raise DataError(str(path), "expected a .csv, .csv.gz or .parquet file")
    except pd.errors.EmptyDataError:
        raise DataError(str(path), "the file is empty") from None
    except (ValueError, OSError, EOFError, zlib.error, csv.Error, pyarrow.ArrowException) as error:
        raise DataError(str(path), f"cannot be read: {str(error).splitlines()[0]}") from None


def _csv_chunks(path: Path, rows: int | None, texts: Sequence[str]) -> Iterator[pd.DataFrame]:
    _check_csv_start(path)
    kinds = dict.fromkeys(texts, str)
    # index_col: a longer row must not turn the first column into row names, shifting the others
    if rows is None:
        # low_memory guesses the type of each stretch: one column could be numbers and then texts
        yield pd.read_csv(path, dtype=kinds, index_col=False, low_memory=False)
    else:
        with pd.read_csv(path, dtype=kinds, index_col=False, chunksize=rows) as reader:
            yield from reader


def _check_csv_start(path: Path) -> None:
    """Refuse names that are there twice (pandas would rename them) and rows with more cells."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        names, first = next(reader, []), next(reader, [])
    _refuse_duplicates(names, path)
    if any(first[len(names) :]):
        raise DataError(str(path), f"the header names {len(names)} columns, row 0 has {len(first)}")


def _parquet_chunks(path: Path, rows: int | None) -> Iterator[pd.DataFrame]:
    start = 0
    # pages as they are needed: by default pyarrow reads row groups ahead, and keeps them
    with pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=PAGE_BYTES) as file:
        _refuse_duplicates(file.schema_arrow.names, path)
        if rows is None or not file.metadata.num_rows:
            yield _numbered(file.read().to_pandas(), start)
        else:
            for batch in file.iter_batches(batch_size=rows):
                yield _numbered(batch.to_pandas(), start)
                start += len(batch)


def _numbered(frame: pd.DataFrame, start: int) -> pd.DataFrame:
    """Return a frame with its rows numbered, and an index that has a name as a column."""
    named = [name for name in frame.index.names if name is not None]
    frame = frame.reset_index(level=named) if named else frame
    frame.index = pd.RangeIndex(start, start + len(frame))
    return frame.rename(columns=str)


def _refuse_duplicates(names: Sequence[str], path: Path) -> None:
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise DataError(str(path), f"column names must be unique, found twice: {twice}")
