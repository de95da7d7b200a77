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


def alone(counts: NDArray[np.int64]) -> float | None:
    """Return the ROC-AUC of a column by itself, as an honest judge would find it.

    The rows of a bin score the fraud rate of that bin; the rate comes from one half of the rows,
    the AUC from the other, and both ways are averaged. So it does not matter whether fraud is
    found among high values, low values, both or some categories, and a column that only tells rows
    apart scores one half.

    Parameters
    ----------
    counts : ndarray (bins, 3 classes, 2 halves)
        That of missing values is a bin like any other.
    """
    own = counts[:, :2].astype(np.float64)
    if own.sum(axis=0).min() < FEWEST_FRAUDS:
        return None
    areas = []
    for learned, judged in ((0, 1), (1, 0)):
        rows, frauds = own[:, :, learned].sum(axis=1), own[:, FRAUD, learned]
        average = frauds.sum() / rows.sum()
        rate = (frauds + PRIOR_ROWS * average) / (rows + PRIOR_ROWS)
        labels = np.repeat((LEGITIMATE, FRAUD), len(rate))
        weights = own[:, :, judged].T.ravel()
        areas.append(roc_auc_score(labels, np.tile(rate, 2), sample_weight=weights))
    return float(np.mean(areas))
