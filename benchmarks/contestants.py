"""Who races in ``training_speed``: the same network, trained by us and by the usual libraries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from model.losses import compute_class_weights, weights_per_row
from model.network import minibatches
from training.classifier import build_mlp, epoch_figures, held_out_logits
from training.config_file import load_config
from training.fit import Figures, fit

try:
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    torch.set_num_threads(1)
except ImportError:
    torch = None

TEXTBOOK = load_config(None, {"recipe": "textbook"})
LEARNING_RATE = TEXTBOOK.learning.learning_rate

Data = tuple[np.ndarray, np.ndarray]


def ours(
    X: np.ndarray,
    y: np.ndarray,
    batch_size: int,
    epochs: int,
    *,
    held_out: Data | None = None,
    weighted: bool = False,
    members: int = 1,
    **learning: Any,
) -> None:
    """Train with the loop behind ``python -m training train``."""
    rng = np.random.default_rng(0)
    mlp = build_mlp(X.shape[1], replace(TEXTBOOK.network, members=members), rng)
    config = replace(TEXTBOOK.learning, batch_size=batch_size, epochs=epochs, **learning)
    weights = weights_per_row(y, compute_class_weights(y)) if weighted else None

    def evaluate() -> Figures:
        return epoch_figures(held_out_logits(mlp, held_out[0], None), held_out[1])

    fit(
        mlp,
        X,
        y,
        config,
        rng,
        batches=lambda rng: minibatches(len(X), batch_size, rng),
        sample_weights=None if weights is None else weights.astype(np.float32),
        evaluate=evaluate if held_out is not None else None,
    )


def scikit_learn(
    X: np.ndarray, y: np.ndarray, batch_size: int, epochs: int, **options: Any
) -> None:
    """Train an MLPClassifier of the same shape."""
    network = MLPClassifier(
        (16, 16),
        batch_size=batch_size,
        learning_rate_init=LEARNING_RATE,
        max_iter=epochs,
        n_iter_no_change=epochs + 1,
        random_state=0,
        **options,
    )
    network.fit(X, y)


def pytorch(
    X: np.ndarray, y: np.ndarray, batch_size: int, epochs: int, *, loop: str, optimizer: str = "SGD"
) -> None:
    """Train the same network in PyTorch; the loops differ in how a batch is put together."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Linear(X.shape[1], 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)
    )
    loss_function = nn.BCEWithLogitsLoss()
    step = getattr(torch.optim, optimizer)(network.parameters(), lr=LEARNING_RATE)
    rows, labels = torch.from_numpy(X), torch.from_numpy(y)[:, None]

    def batches() -> Iterator[Any]:
        if loop == "DataLoader":
            yield from DataLoader(TensorDataset(rows, labels), batch_size, shuffle=True)
            return
        order = torch.randperm(len(rows))
        if loop == "sliced":  # shuffled once an epoch, then cut: the fastest
            yield from zip(
                rows[order].split(batch_size), labels[order].split(batch_size), strict=True
            )
            return
        for start in range(0, len(rows), batch_size):
            chosen = order[start : start + batch_size]
            yield rows[chosen], labels[chosen]

    for _ in range(epochs):
        total = 0.0
        for x, target in batches():
            step.zero_grad()
            loss = loss_function(network(x), target)
            loss.backward()
            step.step()
            total += loss.item() * len(x)
