"""Average precision under many weightings of the same rows: sorted once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Ranking:
    """Rows in the order of their scores, for all draws of a bootstrap.

    Parameters
    ----------
    y : ndarray (n,)
        0 or 1.
    scores : ndarray (n,)
    """

    def __init__(self, y: Array, scores: Array) -> None:
        self._order = np.argsort(-scores, kind="stable")
        descending = scores[self._order]
        self._ends = np.flatnonzero(np.append(descending[1:] != descending[:-1], True))
        self._y = y[self._order]

    def average_precision(self, weights: Array) -> float:
        """Return what scikit-learn's ``average_precision_score`` does with these weights."""
        drawn = weights[self._order]
        caught = np.cumsum(drawn * self._y)[self._ends]
        flagged = np.cumsum(drawn)[self._ends]
        gained = np.diff(caught, prepend=0)
        return float((gained * caught / np.maximum(flagged, 1)).sum() / caught[-1])
