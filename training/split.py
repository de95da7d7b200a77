"""Dividing rows: each part has one use, and no row is in two.

Train fits the weights, validation A stops early, validation B calibrates and sets thresholds, test
is read once. Where frauds are few the members are cross-fitted instead: each leaves out another
fold of all rows but the test's, and what the members say of the folds they left out takes the
place of both validation parts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.config import SplitConfig
from training.data import Table
from training.errors import SplitError

Rows = NDArray[np.intp]

FEW_FRAUDS = 1000  # among the rows before the test; below, 'auto' cross-fits


@dataclass(frozen=True)
class Split:
    """Row numbers of each part, ascending: a file is read in its order.

    Attributes
    ----------
    train, validation_a, validation_b, test : ndarray of int
    folds : ndarray (len(train),) of int, or None
        Cross-fitted: the fold of each training row; both validation parts are then empty.
    note : str
        How the rows were divided, in words.
    """

    train: Rows
    validation_a: Rows
    validation_b: Rows
    test: Rows
    folds: NDArray[np.intp] | None
    note: str

    def __post_init__(self) -> None:
        parts = np.concatenate([self.train, self.validation_a, self.validation_b, self.test])
        if len(np.unique(parts)) != len(parts):
            raise SplitError("the parts of a split overlap")

    def parts(self) -> dict[str, Rows]:
        """Return the parts that have rows, by name."""
        rows = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _NO_PARTS}
        return {name: part for name, part in rows.items() if len(part)}


_NO_PARTS = ("folds", "note")


@dataclass(frozen=True)
class Cut:
    """Rows to learn from, and rows that nothing is learned from.

    Attributes
    ----------
    earlier, later : ndarray of int
        Row numbers in order; those of the delay between them belong to neither.
    n_rows : int
        What ``validation_share`` is a share of.
    note : str
        How the rows were ordered, in words.
    """

    earlier: Rows
    later: Rows
    n_rows: int
    note: str


def split(
    table: Table,
    config: SplitConfig,
    n_members: int,
    rng: np.random.Generator,
    *,
    needs_both_classes: bool = True,
) -> Split:
    """Divide the rows of a table.

    Parameters
    ----------
    table : Table
    config : SplitConfig
    n_members : int
        Folds of a cross-fit; a single network cannot be cross-fitted.
    rng : Generator
    needs_both_classes : bool
        Whether every part must hold frauds and legitimate rows, as a classifier wants it.

    Raises
    ------
    SplitError
        If a part would lack rows or one of the classes, or a delay is asked for without times.
    """
    cut = hold_out_test(table, config, rng)
    return divide(table, cut, config, n_members, rng, needs_both_classes=needs_both_classes)


def hold_out_test(table: Table, config: SplitConfig, rng: np.random.Generator) -> Cut:
    """Order the rows and cut the test rows off, and those of the delay before them.

    Raises
    ------
    SplitError
        If a delay is asked for without times.
    """
    if config.how == "random":
        order, note = _stratified_order(table.classes, rng), "at random, each class alike"
    elif table.times is not None:
        order, note = np.argsort(table.times, kind="stable"), "by time"
    else:
        order, note = np.arange(len(table)), "by row order, for want of a time column"
    end = len(order) - round(config.test_share * len(order))
    development, test = order[:end], order[end:]
    return Cut(_before(development, test, table, config), test, len(order), note)


def divide(
    table: Table,
    cut: Cut,
    config: SplitConfig,
    n_members: int,
    rng: np.random.Generator,
    *,
    needs_both_classes: bool = True,
) -> Split:
    """Divide the earlier rows of a cut between training and validation; see :func:`split`."""
    labels, development = table.classes, cut.earlier
    if _is_cross_fitted(config, int(labels[development].sum()), n_members, table):
        train, empty = np.sort(development), np.empty(0, np.intp)
        folds = stratified_folds(labels[train], n_members, rng)
        note = f"{cut.note}; {n_members} folds"
        result = Split(train, empty, empty, np.sort(cut.later), folds, note)
    else:
        n_validation = round(config.validation_share * cut.n_rows)
        if not n_validation:
            raise SplitError("without validation rows nothing can be calibrated: validation_share")
        train, validation = development[:-n_validation], development[-n_validation:]
        train = _before(train, validation, table, config)
        half = len(validation) // 2
        parts = (train, validation[:half], validation[half:], cut.later)
        result = Split(*map(np.sort, parts), folds=None, note=cut.note)
    _check_rows(result)
    if table.labels is not None and needs_both_classes:
        _check_classes(result, labels)
    return result


def _is_cross_fitted(config: SplitConfig, n_frauds: int, n_members: int, table: Table) -> bool:
    if config.validation == "cross_fit":
        if n_members < 2:
            raise SplitError("cross-fitting needs at least two members: network.members")
        return True
    few = n_frauds < FEW_FRAUDS and table.labels is not None
    return config.validation == "auto" and n_members > 1 and few


def _stratified_order(labels: NDArray[Any], rng: np.random.Generator) -> Rows:
    """Return a random order in which every stretch has both classes in proportion."""
    position = np.empty(len(labels))
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        position[rows] = (np.arange(len(rows)) + rng.random()) / len(rows)
    return np.argsort(position, kind="stable")


def _before(earlier: Rows, later: Rows, table: Table, config: SplitConfig) -> Rows:
    """Drop the rows of the delay: those too close to the next part to have their labels."""
    if not config.delay_seconds or not len(later):
        return earlier
    if config.how == "random" or table.times is None:
        raise SplitError("a delay needs a split by time and a time column: --split, --time")
    start = table.times[later].min()
    return earlier[table.times[earlier] < start - config.delay_seconds]


def stratified_folds(
    labels: NDArray[Any], n_folds: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return a fold for each row at random, each class spread evenly."""
    folds = np.empty(len(labels), np.intp)
    for label in (0, 1):
        rows = rng.permutation(np.flatnonzero(labels == label))
        folds[rows] = np.arange(len(rows)) % n_folds
    return folds


def _check_rows(result: Split) -> None:
    needed = ["train"] if result.folds is not None else ["train", "validation_a", "validation_b"]
    for name in needed:
        if not len(getattr(result, name)):
            raise SplitError(
                f"no rows are left for {name}: lower the delay, test_share or validation_share"
            )


def _check_classes(result: Split, labels: NDArray[Any]) -> None:
    counts = {
        name: (int((labels[rows] == 0).sum()), int((labels[rows] == 1).sum()))
        for name, rows in result.parts().items()
    }
    needed = 2 if result.folds is not None else 1
    for name, (n_legitimate, n_frauds) in counts.items():
        least = needed if name == "train" else 1
        if n_frauds < least or n_legitimate < least:
            listing = ", ".join(f"{part} {frauds}" for part, (_, frauds) in counts.items())
            raise SplitError(
                f"{name} has {n_legitimate} legitimate and {n_frauds} fraudulent rows, at least "
                f"{least} of each are needed (frauds by part: {listing}); use a table with more "
                "frauds, --split random, or other shares"
            )
