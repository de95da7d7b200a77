"""Short trainings of small networks for the tests of the loop."""

import numpy as np

from model import MLP
from model.network import minibatches
from training.config import LearningConfig
from training.fit import fit

PLAIN = {"optimizer": "sgd", "learning_rate": 0.1, "schedule": "constant", "warmup": 0.0}


def rows_and_labels(n_rows=200, seed=0):
    """Return rows of three features and labels that depend on them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 3)).astype(np.float32)
    return X, (X[:, 0] + 0.5 * rng.normal(size=n_rows) > 1).astype(np.float32)


def network_of(members=None, sizes=(3, 8, 1), seed=0, **options):
    """Return an untrained network, in float32 as training has it."""
    rng = np.random.default_rng(seed)
    return MLP(sizes, members=members, rng=rng, dtype=np.float32, **options)


def fitted(network, X, y, seed=0, batches=None, evaluate=None, **config):
    """Train a network; return it with its history."""
    known = ("sample_weights", "keep_best", "on_epoch")
    options = {key: config.pop(key) for key in known if key in config}
    learning = LearningConfig(**{**PLAIN, **config})
    history = fit(
        network,
        X,
        y,
        learning,
        np.random.default_rng(seed),
        batches=batches or (lambda rng: minibatches(len(X), learning.batch_size, rng)),
        evaluate=evaluate,
        **options,
    )
    return network, history


def whole(_rng):
    """Yield all rows of a table of 200 as one batch, in order."""
    yield np.arange(200)


def gradient_at_start(network, X, y, weights=None):
    """Return parameters and gradient of a network before any step."""
    network.loss_and_gradient(X, y, weights)
    return network.parameters.copy(), network.gradients.copy()
