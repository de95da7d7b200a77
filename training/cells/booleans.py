"""Texts that are truth values: ``true`` and ``false``, in any of the usual cases."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.cells.masks import MaskedColumn

BOOLEANS = {"true": 1.0, "True": 1.0, "TRUE": 1.0, "false": 0.0, "False": 0.0, "FALSE": 0.0}


def read_booleans(column: MaskedColumn) -> NDArray[np.float64]:
    """Return 1 for true, 0 for false, NaN for what is neither."""
    values = [BOOLEANS.get(mask, np.nan) for mask in column.masks]
    return np.array([*values, np.nan])[column.codes]  # the last one: null has the code −1
