"""A seeded sample of the rows of a table: the same however the table is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from model.features import Matrix
from training.explore.values import FRAUD

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


class Sample:
    """The rows of lowest priority: uniformly drawn, without replacement (bottom-k sampling).

    Parameters
    ----------
    size : int
        Most rows to keep.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: list[tuple[pd.DataFrame, Matrix]] = []
        self._n_kept = 0
        self._highest = 1.0
        self.n_rows = 0

    def add(self, frame: pd.DataFrame, priority: Matrix) -> None:
        """Offer the next rows.

        Parameters
        ----------
        frame : DataFrame
        priority : ndarray (n,)
            Uniform between 0 and 1.
        """
        self.n_rows += len(frame)
        is_low = priority < self._highest
        if not is_low.any():
            return
        self._kept.append((frame[is_low], priority[is_low]))
        self._n_kept += int(is_low.sum())
        if self._n_kept > 2 * self._size:
            self._cut()

    @property
    def is_whole(self) -> bool:
        """Whether every row that was offered is among them."""
        return self.n_rows <= self._size

    def rows(self) -> tuple[pd.DataFrame, Matrix]:
        """Return the rows in their order, and their priorities."""
        self._cut()
        [(frame, priority)] = self._kept
        return frame, priority

    def _cut(self) -> None:
        frame = pd.concat([frame for frame, _ in self._kept])
        priority = np.concatenate([own for _, own in self._kept])
        if len(priority) > self._size:
            self._highest = float(np.partition(priority, self._size)[self._size])
            frame, priority = frame[priority < self._highest], priority[priority < self._highest]
        self._kept, self._n_kept = [(frame, priority)], len(frame)


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
    """Draws samples of all rows and of the frauds among them, from blocks that pass by.

    Parameters
    ----------
    label : str or None
        Column of classes.
    seed : int
    n_columns : int
        The more there are, the fewer rows are drawn.
    """

    def __init__(self, label: str | None, seed: int, n_columns: int) -> None:
        self._label, self._seed = label, seed
        self._rows = Sample(max(SAMPLE_CELLS // n_columns, FEWEST_SAMPLED))
        self._frauds = Sample(SAMPLE_FRAUDS)

    def draw(self, blocks: Iterable[pd.DataFrame]) -> Samples:
        """Return what was drawn from the rows of some blocks."""
        start = 0
        for frame in blocks:
            priority = priorities(self._seed, start, len(frame))
            self._rows.add(frame, priority)
            if self._label is not None:
                is_fraud = frame[self._label].to_numpy() == FRAUD
                self._frauds.add(frame[is_fraud], priority[is_fraud])
            start += len(frame)
        rows, priority = self._rows.rows()
        has_frauds = self._label is not None and self._frauds.n_rows > 0
        return Samples(
            rows=rows,
            priority=priority,
            frauds=self._frauds.rows()[0] if has_frauds else None,
            is_whole=self._rows.is_whole,
            has_all_frauds=self._frauds.is_whole,
        )
