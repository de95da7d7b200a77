"""How the demonstrations train: the loop of all runs, without rows held out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.network import Network
from training.config import LearningConfig
from training.fit import Figures, fit
from training.row_order import batches_of, row_order

Array = NDArray[Any]


def learn(
    network: Network,
    X: Array,
    targets: Array,
    config: LearningConfig,
    rng: np.random.Generator,
    on_epoch: Callable[[int, Figures], None] | None = None,
) -> None:
    """Train a network in place, every row once an epoch.

    Parameters
    ----------
    network : Network
    X : ndarray (n, F)
    targets : ndarray (n,) or (n, F)
    config : LearningConfig
    rng : Generator
        Source of the row order.
    on_epoch : callable, optional
        Called with the epoch, from 1, and its figures.
    """
    fit(
        network,
        X,
        targets,
        config,
        rng,
        batches=lambda order: batches_of(row_order(X, order), config.batch_size),
        on_epoch=on_epoch,
    )


def losses_of(logits: Array, y: Array) -> Array:
    """Return the cross-entropy of each member's logits, (K, n) or (n,), as (K,) or ()."""
    return np.asarray((np.logaddexp(0, logits) - y * logits).mean(axis=-1))


def accuracies_of(logits: Array, y: Array) -> Array:
    """Return the share of rows on the right side of p = 0.5, of each member."""
    return np.asarray(((logits >= 0) == y).mean(axis=-1))
