"""Blocks of a table as frames of cells: numbers, texts and classes, by the rules of training.

What no rule reads counts as missing, and is counted: training refuses it by name, exploration is
what tells of all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
from numpy.typing import NDArray

from model.features import Matrix
from training.cells import CellError
from training.cells.labels import Labels, plain
from training.errors import DataError
from training.explore.layout import APART, Column, Layout
from training.explore.reading import in_blocks
from training.table_reader import values_of
from training.tables.plain import texts_of
from training.tables.source import Source

LEGITIMATE, FRAUD, UNLABELLED = 0, 1, 2
MISSING = -1  # code of a missing text


def frames_of(source: Source, layout: Layout) -> Iterator[pd.DataFrame]:
    """Yield the rows of a table in blocks, numbered through.

    Columns of numbers, truths and date-times (seconds since 1970 UTC) are floats, NaN for all that
    is no finite number; those of texts are objects with None; the label is a class.
    """
    for first_row, block in in_blocks(source):
        yield frame_of(block, layout, pd.RangeIndex(first_row, first_row + len(block)))


def frame_of(table: pyarrow.Table, layout: Layout, rows: pd.Index) -> pd.DataFrame:
    """Return some rows, of these numbers, as :func:`frames_of` does."""
    cells = {}
    for column in layout.columns:
        if column.name == layout.label:
            cells[column.name] = classes_of(_array(table, column.name), layout.labels)
        elif column.kind in APART and not column.has_texts:
            cells[column.name] = np.full(len(table), None, dtype=object)
        else:
            cells[column.name] = _cells(_array(table, column.name), column, layout, rows)
    return pd.DataFrame(cells, index=rows)


def _array(table: pyarrow.Table, name: str) -> pyarrow.Array:
    return table.column(name).combine_chunks()


def _cells(array: pyarrow.Array, column: Column, layout: Layout, rows: pd.Index) -> Any:
    if column.has_texts:
        return pd.Series(texts_of(array, layout.missing).to_pylist(), dtype=object).to_numpy()
    try:
        values = values_of(array, column.kind, column.reading, 0)
    except CellError as error:
        told = CellError(int(rows[error.row]), error.value, error.expected)
        raise DataError(layout.source, str(told), column.name) from None
    # minus zero is zero: rows that look the same are the same
    return np.where(np.isfinite(values), values, np.nan) + 0.0


def classes_of(array: pyarrow.Array, labels: Labels | None) -> NDArray[np.int8]:
    """Return 0 and 1 of readable labels, 2 of others."""
    if labels is None:
        return np.full(len(array), UNLABELLED, np.int8)
    encoded = texts_of(array).dictionary_encode()
    known = [_class_of(value, labels) for value in encoded.dictionary.to_pylist()]
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return np.array([*known, UNLABELLED], np.int8)[codes]


def _class_of(value: str, labels: Labels) -> int:
    text = plain(value)
    return FRAUD if text in labels.frauds else LEGITIMATE if text in labels.others else UNLABELLED


def codes_of(texts: Sequence[str | None], categories: pd.Index) -> NDArray[np.intp]:
    """Return the position of each text among the categories, after the last for any other."""
    series = pd.Series(texts, dtype=object)
    codes = categories.get_indexer(series)
    codes[codes < 0] = len(categories)
    codes[series.isna().to_numpy()] = MISSING
    return codes


def numbers_in(frame: pd.DataFrame, name: str) -> Matrix:
    """Return a column of numbers of a frame of :func:`frames_of`."""
    return frame[name].to_numpy(np.float64)
