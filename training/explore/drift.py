"""Whether a column changes between the first and the last fifth: the population stability index.

The index of two samples of one population is not zero: it is about (1/n + 1/m) times a chi-square
variable of B - 1 degrees of freedom (Yurdakul, 2018, "Statistical properties of the population
stability index"). So a change is told only where the index exceeds what chance gives with so many
rows, and is large enough to matter as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

Verdict = Literal["stable", "moderate", "major"]

MODERATE, MAJOR = 0.1, 0.25  # the usual limits
CHANCE = 0.01  # of any false alarm, over all columns together
HALF_A_ROW = 0.5  # added to each bin: an empty one gives no infinite index
FEWEST_ROWS = 20  # of each era, for anything to be said
MOST_CATEGORIES = 10  # of the first fifth that have a bin of their own


@dataclass(frozen=True)
class Drift:
    """The change of a column.

    Attributes
    ----------
    psi : float
    critical : float
        What chance alone exceeds rarely.
    bins : int
    """

    psi: float
    critical: float
    bins: int

    @property
    def verdict(self) -> Verdict:
        """How much it matters."""
        if self.psi <= max(self.critical, MODERATE):
            return "stable"
        return "major" if self.psi > MAJOR else "moderate"


def drift(first: NDArray[np.int64], last: NDArray[np.int64], n_columns: int) -> Drift | None:
    """Return the drift between counts of the same bins; None where rows are too few.

    Parameters
    ----------
    first, last : ndarray (bins,)
    n_columns : int
        That are tested: the more, the rarer each may raise a false alarm.
    """
    is_used = first + last > 0
    first, last = first[is_used], last[is_used]
    n, m = int(first.sum()), int(last.sum())
    if min(n, m) < FEWEST_ROWS:
        return None
    p, q = ((own + HALF_A_ROW) / (own + HALF_A_ROW).sum() for own in (first, last))
    psi = float(((p - q) * np.log(p / q)).sum())
    if len(first) < 2:
        return Drift(psi, 0.0, len(first))
    critical = (1 / n + 1 / m) * float(chi2.isf(CHANCE / max(n_columns, 1), len(first) - 1))
    return Drift(psi, critical, len(first))


def joined_categories(by_era: NDArray[np.int64], first: int) -> NDArray[np.int64]:
    """Return counts with all but the most frequent categories of an era as one.

    Parameters
    ----------
    by_era : ndarray (categories, eras)
    first : int
        The era that says which are frequent.
    """
    order = np.argsort(-by_era[:, first], kind="stable")
    kept, rest = order[:MOST_CATEGORIES], order[MOST_CATEGORIES:]
    return np.vstack([by_era[kept], by_era[rest].sum(axis=0)])
