"""A table that can be read as often as needed, whatever it comes from."""

from __future__ import annotations

import csv
import lzma
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pandas as pd
import pyarrow

from training.errors import DataError
from training.tables import delimited, parquet
from training.tables.dialect import Dialect, dialect_of
from training.tables.files import Part, parts_of
from training.tables.frames import table_of
from training.tables.plain import Look, look_of

UNREADABLE = (
    ValueError,
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    csv.Error,
    pyarrow.ArrowException,
)


class Source(Protocol):
    """A table in columns of Arrow arrays.

    Attributes
    ----------
    name : str
        What it is called in messages.
    looks : dict of str to Look
        Columns, in their order.
    types : dict of str to str
        What their types are called.
    notes : tuple of str
        What a reader should know of how it is written.
    has_semicolons : bool
        Whether it is a CSV file separated by semicolons, as where a comma is the decimal mark.
    """

    name: str
    looks: dict[str, Look]
    types: dict[str, str]
    notes: tuple[str, ...]
    has_semicolons: bool

    def batches(self, rows: int) -> Iterator[pyarrow.RecordBatch]:
        """Yield the table from its first row, in batches of at most so many rows.

        A table without rows yields one batch without any.
        """
        ...


class FrameSource:
    """A data frame.

    Parameters
    ----------
    frame : DataFrame
    name : str

    Raises
    ------
    DataError
        If a column name is there twice.
    """

    def __init__(self, frame: pd.DataFrame, name: str) -> None:
        self.name, self.notes, self.has_semicolons = name, (), False
        self._table = table_of(frame)
        _refuse_duplicates(self._table.column_names, name)
        self.looks = {field.name: look_of(field.type) for field in self._table.schema}
        self.types = {field.name: str(field.type) for field in self._table.schema}

    def batches(self, rows: int) -> Iterator[pyarrow.RecordBatch]:
        """Yield the rows; see :class:`Source`."""
        yield from self._table.to_batches(max_chunksize=rows) or [_nothing(self._table.schema)]


class KeptSource:
    """What was read of another source, kept in memory.

    Parameters
    ----------
    source : Source
    batches : sequence of RecordBatch
        Of some of its columns.
    """

    def __init__(self, source: Source, batches: Sequence[pyarrow.RecordBatch]) -> None:
        self.name, self.looks, self.types = source.name, source.looks, source.types
        self.notes, self.has_semicolons = source.notes, source.has_semicolons
        self._batches = batches

    def batches(self, _rows: int) -> Iterator[pyarrow.RecordBatch]:
        """Yield the rows as they were read; see :class:`Source`."""
        yield from self._batches


class FileSource:
    """A file, the files of a folder, or those of a pattern; see :func:`files.parts_of`.

    Parameters
    ----------
    path : str
    encoding : str, optional
        Of CSV files; recognised where omitted.

    Raises
    ------
    DataError
        If there is no such file, it cannot be read, a column name is missing or there twice, or
        the files have other columns.
    """

    def __init__(self, path: str | Path, encoding: str | None = None) -> None:
        self.name = str(path)
        self._parts = parts_of(self.name)
        self._dialects: list[Dialect | None] = []
        self.looks: dict[str, Look] = {}
        self.types: dict[str, str] = {}
        for number, part in enumerate(self._parts):
            with _errors_of(part):
                dialect = None if part.is_parquet else dialect_of(part, encoding)
                schema = (
                    parquet.schema_of(part) if dialect is None else delimited.schema_of(dialect)
                )
            self._dialects.append(dialect)
            self._schema = schema
            _refuse_duplicates(schema.names, str(part.path))
            self.types |= {field.name: str(field.type) for field in schema}
            looks = {field.name: look_of(field.type) for field in schema}
            self.looks = looks if not number else self._joined(looks, part)
        self.notes = tuple(dict.fromkeys(d.note for d in self._dialects if d and d.note))
        self.has_semicolons = any(d.separator == ";" for d in self._dialects if d)

    @property
    def n_bytes(self) -> int:
        """How large the files are."""
        return sum(part.path.stat().st_size for part in self._parts)

    def _joined(self, looks: dict[str, Look], part: Part) -> dict[str, Look]:
        """Return what the columns are in all files so far."""
        first = self._parts[0].path.name
        differing = sorted(looks.keys() ^ self.looks.keys())
        if differing:
            raise DataError(str(part.path), f"other columns than {first} has: {differing}")
        joined = {}
        for name, before in self.looks.items():
            kinds = {before, looks[name]} - {"nothing"}
            if len(kinds) > 1:
                reason = f"holds {looks[name]} values, in the files before it {before} values"
                raise DataError(str(part.path), reason, name)
            joined[name] = kinds.pop() if kinds else before
        return joined

    def batches(self, rows: int) -> Iterator[pyarrow.RecordBatch]:
        """Yield the rows, file after file; see :class:`Source`."""
        is_empty = True
        for part, dialect in zip(self._parts, self._dialects, strict=True):
            with _errors_of(part):
                if dialect is None:
                    batches = parquet.batches_of(part, list(self.looks), rows)
                else:
                    batches = _at_most(delimited.batches_of(part, dialect), rows)
                for batch in batches:
                    is_empty = is_empty and not len(batch)
                    yield batch
        if is_empty:
            yield _nothing(self._schema)


def _nothing(schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    """Return no rows."""
    return pyarrow.RecordBatch.from_pylist([], schema=schema)


def _at_most(batches: Iterator[pyarrow.RecordBatch], rows: int) -> Iterator[pyarrow.RecordBatch]:
    """Yield the same rows in batches of at most so many."""
    for batch in batches:
        for start in range(0, len(batch), rows):
            yield batch[start : start + rows]


@contextmanager
def _errors_of(part: Part) -> Iterator[None]:
    """Say of a file that it cannot be read, in one line, whatever goes wrong in reading it."""
    try:
        yield
    except DataError:
        raise
    except UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(str(part.path), f"cannot be read: {reason}") from None


def _refuse_duplicates(names: list[str], source: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(source, f"column names must be unique, found twice: {twice}")
    if "" in names:
        raise DataError(source, f"column {names.index('') + 1} of {len(names)} has no name")
