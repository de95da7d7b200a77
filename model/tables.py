"""Transactions as Python programs hold them → the matrix that a model reads.

One transaction or many, as dicts, as a table with named columns, or as rows in the order of the
features. A frame is known by what it offers, so that no library of frames is imported. What a
value means is decided in :mod:`model.cells`, as it is for JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from math import isnan
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.cells import EMPTY, NOT_A_BOOLEAN, are_never, cell_from_json
from model.errors import ConfigurationError, FeatureError, Problems
from model.features import Feature, FeatureSpec, Matrix
from model.rows import MOST_PROBLEM_ROWS

Column = NDArray[Any]
CellProblems = dict[int, str]  # row → what is wrong there

JSON_TYPES = frozenset({str, bool, int, type(None)})
NO_VALUES = frozenset({"NAType", "NaTType"})  # pandas' own, which compare with nothing


def matrix_of(transactions: Any, spec: FeatureSpec) -> Matrix:
    """Return the matrix of transactions in any form.

    Parameters
    ----------
    transactions
        A dict of features by name, or an iterable of them: unknown keys are refused. A table with
        named columns (a frame of pandas, Polars or PyArrow, a structured array, a dict of
        columns): columns that are no features are ignored. Rows of values in the order of the
        features (an array (n, F), a list of lists). None, NaN, NaT and NA are missing.
    spec : FeatureSpec

    Returns
    -------
    ndarray (n, F), float64

    Raises
    ------
    FeatureError
        Naming row (from 0), feature and reason of every problem (of at most 100 rows).
    ConfigurationError
        If there are no such transactions in what was given, or a column is missing.
    """
    names = _column_names(transactions)
    if names is not None:
        return _from_table(transactions, names, spec)
    if isinstance(transactions, np.ndarray):
        return _from_rows(transactions, spec)
    if _is_one(transactions):
        transactions = [transactions]
    if isinstance(transactions, str | bytes) or not isinstance(transactions, Iterable):
        raise ConfigurationError(
            "transactions are dicts, a frame or rows of values, "
            f"got {type(transactions).__name__}: {transactions!r:.60}"
        )
    rows = list(transactions)
    if rows and all(map(_has_no_names, rows)):
        return _from_rows(_array_of(rows), spec)
    return spec.matrix_from_rows([_plain_row(row) for row in rows])


def plain(value: Any) -> Any:
    """Return a value of Python, NumPy or pandas as JSON has it, None where it is missing.

    What JSON has no like of is returned as it is, to be refused.

    Examples
    --------
    >>> plain(np.float32(0.5)), plain(float("nan")), plain(date(2026, 1, 31))
    (0.5, None, '2026-01-31')
    """
    kind = type(value)
    if kind is float:  # the first two are what dicts hold most, a million at a time
        return None if isnan(value) else value
    if kind in JSON_TYPES:
        return value
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(value.astype("datetime64[us]"))
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | bool | int):
        return value
    if kind.__name__ in NO_VALUES:
        return None
    if isinstance(value, Real | Decimal):
        number = float(value)
        return None if isnan(number) else number
    return value.isoformat() if isinstance(value, date) else value


def _is_one(transactions: Any) -> bool:
    """Return whether this is a single transaction: a dict, or the row of a frame."""
    return isinstance(transactions, Mapping) or _is_labelled(transactions)


def _has_no_names(row: Any) -> bool:
    """Return whether a row is values alone."""
    return isinstance(row, Sequence | np.ndarray) and not isinstance(row, str | bytes)


def _is_labelled(row: Any) -> bool:
    """Return whether a row has names for its values, as a Series of pandas has."""
    return hasattr(row, "to_dict") and hasattr(row, "items")


def _plain_row(row: Any) -> Any:
    if isinstance(row, Mapping) or _is_labelled(row):
        return {name: plain(value) for name, value in row.items()}
    return row


def _column_names(transactions: Any) -> list[str] | None:
    """Return the names of a table's columns; None of what has none."""
    kind = type(transactions)  # of a frame, an attribute may be a column
    if hasattr(kind, "__getitem__") and hasattr(kind, "__len__"):  # a lazy frame has no length
        for attribute in ("column_names", "columns"):
            if hasattr(kind, attribute):
                return list(getattr(transactions, attribute))
    if isinstance(transactions, np.ndarray) and transactions.dtype.names is not None:
        return list(transactions.dtype.names)
    if isinstance(transactions, Mapping) and any(map(_is_column, transactions.values())):
        return list(transactions)
    return None


def _is_column(value: Any) -> bool:
    return isinstance(value, list | tuple) or (
        hasattr(value, "__array__") and not isinstance(value, np.generic)
    )


def _from_table(table: Any, names: Sequence[str], spec: FeatureSpec) -> Matrix:
    features = {feature.name: feature for feature in spec.features}
    absent = [name for name in features if name not in names]
    required = [name for name in absent if not features[name].nullable]
    if required:
        raise ConfigurationError(f"the model needs the columns {required}, the table lacks them")
    columns = {name: _column(name, table[name]) for name in features if name in names}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ConfigurationError(f"the columns differ in length: {lengths}")
    n_rows = next(iter(lengths.values()), 0)
    missing = np.full(n_rows, np.nan)
    given = [(feature, columns.get(name, missing)) for name, feature in features.items()]
    return _checked(given, n_rows, EMPTY.union(spec.missing))


