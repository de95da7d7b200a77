"""A CSV file as columns of texts: what a cell means is decided elsewhere, over whole columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pyarrow
import pyarrow.csv

from training.errors import DataError
from training.tables.dialect import Dialect, open_bytes
from training.tables.files import Part

END = ""  # name of what follows a separator at the end of every row
TEXT = pyarrow.large_string()
# parsed together, and the longest row; in smaller blocks more time goes into batches than cells
BLOCK_BYTES = 2**22


def schema_of(dialect: Dialect) -> pyarrow.Schema:
    """Return the columns of a file, all of texts."""
    return pyarrow.schema([(name, TEXT) for name in dialect.names])


def batches_of(part: Part, dialect: Dialect) -> Iterator[pyarrow.RecordBatch]:
    """Yield the rows of a file in batches of any length; an empty cell is null.

    Raises
    ------
    DataError
        If a row has more or fewer cells than the header, naming it.
    """
    wrong: list[pyarrow.csv.InvalidRow] = []

    def note(row: pyarrow.csv.InvalidRow) -> str:
        wrong.append(row)
        return "error"

    names = [*dialect.names, END] if dialect.ends_with_separator else list(dialect.names)
    n_rows = 0
    with closing(open_bytes(part)) as file:
        try:
            for batch in _reader(file, dialect, names, note):
                if dialect.ends_with_separator:
                    _refuse_more(batch, dialect, n_rows, str(part.path))
                    batch = batch.select(list(dialect.names))
                n_rows += len(batch)
                yield batch
        except pyarrow.ArrowInvalid as error:
            raise DataError(str(part.path), _reason(error, wrong, dialect, n_rows)) from None


def _reader(
    file: object, dialect: Dialect, names: list[str], note: object
) -> Iterator[pyarrow.RecordBatch]:
    yield from pyarrow.csv.open_csv(
        file,
        # threads would hide the number of a row that is wrong
        read_options=pyarrow.csv.ReadOptions(
            use_threads=False,
            block_size=BLOCK_BYTES,
            encoding=dialect.encoding,
            column_names=names,
            skip_rows=dialect.skipped_lines,
            skip_rows_after_names=1,
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=dialect.separator,
            quote_char=dialect.quote if dialect.has_quotes else False,
            newlines_in_values=dialect.has_quotes,
            invalid_row_handler=note,
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, TEXT),
            strings_can_be_null=True,
            null_values=[""],
            check_utf8=False,  # all bytes have been looked at
        ),
    )


def _refuse_more(batch: pyarrow.RecordBatch, dialect: Dialect, n_rows: int, source: str) -> None:
    """Refuse a cell behind the last separator."""
    rest = batch.column(len(dialect.names))
    if rest.null_count < len(rest):
        row = n_rows + rest.is_valid().index(True).as_py()
        raise DataError(source, _wrong_length(row, len(dialect.names) + 1, dialect))


def _reason(
    error: pyarrow.ArrowInvalid,
    wrong: list[pyarrow.csv.InvalidRow],
    dialect: Dialect,
    n_rows: int,
) -> str:
    if wrong:
        row = wrong[0].number - 2 - dialect.skipped_lines  # counted from 1, with the header
        n_cells = wrong[0].actual_columns
        if n_cells != len(dialect.names) or not dialect.ends_with_separator:
            return _wrong_length(row, n_cells, dialect)
        return f"row {row} does not end with the separator that ends the rows before it"
    if "straddling" in str(error):
        return f"cannot be read: row {n_rows} or one of the next is longer than {BLOCK_BYTES} bytes"
    return f"cannot be read: {str(error).splitlines()[0]}"


def _wrong_length(row: int, n_cells: int, dialect: Dialect) -> str:
    noun = "cell" if n_cells == 1 else "cells"
    return f"row {row} has {n_cells} {noun}, the header names {len(dialect.names)} columns"
