"""Folds for choosing settings, cut out of the rows before the test.

Each fold is a small copy of a run: rows to learn from, the delay, rows to judge by. The test rows
of a run with the same seed are in none of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.errors import ConfigurationError
from model.features import Matrix
from training.config import SplitConfig
from training.data import Table
from training.errors import SplitError
from training.split import Cut, Rows, hold_out_test, stratified_folds

FIRST_SHARE = 0.5  # of the rows before the test, that the first fold in time learns from at most


def cut_folds(
    table: Table,
    config: SplitConfig,
    n_folds: int,
    rng: np.random.Generator,
    *,
    needs_both_classes: bool = True,
) -> list[Cut]:
    """Cut the rows before the test into folds.

    With times the origin rolls: the newer half of the rows is divided into windows to judge by, and
    each fold learns from all rows that are older than its window by more than the delay. Without
    times, or at random, the folds are stratified and each judges the rows that the others learn
    from.

    Parameters
    ----------
    table : Table
        With labels.
    config : SplitConfig
    n_folds : int
        At least 2.
    rng : Generator
        In the state in which a run cuts its test rows off, so that they are the same.
    needs_both_classes : bool
        Whether both classes are needed to learn from too, as a classifier wants it.

    Returns
    -------
    list of Cut
        ``earlier`` to learn from, ``later`` to judge by; in the order of time.

    Raises
    ------
    ConfigurationError
        If there is no label, or fewer than two folds are asked for.
    SplitError
        If a fold would lack rows or one of the classes, or a delay is asked for without times.
    """
    if n_folds < 2:
        raise ConfigurationError(f"settings are chosen on at least 2 folds, got {n_folds}")
    if table.labels is None:
        raise ConfigurationError(
            "tuning needs labels to judge by, the autoencoder's too: name their column with --label"
        )
    cut = hold_out_test(table, config, rng)
    if config.how == "time" and table.times is not None:
        pairs = _rolling(cut.earlier, table.times, config.delay_seconds, n_folds)
        note = "by time, the origin rolling"
    else:
        if config.delay_seconds:
            raise SplitError("a delay needs a split by time and a time column: --split, --time")
        fold = stratified_folds(table.labels[cut.earlier], n_folds, rng)
        numbers = range(n_folds)
        pairs = [(cut.earlier[fold != number], cut.earlier[fold == number]) for number in numbers]
        note = "at random, each class alike"
    development_share = 1 - config.test_share
    folds = [
        Cut(earlier, later, round(len(earlier) / development_share), note)
        for earlier, later in pairs
    ]
    _check_classes([fold.later for fold in folds], table.labels, "judge by")
    if needs_both_classes:
        _check_classes([fold.earlier for fold in folds], table.labels, "learn from")
    return folds


def _rolling(
    ordered: Rows, times: Matrix, delay_seconds: float, n_folds: int
) -> list[tuple[Rows, Rows]]:
    start = round(FIRST_SHARE * len(ordered))
    pairs = []
    for window in np.array_split(ordered[start:], n_folds):
        older = ordered[times[ordered] < times[window].min(initial=np.inf) - delay_seconds]
        pairs.append((older, window))
    return pairs


def _check_classes(parts: list[Rows], labels: NDArray[np.int64], use: str) -> None:
    counts = [np.bincount(labels[rows], minlength=2).tolist() for rows in parts]
    for number, (n_legitimate, n_frauds) in enumerate(counts, start=1):
        if not (n_legitimate and n_frauds):
            listing = ", ".join(str(frauds) for _, frauds in counts)
            raise SplitError(
                f"fold {number} of {len(parts)} has {n_legitimate} legitimate and {n_frauds} "
                f"fraudulent rows to {use}, both are needed (frauds by fold: {listing}); use "
                "fewer --folds, a lower --delay, --split random, or a table with more frauds"
            )
