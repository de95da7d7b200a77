"""All rows of a table counted: each column by bin, class, era and half of the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.features import Matrix
from training.explore.eras import N_ERAS, Eras
from training.explore.grid import Grid, grid_of
from training.explore.layout import Column, Layout
from training.explore.moments import N_CLASSES, Moments
from training.explore.repeats import Repeats
from training.explore.sample import Samples, priorities
from training.explore.values import UNLABELLED, codes_of, numbers_in

N_HALVES = 2  # what one half of the rows suggests is judged on the other
HOURS, WEEKDAYS = 24, 7
UNCOUNTED = ("empty", "refused", "other")
SECONDS_OF_HOUR, SECONDS_OF_DAY = 3600, 86_400
EPOCH_WEEKDAY = 3  # 1970 began on a Thursday; Monday is 0


@dataclass
class ColumnTally:
    """What all rows of a column hold.

    Attributes
    ----------
    column : Column
    grid : Grid or None
        Of numbers and date-times.
    moments : Moments or None
        Of numbers and date-times.
    counts : ndarray (bins, 3 classes, 3 eras, 2 halves) of int
        The last bin is of missing values; that before it, of a category, of all rarer ones.
    """

    column: Column
    grid: Grid | None
    moments: Moments | None
    counts: NDArray[np.int64]

    @property
    def n_unreadable(self) -> int:
        """Values that are there but are no finite number."""
        return 0 if self.grid is None else int(self.counts[-1].sum()) - self.column.n_missing

    @property
    def by_class(self) -> NDArray[np.int64]:
        """Counts (bins, classes)."""
        return self.counts.sum(axis=(2, 3))

    @property
    def by_era(self) -> NDArray[np.int64]:
        """Counts (bins, eras)."""
        return self.counts.sum(axis=(1, 3))


@dataclass
class Tally:
    """What all rows of a table hold.

    Attributes
    ----------
    columns : mapping of str to ColumnTally
        All but the label and what cannot be counted; of an identifier only what is missing counts.
    rows : ndarray (3 classes, 3 eras) of int
    hours, weekdays : ndarray (24 or 7, 3 classes) of int
        Of a time column that holds date-times.
    repeats : Repeats
    """

    columns: Mapping[str, ColumnTally]
    rows: NDArray[np.int64]
    hours: NDArray[np.int64]
    weekdays: NDArray[np.int64]
    repeats: Repeats


def tally(
    blocks: Iterable[pd.DataFrame], layout: Layout, samples: Samples, eras: Eras, seed: int
) -> Tally:
    """Count the rows of a table, given in blocks."""
    result = Tally(
        columns={
            column.name: _empty(column, samples, eras)
            for column in layout.columns
            if column.kind not in UNCOUNTED and column.name != layout.label
        },
        rows=np.zeros((N_CLASSES, N_ERAS), np.int64),
        hours=np.zeros((HOURS, N_CLASSES), np.int64),
        weekdays=np.zeros((WEEKDAYS, N_CLASSES), np.int64),
        repeats=Repeats(layout),
    )
    has_dates = layout.time is not None and layout.column(layout.time).kind == "datetime"
    start = 0
    for frame in blocks:
        rows = slice(start, start + len(frame))
        classes = (
            np.full(len(frame), UNLABELLED, np.int8)
            if layout.label is None
            else frame[layout.label].to_numpy()
        )
        cells = {column.name: frame[column.name].to_numpy() for column in layout.columns}
        era = eras.of(rows, cells)
        half = (priorities(seed, start, len(frame)) * 2**20).astype(np.int64) % N_HALVES
        place = (classes * N_ERAS + era) * N_HALVES + half
        for name, own in result.columns.items():
            _add(own, cells[name], classes, place)
        np.add.at(result.rows, (classes, era), 1)
        if has_dates:
            _add_calendar(result, cells[layout.time], classes)
        result.repeats.add(cells, classes)
        start = rows.stop
    return result


def _empty(column: Column, samples: Samples, eras: Eras) -> ColumnTally:
    if column.has_texts:
        grid = moments = None
        n_bins = len(column.categories) + 2
    else:
        values = numbers_in(samples.rows, column.name)
        frauds = np.empty(0)
        if samples.frauds is not None:
            frauds = numbers_in(samples.frauds, column.name)
        earliest = values[eras.is_earliest]
        grid = grid_of(*(own[~np.isnan(own)] for own in (values, frauds, earliest)))
        moments, n_bins = Moments(), grid.n_bins
    counts = np.zeros((n_bins, N_CLASSES, N_ERAS, N_HALVES), np.int64)
    return ColumnTally(column, grid, moments, counts)


def _add(
    own: ColumnTally,
    cells: Any,
    classes: NDArray[np.int8],
    place: NDArray[np.int64],
) -> None:
    if own.grid is None or own.moments is None:
        bins = codes_of(cells, pd.Index(own.column.categories, dtype=object))
        bins[bins < 0] = len(own.counts) - 1
    else:
        bins = own.grid.bins_of(cells)
        own.moments.add(cells, classes)
    per_bin = own.counts[0].size
    found = np.bincount(bins * per_bin + place, minlength=own.counts.size)
    own.counts += found.reshape(own.counts.shape)


def _add_calendar(result: Tally, seconds: Matrix, classes: NDArray[np.int8]) -> None:
    is_known = ~np.isnan(seconds)
    moments, known = seconds[is_known].astype(np.int64), classes[is_known]
    np.add.at(result.hours, (moments // SECONDS_OF_HOUR % HOURS, known), 1)
    weekday = (moments // SECONDS_OF_DAY + EPOCH_WEEKDAY) % WEEKDAYS
    np.add.at(result.weekdays, (weekday, known), 1)
