"""A table read in blocks of a fixed number of rows, however its source gives them.

Sums over blocks, and so every figure to its last bit, then depend on the table and the machine
alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow

from training.tables.source import Source

BLOCK_CELLS = 2**20

OnRows = Callable[[str, int], None]  # what is being done, and to how many more rows


def block_rows(n_columns: int) -> int:
    """Return how many rows are looked at together."""
    return max(BLOCK_CELLS // max(n_columns, 1), 1)


def in_blocks(source: Source) -> Iterator[tuple[int, pyarrow.Table]]:
    """Yield the rows of a table in blocks of :func:`block_rows`, each with its first row's number.

    The last may be shorter.
    """
    size = block_rows(len(source.looks))
    pending: list[pyarrow.Table] = []
    n_pending = first_row = 0
    for batch in source.batches(size):
        rest = pyarrow.Table.from_batches([batch])
        while len(rest):
            pending.append(rest.slice(0, size - n_pending))
            rest = rest.slice(len(pending[-1]))
            n_pending += len(pending[-1])
            if n_pending == size:
                yield first_row, _joined(pending)
                first_row, pending, n_pending = first_row + size, [], 0
    if pending:
        yield first_row, _joined(pending)


def _joined(tables: list[pyarrow.Table]) -> pyarrow.Table:
    # a column without any value in one file may have a type in the next
    return pyarrow.concat_tables(tables, promote_options="permissive")


class WatchedSource:
    """A table that tells how far it has been read: a batch is done when the next is asked for.

    Parameters
    ----------
    source : Source
    what : str
        What is being done.
    on_rows : callable
    """

    def __init__(self, source: Source, what: str, on_rows: OnRows) -> None:
        self.name, self.looks, self.types = source.name, source.looks, source.types
        self.notes, self.has_semicolons = source.notes, source.has_semicolons
        self._source, self._what, self._on_rows = source, what, on_rows

    def batches(self, rows: int) -> Iterator[pyarrow.RecordBatch]:
        """Yield the rows; see :class:`training.tables.source.Source`."""
        for batch in self._source.batches(rows):
            yield batch
            self._on_rows(self._what, len(batch))


def unwatched(_what: str, _n_rows: int) -> None:
    """Take no notice of progress."""
