"""How far one column alone tells frauds from legitimate rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats.contingency import association
from sklearn.metrics import roc_auc_score

from training.explore.moments import Moments, finite
from training.explore.values import FRAUD, LEGITIMATE

Counts = NDArray[np.int64]

FEWEST_FRAUDS = 10  # in each half, for a column to be judged alone
PRIOR_ROWS = 10.0  # of the average fraud rate that a bin's own is mixed with


def standardised_mean_difference(moments: Moments) -> float | None:
    """Return by how many standard deviations the mean of frauds lies above that of others.

    The deviation is the root of the mean of both classes' variances (Cohen's d for groups of any
    sizes). None where a class has fewer than two values, or nothing varies.
    """
    variances = [moments.variance(label) for label in (LEGITIMATE, FRAUD)]
    if None in variances or not sum(variances):
        return None
    apart = moments.mean[FRAUD] - moments.mean[LEGITIMATE]
    return finite(apart / np.sqrt(sum(variances) / 2))


def kolmogorov_smirnov(by_class: Counts) -> float | None:
    """Return the largest distance between the distribution functions of the two classes.

    Parameters
    ----------
    by_class : ndarray (bins, 3)
        Of values in order, missing ones left out. The distance is that at the edges of the bins.
    """
    totals = by_class.sum(axis=0)
    if not totals[LEGITIMATE] or not totals[FRAUD]:
        return None
    share = by_class[:, :2].cumsum(axis=0) / totals[:2]
    return float(np.abs(share[:, FRAUD] - share[:, LEGITIMATE]).max())


def cramers_v(by_class: Counts) -> float | None:
    """Return Cramér's V of category and class, bias corrected (Bergsma, 2013).

    None where there are fewer than two categories, or only one class.
    """
    table = by_class[:, :2]
    table = table[table.sum(axis=1) > 0]
    if min(table.shape) < 2 or not table.sum(axis=0).all():
        return None
    n_rows, (r, c) = table.sum(), table.shape
    phi = float(association(table, method="cramer")) ** 2 * min(r - 1, c - 1)
    phi = max(phi - (r - 1) * (c - 1) / (n_rows - 1), 0.0)
    r, c = (size - (size - 1) ** 2 / (n_rows - 1) for size in (r, c))
    smaller = min(r, c) - 1
    return float(np.sqrt(phi / smaller)) if smaller > 0 else None


def alone(counts: Counts, ordered: Counts | None = None) -> float | None:
    """Return the ROC-AUC of a column by itself, as an honest judge would find it.

    The rows of a bin score the fraud rate of that bin; the rate comes from one half of the rows,
    the AUC from the other, and both ways are averaged. So it does not matter whether fraud is
    found among high values, low values, both or some categories, and a column that only tells rows
    apart scores one half. Where bins have an order, their position is tried as a score as well,
    rising or falling as the other half has it; the better of the two counts.

    Parameters
    ----------
    counts : ndarray (bins, 3 classes, 2 halves)
        Few bins; that of missing values is one like any other.
    ordered : ndarray (more bins, 3 classes, 2 halves), optional
        Bins in order, that of missing values last.
    """
    if counts[:, :2].sum(axis=0).min() < FEWEST_FRAUDS:
        return None
    by_rate = np.mean([_area_by_rate(counts, judged) for judged in (0, 1)])
    if ordered is None:
        return float(by_rate)
    by_position = np.mean([_area_by_position(ordered, judged) for judged in (0, 1)])
    return float(max(by_rate, by_position))


def _area_by_rate(counts: Counts, judged: int) -> float:
    learned = counts[:, :, 1 - judged]
    rows, frauds = learned[:, :2].sum(axis=1), learned[:, FRAUD]
    average = frauds.sum() / rows.sum()
    rates = (frauds + PRIOR_ROWS * average) / (rows + PRIOR_ROWS)
    return _area(rates, counts[:, :, judged])


def _area_by_position(ordered: Counts, judged: int) -> float:
    positions = np.arange(len(ordered), dtype=np.float64)
    # a missing value says nothing: it lies in the middle
    rows = ordered[:-1, :2].sum(axis=(1, 2)).cumsum()
    positions[-1] = np.searchsorted(rows, rows[-1] / 2)
    area = _area(positions, ordered[:, :, judged])
    return area if _area(positions, ordered[:, :, 1 - judged]) >= 0.5 else 1 - area


def _area(scores: NDArray[np.float64], counts: Counts) -> float:
    """Return the AUC of rows that are counted by score and class."""
    labels = np.repeat((LEGITIMATE, FRAUD), len(scores))
    return float(roc_auc_score(labels, np.tile(scores, 2), sample_weight=counts[:, :2].T.ravel()))
