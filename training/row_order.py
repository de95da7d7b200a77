"""The order of the rows in an epoch: at random, or as random as a bounded memory allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.chunks import chunks
from training.scratch import MappedMatrix

Array = NDArray[Any]


def row_order(X: Array | MappedMatrix, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the rows of a matrix in the order of one epoch, each once.

    An array, or a file that fits into its window, is shuffled as a whole. A larger file is
    shuffled in two steps (Xu et al., 2022, "CorgiPile"): blocks of neighbouring rows are drawn at
    random until a window is full, and the rows of the window are shuffled. Every row comes once an
    epoch, so the gradient stays unbiased over an epoch. Batches are no simple random sample any
    more: rows of a block, neighbours in the table, fall into the same window. With hundreds of
    blocks in a window, drawn anew in every epoch, a batch has hardly two rows of one block, and
    its mean varies little more than that of a random batch.
    """
    if not isinstance(X, MappedMatrix) or len(X) <= X.window_rows:
        return rng.permutation(len(X))
    firsts = rng.permutation(np.arange(0, len(X), X.block_rows))
    order = (firsts[:, None] + np.arange(X.block_rows)).ravel()
    order = order[order < len(X)]
    for start in range(0, len(order), X.window_rows):
        rng.shuffle(order[start : start + X.window_rows])
    return order


def batches_of(order: NDArray[np.intp], batch_size: int) -> Iterator[NDArray[np.intp]]:
    """Yield an order batch by batch."""
    for rows in chunks(len(order), batch_size):
        yield order[rows]
