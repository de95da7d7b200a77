"""A column of texts → groups of cells that are written alike, letter by letter.

The mask of a cell is its text with every digit replaced by ``0``: ``1,234.50`` and ``9,876.54``
share the mask ``0,000.00``. What a cell could mean (a number? which date?) is asked once a mask;
its digits are then read from a matrix of bytes, for all cells of the mask at once.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

LONGEST = 100  # bytes; a longer text is neither a number nor a date-time
TOO_LONG = "a text that is too long to be a number or a date-time"

# Letters between digits come once at most in a number (1e5) or a date-time (…31T13…): UUIDs and
# hashes, each with a mask of its own, are known by this without a look at each.
_NEITHER = "^[^0]*$|0[A-Za-z]+0(.*0)?[A-Za-z]+0"

_MASKED = np.arange(256, dtype=np.uint8)
_MASKED[ord("0") : ord("9") + 1] = ord("0")


class MaskedColumn:
    """The texts of a column without the white space around them, grouped by their masks.

    Parameters
    ----------
    texts : pyarrow.Array of n strings
        null where a cell is empty.

    Attributes
    ----------
    texts : pyarrow.LargeStringArray of n
        Without the white space around them.
    masks : list of str
        Each once, in the order in which they come first.
    with_digits : list of (int, str)
        The positions in ``masks`` of those that may be numbers or date-times, and these.
    codes : ndarray of int, shape (n,)
        For each cell the position of its mask in ``masks``; −1 for null.
    """

    def __init__(self, texts: pyarrow.Array) -> None:
        self.texts = pyarrow.compute.utf8_trim_whitespace(texts.cast(pyarrow.large_string()))
        n = len(self.texts)
        _, offsets, data = self.texts.buffers()
        ends = np.frombuffer(offsets, np.int64)[self.texts.offset : self.texts.offset + n + 1]
        self._starts, self._lengths = ends[:-1], np.diff(ends)
        self._bytes = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
        masked = pyarrow.LargeStringArray.from_buffers(
            n, pyarrow.py_buffer(ends), pyarrow.py_buffer(_MASKED[self._bytes])
        )
        is_long = pyarrow.array(self._lengths > LONGEST)
        masked = pyarrow.compute.if_else(is_long, TOO_LONG, masked)
        masked = pyarrow.compute.if_else(self.texts.is_valid(), masked, None)
        encoded = masked.dictionary_encode()
        self.masks: list[str] = encoded.dictionary.to_pylist()
        is_neither = pyarrow.compute.match_substring_regex(encoded.dictionary, _NEITHER)
        may_be = np.flatnonzero(~is_neither.to_numpy(zero_copy_only=False))
        self.with_digits = [(code, self.masks[code]) for code in may_be.tolist()]
        self.codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)

    def without(self, cells: NDArray[np.bool_]) -> MaskedColumn:
        """Return the column with some of its cells empty."""
        return MaskedColumn(pyarrow.compute.if_else(pyarrow.array(cells), None, self.texts))

    @cached_property
    def _order(self) -> NDArray[np.intp]:
        return np.argsort(self.codes, kind="stable")

    @cached_property
    def _bounds(self) -> NDArray[np.intp]:
        return np.searchsorted(self.codes[self._order], np.arange(len(self.masks) + 1))

    def positions(self, code: int) -> NDArray[np.intp]:
        """Return where in the column the cells of a mask stand, in ascending order."""
        return self._order[self._bounds[code] : self._bounds[code + 1]]

    def cells(self, positions: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Return the bytes of cells of one mask, one cell a row."""
        width = self._lengths[positions[0]] if len(positions) else 0
        return self._bytes[self._starts[positions, None] + np.arange(width)]
