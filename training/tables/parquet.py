"""A Parquet file as columns of its own types."""

from __future__ import annotations

from collections.abc import Iterator
from re import fullmatch

import pyarrow
import pyarrow.parquet

from training.tables.files import Part

PAGE_BYTES = 2**16
NAMELESS_INDEX = r"__index_level_\d+__"  # of a data frame: its row numbers


def schema_of(part: Part) -> pyarrow.Schema:
    """Return the columns of a file; the index of a data frame is one if it has a name."""
    schema = pyarrow.parquet.read_schema(part.path)
    return pyarrow.schema([field for field in schema if not fullmatch(NAMELESS_INDEX, field.name)])


def batches_of(part: Part, names: list[str], rows: int) -> Iterator[pyarrow.RecordBatch]:
    """Yield some columns of a file in batches of so many rows."""
    # pages as they are needed: by default pyarrow reads row groups ahead, and keeps them
    with pyarrow.parquet.ParquetFile(part.path, pre_buffer=False, buffer_size=PAGE_BYTES) as file:
        yield from file.iter_batches(batch_size=rows, columns=names)
