"""Count, mean and spread of each class's values, added up block by block."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.features import Matrix

N_CLASSES = 3  # legitimate, fraud, unlabelled


class Moments:
    """What is known of the values of a column, by class.

    Attributes
    ----------
    n, mean, squares, low, high : ndarray (3,)
        Number, mean, sum of squared deviations, least and largest value.
    n_zero, n_negative : int
    """

    def __init__(self) -> None:
        self.n = np.zeros(N_CLASSES, np.int64)
        self.mean, self.squares = np.zeros(N_CLASSES), np.zeros(N_CLASSES)
        self.low, self.high = np.full(N_CLASSES, np.inf), np.full(N_CLASSES, -np.inf)
        self.n_zero = self.n_negative = 0

    def add(self, values: Matrix, classes: NDArray[np.int8]) -> None:
        """Add the next rows; NaN is missing."""
        for label in range(N_CLASSES):
            own = values[classes == label]
            own = own[~np.isnan(own)]
            if len(own):
                with np.errstate(over="ignore", invalid="ignore"):  # of 1e300: there is no figure
                    self._merge(label, own)
        self.n_zero += int((values == 0).sum())
        self.n_negative += int((values < 0).sum())

    def _merge(self, label: int, own: Matrix) -> None:
        # Chan, Golub & LeVeque (1983), "Algorithms for computing the sample variance": (2.1)
        mean, before, n_new = float(own.mean()), self.n[label], len(own)
        apart, n = mean - self.mean[label], before + n_new
        self.squares[label] += ((own - mean) ** 2).sum() + apart**2 * before * n_new / n
        self.mean[label] += apart * n_new / n
        self.n[label] = n
        self.low[label] = min(self.low[label], own.min())
        self.high[label] = max(self.high[label], own.max())

    def variance(self, label: int) -> float | None:
        """Return the unbiased variance of a class; None of fewer than two values."""
        n = int(self.n[label])
        return None if n < 2 else finite(self.squares[label] / (n - 1))

    def mean_of(self, *labels: int) -> float | None:
        """Return the mean of some classes together; None where they have no values."""
        rows, total = self.n[[*labels]].sum(), self.total_of(*labels)
        return total / int(rows) if rows and total is not None else None

    def total_of(self, *labels: int) -> float | None:
        """Return the sum of some classes together."""
        with np.errstate(over="ignore", invalid="ignore"):
            return finite((self.n * self.mean)[[*labels]].sum())


def finite(value: float) -> float | None:
    """Return a number, or None where it is too large for one."""
    return float(value) if np.isfinite(value) else None
