"""Preprocessing: the raw matrix of a feature specification → what the networks read.

The encoded columns, in this order:

=============  ====================================================================
standardised   numeric and boolean features: filled, logarithm where skewed,
               clipped, centred, scaled
indicators     1 where a feature that may be missing is missing
calendar       hour and weekday of date-times, on circles, and the weekend
categories     one-hot, with one column for "other"
bins           piecewise-linear encoding of numeric features (if asked for)
=============  ====================================================================

``n_base`` counts the columns before the bins: what the autoencoder reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from model.errors import ConfigurationError
from model.features import Columns, FeatureSpec, Matrix

Array = NDArray[Any]
Scaling = Literal["standard", "robust"]

CLIP = 10.0  # standard deviations: a finite 1e300 must not overflow, an outlier must not dominate
SKEWED = 2.0  # skewness above which a non-negative column enters as its logarithm
DAY, WEEK = 86_400.0, 604_800.0
THURSDAY = 3 * DAY  # 1970-01-01 was one; weeks begin on Monday
N_CALENDAR = 5
CHUNK_ROWS = 16_384


@dataclass(frozen=True)
class Preprocessor:
    """A fitted preprocessing; every attribute is an array or a tuple of numbers.

    Attributes
    ----------
    fill : ndarray (F,)
        Median or most frequent value: what a missing one counts as.
    standardised, with_indicator, dates, categorical, binned : ndarray of int
        Raw columns of each group; ``categorical`` and ``binned`` once for each encoded column.
    is_logarithmic : ndarray of bool
        Which standardised columns enter as log(1 + x).
    centre, scale, low, high : ndarray
        Standardised column: clip(x, low, high) minus ``centre``, times ``scale``.
    codes : ndarray
        The category code that each one-hot column stands for.
    left, width : ndarray
        The bin of each piecewise-linear column.
    """

    fill: Matrix
    standardised: NDArray[np.intp]
    is_logarithmic: NDArray[np.bool_]
    centre: Matrix
    scale: Matrix
    low: Matrix
    high: Matrix
    with_indicator: NDArray[np.intp]
    dates: NDArray[np.intp]
    categorical: NDArray[np.intp]
    codes: Matrix
    binned: NDArray[np.intp]
    left: Matrix
    width: Matrix

    @classmethod
    def fit(
        cls,
        spec: FeatureSpec,
        matrix: Columns,
        *,
        labels: NDArray[Any] | None = None,
        scaling: Scaling = "standard",
        n_bins: int = 0,
    ) -> Preprocessor:
        """Measure training rows.

        Parameters
        ----------
        spec : FeatureSpec
        matrix : ndarray (n, F)
            Raw training rows.
        labels : ndarray (n,), optional
            0 or 1. With labels the bins divide legitimate and fraudulent rows each into equal
            parts: where fraud lies, legitimate quantiles alone have no resolution.
        scaling : {'standard', 'robust'}
            Mean and standard deviation, or median and interquartile range / 1.349.
        n_bins : int
            Piecewise-linear bins a numeric feature (Gorishniy et al., 2022); 0: none.

        Raises
        ------
        ConfigurationError
            If there are no rows, or the scaling is unknown.
        """
        if not len(matrix) or scaling not in ("standard", "robust"):
            raise ConfigurationError(f"cannot fit {len(matrix)} rows with {scaling=}")
        kinds = np.array([feature.kind for feature in spec.features])
        fill = np.zeros(len(kinds))
        scalers: list[tuple[bool, float, float]] = []
        bins: list[tuple[int, float, float]] = []
        for column, kind in enumerate(kinds.tolist()):
            # a column at a time, and contiguous: sums do not depend on where the matrix lives
            cells = np.ascontiguousarray(matrix[:, column])
            fill[column] = _fill_value(cells, kind)
            filled = np.where(np.isnan(cells), fill[column], cells)
            if kind == "numeric" and n_bins:
                edges = _bins(filled, labels, n_bins)
                bins += [(column, left, right - left) for left, right in edges]
            if kind in ("numeric", "boolean"):
                scalers.append(_scaler(filled, scaling))
        is_logarithmic = np.array([skewed for skewed, _, _ in scalers], bool)
        centre = np.array([middle for _, middle, _ in scalers], np.float64)
        deviation = np.array([spread for _, _, spread in scalers], np.float64)
        nullable = np.array([feature.nullable for feature in spec.features])
        categories = [
            (column, float(code))
            for column in np.flatnonzero(kinds == "categorical")
            for code in range(spec.features[column].other + 1)
        ]
        return cls(
            fill=fill,
            standardised=np.flatnonzero((kinds == "numeric") | (kinds == "boolean")),
            is_logarithmic=is_logarithmic,
            centre=centre,
            scale=1 / deviation,
            low=centre - CLIP * deviation,
            high=centre + CLIP * deviation,
            with_indicator=np.flatnonzero(nullable),
            dates=np.flatnonzero(kinds == "datetime"),
            categorical=np.array([column for column, _ in categories], np.intp),
            codes=np.array([code for _, code in categories]),
            binned=np.array([column for column, _, _ in bins], np.intp),
            left=np.array([left for _, left, _ in bins]),
            width=np.array([width for _, _, width in bins]),
        )

    @cached_property
    def sources(self) -> NDArray[np.intp]:
        """The raw column that each encoded column comes from."""
        calendar = np.repeat(self.dates, N_CALENDAR)
        parts = (self.standardised, self.with_indicator, calendar, self.categorical, self.binned)
        return np.concatenate(parts).astype(np.intp)

    @property
    def n_encoded(self) -> int:
        """Number of encoded columns."""
        return len(self.sources)

    @property
    def n_base(self) -> int:
        """Number of encoded columns before the bins."""
        return self.n_encoded - len(self.binned)

    @cached_property
    def _right(self) -> Matrix:
        return self.left + self.width

    @cached_property
    def _takes_all(self) -> bool:
        return len(self.standardised) == len(self.fill)  # ascending, so they are all columns

    def category_groups(self) -> list[NDArray[np.intp]]:
        """Return the encoded columns of each categorical feature, that of "other" last."""
        first = self.n_base - len(self.categorical)
        return [
            first + np.flatnonzero(self.categorical == column)
            for column in np.unique(self.categorical)
        ]

    def complete(self, matrix: Matrix) -> Matrix:
        """Return the raw matrix with missing values filled."""
        if not len(self.with_indicator):
            return matrix
        return np.where(np.isnan(matrix), self.fill, matrix)

    def clipped(self, filled: Matrix) -> Matrix:
        """Return the standardised columns before centring and scaling, float64.

        Together with :meth:`fold` this is the scaler at inference: two operations fewer.
        """
        values = filled if self._takes_all else filled[:, self.standardised]
        if self.is_logarithmic.any():
            values = values.copy() if self._takes_all else values
            columns = values[:, self.is_logarithmic]
            values[:, self.is_logarithmic] = np.log1p(np.maximum(columns, 0))
        return np.clip(values, self.low, self.high)

    def fold(self, weights: Array, biases: Array) -> tuple[Array, Array]:
        """Fold centring and scaling into a first layer, in float64.

        ((x − c) · s) W + b = x (s W) + (b − (c · s) W)

        Parameters
        ----------
        weights : ndarray (..., n_standardised, H)
        biases : ndarray (..., H)

        Returns
        -------
        weights, biases : ndarray
            Of a layer that reads :meth:`clipped` values.
        """
        weights = weights.astype(np.float64)
        shift = (self.centre * self.scale) @ weights
        return weights * self.scale[:, None], biases - shift

    def encoded_rest(self, matrix: Matrix, filled: Matrix, *, bins: bool = True) -> Array:
        """Return the encoded columns after the standardised ones, float32."""
        parts: list[Array] = []
        if len(self.with_indicator):
            parts.append(np.isnan(matrix[:, self.with_indicator]))
        if len(self.dates):
            parts.append(_calendar(filled[:, self.dates]))
        if len(self.categorical):
            parts.append(filled[:, self.categorical] == self.codes)
        if bins and len(self.binned):
            # clipped first: the quotient of a finite 1e300 and a narrow bin would overflow
            ramp = np.clip(filled[:, self.binned], self.left, self._right)
            ramp -= self.left
            ramp /= self.width
            parts.append(ramp)
        if not parts:
            return np.empty((len(matrix), 0), np.float32)
        return np.concatenate(parts, axis=1, dtype=np.float32, casting="unsafe")

    def transform(self, matrix: Matrix, *, bins: bool = True) -> Array:
        """Encode raw rows.

        Parameters
        ----------
        matrix : ndarray (n, F)
            Raw rows; not changed.
        bins : bool
            Whether to include the bins.

        Returns
        -------
        ndarray (n, n_encoded) or (n, n_base), float32
        """
        if len(matrix) > CHUNK_ROWS:  # the float64 intermediates of a large table are larger still
            n_columns = self.n_encoded if bins else self.n_base
            encoded = np.empty((len(matrix), n_columns), np.float32)
            for start in range(0, len(matrix), CHUNK_ROWS):
                rows = slice(start, start + CHUNK_ROWS)
                encoded[rows] = self.transform(matrix[rows], bins=bins)
            return encoded
        filled = self.complete(matrix)
        values = (self.clipped(filled) - self.centre) * self.scale
        rest = self.encoded_rest(matrix, filled, bins=bins)
        return np.concatenate([values, rest], axis=1, dtype=np.float32, casting="unsafe")

    def to_arrays(self) -> dict[str, Array]:
        """Return the fitted arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Preprocessor:
        """Rebuild a preprocessing from its arrays.

        Raises
        ------
        ConfigurationError
            If one is missing.
        """
        try:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})
        except KeyError as error:
            raise ConfigurationError(f"the preprocessing lacks the array {error}") from None


