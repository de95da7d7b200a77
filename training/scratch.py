"""Matrices larger than memory: memory-mapped temporary files that are copied from a part at a time.

A matrix here is written and read like an array. What is read is a copy, and its pages are let go at
once: a system may map two megabytes for one number that is touched, so that what counts against a
bound is copies, not pages. :meth:`MappedMatrix.take`, which training calls for every batch, keeps
the blocks of rows that it has read in a buffer of fixed size: the next batch wants their rest.
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
        What lies together: the values of a row, or of a column.
    buffer_bytes : int
        How much of it ``take`` keeps in memory.

    Attributes
    ----------
    block_rows : int
        Neighbouring rows that ``take`` reads together; a power of two.
    window_rows : int
        How many rows are shuffled together.

    Raises
    ------
    ScratchError
        If the disk has no room for it.
    """

    def __init__(
        self, shape: tuple[int, int], dtype: DTypeLike, order: Literal["C", "F"], buffer_bytes: int
    ) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        row_bytes = shape[1] * self.dtype.itemsize
        self._map = _mapped_file(max(shape[0] * row_bytes, 1))
        self._array: Array = np.ndarray(shape, self.dtype, self._map, order=order)
        self._is_by_column = order == "F"
        self._shift, n_blocks = blocking(row_bytes, buffer_bytes)
        self.block_rows = 1 << self._shift
        self.window_rows = window_rows(row_bytes, buffer_bytes)
        n_blocks = min(n_blocks, -(-shape[0] // self.block_rows))
        self._buffer: Array = np.empty((n_blocks * self.block_rows, shape[1]), self.dtype)
        self._n_loaded, self._most_loaded = 0, n_blocks
        # row number plus this is the row's place in the buffer; negative: not there
        self._way_to_buffer = np.full(-(-shape[0] // self.block_rows), -shape[0] - 1)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Array:
        if self._is_by_column and not isinstance(key, tuple):
            rows = np.arange(len(self))[key] if isinstance(key, slice) else key
            part = np.empty((len(rows), self.shape[1]), self.dtype)
            for column in range(self.shape[1]):
                part[:, column] = self[rows, column]
            return part
        part = np.array(self._array[key])
        self._let_go()
        return part

    def __setitem__(self, key: Any, values: Array) -> None:
        if self._is_by_column and not isinstance(key, tuple):
            for column in range(self.shape[1]):
                self[key, column] = values[:, column]
            return
        self._array[key] = values
        self._let_go()

    def take(self, rows: NDArray[np.intp], axis: int = 0) -> Array:
        """Return some rows, as ``take`` of an array; their blocks stay while there is room."""
        places = rows + self._way_to_buffer[rows >> self._shift]
        if len(places) and places.min() < 0:
            self._load(rows >> self._shift)
            places = rows + self._way_to_buffer[rows >> self._shift]
            if places.min() < 0:  # more blocks than the buffer holds
                return self[rows]
        return self._buffer.take(places, axis)

    def _load(self, blocks: NDArray[np.intp]) -> None:
        wanted = np.unique(blocks)
        missing = wanted[self._way_to_buffer[wanted] + wanted * self.block_rows < 0]
        if self._n_loaded + len(missing) > self._most_loaded:
            self._way_to_buffer[:] = -len(self) - 1
            self._n_loaded, missing = 0, wanted
            if len(wanted) > self._most_loaded:
                return
        for block in missing.tolist():
            start, place = block * self.block_rows, self._n_loaded * self.block_rows
            part = self[start : start + self.block_rows]
            self._buffer[place : place + len(part)] = part
            self._way_to_buffer[block] = place - start
            self._n_loaded += 1

    def _let_go(self) -> None:
        """Unmap all pages; what was written stays in the file."""
        self._map.madvise(mmap.MADV_DONTNEED)


def blocking(row_bytes: int, buffer_bytes: int) -> tuple[int, int]:
    """Return the logarithm of the rows in a block, to base 2, and how many blocks are kept."""
    shift = max(BLOCK_BYTES // row_bytes, 1).bit_length() - 1
    return shift, max(2, buffer_bytes // (row_bytes << shift))


def window_rows(row_bytes: int, buffer_bytes: int) -> int:
    """Return how many rows are shuffled together.

    They take half of the buffer, so that rows from elsewhere find room beside them.
    """
    shift, n_blocks = blocking(row_bytes, buffer_bytes)
    return n_blocks // 2 << shift


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
