"""What binned and categorical features add to a first layer, tabulated.

A linear layer over the piecewise-linear encoding of a number is, for each unit, a piecewise-linear
curve of that number, and so it is with the standardised value beside it. A curve is known
everywhere once it is known at its knots. A category adds the same values each time. So instead of
spreading a transaction over a thousand columns, most of them 0 or 1, and multiplying them with all
their weights, two neighbouring rows of a table are blended for each number and one is taken for
each category.

The curves are computed in float64 and kept in the precision that is asked for. Between knots they
are a weighted mean of two values: a value and a slope times x would cancel where bins are narrow
and x is large. In float32 the logits of the shipped models are within 1e-5 of those in float64.

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

    The bins and the categories, and the standardised value of a binned feature unless that is a
    logarithm, which is not piecewise linear.
    """
    features = np.union1d(preprocessor.binned, preprocessor.categorical)
    tabulated = np.isin(preprocessor.columns, features)
    n_standardised = len(preprocessor.standardised)
    tabulated[:n_standardised] &= ~preprocessor.is_logarithmic
    tabulated[n_standardised : preprocessor.n_base - len(preprocessor.categorical)] = False
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
    origin : ndarray, optional
        A row of the completed matrix at which all curves are made to pass through zero: exactly,
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
        self._preprocessor = preprocessor
        binned = preprocessor.binned_features
        self._categorical = np.unique(preprocessor.categorical)
        columns = np.concatenate([binned, binned, self._categorical])
        self.sources = preprocessor.raw_columns(columns)
        zeros: list[float | None] = [None] * (len(binned) + len(self._categorical))
        if origin is not None:
            zeros = [*preprocessor.bin_inputs(origin)[0], *origin[0, self._categorical]]
        numbers = [
            _curve_of_number(preprocessor, weights, column, zero)
            for column, zero in zip(binned, zeros, strict=False)
        ]
        categories = [
            _curve_of_category(preprocessor, weights, column, zero)
            for column, zero in zip(self._categorical, zeros[len(binned) :], strict=True)
        ]
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
        """Return the terms of rows of the completed matrix."""
        rows, shares = [], []
        if self._knots.size:
            x = self._preprocessor.bin_inputs(filled)
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


def _lowered(knots: Matrix, values: Matrix, zero: float | None) -> _Curve:
    """Return the curve that passes through zero at one of its knots, if one is given."""
    if zero is None:
        return _Curve(knots, values, np.zeros(values.shape[1]))
    at_origin = values[knots.searchsorted(zero)]
    return _Curve(knots, values - at_origin, at_origin)


def _curve_of_number(
    preprocessor: Preprocessor, weights: Matrix, column: int, zero: float | None
) -> _Curve:
    bins = np.flatnonzero(preprocessor.binned == column)
    left, width = preprocessor.left[bins], preprocessor.width[bins]
    right = left + width
    is_own = (preprocessor.standardised == column) & ~preprocessor.is_logarithmic
    own = np.flatnonzero(is_own)  # the standardised column, or none
    low, high = preprocessor.low[own], preprocessor.high[own]
    knots = np.unique([*left, right[-1], *low, *high, *([] if zero is None else [zero])])
    ramps = (np.clip(knots[:, None], left, right) - left) / width  # (knots, bins)
    values = ramps @ weights[preprocessor.n_base + bins]
    distance = np.clip(knots[:, None], low, high) - preprocessor.centre[own]  # (knots, 1 or 0)
    values += (distance * preprocessor.scale[own]) @ weights[own]
    return _lowered(knots, values, zero)


def _curve_of_category(
    preprocessor: Preprocessor, weights: Matrix, column: int, zero: float | None
) -> _Curve:
    """Return the weights of each code: its knots are the codes.

    That of rare categories follows that of unseen ones and has the same weights.
    """
    columns = np.flatnonzero(preprocessor.categorical == column)
    first = preprocessor.n_base - len(preprocessor.categorical)
    rows = np.append(first + columns, first + columns[-1])
    codes = preprocessor.codes[columns]
    return _lowered(np.append(codes, codes[-1] + 1), weights[rows], zero)
