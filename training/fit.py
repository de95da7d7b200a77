"""The production loop over the one training primitive of :mod:`model.network`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.component import Workspace
from model.network import Network
from model.optimizers import SGD, Adam, AdamW
from training.blocks import blocks
from training.config import LearningConfig
from training.errors import DivergedError
from training.schedules import learning_rate_factor

Array = NDArray[Any]
Figures = dict[str, float]


@dataclass
class History:
    """What happened, epoch by epoch.

    Attributes
    ----------
    epochs : list of dict
        ``loss`` (training, a row and member), ``gradient_norm``, ``learning_rate``, and the figures
        of the evaluation.
    best_epoch : int
        The epoch whose weights the network has now, from 1.
    stopped_early : bool
    """

    epochs: list[Figures] = field(default_factory=list)
    best_epoch: int = 0
    stopped_early: bool = False


@np.errstate(over="ignore", invalid="ignore")  # a run that diverges is told by DivergedError
def fit(
    network: Network,
    X: Array,
    targets: Array,
    config: LearningConfig,
    rng: np.random.Generator,
    *,
    batches: Callable[[np.random.Generator], Iterator[Array]],
    sample_weights: Array | None = None,
    evaluate: Callable[[], Figures] | None = None,
    keep_best: bool = False,
    on_epoch: Callable[[int, Figures], None] | None = None,
) -> History:
    """Train a network in place.

    Parameters
    ----------
    network : Network
    X : ndarray (n, F)
        Encoded rows, of the network's dtype.
    targets : ndarray (n,) or (n, F)
    config : LearningConfig
    rng : Generator
        Source of the row order.
    batches : callable
        ``batches(rng)`` yields the row numbers of each batch of one epoch.
    sample_weights : ndarray (n,) or (K, n), optional
    evaluate : callable, optional
        Returns figures after each epoch; ``config.monitor`` is looked up among them.
    keep_best : bool
        Whether to return to the weights of the best epoch, and to stop after ``config.patience``
        epochs without a better one.
    on_epoch : callable, optional
        Called with the epoch, from 1, and its figures.

    Raises
    ------
    DivergedError
        If the loss or a weight is no number any more.
    """
    optimizer = _optimizer(network, config)
    mask = network.decay_mask() if config.l2 else None
    workspace = Workspace()
    history = History()
    best, best_value = network.snapshot(), -np.inf
    n_members = network.members or 1
    for epoch in range(1, config.epochs + 1):
        total, n_rows = 0.0, 0
        schedule = [rows for rows in batches(rng) if len(rows)]
        steps = count()
        for block in blocks(network, X, targets, sample_weights, schedule):
            outputs = []
            for start, stop in block.bounds:
                progress = (epoch - 1 + next(steps) / len(schedule)) / config.epochs
                factor = learning_rate_factor(config.schedule, progress, config.warmup)
                optimizer.learning_rate = config.learning_rate * factor
                Z = network.backpropagate(
                    block.X[:, start:stop],
                    block.y[:, start:stop],
                    block.scale[..., start:stop],
                    workspace,
                )
                outputs.append(Z.copy())
                if mask is not None:
                    network.gradients += config.l2 * mask * network.parameters
                if config.gradient_clip:
                    _clip(network.gradients, config.gradient_clip)
                optimizer.step(network.parameters, network.gradients)
            Z = np.concatenate(outputs, axis=-1)
            total += network.loss(Z, block.y, block.weights) * block.n_rows
            n_rows += block.n_rows
        norm = float(np.linalg.norm(network.gradients))
        mean = total / (n_rows * n_members)
        if not (np.isfinite(mean) and np.isfinite(network.parameters).all()):
            raise DivergedError(epoch, mean)
        figures = {"loss": mean, "gradient_norm": norm, "learning_rate": optimizer.learning_rate}
        figures |= evaluate() if evaluate is not None else {}
        history.epochs.append(figures)
        value = figures.get(config.monitor, -mean)
        if not keep_best:
            history.best_epoch = epoch
        elif value > best_value:
            best, best_value, history.best_epoch = network.snapshot(), value, epoch
        if on_epoch is not None:
            on_epoch(epoch, figures)
        if keep_best and config.patience and epoch - history.best_epoch >= config.patience:
            history.stopped_early = True
            break
    if keep_best:
        network.restore(best)
    return history


def _optimizer(network: Network, config: LearningConfig) -> SGD | Adam:
    if config.optimizer == "sgd":
        return SGD(config.learning_rate, config.momentum)
    if config.optimizer == "adam":
        return Adam(config.learning_rate)
    return AdamW(
        config.learning_rate, weight_decay=config.weight_decay, decay_mask=network.decay_mask()
    )


def _clip(gradients: Array, largest_norm: float) -> None:
    """Scale the gradient down to a norm (Pascanu et al., 2013, algorithm 1)."""
    norm = float(np.linalg.norm(gradients))
    if norm > largest_norm:
        gradients *= largest_norm / norm
