"""What may be wrong with a trained network, in plain words and with the cure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.network import Network
from training.fit import History

Array = NDArray[Any]

SAMPLE_ROWS = 4096
DEAD_SHARE = 0.1
VANISHING, EXPLODING = 1e-7, 1e3
OVERFIT_FACTOR = 1.5  # validation loss against its best


def gradient_norms(network: Network, X: Array, targets: Array) -> list[float]:
    """Return the norm of each dense layer's gradient on some rows, first layer first.

    The network's values are untouched; dropout and batch statistics are those of a training pass.
    """
    before = network.snapshot()
    network.loss_and_gradient(X[:SAMPLE_ROWS], targets[:SAMPLE_ROWS])
    norms = [float(np.linalg.norm(layer.dW)) for layer in network.layers]
    network.restore(before)
    return norms


def dead_unit_share(network: Network, X: Array) -> float:
    """Return the share of rectifier units that no row of a sample activates."""
    shares = [share.ravel() for share in unit_activity(network, X) if share is not None]
    return float((np.concatenate(shares) == 0).mean()) if shares else 0.0


def unit_activity(network: Network, X: Array) -> list[Array | None]:
    """Return, of each dense layer, the share of a sample's rows that each unit is active for.

    None stands for a layer whose units are no rectifiers.
    """
    A = np.asarray(X[:SAMPLE_ROWS], network.dtype)
    found: list[Array | None] = []
    for component in network.hidden:
        A = component.apply(A)
        if any(leaf in network.layers for leaf in component.leaves()):
            found.append((A > 0).mean(axis=-2) if _rectifies(component) else None)
    return [*found, None]  # the output layer


def _rectifies(component: Any) -> bool:
    activation = getattr(component, "activation", None)
    return activation is not None and activation.name == "relu"


def has_identical_units(network: Network) -> bool:
    """Return whether two units of a hidden layer have the same weights: they learn the same."""
    for layer in network.layers[:-1]:
        members = layer.weights.reshape(-1, layer.n_in, layer.n_out)
        for weights in members:
            if len(np.unique(weights.T, axis=0)) < layer.n_out:
                return True
    return False


def warnings_of(
    network: Network, X: Array, targets: Array, history: History, n_frauds: int
) -> list[str]:
    """Return what a data scientist should know before trusting the network.

    Parameters
    ----------
    network : Network
        Trained.
    X, targets : ndarray
        Training rows.
    history : History
    n_frauds : int
        Among the validation rows.
    """
    kept = history.epochs[history.best_epoch - 1]  # whose weights the network has
    found = []
    if n_frauds and kept.get("recall") == 0:
        found.append(
            "predicting all legitimate (recall 0 %) at probability 0.5: train longer, raise "
            "learning.class_weight, or judge by average precision and set thresholds by cost"
        )
    dead = dead_unit_share(network, X)
    if dead > DEAD_SHARE:
        found.append(
            f"{dead:.0%} of the ReLU units are dead (active for no row): lower learning_rate or "
            "use activation = 'leaky_relu'"
        )
    if has_identical_units(network):
        found.append(
            "two units of a layer are identical and learn the same: use a random initializer"
        )
    norms = gradient_norms(network, X, targets)
    if min(norms) < VANISHING:
        found.append(
            f"the gradient vanishes (norm {min(norms):.1e} in a layer): use ReLU, fewer layers or "
            "residual = true"
        )
    if max(norms) > EXPLODING:
        found.append(
            f"the gradient explodes (norm {max(norms):.1e} in a layer): set gradient_clip or "
            "lower learning_rate"
        )
    losses = [epoch["validation_loss"] for epoch in history.epochs if "validation_loss" in epoch]
    if losses and kept["validation_loss"] > OVERFIT_FACTOR * min(losses):
        found.append(
            f"overfitting: the validation loss rose from {min(losses):.4f} to "
            f"{kept['validation_loss']:.4f}; use fewer epochs, patience, drop_probability or "
            "weight_decay"
        )
    return found
