"""The first and the last fifth of a table in time, between which drift is looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.explore.layout import Layout
from training.explore.sample import Samples
from training.explore.values import numbers_in

FIFTH = 0.2
FIRST, BETWEEN, LAST = 0, 1, 2
N_ERAS = 3


@dataclass(frozen=True)
class Eras:
    """Where the first fifth ends and the last begins.

    Attributes
    ----------
    time : str or None
        Column that orders the rows; None: their order in the file.
    ends, begins : float
        The last of the first fifth and the last before the last fifth: times, or row numbers.
    is_earliest : ndarray of bool
        Which sampled rows are of the first fifth.
    """

    time: str | None
    ends: float
    begins: float
    is_earliest: NDArray[np.bool_]

    def of(self, rows: slice, cells: Mapping[str, Any]) -> NDArray[np.int64]:
        """Return the era of some rows; those without a time belong to none of the two."""
        position = np.arange(rows.start, rows.stop) if self.time is None else cells[self.time]
        era = np.full(len(position), BETWEEN)
        era[position <= self.ends] = FIRST
        era[position > self.begins] = LAST
        return era


def eras_of(layout: Layout, samples: Samples) -> Eras:
    """Return the eras of a table: exact where its sample is whole, and by row order always."""
    if layout.time is None:
        ends, begins = FIFTH * layout.n_rows - 1, (1 - FIFTH) * layout.n_rows - 1
        return Eras(None, ends, begins, samples.rows.index.to_numpy() <= ends)
    times = numbers_in(samples.rows, layout.time)
    known = times[~np.isnan(times)]
    if not len(known):
        return Eras(layout.time, -np.inf, np.inf, np.zeros(len(times), bool))
    ends, begins = np.quantile(known, (FIFTH, 1 - FIFTH), method="inverted_cdf").tolist()
    if ends >= begins:  # nearly all rows are of one moment: there is no first and no last fifth
        ends, begins = -np.inf, np.inf
    return Eras(layout.time, ends, begins, times <= ends)
