"""A data frame as columns of Arrow types.

A column of objects is what its values are: all texts, all numbers, all dates. Where they differ in
kind, each is the text that it would be in a CSV file.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow

TEXT = pyarrow.large_string()
UTC_MOMENT = pyarrow.timestamp("us", "UTC")
NESTED = pyarrow.list_(pyarrow.null())
DATES = (datetime.date, np.datetime64)  # a datetime is a date, a Timestamp is a datetime
NUMBERS = (int, float, Decimal, np.number)
TRUTHS = (bool, np.bool_)
COLLECTIONS = (list, tuple, dict, set, frozenset, np.ndarray, pd.Series, pd.DataFrame)


def table_of(frame: pd.DataFrame) -> pyarrow.Table:
    """Return a frame as Arrow columns; NaN and the like are null."""
    arrays = [_array_of(frame.iloc[:, place]) for place in range(frame.shape[1])]
    return pyarrow.Table.from_arrays(arrays, names=[str(name) for name in frame.columns])


def _array_of(column: pd.Series) -> Any:
    if column.dtype == object:
        return _of_objects(column.tolist())
    try:
        return pyarrow.array(column, from_pandas=True)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
        return _of_objects(column.astype(object).tolist())


def _of_objects(values: Sequence[Any]) -> pyarrow.Array:
    values = [None if _is_missing(value) else value for value in values]
    present = [value for value in values if value is not None]
    if not present:
        return pyarrow.nulls(len(values))
    if _all(present, str):
        return _texts(values)
    if _all(present, TRUTHS):
        return pyarrow.array([None if v is None else bool(v) for v in values], pyarrow.bool_())
    if _all(present, COLLECTIONS):
        return pyarrow.nulls(len(values), NESTED)
    try:
        if _all(present, NUMBERS) and not any(isinstance(value, TRUTHS) for value in present):
            return _numbers(values, present)
        if _all(present, DATES):
            return pyarrow.array([None if v is None else _moment(v) for v in values], UTC_MOMENT)
        if _all(present, (datetime.time, datetime.timedelta, np.timedelta64, bytes)):
            return pyarrow.array(values)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
        pass  # beyond what a type holds: then as texts
    return _texts([None if value is None else _text(value) for value in values])


def _is_missing(value: Any) -> bool:
    if isinstance(value, Decimal):
        return value.is_nan()
    return value is None or (not isinstance(value, COLLECTIONS) and pd.isna(value) is True)


def _all(values: Sequence[Any], kinds: Any) -> bool:
    return all(isinstance(value, kinds) for value in values)


def _texts(values: Sequence[str | None]) -> pyarrow.Array:
    try:
        return pyarrow.array(values, TEXT)
    except UnicodeEncodeError:  # half a surrogate pair
        replaced = [None if v is None else v.encode("utf-8", "replace").decode() for v in values]
        return pyarrow.array(replaced, TEXT)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _numbers(values: Sequence[Any], present: Sequence[Any]) -> pyarrow.Array:
    if all(isinstance(value, int | np.integer) for value in present):
        whole = [None if value is None else int(value) for value in values]
        largest = max(value for value in whole if value is not None)
        return pyarrow.array(whole, pyarrow.uint64() if largest >= 2**63 else pyarrow.int64())
    return pyarrow.array([None if v is None else float(v) for v in values], pyarrow.float64())


def _moment(value: Any) -> datetime.datetime:
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime(warn=False)
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time())
    return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
