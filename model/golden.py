"""Golden rows: synthetic transactions by which an artifact proves that it scores as it did."""

from __future__ import annotations

import numpy as np

from model.features import Feature, FeatureSpec, Matrix

N_ROWS = 64
NULL_SHARE = 0.2
UNUSUAL_SHARE = 0.2  # rows drawn from the whole range seen rather than the typical one


def golden_rows(spec: FeatureSpec, rng: np.random.Generator, n_rows: int = N_ROWS) -> Matrix:
    """Draw rows from what the specification says of each feature; none is a row of the data.

    Missing values where they may occur, and the unseen category, are among them.

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
    if feature.kind == "categorical":
        cells[rng.integers(n_rows)] = feature.other  # chance may leave it out among many
    return cells
