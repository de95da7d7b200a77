"""A table read in blocks of a fixed number of rows, however its file gives them.

Sums over blocks, and so every figure to its last bit, then depend on the table alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow

from model.features import Matrix
from training.cells import CellError, Refused
from training.cells.labels import Labels
from training.column_scan import ColumnScan, numbered
from training.table_reader import values_of
from training.tables.plain import floats_of, is_missing, look_of, texts_of
from training.tables.source import Source

BLOCK_CELLS = 2**20

OnRows = Callable[[str, int], None]  # what is being done, and to how many more rows


@dataclass(frozen=True)
class Decided:
    """A table whose columns have been looked at.

    Attributes
    ----------
    source : Source
    columns : mapping of str to ColumnScan
    label : str or None
    labels : Labels or Refused or None
        How the labels are read.
    missing : tuple of str
        Words that mean missing in texts.
    """

    source: Source
    columns: Mapping[str, ColumnScan]
    label: str | None
    labels: Labels | Refused | None
    missing: tuple[str, ...]

    def frames(self) -> Iterator[pd.DataFrame]:
        """Yield the table from its first row, its rows numbered through.

        Numbers, truths, date-times (seconds since 1970) and labels as floats, NaN where they are
        missing and infinite where they cannot be read; all else as texts.
        """
        for first_row, batch in numbered(self.source):
            frame = {
                name: self._values(batch.column(name), column, first_row)
                for name, column in self.columns.items()
            }
            yield pd.DataFrame(frame, index=range(first_row, first_row + len(batch)))

    def _values(self, column: pyarrow.Array, own: ColumnScan, first_row: int) -> Matrix | list[str]:
        if own.name == self.label:
            return self._classes(column, first_row)
        kind = kind_of(own)
        if kind is None:
            return np.full(len(column), np.nan)
        if kind == "categorical":
            return texts_of(column, self.missing).to_pylist()
        if not isinstance(own.reading, Refused):
            try:
                return values_of(column, kind, own.reading, first_row)
            except CellError:
                pass  # a value by itself that the rule of its column does not read
        return _plain_numbers(column)

    def _classes(self, column: pyarrow.Array, first_row: int) -> Matrix:
        """Return 0 and 1, and infinite for any other label."""
        if isinstance(self.labels, Labels):
            return self.labels.apply(texts_of(column), first_row).astype(np.float64)
        numbers = _plain_numbers(column)
        return np.where((numbers == 0) | (numbers == 1), numbers, np.inf)


def kind_of(column: ColumnScan) -> str | None:
    """Return what a column holds, most of it at least; None if no row has a value."""
    return column.refused_kind if isinstance(column.reading, Refused) else column.kind


def _plain_numbers(column: pyarrow.Array) -> Matrix:
    """Return numbers, NaN where nothing stands and infinite where something else does."""
    if look_of(column.type) == "number":
        return floats_of(column)
    missing = is_missing(column)
    texts = pd.Series(texts_of(column).to_pylist(), dtype=object)
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
    return np.where(np.isnan(numbers) & ~missing, np.inf, numbers)


def block_rows(n_columns: int) -> int:
    """Return how many rows are looked at together."""
    return max(BLOCK_CELLS // max(n_columns, 1), 1)


def in_blocks(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Yield the rows of some frames in frames of :func:`block_rows`; the last may be shorter."""
    pending: list[pd.DataFrame] = []
    room = 0
    for frame in frames:
        rest = frame
        while len(rest):
            room = room or block_rows(len(frame.columns))
            pending.append(rest.iloc[:room])
            room, rest = room - len(pending[-1]), rest.iloc[room:]
            if not room:
                yield _joined(pending)
                pending = []
    if pending:
        yield _joined(pending)


def unwatched(_what: str, _n_rows: int) -> None:
    """Take no notice of progress."""


def watched(blocks: Iterable[pd.DataFrame], what: str, on_rows: OnRows) -> Iterator[pd.DataFrame]:
    """Yield the blocks, and tell how far they are: a block is done when the next is asked for."""
    for frame in blocks:
        yield frame
        on_rows(what, len(frame))


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return frames[0] if len(frames) == 1 else pd.concat(frames)
