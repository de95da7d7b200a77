"""From what single members say of rows they left out to what their mean would say of new rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def as_averaged(members: Array, folds: NDArray[np.intp], y: Array) -> Array:
    """Return logits of left-out rows, distributed as the mean of all members would be.

    A cross-fitted row is judged by the one member that left it out, a new row by the mean of K
    members. The mean spreads less: the variance of its noise is a K-th of one member's. How much
    that moves each quantile is measured where it can be seen, on the same rows as judged by the
    K − 1 members that did learn from them: from one of these to their mean the variance of the
    noise falls by 1 − 1/(K − 1); from the one that left the row out to all K by 1 − 1/K. Quantiles
    move in proportion to the variance where the noise is small. Each class moves by itself and
    keeps its ranks, so that no row gains from its label beyond what averaging gives its class.

    Parameters
    ----------
    members : ndarray (K, n), float64
        Logits of every member of every row.
    folds : ndarray (n,) of int
        Which member left the row out.
    y : ndarray (n,)

    Returns
    -------
    ndarray (n,)
        As the left-out member has it where K < 3: nothing shows what averaging does.
    """
    n_members, n_rows = members.shape
    left_out = members[folds, np.arange(n_rows)]
    if n_members < 3:
        return left_out
    mean = (members.sum(axis=0) - left_out) / (n_members - 1)
    step = (1 - 1 / n_members) / (1 - 1 / (n_members - 1))
    result = np.empty(n_rows)
    for label in (0, 1):
        rows = np.flatnonzero(y == label)
        if not len(rows):
            continue
        levels = (np.arange(len(rows)) + 0.5) / len(rows)
        have_learned = folds[rows] != np.arange(n_members)[:, None]
        single = np.concatenate(
            [of[rows[had]] for of, had in zip(members, have_learned, strict=True)]
        )
        moved = np.sort(mean[rows]) - np.quantile(single, levels, method="hazen")
        ranked = rows[np.argsort(left_out[rows], kind="stable")]
        result[ranked] = np.maximum.accumulate(left_out[ranked] + step * moved)
    return result
