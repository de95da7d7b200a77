"""Rows gathered for many batches at once: a batch is then a slice, and costs no copy of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.component import augmented
from model.network import Network

Array = NDArray[Any]

BLOCK_ROWS = 8192  # of few columns: few enough to stay in the processor's cache
BLOCK_CELLS = 2**20  # of many


@dataclass(frozen=True)
class Block:
    """Consecutive batches, their rows lying as columns.

    Attributes
    ----------
    bounds : list of (int, int)
        First column of each batch and the one after its last.
    X : ndarray (F + 1, n)
        Augmented.
    y : ndarray (H, n)
        Targets.
    weights : ndarray (1, n) or (K, 1, n)
    scale : ndarray (1, n) or (K, 1, n)
        The weights over the number of rows of their batch.
    """

    bounds: list[tuple[int, int]]
    X: Array
    y: Array
    weights: Array
    scale: Array

    @property
    def n_rows(self) -> int:
        """How many rows all batches have together."""
        return self.X.shape[-1]


def blocks(
    network: Network,
    X: Array,
    targets: Array,
    sample_weights: Array | None,
    batches: Iterable[Array],
) -> Iterator[Block]:
    """Yield the batches of an epoch, given as row numbers, in blocks.

    Parameters
    ----------
    network : Network
        Which the targets are laid out for.
    X : ndarray (n, F)
    targets : ndarray (n,) or (n, F)
    sample_weights : ndarray (n,) or (K, n), optional
    batches : iterable of ndarray of int
        None of them empty.
    """
    for group in grouped(batches, min(BLOCK_ROWS, BLOCK_CELLS // X.shape[1])):
        rows = np.concatenate(group)
        sizes = [len(batch) for batch in group]
        columns = augmented(X.take(rows, axis=0))
        y = columns[:-1] if targets is X else network.target_columns(targets.take(rows, axis=0))
        if sample_weights is None:
            weights = np.ones((1, len(rows)), X.dtype)
        else:
            weights = sample_weights.take(rows, axis=-1)[..., None, :]
        scale = weights / np.repeat(sizes, sizes).astype(X.dtype)
        bounds = list(pairwise(accumulate(sizes, initial=0)))
        yield Block(bounds, columns, y, weights, scale)


def grouped(batches: Iterable[Array], most: int) -> Iterator[list[Array]]:
    """Yield lists of consecutive batches, of about so many rows together, one batch at least."""
    group: list[Array] = []
    n_rows = 0
    for rows in batches:
        group.append(rows)
        n_rows += len(rows)
        if n_rows >= most:
            yield group
            group, n_rows = [], 0
    if group:
        yield group
