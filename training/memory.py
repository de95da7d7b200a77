"""How much memory a run may use, and so where its matrices live."""

from __future__ import annotations

import os
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import DTypeLike

from model.errors import ConfigurationError
from training.scratch import Array, MappedMatrix, window_rows
from training.size import bytes_of, size_text

BUFFER_SHARE = 0.25  # of the limit, for the rows that batches are drawn from
WORKING_BYTES = 110 * 10**6  # a chunk on its way from the file into the matrix, and the like
COLUMN_BYTES = 3 * 10**6  # of every column: pages of a Parquet file, packed and unpacked
ROW_BYTES = 120  # of every row: label, time, row number, weight, score, and copies to sort
FOLD_BYTES = 32  # of every row and member of a cross-fit: weight, logit, and copies to sort
STATM = Path("/proc/self/statm")


@dataclass(frozen=True)
class Memory:
    """A bound on the memory of a run.

    Attributes
    ----------
    limit : int or None
        Bytes; None: whatever the run takes, and nothing is written to temporary files.
    base : int
        What the process takes before the run, its program and libraries.
    """

    limit: int | None
    base: int = 0

    @classmethod
    def of(cls, size: str | None) -> Memory:
        """Return the bound of a configuration, measured from this moment on."""
        return UNLIMITED if size is None else cls(bytes_of(size), resident_bytes())

    def matrix(
        self, shape: tuple[int, int], dtype: DTypeLike, order: Literal["C", "F"] = "C"
    ) -> Array | MappedMatrix:
        """Return a matrix to be filled: an array, or where memory is limited a file.

        Parameters
        ----------
        shape : tuple of int
            (n, F).
        dtype : dtype
        order : {'C', 'F'}
            Which of a file is contiguous: a row, or a column.

        Raises
        ------
        ScratchError
            If the disk has no room for it.
        """
        if self.limit is None:
            return np.empty(shape, dtype)
        return MappedMatrix(shape, dtype, order, self._buffer_bytes)

    @property
    def _buffer_bytes(self) -> int:
        # of the limit, not of what is free: the order of the rows depends on it, and the same
        # configuration must give the same model
        return int((self.limit or 0) * BUFFER_SHARE)

    def shuffles_whole(self, n_rows: int, n_columns: int) -> bool:
        """Return whether so many encoded rows are shuffled as one: the limit shapes nothing."""
        row_bytes = n_columns * np.dtype(np.float32).itemsize
        return self.limit is None or n_rows <= window_rows(row_bytes, self._buffer_bytes)

    def refuse(self, n_rows: int = 0, n_columns: int = 0, n_folds: int = 0) -> None:
        """Raise unless a table of this size, or any table at all, can be trained on.

        Parameters
        ----------
        n_rows, n_columns : int
        n_folds : int
            Of a cross-fit, in which every member keeps its own weight and logit of each row.

        Raises
        ------
        ConfigurationError
            Naming the least limit that works.
        """
        if self.limit is None:
            return
        row_bytes = ROW_BYTES + FOLD_BYTES * n_folds
        needed = self.base + WORKING_BYTES + row_bytes * n_rows + COLUMN_BYTES * n_columns
        least = needed / (1 - BUFFER_SHARE)
        if self.limit < least:
            size = f" for {n_rows:,} rows of {n_columns} columns" if n_rows else ""
            raise ConfigurationError(
                f"memory must be at least {size_text(least)}{size}, got {size_text(self.limit)}"
            )


UNLIMITED = Memory(None)


def resident_bytes() -> int:
    """Return the memory that this process has now; where the system does not tell, had at most."""
    if STATM.is_file():
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
