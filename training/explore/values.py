"""Columns of any content as numbers: what is unreadable counts as missing, and is counted.

Training refuses such values by name; exploration is what tells of them all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.features import Matrix

LEGITIMATE, FRAUD, UNLABELLED = 0, 1, 2
MISSING = -1  # code of a missing text


def numbers_of(column: pd.Series) -> Matrix:
    """Return a column of numbers as finite ones, NaN for all else."""
    values = column.to_numpy(np.float64)
    # minus zero is zero: rows that look the same are the same
    return np.where(np.isfinite(values), values, np.nan) + 0.0


def codes_of(texts: Sequence[str | None], categories: pd.Index) -> NDArray[np.intp]:
    """Return the position of each text among the categories, after the last for any other."""
    series = pd.Series(texts, dtype=object)
    codes = categories.get_indexer(series)
    codes[codes < 0] = len(categories)
    codes[series.isna().to_numpy()] = MISSING
    return codes


def classes_of(labels: pd.Series) -> NDArray[np.int8]:
    """Return 0 and 1 of readable labels, 2 of others."""
    classes = np.full(len(labels), UNLABELLED, np.int8)
    classes[labels.to_numpy() == 0] = LEGITIMATE
    classes[labels.to_numpy() == 1] = FRAUD
    return classes
