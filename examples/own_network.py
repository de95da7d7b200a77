"""Your own network: other layers, another loss, and a file of its own.

A network is a list of components and a loss; how it learns is in the base class. This one predicts
an amount rather than a class, and its loss (Huber, 1964) lets no single large amount pull at it.

    python -m examples.own_network
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from model import BatchNorm, Layer, Residual
from model.component import Workspace
from model.network import Network, minibatches
from model.optimizers import Adam


class AmountNetwork(Network):
    """Rows → one number each."""

    def target_columns(self, y):
        """Lay targets (N,) as the output lies: (1, N)."""
        return np.asarray(y, self.dtype)[None, :]

    def loss(self, Z, y, sample_weights):
        """Square small residuals; count large ones by their size alone."""
        size = np.abs(Z - y)
        return float(np.mean(sample_weights * np.where(size < 1, size**2 / 2, size - 1 / 2)))

    def loss_gradient(self, Z, y, scale, out):
        """Return the derivative of each row's loss by its output."""
        return np.multiply(np.clip(Z - y, -1, 1), scale, out=out)


rng = np.random.default_rng(0)
X = rng.normal(size=(4000, 5))
amounts = 2 * X[:, 0] + np.abs(X[:, 1]) * X[:, 2] + 0.1 * rng.normal(size=4000)
amounts[::50] += 30  # a few are far off
X_test, amounts_test = X[3000:], amounts[3000:]  # the first 3,000 are learned from

network = AmountNetwork(
    [
        Layer(5, 32, "relu", rng=rng),
        BatchNorm(32),
        Residual([Layer(32, 32, "relu", rng=rng)]),
        Layer(32, 1, rng=rng),
    ]
)
print(network, f"with {network.n_parameters} parameters")

optimizer, workspace = Adam(0.01), Workspace()
for epoch in range(1, 21):
    losses = []
    for rows in minibatches(3000, 64, rng):
        losses.append(network.loss_and_gradient(X[rows], amounts[rows], workspace=workspace))
        optimizer.step(network.parameters, network.gradients)
    if epoch % 5 == 0:
        print(f"epoch {epoch:2}: loss {np.mean(losses):.3f}")

errors = np.abs(network.apply(X_test)[:, 0] - amounts_test)
guesses = np.abs(np.median(amounts[:3000]) - amounts_test)
print(f"median error {np.median(errors):.2f}; of the same guess for all {np.median(guesses):.2f}")

with TemporaryDirectory() as folder:
    network.save(Path(folder) / "amounts.npz")
    again = AmountNetwork.load(Path(folder) / "amounts.npz")
print("the same from its file:", np.array_equal(network.apply(X), again.apply(X)))
