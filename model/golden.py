"""Golden rows: synthetic transactions by which an artifact proves that it scores as it did."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import count
from math import isnan
from typing import Any

import numpy as np

from model.cells import EPOCH
from model.errors import FeatureError
from model.features import Feature, FeatureSpec, Matrix

N_ROWS = 64
NULL_SHARE = 0.2
UNUSUAL_SHARE = 0.2  # rows drawn from the whole range seen rather than the typical one
CATEGORY_SHARE = 0.75  # most of the rows that hold a category because every one is to be there

Transaction = dict[str, Any]


def golden_rows(spec: FeatureSpec, rng: np.random.Generator, n_rows: int = N_ROWS) -> Matrix:
    """Draw rows from what the specification says of each feature; none is a row of the data.

    Missing values where they may occur, and the unseen category, are among them, and every known
    category of a feature that has no more than 47 (of 64 rows).

    Parameters
    ----------
    spec : FeatureSpec
        Measured.
    rng : Generator
    n_rows : int

    Returns
    -------
    ndarray (n_rows, F), float64
    """
    return np.column_stack([_column(feature, rng, n_rows) for feature in spec.features])


def _column(feature: Feature, rng: np.random.Generator, n_rows: int) -> Matrix:
    if feature.kind == "categorical":
        last = feature.pooled if feature.rare else feature.other
        cells = rng.integers(0, last + 1, n_rows).astype(np.float64)
    elif feature.kind == "boolean":
        cells = rng.integers(0, 2, n_rows).astype(np.float64)
    else:
        seen = feature.seen or (feature.central, feature.central)
        typical = rng.uniform(*(feature.typical or seen), n_rows)
        cells = np.where(rng.random(n_rows) < UNUSUAL_SHARE, rng.uniform(*seen, n_rows), typical)
    if feature.nullable:
        cells[rng.random(n_rows) < NULL_SHARE] = np.nan
    if feature.kind == "categorical":  # chance may leave one out among many
        codes = np.arange(feature.other, -1, -1)[: max(1, int(CATEGORY_SHARE * n_rows))]
        cells[rng.permutation(n_rows)[: len(codes)]] = codes
    return cells


def golden_transactions(spec: FeatureSpec, rows: Matrix) -> tuple[list[Transaction], Matrix]:
    """Return rows as a client would send them, and as they are read from that.

    A row that cannot be sent is left out: a date that is drawn may be one that stands for never.
    Rare categories, of which no texts are kept, are sent as unseen ones; missing values as null and
    as the words that mean missing, in turn.

    Parameters
    ----------
    spec : FeatureSpec
    rows : ndarray (n, F)

    Returns
    -------
    list of dict, ndarray (≤ n, F)
    """
    sent = [_transaction(spec, row, number) for number, row in enumerate(rows.tolist())]
    while True:
        try:
            return sent, spec.matrix_from_rows(sent)
        except FeatureError as error:  # which names at most 100 rows
            sent = [each for number, each in enumerate(sent) if number not in error.problems]


def _transaction(spec: FeatureSpec, row: Iterable[float], number: int) -> Transaction:
    transaction: Transaction = dict.fromkeys(spec.id_keys, f"golden-{number}")
    absent = [None, *spec.missing][number % (len(spec.missing) + 1)]
    for feature, cell in zip(spec.features, row, strict=True):
        transaction[feature.name] = absent if isnan(cell) else _value(feature, cell)
    return transaction


def _value(feature: Feature, cell: float) -> Any:
    """Return a cell as JSON has it, within the declared bounds."""
    if feature.kind == "boolean":
        return cell == 1
    if feature.kind == "categorical":
        return feature.categories[int(cell)] if cell < feature.other else _unseen(feature)
    if feature.kind == "datetime":
        return (EPOCH + timedelta(seconds=cell)).isoformat()
    low = cell if feature.minimum is None else max(cell, feature.minimum)
    return low if feature.maximum is None else min(low, feature.maximum)


def _unseen(feature: Feature) -> str:
    """Return a text that is no category, nor a rare one."""
    texts = (f"unseen {number}" for number in count())
    return next(text for text in texts if feature.codes[text] == feature.other)
