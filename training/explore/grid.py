"""Where a column's values are cut into bins.

One fine grid for each column, chosen from the sample; rows are then counted in its bins, all of
them. Every coarser view (the bars of a plot, the deciles of a drift test) joins whole bins, so that
its counts are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.features import Matrix

MOST_VALUES = 1024  # different ones in the sample up to which each has a bin of its own
FINE, COARSE, REFERENCE = 512, 20, 10  # quantiles
MOST_BARS_OF_VALUES = 20
BARS = 30
TAIL = 0.005  # of the rows, each side: joined in the outermost bars
SKEWED = 20.0  # upper tail over median from which bars are as wide as their decade
LARGEST_WHOLE = 2.0**53  # up to which floats tell whole numbers apart
SMALLEST = 1e-9  # of the upper tail: where a logarithmic axis begins at the latest


@dataclass(frozen=True)
class Grid:
    """Bins of a numeric column: bin k holds ``edges[k - 1] <= x < edges[k]``.

    Attributes
    ----------
    edges : ndarray (m,)
        Rising; there are m + 1 bins, and one more for missing values.
    bars : ndarray (b + 1,)
        Edges of the bars of a plot, some of ``edges``; what lies beyond counts in the outermost.
    coarse : ndarray
        Some of ``edges``: about twenty bins of equal size, of all rows and of frauds.
    reference : ndarray
        Some of ``edges``: about ten bins of equal size of the earliest rows.
    values : ndarray or None
        All values, where there are few: every bar is one of them.
    is_logarithmic : bool
        Whether bars get wider with the values.
    """

    edges: Matrix
    bars: Matrix
    coarse: Matrix
    reference: Matrix
    values: Matrix | None
    is_logarithmic: bool

    @property
    def n_bins(self) -> int:
        """How many bins there are, that of missing values included."""
        return len(self.edges) + 2

    def bins_of(self, values: Matrix) -> NDArray[np.intp]:
        """Return the bin of each value; NaN is in the last."""
        bins = np.searchsorted(self.edges, values, side="right")
        bins[np.isnan(values)] = self.n_bins - 1
        return bins

    def joined(self, counts: NDArray[np.int64], edges: Matrix) -> NDArray[np.int64]:
        """Return counts by fine bin, those of missing values left out, as counts by wider ones.

        Parameters
        ----------
        counts : ndarray (n_bins, …)
        edges : ndarray (k,)
            Some of ``edges``.

        Returns
        -------
        ndarray (k + 1, …)
        """
        group = np.append(0, np.searchsorted(edges, self.edges, side="right"))
        result = np.zeros((len(edges) + 1, *counts.shape[1:]), counts.dtype)
        np.add.at(result, group, counts[:-1])
        return result


def grid_of(values: Matrix, frauds: Matrix, earliest: Matrix) -> Grid:
    """Return the grid for the values of a sample.

    Parameters
    ----------
    values, frauds, earliest : ndarray
        Of sampled rows, of sampled frauds, of those sampled rows that drift is measured against;
        without missing values.
    """
    both = np.concatenate([values, frauds])
    distinct = np.unique(both)
    if not len(distinct):
        nothing = np.empty(0)
        return Grid(nothing, np.array([0.0, 1.0]), nothing, nothing, None, False)
    few = distinct if len(distinct) <= MOST_BARS_OF_VALUES else None
    if few is not None:
        bars, is_logarithmic = np.append(distinct, _beyond(distinct[-1:])), False
        coarse = reference = distinct[1:]
    else:
        bars, is_logarithmic = _bars(values, frauds)
        coarse = np.union1d(_quantiles(values, COARSE), _quantiles(frauds, COARSE))
        reference = _inner_quantiles(earliest if len(earliest) else both, REFERENCE)
    if len(distinct) <= MOST_VALUES:
        fine = distinct
    else:
        fine = np.union1d(_quantiles(values, FINE), _quantiles(frauds, FINE))
    edges = np.unique(np.concatenate([fine, bars, coarse, reference]))
    return Grid(edges, bars, coarse, reference, few, is_logarithmic)


def _beyond(values: Any) -> Any:
    """Return the next larger numbers; behind the largest of all there is infinity."""
    with np.errstate(over="ignore"):
        return np.nextafter(values, np.inf)


def _inner_quantiles(values: Matrix, n: int) -> Matrix:
    """Return the values between n parts; one that fills a part alone gets an end as well."""
    return _cuts(values, np.linspace(0, 1, n + 1)[1:-1])


def _quantiles(values: Matrix, n: int) -> Matrix:
    """Return the values between n parts, the least, and one beyond the largest."""
    if not len(values):
        return values
    return np.union1d(_cuts(values, np.linspace(0, 1, n + 1)), _beyond(values.max()))


def _cuts(values: Matrix, shares: Matrix) -> Matrix:
    # values that are there, not between two of them: equal ones stay together
    cuts, times = np.unique(np.quantile(values, shares, method="inverted_cdf"), return_counts=True)
    return np.union1d(cuts, _beyond(cuts[times > 1]))


def _bars(values: Matrix, frauds: Matrix) -> tuple[Matrix, bool]:
    """Return the edges of bars, equally wide or growing, and which of the two."""
    groups = [group for group in (values, frauds) if len(group)]
    ends = [np.quantile(group, (TAIL, 1 - TAIL), method="inverted_cdf") for group in groups]
    low, high = float(min(end[0] for end in ends)), float(max(end[1] for end in ends))
    if low >= high:
        low, high = (float(end(np.concatenate(groups))) for end in (np.min, np.max))
    positive = values[values > 0]
    is_skewed = low >= 0 and len(positive) > 0 and high > SKEWED * float(np.median(positive))
    if is_skewed:
        low = max(low, float(np.quantile(positive, TAIL)), SMALLEST * high)
        with np.errstate(over="ignore"):  # it sets its last number right
            return np.geomspace(low, high, BARS + 1), True
    if 1 < high - low < LARGEST_WHOLE and all((group == np.floor(group)).all() for group in groups):
        width = np.ceil((high - low + 1) / BARS)  # as many whole numbers in each
        return np.arange(low, high + width + 1, width) - 0.5, False
    with np.errstate(over="ignore"):  # as above; half of a span is never too wide
        return np.linspace(low / 2, high / 2, BARS + 1) * 2, False