def _fill_value(column: Matrix, kind: str) -> float:
    present = column[~np.isnan(column)]
    if not len(present):
        return 0.0
    if kind in ("categorical", "boolean"):
        return float(np.bincount(present.astype(np.intp)).argmax())
    return float(np.median(present))


def _scaler(values: Matrix, scaling: Scaling) -> tuple[bool, float, float]:
    """Return whether a column enters as its logarithm, its centre and its deviation."""
    is_logarithmic = bool(values.min() >= 0) and _skewness(values) > SKEWED
    if is_logarithmic:
        values = np.log1p(values)
    return is_logarithmic, *_centre_and_deviation(values, scaling)


def _skewness(values: Matrix) -> float:
    centred = values / _magnitude(values)
    centred -= centred.mean()
    variance = float((centred**2).mean())
    return float((centred**3).mean()) / (variance**1.5 if variance > 0 else 1.0)


def _magnitude(values: Matrix) -> float:
    """Return the largest size: the square of 1e300, divided by it, is finite."""
    return float(np.abs(values).max()) or 1.0


def _centre_and_deviation(values: Matrix, scaling: Scaling) -> tuple[float, float]:
    """Return centre and a deviation that is 1 for a constant column."""
    magnitude = _magnitude(values)
    centre, deviation = float(values.mean()), float((values / magnitude).std()) * magnitude
    if scaling == "robust":
        low, centre, high = np.quantile(values, (0.25, 0.5, 0.75)).tolist()
        spread = (high - low) / 1.349  # the interquartile range of a normal distribution
        deviation = spread if spread > 0 else deviation
    rounding = 1e-12 * abs(centre)  # a constant column's deviation may be rounding noise
    return centre, deviation if deviation > rounding else 1.0


def _bins(values: Matrix, labels: Array | None, n_bins: int) -> list[tuple[float, float]]:
    """Return (left, right) of the bins of one column; none for a constant."""
    groups = [values] if labels is None else [values[labels == 0], values[labels == 1]]
    grid = np.linspace(0, 1, n_bins // len(groups) + 1)
    edges = [np.quantile(group, grid) for group in groups if len(group)]
    unique = np.unique(np.concatenate(edges)).tolist()
    return list(pairwise(unique))


def _calendar(seconds: Matrix) -> Matrix:
    """Return sine and cosine of the hour and of the weekday, and the weekend, for each date."""
    day = 2 * np.pi / DAY * (seconds % DAY)
    in_week = (seconds + THURSDAY) % WEEK
    week = 2 * np.pi / WEEK * in_week
    parts = (np.sin(day), np.cos(day), np.sin(week), np.cos(week), in_week >= 5 * DAY)
    return np.stack(parts, axis=2).reshape(len(seconds), N_CALENDAR * seconds.shape[1])
