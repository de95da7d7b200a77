"""Rows that are there more than once: counted by hashes, in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.explore.layout import Layout
from training.explore.values import FRAUD, LEGITIMATE

MOST_HASHES = 2**24  # kept; beyond, those of a half, a quarter … of all rows
CLASS_BITS, CLASS_MASK = np.uint64(2), np.uint64(3)
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: odd, no pattern in its bits

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Found:
    """How often rows are repeated.

    Attributes
    ----------
    n_repeated, n_frauds : int
        Rows that an earlier row equals, and how many of them are frauds.
    n_contradictory : int
        Rows that have an equal among the rows of the other class.
    share : float
        Of the rows that were compared with all others; figures are scaled up by it.
    """

    n_repeated: int
    n_frauds: int
    n_contradictory: int
    share: float


class Hashed:
    """The hashes of rows seen, each with its class in its lowest bits.

    Of too many rows only those are kept whose hash falls into a part of all hashes: equal rows
    have equal hashes, so that they are kept or left together (Wegman's adaptive sampling; Flajolet,
    1990, "On adaptive sampling").
    """

    def __init__(self) -> None:
        self._pieces: list[Hashes] = []
        self._n = 0
        self._level = 0

    def add(self, hashes: Hashes, classes: NDArray[np.int8]) -> None:
        """Add the next rows."""
        self._keep([(hashes >> CLASS_BITS << CLASS_BITS) | classes.astype(np.uint64)])
        while self._n > MOST_HASHES:
            self._level += 1
            pieces, self._pieces, self._n = self._pieces, [], 0
            self._keep(pieces)

    def found(self) -> Found:
        """Return how often rows were repeated."""
        hashes = np.concatenate(self._pieces)
        hashes.sort()
        rows = hashes >> CLASS_BITS
        equals_last = np.append(False, rows[1:] == rows[:-1])
        equals_next = np.append(equals_last[1:], False)
        # only rows with an equal are looked at closely: of many rows they are few
        hashes, is_repeated = (
            hashes[equals_last | equals_next],
            equals_last[equals_last | equals_next],
        )
        classes = hashes & CLASS_MASK
        _, group, sizes = np.unique(hashes >> CLASS_BITS, return_inverse=True, return_counts=True)
        has_both = np.ones(len(sizes), bool)
        for label in (LEGITIMATE, FRAUD):
            has_both &= np.bincount(group[classes == label], minlength=len(sizes)) > 0
        scale = 2**self._level
        return Found(
            n_repeated=int(is_repeated.sum()) * scale,
            n_frauds=int((is_repeated & (classes == FRAUD)).sum()) * scale,
            n_contradictory=int(sizes[has_both].sum()) * scale,
            share=1 / scale,
        )

    def _keep(self, pieces: list[Hashes]) -> None:
        for piece in pieces:
            # the highest bits choose: the lowest are those of the class
            kept = piece[piece >> np.uint64(64 - self._level) == 0] if self._level else piece
            self._pieces.append(kept)
            self._n += len(kept)


class Repeats:
    """Rows that equal others in all columns, and in all that a model could learn from.

    Parameters
    ----------
    layout : Layout
    """

    def __init__(self, layout: Layout) -> None:
        self._whole = [c.name for c in layout.columns if c.name != layout.label]
        self._content = [column.name for column in layout.features]
        self.whole, self.content = Hashed(), Hashed()

    @property
    def has_columns(self) -> bool:
        """Whether there is anything to compare but the labels."""
        return bool(self._whole)

    def add(self, cells: Mapping[str, Any], classes: NDArray[np.int8]) -> None:
        """Add the next rows."""
        columns = {name: _hashes(cells[name]) for name in self._whole}
        # the class is part of a whole row: rows that differ in it alone contradict each other
        own = np.multiply(classes.astype(np.uint64) + np.uint64(1), FACTOR)
        self.whole.add(_combined([columns[name] for name in self._whole], own), classes)
        nothing = np.zeros(len(classes), np.uint64)
        self.content.add(_combined([columns[name] for name in self._content], nothing), classes)


def _hashes(cells: Any) -> Hashes:
    if isinstance(cells, np.ndarray):
        return pd.util.hash_array(cells)
    texts = pd.Series(cells, dtype=object).fillna("\0")
    return pd.util.hash_array(texts.to_numpy(object), categorize=False)


def _combined(columns: list[Hashes], start: Hashes) -> Hashes:
    """Return one hash of many: another for every order of the same."""
    result = start.copy()
    for hashes in columns:
        result = (result ^ hashes) * FACTOR
        result ^= result >> np.uint64(32)
    return result
