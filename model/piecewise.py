"""What binned and categorical features add to a first layer, tabulated.

A linear layer over the piecewise-linear encoding of a number is, for each unit, a piecewise-linear
curve of that number, and so it is with the standardised value beside it. A curve is known
everywhere once it is known at its knots. A category adds the same values each time. So instead of
spreading a transaction over a thousand columns, most of them 0 or 1, and multiplying them with all
their weights, two neighbouring rows of a table are blended for each number and one is taken for
each category.

Shapes: n rows, F raw features, E encoded columns, U units, T rows of the table, J terms a
transaction (two for each number, one for each category).
"""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from model.chunks import chunks
from model.features import Matrix
from model.preprocessing import Preprocessor

Array = NDArray[Any]

_ONE, _ONE_ROW = np.ones(()), np.ones((), np.intp)  # of numbers NumPy makes arrays at each call
GATHERED_BYTES = 2**19  # of the table, taken at once


class Terms(NamedTuple):
    """Which rows of the table transactions are blended from, and how much of each; (n, J)."""

    rows: NDArray[np.intp]
    shares: Array


def is_tabulated(preprocessor: Preprocessor) -> NDArray[np.bool_]:
    """Return which encoded columns the curves stand for, shape (E,).

    All that come from a binned or a categorical feature, except its indicator, and except its
    logarithm, which is not piecewise linear.
    """
    features = np.union1d(preprocessor.binned, preprocessor.categorical)
    tabulated = np.isin(preprocessor.sources, features)
    n_standardised = len(preprocessor.standardised)
    tabulated[:n_standardised] &= ~preprocessor.is_logarithmic
    tabulated[n_standardised:][: len(preprocessor.with_indicator)] = False
    return tabulated


