"""Warnings, each provoked by what it warns of, and none for a sound network."""

import numpy as np
import pytest

from model import MLP
from model.initializers import initializer_named
from model.network import minibatches
from training.classifier import epoch_figures
from training.config import LearningConfig
from training.diagnostics import (
    dead_unit_share,
    gradient_norms,
    has_identical_units,
    warnings_of,
)
from training.fit import History, fit


def rows_and_labels(n_rows=600, fraud_share=0.3, seed=0):
    """Return rows of four features and labels that follow two of them, with some noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 4)).astype(np.float32)
    signal = X[:, 0] + X[:, 1] + 0.5 * rng.normal(size=n_rows)
    return X, (signal > np.quantile(signal, 1 - fraud_share)).astype(np.int64)


def network_of(sizes=(4, 16, 1), activations=None, **options):
    """Return an untrained network."""
    return MLP(sizes, activations, rng=np.random.default_rng(1), dtype=np.float32, **options)


def warnings_after(network, X, y, keep_best=False, validation=None, **config):
    """Train a network and return what is said of it."""
    X_validation, y_validation = validation or (X, y)
    learning = LearningConfig(
        **{"optimizer": "sgd", "learning_rate": 0.1, "schedule": "constant", "epochs": 20, **config}
    )
    history = fit(
        network,
        X,
        y.astype(np.float32),
        learning,
        np.random.default_rng(0),
        batches=lambda rng: minibatches(len(X), 64, rng),
        evaluate=lambda: epoch_figures(
            np.atleast_2d(network.logits(X_validation)).mean(axis=0), y_validation
        ),
        keep_best=keep_best,
    )
    return warnings_of(network, X, y, history, int(y_validation.sum()))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"members": 3},
        {"batch_norm": True, "drop_probability": 0.2},
        {"sizes": (4, 8, 8, 1), "residual": True},
        {"sizes": (4, 8, 1), "activations": ["tanh", "sigmoid"]},
        {"sizes": (4, 1)},
    ],
)
def test_a_sound_network_gives_no_warning(options):
    assert warnings_after(network_of(**options), *rows_and_labels()) == []


def test_dead_units_are_warned_of():
    X, y = rows_and_labels()

    [warning] = warnings_after(network_of(), X, y, learning_rate=20.0, epochs=3)

    assert "% of the ReLU units are dead" in warning
    assert "lower learning_rate" in warning


def test_share_of_dead_units_is_counted_over_layers_and_members(rng):
    network = network_of((4, 10, 10, 1), members=2)
    for layer, units, size in zip(network.layers[:2], (3, 2), (1e6, 1e12), strict=True):
        biases = np.full(layer.biases.shape, size)
        biases[0, :units] = -size
        layer.biases = biases

    assert dead_unit_share(network, rng.normal(size=(300, 4))) == 5 / 40


@pytest.mark.parametrize("activation", ["leaky_relu", "tanh"])
def test_units_that_cannot_die_are_not_counted(rng, activation):
    network = network_of(activations=[activation, "sigmoid"])
    network.layers[0].biases = np.full(16, -1e6)

    assert dead_unit_share(network, rng.normal(size=(50, 4))) == 0


@pytest.mark.parametrize("members", [None, 2])
def test_identical_units_are_warned_of(members):
    network = network_of(
        activations=["tanh", "sigmoid"], members=members, initializer=initializer_named("zeros")
    )

    warnings = warnings_after(network, *rows_and_labels())

    assert any("two units of a layer are identical" in warning for warning in warnings)


def test_units_of_different_members_may_be_alike():
    network = network_of(members=2)
    weights = network.layers[0].weights.copy()
    weights[1] = weights[0]
    network.layers[0].weights = weights

    assert not has_identical_units(network)


def test_a_network_that_calls_everything_legitimate_is_warned_of():
    X, y = rows_and_labels(fraud_share=0.02)

    [warning] = warnings_after(network_of(), X, y, learning_rate=0.05, epochs=5)

    assert warning.startswith("predicting all legitimate (recall 0 %)")
    assert "class_weight" in warning


def test_recall_of_rows_without_fraud_is_no_reason_to_warn():
    X, y = rows_and_labels()
    legitimate = X[y == 0], y[y == 0]

    history = History([{"loss": 0.1, "recall": 0.0, "validation_loss": 0.1}], best_epoch=1)

    assert warnings_of(network_of(), *legitimate, history, 0) == []


def test_vanishing_gradients_are_warned_of():
    deep = network_of((4, *[8] * 15, 1), ["sigmoid"] * 16)

    warnings = warnings_after(deep, *rows_and_labels(), epochs=1)

    assert any("the gradient vanishes" in w and "use ReLU" in w for w in warnings)


def test_exploding_gradients_are_warned_of():
    X, y = rows_and_labels()

    warnings = warnings_after(network_of(), 1e5 * X, y, learning_rate=1e-9, epochs=1)

    assert any("the gradient explodes" in w and "gradient_clip" in w for w in warnings)


def by_heart():
    """Return a large network and labels that are pure chance, in training and in validation."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 4)).astype(np.float32)
    return network_of((4, 64, 1)), X, rng.integers(0, 2, 60), X + rng.normal(size=X.shape)


def test_overfitting_is_warned_of():
    network, X, y, X_validation = by_heart()
    validation = X_validation, np.random.default_rng(4).integers(0, 2, 60)

    warnings = warnings_after(
        network, X, y, validation=validation, optimizer="adam", learning_rate=0.03, epochs=100
    )

    assert any(w.startswith("overfitting: the validation loss rose from") for w in warnings)


def test_what_happened_after_the_epoch_that_was_kept_is_no_reason_to_warn():
    """Early stopping has returned to an epoch before the loss rose and the recall fell."""
    X, y = rows_and_labels()
    network = network_of()
    good = {"loss": 0.5, "recall": 0.5, "validation_loss": 0.5}
    bad = {"loss": 0.1, "recall": 0.0, "validation_loss": 2.0}

    kept = warnings_of(network, X, y, History([good, bad], best_epoch=1), 10)
    last = warnings_of(network, X, y, History([good, bad], best_epoch=2), 10)

    assert kept == []
    assert len(last) == 2


def test_looking_at_gradients_changes_nothing():
    X, y = rows_and_labels()
    network = network_of(batch_norm=True)
    parameters, statistics = network.snapshot()

    norms = gradient_norms(network, X, y)

    assert len(norms) == 2
    after, statistics_after = network.snapshot()
    np.testing.assert_array_equal(after, parameters)
    for before, now in zip(statistics, statistics_after, strict=True):
        np.testing.assert_array_equal(now, before)
