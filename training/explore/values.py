"""Columns of any content as numbers: what is unreadable counts as missing, and is counted.

Training refuses such values by name; exploration is what tells of them all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from model.features import Matrix
from training.columns import BOOLEANS, epoch_seconds

LEGITIMATE, FRAUD, UNLABELLED = 0, 1, 2
MISSING = -1  # code of a missing text


def numbers_of(column: pd.Series, kind: str) -> Matrix:
    """Return a numeric, boolean or date-time column as finite numbers, NaN for all else.

    Date-times are seconds since 1970 UTC.
    """
    if kind == "datetime":
        values = epoch_seconds(column)
    elif kind == "boolean":
        values = column.astype(object).map(BOOLEANS).to_numpy(np.float64)
    else:
        plain = column if types.is_numeric_dtype(column) else column.astype(object)
        values = pd.to_numeric(plain, errors="coerce").to_numpy(np.float64, na_value=np.nan)
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
    numbers = pd.to_numeric(labels, errors="coerce")
    classes = np.full(len(labels), UNLABELLED, np.int8)
    classes[(numbers == 0).to_numpy(bool, na_value=False)] = LEGITIMATE
    classes[(numbers == 1).to_numpy(bool, na_value=False)] = FRAUD
    return classes
