"""Chunks of plain numbers, as most columns have no others: read at once, without a look at masks.

What is read here is what :class:`training.cells.numbers.NumberRule` reads with a decimal point; a
chunk with any other cell is left to it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray


def read_plain(texts: pyarrow.Array) -> NDArray[np.float64] | None:
    """Return the numbers of a chunk, NaN for null; None if any other cell is no plain number."""
    if _has_plus(texts):
        return None  # a telephone, perhaps
    try:
        numbers = texts.cast(pyarrow.float64()).to_numpy(zero_copy_only=False)
    except pyarrow.ArrowInvalid:
        return None
    n_finite = np.count_nonzero(np.isfinite(numbers))
    return numbers if n_finite == len(texts) - texts.null_count else None


def _has_plus(texts: pyarrow.Array) -> bool:
    if texts.type != pyarrow.large_string():
        texts = texts.cast(pyarrow.large_string())
    _, offsets, data = texts.buffers()
    if data is None:
        return False
    ends = np.frombuffer(offsets, np.int64)
    first, last = ends[texts.offset], ends[texts.offset + len(texts)]
    return b"+" in data[first:last].to_pybytes()


def has_number(words: Sequence[str]) -> bool:
    """Return whether one of some words that mean missing is a plain number, as -999."""
    return any(read_plain(pyarrow.array([word])) is not None for word in words)


def are_whole(texts: pyarrow.Array) -> bool:
    """Return whether all cells that are not null are whole numbers without leading zeros."""
    try:
        again = texts.cast(pyarrow.int64()).cast(texts.type)
    except pyarrow.ArrowInvalid:
        return False
    return bool(pyarrow.compute.all(pyarrow.compute.equal(texts, again), min_count=0).as_py())