class Curves:
    """The curves of all binned and categorical features in one table.

    Parameters
    ----------
    preprocessor : Preprocessor
    weights : ndarray (E, U), float64
        Of the first layer.
    dtype : dtype
        Of the table.
    origin : ndarray (F,), optional
        Raw values, none missing, at which all curves are made to pass through zero: exactly,
        because the values become knots.

    Attributes
    ----------
    sources : ndarray (J,) of int
        The raw column of each term.
    at_origin : ndarray (U,), float64
        What the curves together were lowered by.
    """

    def __init__(
        self,
        preprocessor: Preprocessor,
        weights: Matrix,
        dtype: DTypeLike,
        origin: Matrix | None = None,
    ) -> None:
        self._binned = np.unique(preprocessor.binned)
        self._categorical = np.unique(preprocessor.categorical)
        self.sources = np.concatenate([self._binned, self._binned, self._categorical])
        given = preprocessor, weights, origin
        numbers = [_curve_of_number(*given, column) for column in self._binned]
        categories = [_curve_of_category(*given, column) for column in self._categorical]
        self.at_origin = sum((curve.at_origin for curve in numbers + categories), start=np.zeros(1))
        # The table has a row for each cell of a number: below the first knot, where the curve is
        # flat, between two knots, and above the last. A cell blends its row with the next one,
        # which is that of another curve, or of zeros, where a width of infinity makes it count 0.
        table = [np.concatenate([curve.values[:1], curve.values]) for curve in numbers]
        table += [np.zeros((1, weights.shape[1])), *(curve.values for curve in categories)]
        self._values = np.concatenate(table).astype(dtype)  # (T, U)
        self._left = np.concatenate([*([0, *at[:-1], 0] for at, _, _ in numbers), [0]])
        self._width = np.concatenate([*([inf, *np.diff(at), inf] for at, _, _ in numbers), [inf]])
        starts = np.cumsum([0, *map(len, table)])[None]
        self._first = starts[:, : len(numbers)]
        self._first_category = starts[:, len(numbers) + 1 : -1]
        most = max((len(curve.knots) for curve in numbers), default=0)
        self._knots = np.full((1, len(numbers), most + 1), np.nan)  # which no number reaches
        for row, curve in zip(self._knots[0], numbers, strict=True):
            row[: len(curve.knots)] = curve.knots
        self._part_rows = max(1, GATHERED_BYTES // (self._values[0].nbytes * len(self.sources)))

    def locate(self, filled: Matrix) -> Terms:
        """Return the terms of raw rows without missing values.

        Parameters
        ----------
        filled : ndarray (n, F)
        """
        rows, shares = [], []
        if len(self._binned):
            x = filled.take(self._binned, axis=1)
            cells = (x[:, :, None] >= self._knots).argmin(axis=2)  # how many knots x has reached
            cells += self._first
            x -= self._left.take(cells)
            x /= self._width.take(cells)
            rows += [cells, cells + _ONE_ROW]
            shares += [_ONE - x, x]
        if len(self._categorical):
            codes = filled.take(self._categorical, axis=1)
            rows.append(codes.astype(np.intp) + self._first_category)
            shares.append(np.ones_like(codes))
        dtype = self._values.dtype
        return Terms(
            np.concatenate(rows, axis=1),
            np.concatenate(shares, axis=1, dtype=dtype, casting="same_kind"),
        )

    def blend(self, terms: Terms) -> Array:
        """Return the sum of the curves, shape (n, U)."""
        if len(terms.rows) <= self._part_rows:
            return self._blend(terms.rows, terms.shares)
        Z = np.empty((len(terms.rows), self._values.shape[1]), self._values.dtype)
        for part in chunks(len(Z), self._part_rows):
            Z[part] = self._blend(terms.rows[part], terms.shares[part])
        return Z

    def _blend(self, rows: NDArray[np.intp], shares: Array) -> Array:
        values = self._values.take(rows, axis=0)  # (n, J, U)
        return np.asarray(np.matmul(shares[:, None], values)[:, 0])

    def split(self, terms: Terms, multipliers: Array) -> Array:
        """Return what each term adds to a weighted sum of the units, shape (n, J).

        Parameters
        ----------
        terms : Terms
        multipliers : ndarray (n, U)
            The weights of the units.
        """
        added = np.empty(terms.shares.shape, self._values.dtype)
        for part in chunks(len(added), self._part_rows):
            values = self._values.take(terms.rows[part], axis=0)  # (part, J, U)
            np.matmul(values, multipliers[part, :, None], out=added[part, :, None])
        added *= terms.shares
        return added


class _Curve(NamedTuple):
    """A curve at its knots, ascending: values (knots, U); and what it was lowered by."""

    knots: Matrix
    values: Matrix
    at_origin: Matrix


def _lowered(knots: Matrix, values: Matrix, origin: float | None) -> _Curve:
    if origin is None:
        return _Curve(knots, values, np.zeros(values.shape[1]))
    at_origin = values[knots.searchsorted(origin)]
    return _Curve(knots, values - at_origin, at_origin)


def _curve_of_number(
    preprocessor: Preprocessor, weights: Matrix, origin: Matrix | None, column: int
) -> _Curve:
    bins = np.flatnonzero(preprocessor.binned == column)
    left, width = preprocessor.left[bins], preprocessor.width[bins]
    right = left + width
    position = int(np.flatnonzero(preprocessor.standardised == column)[0])
    low, high = preprocessor.low[position], preprocessor.high[position]
    is_linear = not preprocessor.is_logarithmic[position]
    more = [low, high] if is_linear else []
    more += [] if origin is None else [origin[column]]
    knots = np.unique([*left, right[-1], *more])
    ramps = (np.clip(knots[:, None], left, right) - left) / width  # (knots, bins)
    values = ramps @ weights[preprocessor.n_base + bins]
    if is_linear:
        distance = np.clip(knots, low, high) - preprocessor.centre[position]
        values += np.outer(distance * preprocessor.scale[position], weights[position])
    return _lowered(knots, values, None if origin is None else origin[column])


def _curve_of_category(
    preprocessor: Preprocessor, weights: Matrix, origin: Matrix | None, column: int
) -> _Curve:
    """Return the weights of each code: its knots are the codes."""
    columns = np.flatnonzero(preprocessor.categorical == column)
    first = preprocessor.n_base - len(preprocessor.categorical)
    codes = preprocessor.codes[columns]
    return _lowered(codes, weights[first + columns], None if origin is None else origin[column])
