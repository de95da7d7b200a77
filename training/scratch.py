"""Matrices larger than memory: in temporary files, of which a bounded part is mapped at a time.

A matrix here is written and read a part at a time like an array; what is read is a copy, and its
pages are let go at once. Only :meth:`MappedMatrix.take`, which training calls for every batch,
leaves pages mapped, up to a bound: the next batch wants their neighbours.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from training.errors import ScratchError
from training.size import size_text

Array = NDArray[Any]

BLOCK_BYTES = 2**18  # neighbouring rows that are read together: a disk's random access costs less
ZEROS = bytes(2**20)


class MappedMatrix:
    """A matrix in a temporary file without a name.

    The file is gone with the object, and with the process however that ends.

    Parameters
    ----------
    shape : tuple of int
        (n, F).
    dtype : dtype
    order : {'C', 'F'}
        Which is contiguous: a row, or a column.
    mapped_bytes : int
        How much of it ``take`` leaves in memory.

    Raises
    ------
    ScratchError
        If the disk has no room for it.
    """

    def __init__(
        self, shape: tuple[int, int], dtype: DTypeLike, order: Literal["C", "F"], mapped_bytes: int
    ) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        row_bytes = shape[1] * self.dtype.itemsize
        self._map = _mapped_file(max(shape[0] * row_bytes, 1))
        self._array: Array = np.ndarray(shape, self.dtype, self._map, order=order)
        self.block_rows, self._most_blocks = block_rows_and_number(row_bytes, mapped_bytes)
        self.window_rows = window_rows(row_bytes, mapped_bytes)
        self._block_bytes = self.block_rows * row_bytes
        self._is_mapped = np.zeros(-(-shape[0] // self.block_rows), bool)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Array:
        part = np.array(self._array[key], order="C")
        self._let_go()
        return part

    def __setitem__(self, key: Any, values: Any) -> None:
        self._array[key] = values
        self._let_go()

    def take(self, rows: NDArray[np.intp], axis: int = 0) -> Array:
        """Return some rows, as of an array; their blocks stay mapped while there is room."""
        blocks = rows // self.block_rows
        missing = blocks[~self._is_mapped[blocks]]
        if len(missing):
            self._map_blocks(blocks, np.unique(missing))
        return self._array.take(rows, axis)

    def _map_blocks(self, wanted: NDArray[np.intp], missing: NDArray[np.intp]) -> None:
        if np.count_nonzero(self._is_mapped) + len(missing) > self._most_blocks:
            self._let_go()
            missing = np.unique(wanted)
        self._is_mapped[missing] = True
        for block in missing.tolist():
            start = block * self._block_bytes // mmap.PAGESIZE * mmap.PAGESIZE
            # one request for a whole block instead of one for every page
            length = min(self._block_bytes, len(self._map) - start)
            self._map.madvise(mmap.MADV_WILLNEED, start, length)

    def _let_go(self) -> None:
        """Unmap all pages; what was written stays in the file."""
        self._map.madvise(mmap.MADV_DONTNEED)
        self._is_mapped[:] = False


def block_rows_and_number(row_bytes: int, mapped_bytes: int) -> tuple[int, int]:
    """Return how many rows of a matrix are a block, and how many blocks may be mapped."""
    rows = max(1, BLOCK_BYTES // row_bytes)
    return rows, max(2, mapped_bytes // (rows * row_bytes))


def window_rows(row_bytes: int, mapped_bytes: int) -> int:
    """Return how many rows are shuffled together.

    They take half of what may be mapped, so that rows from elsewhere find room beside them.
    """
    rows, most_blocks = block_rows_and_number(row_bytes, mapped_bytes)
    return rows * (most_blocks // 2)


def _mapped_file(n_bytes: int) -> mmap.mmap:
    """Return a new file whose every byte has its place on the disk.

    Room is taken before anything is written: writing into the mapping of a file that the disk
    cannot hold would end the process with a signal, not with an error.
    """
    try:
        with tempfile.TemporaryFile() as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, n_bytes)
            else:
                for start in range(0, n_bytes, len(ZEROS)):
                    file.write(ZEROS[: n_bytes - start])
                file.flush()
            return mmap.mmap(file.fileno(), n_bytes)
    except OSError as error:
        raise ScratchError(
            f"no room for {size_text(n_bytes)} of temporary files in "
            f"{tempfile.gettempdir()}: {error.strerror}; TMPDIR names another folder"
        ) from None