def _column(name: str, values: Any) -> Column:
    """Return a column as an array; of a list, each value stays what it is."""
    column = np.asarray(values) if hasattr(values, "__array__") else np.fromiter(values, object)
    if column.ndim != 1:
        reason = "it is there twice, or its values are lists"
        raise ConfigurationError(f"column {name!r} is not one value a row: {reason}")
    return column


def _array_of(rows: Sequence[Sequence[Any]]) -> Column:
    n_columns = len(rows[0])
    for number, row in enumerate(rows):
        if len(row) != n_columns:
            raise ConfigurationError(
                f"row {number} has {len(row)} values, row 0 has {n_columns}: all have one a feature"
            )
    return np.fromiter((value for row in rows for value in row), object).reshape(len(rows), -1)


def _from_rows(rows: Column, spec: FeatureSpec) -> Matrix:
    n_features = len(spec.features)
    if rows.ndim != 2 or rows.shape[1] != n_features:
        first, last = spec.names[0], spec.names[-1]
        cure = "; a single row is written [row]" if rows.ndim == 1 else ""
        raise ConfigurationError(
            f"rows without names hold the {n_features} features in order, {first!r} to {last!r}: "
            f"shape (n, {n_features}), got {rows.shape}{cure}"
        )
    columns = list(zip(spec.features, rows.T, strict=True))
    return _checked(columns, len(rows), EMPTY.union(spec.missing))


def _checked(
    columns: Sequence[tuple[Feature, Column]], n_rows: int, missing: frozenset[str]
) -> Matrix:
    matrix = np.empty((n_rows, len(columns)))
    problems: dict[int, dict[str, list[str]]] = {}
    for number, (feature, column) in enumerate(columns):
        matrix[:, number], found = _cells(feature, column, missing)
        for row, message in found.items():
            problems.setdefault(row, {})[feature.name] = [message]
    if problems:
        first: Problems = {row: problems[row] for row in sorted(problems)[:MOST_PROBLEM_ROWS]}
        raise FeatureError(first)
    return matrix


def _cells(
    feature: Feature, column: Column, missing: frozenset[str]
) -> tuple[Matrix, CellProblems]:
    """Return the cells of a column, and what is wrong with the first that are."""
    holds_numbers = column.dtype.kind in "iuf"
    if feature.kind == "numeric" and holds_numbers:
        cells = column.astype(np.float64)
        low = -np.inf if feature.minimum is None else feature.minimum
        high = np.inf if feature.maximum is None else feature.maximum
        wrong = np.isinf(cells) | (cells < low) | (cells > high)
        return cells, _problems(feature, cells, wrong)
    if feature.kind == "boolean" and column.dtype.kind in "biuf":
        cells = column.astype(np.float64)
        wrong = (cells != 0) & (cells != 1) & ~np.isnan(cells)
        return cells, _problems(feature, cells, wrong)
    if feature.kind == "datetime" and column.dtype.kind == "M":
        microseconds = column.astype("datetime64[us]").astype(np.int64)
        seconds = microseconds / 1e6
        cells = np.where(np.isnat(column) | are_never(seconds), np.nan, seconds)
        return cells, _problems(feature, cells, np.zeros(len(cells), bool))
    values: Iterable[Any] = column
    if feature.kind == "categorical" and holds_numbers and _is_of_numbers(feature):
        values = map(_text, column.tolist())
    return _one_by_one(feature, map(plain, values), len(column), missing)


def _problems(feature: Feature, cells: Matrix, wrong: NDArray[np.bool_]) -> CellProblems:
    if not feature.nullable:
        wrong = wrong | np.isnan(cells)
    found = {}
    for row in np.flatnonzero(wrong)[:MOST_PROBLEM_ROWS].tolist():
        # as the one rule for cells words it; only a boolean may be a number, if it is 0 or 1
        _, message = cell_from_json(feature, plain(cells[row]))
        found[row] = message or NOT_A_BOOLEAN
    return found


def _one_by_one(
    feature: Feature, values: Iterable[Any], n_rows: int, missing: frozenset[str]
) -> tuple[Matrix, CellProblems]:
    cells = np.full(n_rows, np.nan)
    problems: CellProblems = {}
    for row, value in enumerate(values):
        cells[row], problem = cell_from_json(feature, value, missing)
        if problem is not None:
            problems[row] = problem
            if len(problems) == MOST_PROBLEM_ROWS:
                break
    return cells, problems


def _is_of_numbers(feature: Feature) -> bool:
    """Return whether categories are codes such as "5411", which frames hold as numbers."""
    return any(category.removeprefix("-").isdecimal() for category in feature.categories)


def _text(code: float) -> str | None:
    """Return a code as tables write it: without a decimal point where it is whole."""
    if isnan(code):
        return None
    return str(int(code)) if code % 1 == 0 else str(code)
