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
        return None if n < 2 else float(self.squares[label]) / (n - 1)

    def of_all(self) -> tuple[float, float | None]:
        """Return mean and standard deviation of all classes together; at least one value."""
        n = self.n.sum()
        mean = float((self.n * self.mean).sum() / n)
        squares = float((self.squares + self.n * (self.mean - mean) ** 2).sum())
        return mean, None if n < 2 else float(np.sqrt(squares / (n - 1)))
