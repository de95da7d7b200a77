"""Table columns: which kind of feature each is, and its values as cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from model.features import Feature, Kind, Matrix
from training.column_scan import ColumnScan, texts_of
from training.config import DataConfig
from training.errors import DataError

MOST_TEXTS = 100_000  # of a column, the most frequent: others are never known again
IDENTIFIER_SHARE = 0.5  # a text column with more distinct values per row tells rows apart, no more
FEWEST_TEXTS = 64  # that can tell rows apart
NUMERIC_SHARE = 0.9  # text of which this share are numbers is a numeric column with junk in it

EPOCH = pd.Timestamp(0, tz="UTC")
BOOLEANS = {True: 1.0, False: 0.0, "True": 1.0, "False": 0.0, "true": 1.0, "false": 0.0}


def infer_features(
    columns: Sequence[ColumnScan], config: DataConfig, source: str
) -> tuple[list[Feature], list[str]]:
    """Return the features of a table, and notes on the columns that are left out.

    Raises
    ------
    DataError
        If a column can be no feature, none is left, or the configuration names unknown ones.
    """
    features, notes = [], []
    for column in columns:
        name = column.name
        if column.n_missing == column.n_rows:
            notes.append(f"column {name!r} has no values at all and is left out")
            continue
        kind = "categorical" if name in config.categorical else _kind(column, source)
        if kind == "datetime" and not config.time_features:
            continue
        categories: tuple[str, ...] = ()
        if kind == "categorical":
            texts = column.texts
            n_texts = len(texts)
            if is_identifier(column):
                notes.append(
                    f"column {name!r} has {n_texts:,} different texts in {column.n_rows:,} rows "
                    "and is left out: name it with --id if it identifies the transaction"
                )
                continue
            categories = tuple(sorted(texts.most_frequent(MOST_TEXTS, 1)))
        bounds = config.bounds.get(name, {})
        features.append(
            Feature(
                name=name,
                kind=kind,
                unit=config.units.get(name),
                nullable=bool(column.n_missing) or name in config.nullable,
                minimum=bounds.get("minimum"),
                maximum=bounds.get("maximum"),
                categories=categories,
            )
        )
    names = {feature.name for feature in features}
    for key in ("categorical", "nullable", "bounds", "units"):
        unknown = sorted(set(getattr(config, key)) - names)
        if unknown:
            raise DataError(source, f"data.{key} names {unknown}, which are no features")
    if not features:
        raise DataError(source, "no column is left to learn from")
    return features, notes


def _kind(column: ColumnScan, source: str) -> Kind:
    kind = kind_of(column)
    if kind == "numeric" and column.junk:
        junk = sorted(set(column.junk))[:5]
        raise DataError(source, f"a column of numbers, but for {junk}", column.name)
    return kind


def kind_of(column: ColumnScan) -> Kind:
    """Return what a column that has values holds, most of it at least."""
    if column.look != "text":
        return column.look
    if column.n_numbers >= NUMERIC_SHARE * (column.n_rows - column.n_missing):
        return "numeric"
    return "datetime" if column.begins_with_dates() else "categorical"


def is_identifier(column: ColumnScan) -> bool:
    """Return whether the texts of a column tell its rows apart, no more."""
    n_present = column.n_rows - column.n_missing
    return len(column.texts) > max(IDENTIFIER_SHARE * n_present, FEWEST_TEXTS)


def cells(column: pd.Series, feature: Feature, source: str) -> Any:
    """Return a column as the feature specification wants it.

    Returns
    -------
    ndarray or list
        Floats with NaN for missing; for categories texts with None.

    Raises
    ------
    DataError
        Naming the row, if a value is missing that may not be, not of the feature's kind, infinite
        or out of the declared bounds.
    """
    missing = column.isna().to_numpy()
    if not feature.nullable:
        _refuse(missing, column, "a value: none was missing in training, see data.nullable", source)
    if feature.kind == "categorical":
        return texts_of(column)
    if feature.kind == "datetime":
        values = epoch_seconds(column)
        expected = "an ISO 8601 date-time"
    elif feature.kind == "boolean":
        values = column.astype(object).map(BOOLEANS).to_numpy(np.float64)
        expected = "true or false"
    else:
        numbers = column if types.is_numeric_dtype(column) else column.astype(object)
        values = pd.to_numeric(numbers, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        expected = "a number"
    _refuse(np.isnan(values) & ~missing, column, expected, source)
    _refuse(np.isinf(values), column, "a finite number", source)
    if feature.minimum is not None:
        _refuse(values < feature.minimum, column, f"at least {feature.minimum:g}", source)
    if feature.maximum is not None:
        _refuse(values > feature.maximum, column, f"at most {feature.maximum:g}", source)
    return values


def _refuse(wrong: NDArray[np.bool_], column: pd.Series, expected: str, source: str) -> None:
    """Raise if any value of a column is wrong, naming the first."""
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        value = column.iloc[first]
        shown = repr(value) if isinstance(value, str) else str(value)
        reason = f"row {column.index[first]} holds {shown}, expected {expected}"
        raise DataError(source, reason, str(column.name))


def epoch_seconds(column: pd.Series) -> Matrix:
    """Return date-times as seconds since 1970 UTC; NaN where there is none."""
    if types.is_numeric_dtype(column):  # numbers are no date-times: pandas would guess their unit
        return np.full(len(column), np.nan)
    moments = pd.to_datetime(column, utc=True, errors="coerce", format="ISO8601")
    return ((moments - EPOCH) / pd.Timedelta(seconds=1)).to_numpy(np.float64)
