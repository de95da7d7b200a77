"""A seeded sample of the rows of a table: the same however the table is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow
from numpy.typing import NDArray

from model.features import Matrix
from training.cells.labels import fraud_values, plain
from training.explore.layout import Layout
from training.explore.values import frame_of
from training.tables.plain import Look, decoded, texts_of

SAMPLE_CELLS = 2**22
SAMPLE_FRAUDS = 20_000
FEWEST_SAMPLED = 2_000
STEP = 4  # numbers that Philox makes at a time


def priorities(seed: int, start: int, n_rows: int) -> Matrix:
    """Return uniform numbers that belong to consecutive rows: each follows from seed and row.

    Philox counts instead of remembering (Salmon et al., 2011, "Parallel random numbers: as easy as
    1, 2, 3"), so that any row's number can be had without those before it.
    """
    ahead = start % STEP
    philox = np.random.Philox(key=seed).advance(start // STEP)
    return np.random.Generator(philox).random(ahead + n_rows)[ahead:]


@dataclass(frozen=True)
class Drawn:
    """Some rows as they were read.

    Attributes
    ----------
    cells : pyarrow.Table
    rows : ndarray (n,) of int
        Their numbers.
    priority : ndarray (n,)
        Uniform between 0 and 1.
    """

    cells: pyarrow.Table
    rows: NDArray[np.int64]
    priority: Matrix

    def where(self, chosen: NDArray[np.bool_]) -> Drawn:
        """Return some of the rows."""
        cells = self.cells.filter(pyarrow.array(chosen))
        return Drawn(cells, self.rows[chosen], self.priority[chosen])


class Sample:
    """The rows of lowest priority: uniformly drawn, without replacement (bottom-k sampling).

    Parameters
    ----------
    size : int
        Most rows to keep.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: list[Drawn] = []
        self._n_kept = 0
        self._highest = 1.0
        self.n_rows = 0

    def add(self, drawn: Drawn) -> None:
        """Offer the next rows."""
        self.n_rows += len(drawn.rows)
        is_low = drawn.priority < self._highest
        if not is_low.any():
            return
        self._kept.append(drawn.where(is_low))
        self._n_kept += len(self._kept[-1].rows)
        if self._n_kept > 2 * self._size:
            self._cut()

    @property
    def is_whole(self) -> bool:
        """Whether every row that was offered is among them."""
        return self.n_rows <= self._size

    def drawn(self) -> Drawn:
        """Return the rows in their order."""
        self._cut()
        [drawn] = self._kept
        return drawn

    def _cut(self) -> None:
        drawn = Drawn(
            # a column without any value in one file may have a type in the next
            pyarrow.concat_tables([own.cells for own in self._kept], promote_options="permissive"),
            np.concatenate([own.rows for own in self._kept]),
            np.concatenate([own.priority for own in self._kept]),
        )
        if len(drawn.priority) > self._size:
            self._highest = float(np.partition(drawn.priority, self._size)[self._size])
            drawn = drawn.where(drawn.priority < self._highest)
        self._kept, self._n_kept = [drawn], len(drawn.rows)


@dataclass(frozen=True)
class Samples:
    """Rows drawn while the table was read.

    Attributes
    ----------
    rows : DataFrame
        Of all rows.
    priority : ndarray (n,)
        Those with the lowest are a sample of the sample.
    frauds : DataFrame or None
        Of all frauds; None without labels.
    is_whole, has_all_frauds : bool
        Whether they are all there are.
    """

    rows: pd.DataFrame
    priority: Matrix
    frauds: pd.DataFrame | None
    is_whole: bool
    has_all_frauds: bool


class Drawing:
    """Draws samples of all rows and of the frauds among them, from batches that pass by.

    What the cells mean is not known before the last batch has passed: they are kept as they are.

    Parameters
    ----------
    looks : mapping of str to Look
        Of the columns: the more there are, the fewer rows are drawn.
    label : str or None
        Column of classes.
    positive : str or None
        The label that means fraud, where the usual ones do not.
    seed : int
    """

    def __init__(
        self, looks: Mapping[str, Look], label: str | None, positive: str | None, seed: int
    ) -> None:
        self._looks, self._label, self._seed = looks, label, seed
        self._fraud_values = fraud_values(positive)
        self._rows = Sample(max(SAMPLE_CELLS // len(looks), FEWEST_SAMPLED))
        self._frauds = Sample(SAMPLE_FRAUDS)

    def add(self, first_row: int, batch: pyarrow.RecordBatch) -> None:
        """Offer a batch, whose first row has this number in the table."""
        n_rows = len(batch)
        drawn = Drawn(
            pyarrow.table({name: self._cells(batch, name) for name in batch.schema.names}),
            np.arange(first_row, first_row + n_rows),
            priorities(self._seed, first_row, n_rows),
        )
        self._rows.add(drawn)
        if self._label is not None:
            self._frauds.add(drawn.where(self._are_frauds(batch.column(self._label))))

    def samples(self, layout: Layout) -> Samples:
        """Return what was drawn, read as the whole table has shown."""
        drawn = self._rows.drawn()
        has_frauds = layout.labels is not None and self._frauds.n_rows > 0
        return Samples(
            rows=_frame_of(drawn, layout),
            priority=drawn.priority,
            frauds=_frame_of(self._frauds.drawn(), layout) if has_frauds else None,
            is_whole=self._rows.is_whole,
            has_all_frauds=not has_frauds or self._frauds.is_whole,
        )

    def _cells(self, batch: pyarrow.RecordBatch, name: str) -> pyarrow.Array:
        """Return a column in a type of which rows can be chosen."""
        look, column = self._looks[name], batch.column(name)
        if look == "other":
            return pyarrow.nulls(len(batch))
        return texts_of(column) if look in ("text", "bytes") else decoded(column)

    def _are_frauds(self, labels: pyarrow.Array) -> NDArray[np.bool_]:
        encoded = texts_of(labels).dictionary_encode()
        known = [plain(value) in self._fraud_values for value in encoded.dictionary.to_pylist()]
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return np.array([*known, False], np.bool_)[codes]


def _frame_of(drawn: Drawn, layout: Layout) -> pd.DataFrame:
    return frame_of(drawn.cells, layout, pd.Index(drawn.rows))
