"""Preprocessing: the raw matrix of a feature specification → what the networks read.

The encoded columns, in this order:

=============  ====================================================================
standardised   numeric and boolean features, and the days from a date to the
               transaction's time: filled, logarithm where skewed, clipped,
               centred, scaled
indicators     1 where a feature that may be missing is missing
calendar       hour and weekday of date-times, on circles, and the weekend
categories     one-hot, with one column for "other": unseen and rare ones
bins           piecewise-linear encoding of numeric features, of the time of
               day of date-times, and of the days from a date (if asked for)
=============  ====================================================================

The *completed* matrix is what they read: the raw columns, missing values filled, and behind them a
column of days for each date.

``n_base`` counts the columns before the bins: what the autoencoder reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from model.cells import DAY
from model.chunks import chunks
from model.errors import ConfigurationError
from model.features import Columns, FeatureSpec, Matrix

Array = NDArray[Any]
Scaling = Literal["standard", "robust"]

CLIP = 10.0  # standard deviations: a finite 1e300 must not overflow, an outlier must not dominate
SKEWED = 2.0  # skewness above which a non-negative column enters as its logarithm
WEEK = 7 * DAY
THURSDAY = 3 * DAY  # 1970-01-01 was one; weeks begin on Monday
N_CALENDAR = 5
CHUNK_ROWS = 16_384


@dataclass(frozen=True)
class Preprocessor:
    """A fitted preprocessing; every attribute is an array or a tuple of numbers.

    Attributes
    ----------
    fill : ndarray (F + number of dates,)
        Median or most frequent value: what a missing one counts as.
    standardised, with_indicator, dates, categorical, binned : ndarray of int
        Columns of each group; ``categorical`` and ``binned`` once for each encoded column. Those
        from F on are days: ``dates`` are date-times that enter as their calendar.
    is_logarithmic : ndarray of bool
        Which standardised columns enter as log(1 + x).
    centre, scale, low, high : ndarray
        Standardised column: clip(x, low, high) minus ``centre``, times ``scale``.
    codes : ndarray
        The category code that each one-hot column stands for.
    left, width : ndarray
        The bin of each piecewise-linear column.
    elapsed : ndarray of int
        Raw columns of the dates of which the completed matrix holds the days.
    moment : ndarray of int
        The raw column that these are counted to; empty: to 1970-01-01.
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
    elapsed: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    moment: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))

    @classmethod
    def fit(
        cls,
        spec: FeatureSpec,
        matrix: Columns,
        *,
        labels: NDArray[Any] | None = None,
        scaling: Scaling = "standard",
        n_bins: int = 0,
        calendar: bool = True,
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
            Piecewise-linear bins (Gorishniy et al., 2022) of a numeric feature, and of the time
            of day of a date-time; 0: none.
        calendar : bool
            Whether date-times enter as hour and weekday; the days from dates do in any case.

        Raises
        ------
        ConfigurationError
            If there are no rows, or the scaling is unknown.
        """
        if not len(matrix) or scaling not in ("standard", "robust"):
            raise ConfigurationError(f"cannot fit {len(matrix)} rows with {scaling=}")
        n_features = len(spec.features)
        kinds = np.array([*(f.kind for f in spec.features), *["numeric"] * len(spec.dates)])
        fill = np.zeros(len(kinds))
        scalers: list[tuple[bool, float, float]] = []
        bins: list[tuple[int, float, float]] = []
        for column, kind in enumerate(kinds.tolist()):
            # a column at a time, and contiguous: sums do not depend on where the matrix lives
            if column < n_features:
                cells = np.ascontiguousarray(matrix[:, column])
            else:
                cells = spec.days_since(spec.date_columns[column - n_features], matrix)
            fill[column] = _fill_value(cells, kind)
            filled = np.where(np.isnan(cells), fill[column], cells)
            if n_bins and (kind == "numeric" or (kind == "datetime" and calendar)):
                readable = filled % DAY if kind == "datetime" else filled
                edges = _bins(readable, labels, n_bins)
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
            dates=np.flatnonzero((kinds == "datetime") & calendar),
            categorical=np.array([column for column, _ in categories], np.intp),
            codes=np.array([code for _, code in categories]),
            binned=np.array([column for column, _, _ in bins], np.intp),
            left=np.array([left for _, left, _ in bins]),
            width=np.array([width for _, _, width in bins]),
            elapsed=np.array(spec.date_columns, np.intp),
            moment=np.array([] if spec.time_column is None else [spec.time_column], np.intp),
        )

    def check(self, spec: FeatureSpec) -> None:
        """Check that this is the preprocessing of a specification.

        Raises
        ------
        ConfigurationError
            If it reads other features, or reads them as something else.
        """
        if self.n_features != len(spec.features):
            raise ConfigurationError(
                f"the preprocessing reads {self.n_features} features, "
                f"the specification lists {len(spec.features)}"
            )
        nullable = [number for number, feature in enumerate(spec.features) if feature.nullable]
        if self.with_indicator.tolist() != nullable:
            raise ConfigurationError("the preprocessing takes other features for nullable")
        codes = [
            (column, code)
            for column, feature in enumerate(spec.features)
            if feature.kind == "categorical"
            for code in range(feature.other + 1)
        ]
        if list(zip(self.categorical.tolist(), self.codes.tolist(), strict=True)) != codes:
            raise ConfigurationError("the preprocessing tells other categories apart")
        dates = self.elapsed.tolist()
        if dates != list(spec.date_columns):
            raise ConfigurationError("the preprocessing reads other dates")
        if dates and self.moment.tolist() != ([] if spec.time is None else [spec.time_column]):
            raise ConfigurationError("the preprocessing counts days to another time")

    @property
    def n_features(self) -> int:
        """Number of raw columns."""
        return len(self.fill) - len(self.elapsed)

    @cached_property
    def sources(self) -> NDArray[np.intp]:
        """The raw column that each encoded column comes from; days come from their date."""
        return self.raw_columns(self.columns)

    def raw_columns(self, columns: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the raw columns that columns of the completed matrix come from."""
        return np.concatenate([np.arange(self.n_features), self.elapsed])[columns]

    @cached_property
    def columns(self) -> NDArray[np.intp]:
        """The column of the completed matrix that each encoded column reads."""
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
    def binned_features(self) -> NDArray[np.intp]:
        """The columns of the completed matrix that have bins, ascending."""
        return np.unique(self.binned)

    @cached_property
    def _right(self) -> Matrix:
        return self.left + self.width

    @cached_property
    def _binned_dates(self) -> NDArray[np.intp]:
        return np.flatnonzero(np.isin(self.binned_features, self.dates))

    @cached_property
    def _takes_all(self) -> bool:
        return len(self.standardised) == len(self.fill)  # ascending, so they are all columns

    @cached_property
    def _scaler_rows(self) -> tuple[Matrix, ...]:
        """Low, high, centre and scale of shape (1, n_standardised): one row need not broadcast."""
        return self.low[None], self.high[None], self.centre[None], self.scale[None]

    @cached_property
    def _has_logarithms(self) -> bool:
        return bool(self.is_logarithmic.any())

    @cached_property
    def _logarithms(self) -> tuple[Matrix, NDArray[np.bool_]]:
        """The least value that each column may have, and which are logarithms."""
        floor = np.where(self.is_logarithmic, 0.0, -np.inf)
        return floor[None], self.is_logarithmic[None]

    @cached_property
    def _last_codes(self) -> Matrix:
        """The code of unseen categories for each one-hot column: rare ones, beyond, count as it."""
        last = [self.codes[self.categorical == column].max() for column in self.categorical]
        return np.array(last)[None]

    def category_groups(self) -> list[NDArray[np.intp]]:
        """Return the encoded columns of each categorical feature, that of "other" last."""
        first = self.n_base - len(self.categorical)
        return [
            first + np.flatnonzero(self.categorical == column)
            for column in np.unique(self.categorical)
        ]

    def complete(self, matrix: Matrix) -> Matrix:
        """Return the completed matrix of raw rows."""
        if len(self.elapsed):
            moments = matrix.take(self.moment, axis=1) if len(self.moment) else 0.0
            days = (moments - matrix.take(self.elapsed, axis=1)) / DAY
            matrix = np.concatenate([matrix, days], axis=1)
        if not len(self.with_indicator):
            return matrix
        return np.where(np.isnan(matrix), self.fill, matrix)

    def restricted(self, kept: NDArray[np.bool_]) -> Preprocessor:
        """Return the preprocessing that encodes some of the columns only.

        Parameters
        ----------
        kept : ndarray (n_encoded,) of bool
            Of a date's and of a category's columns all or none.
        """
        groups = (self.standardised, self.with_indicator, np.repeat(self.dates, N_CALENDAR))
        sizes = [len(group) for group in (*groups, self.categorical)]
        standardised, indicators, calendar, categorical, binned = np.split(kept, np.cumsum(sizes))
        return replace(
            self,
            standardised=self.standardised[standardised],
            is_logarithmic=self.is_logarithmic[standardised],
            centre=self.centre[standardised],
            scale=self.scale[standardised],
            low=self.low[standardised],
            high=self.high[standardised],
            with_indicator=self.with_indicator[indicators],
            dates=self.dates[calendar[::N_CALENDAR]],
            categorical=self.categorical[categorical],
            codes=self.codes[categorical],
            binned=self.binned[binned],
            left=self.left[binned],
            width=self.width[binned],
        )

    def _scaled(self, filled: Matrix) -> Matrix:
        """Return the standardised columns, float64."""
        values = filled if self._takes_all else filled.take(self.standardised, axis=1)
        if self._has_logarithms:
            floor, is_logarithmic = self._logarithms
            values = np.maximum(values, floor)
            np.log1p(values, out=values, where=is_logarithmic)
        low, high, centre, scale = self._scaler_rows
        # two calls cost less than one of clip, new arrays of one element less than old ones
        return np.asarray((np.minimum(np.maximum(values, low), high) - centre) * scale)

    def bin_inputs(self, filled: Matrix) -> Matrix:
        """Return what the bins of each of ``binned_features`` read, a new array.

        Of a date-time that is the seconds since midnight UTC.
        """
        inputs = filled.take(self.binned_features, axis=1)
        if len(self._binned_dates):
            inputs[:, self._binned_dates] %= DAY
        return inputs

    def encoded(
        self,
        matrix: Matrix,
        filled: Matrix,
        *,
        bins: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> Array:
        """Encode raw rows, given also completed; see :meth:`transform`."""
        parts: list[Array] = [self._scaled(filled)]
        if len(self.with_indicator):
            parts.append(np.isnan(matrix.take(self.with_indicator, axis=1)))
        if len(self.dates):
            parts.append(_calendar(filled.take(self.dates, axis=1)))
        if len(self.categorical):
            codes = np.minimum(filled.take(self.categorical, axis=1), self._last_codes)
            parts.append(codes == self.codes)
        if bins and len(self.binned):
            # clipped first: the quotient of a finite 1e300 and a narrow bin would overflow
            which = np.searchsorted(self.binned_features, self.binned)
            ramp = np.clip(self.bin_inputs(filled)[:, which], self.left, self._right)
            ramp -= self.left
            ramp /= self.width
            parts.append(ramp)
        if len(parts) == 1:
            return parts[0].astype(dtype)
        return np.concatenate(parts, axis=1, dtype=dtype, casting="unsafe")

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
            for rows in chunks(len(matrix), CHUNK_ROWS):
                encoded[rows] = self.transform(matrix[rows], bins=bins)
            return encoded
        return self.encoded(matrix, self.complete(matrix), bins=bins)

    def to_arrays(self) -> dict[str, Array]:
        """Return the fitted arrays by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Preprocessor:
        """Rebuild a preprocessing from its arrays.

        Raises
        ------
        ConfigurationError
            If one is missing.
        """
        try:
            names = [each.name for each in fields(cls)]
            return cls(**{n: arrays[n] for n in names if n in arrays or n not in _ADDED})
        except KeyError as error:
            raise ConfigurationError(f"the preprocessing lacks the array {error}") from None


_ADDED = frozenset({"elapsed", "moment"})  # arrays that older artifacts do not have


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
