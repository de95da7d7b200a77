"""The production loop."""

import numpy as np
import pytest

from model import MLP, Autoencoder
from model.network import minibatches
from training.config import LearningConfig
from training.errors import DivergedError
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


@pytest.mark.parametrize("members", [None, 3])
def test_twenty_rows_are_learned_by_heart(members):
    X, _ = rows_and_labels(20)
    y = (np.arange(20) % 2).astype(np.float32)

    network, history = fitted(
        network_of(members, (3, 32, 1)),
        X,
        y,
        optimizer="adam",
        learning_rate=0.02,
        epochs=400,
        batch_size=20,
    )

    assert history.epochs[-1]["loss"] < 0.01
    np.testing.assert_array_equal(network.predict(X), y)


@pytest.mark.parametrize("batch_size", [1, 64, 200, 1000])
def test_every_batch_size_learns(batch_size):
    X, y = rows_and_labels()

    _, history = fitted(network_of(), X, y, batch_size=batch_size, epochs=20, learning_rate=0.05)

    losses = [epoch["loss"] for epoch in history.epochs]
    assert losses[-1] < losses[0]


def test_loss_is_the_mean_over_rows_and_members_whatever_the_batches():
    X, y = rows_and_labels()
    network = network_of(3)
    expected = network.loss_and_gradient(X, y) / 3

    _, history = fitted(network, X, y, batch_size=64, epochs=1, learning_rate=0.0)

    assert history.epochs[0]["loss"] == pytest.approx(expected, rel=1e-5)


def test_one_step_is_plain_gradient_descent():
    X, y = rows_and_labels()
    before, gradient = gradient_at_start(network_of(), X, y)

    network, history = fitted(network_of(), X, y, epochs=1, batches=whole)

    np.testing.assert_allclose(network.parameters, before - 0.1 * gradient, rtol=1e-5, atol=1e-7)
    assert history.epochs[0]["gradient_norm"] == pytest.approx(np.linalg.norm(gradient), rel=1e-5)


def test_gradient_is_clipped_to_its_norm():
    X, y = rows_and_labels()
    before, gradient = gradient_at_start(network_of(), X, y)
    norm = np.linalg.norm(gradient)

    network, _ = fitted(network_of(), X, y, epochs=1, batches=whole, gradient_clip=float(norm / 4))
    free, _ = fitted(network_of(), X, y, epochs=1, batches=whole, gradient_clip=float(norm * 4))

    np.testing.assert_allclose(
        network.parameters, before - 0.1 * gradient / 4, rtol=1e-4, atol=1e-7
    )
    np.testing.assert_allclose(free.parameters, before - 0.1 * gradient, rtol=1e-5, atol=1e-7)


def test_l2_pulls_weights_to_zero_and_spares_biases():
    X, y = rows_and_labels()
    start = network_of()
    before, gradient = gradient_at_start(start, X, y)

    network, _ = fitted(network_of(), X, y, epochs=1, batches=whole, l2=0.3)

    penalised = gradient + 0.3 * start.decay_mask() * before
    np.testing.assert_allclose(network.parameters, before - 0.1 * penalised, rtol=1e-5, atol=1e-7)
    assert 0 < start.decay_mask().sum() < start.n_parameters


def test_momentum_carries_the_last_step_on():
    X, y = rows_and_labels()
    before, first = gradient_at_start(network_of(), X, y)
    halfway = network_of()
    halfway.parameters[:] = before - 0.1 * first
    _, second = gradient_at_start(halfway, X, y)

    network, _ = fitted(network_of(), X, y, epochs=2, batches=whole, momentum=0.9)

    expected = before - 0.1 * first - 0.1 * (0.9 * first + second)
    np.testing.assert_allclose(network.parameters, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_weight_decay_is_adamws_alone(optimizer):
    X, y = rows_and_labels()
    options = {"epochs": 1, "batches": whole, "optimizer": optimizer}

    with_decay, _ = fitted(network_of(), X, y, **options, weight_decay=0.5)
    without, _ = fitted(network_of(), X, y, **options, weight_decay=0.0)

    difference = without.parameters - with_decay.parameters
    start = network_of()
    expected = 0.1 * 0.5 * start.decay_mask() * start.parameters if optimizer == "adamw" else 0.0
    np.testing.assert_allclose(difference, expected, atol=1e-6)


def test_sample_weights_of_zero_teach_nothing():
    X, y = rows_and_labels()
    weights = (np.arange(200) < 100).astype(np.float32)
    flipped = np.where(weights > 0, y, 1 - y)

    one, _ = fitted(network_of(), X, y, sample_weights=weights, epochs=3)
    other, _ = fitted(network_of(), X, flipped, sample_weights=weights, epochs=3)

    np.testing.assert_array_equal(one.parameters, other.parameters)


def test_each_member_has_sample_weights_of_its_own():
    X, y = rows_and_labels()
    weights = np.ones((2, 200), np.float32)
    weights[0, :50] = 0
    changed = y.copy()
    changed[:50] = 1 - changed[:50]

    one, _ = fitted(network_of(2), X, y, sample_weights=weights, epochs=3)
    other, _ = fitted(network_of(2), X, changed, sample_weights=weights, epochs=3)

    for layer, twin in zip(one.layers, other.layers, strict=True):
        np.testing.assert_array_equal(layer.weights[0], twin.weights[0])
        assert not np.array_equal(layer.weights[1], twin.weights[1])


def scripted(values, name="average_precision"):
    """Return an evaluation that says what it is told to, epoch after epoch."""
    remaining = iter(values)
    return lambda: {name: next(remaining)}


def test_early_stopping_restores_the_best_epoch():
    X, y = rows_and_labels()
    network = network_of()
    kept = {}

    _, history = fitted(
        network,
        X,
        y,
        epochs=20,
        patience=3,
        keep_best=True,
        evaluate=scripted([0.1, 0.5, 0.3, 0.5, 0.2, 0.9]),
        on_epoch=lambda epoch, _: kept.update({epoch: network.parameters.copy()}),
    )

    assert (history.best_epoch, history.stopped_early) == (2, True)
    assert len(history.epochs) == 5
    np.testing.assert_array_equal(network.parameters, kept[2])


def test_running_statistics_are_restored_with_the_weights():
    X, y = rows_and_labels()
    values = [0.9, 0.1, 0.1]

    best, _ = fitted(
        network_of(batch_norm=True), X, y, epochs=3, keep_best=True, evaluate=scripted(values)
    )
    first, _ = fitted(network_of(batch_norm=True), X, y, epochs=1)

    np.testing.assert_array_equal(best.logits(X), first.logits(X))


def test_what_early_stopping_watches_can_be_chosen():
    X, y = rows_and_labels()

    def evaluate():
        step = next(steps)
        return {"f1": [0.2, 0.8, 0.1][step], "average_precision": [0.9, 0.1, 0.2][step]}

    steps = iter(range(3))
    _, history = fitted(
        network_of(), X, y, epochs=3, keep_best=True, monitor="f1", evaluate=evaluate
    )

    assert history.best_epoch == 2


def test_without_patience_the_run_goes_on_and_still_keeps_the_best():
    X, y = rows_and_labels()
    values = [0.9] + [0.1] * 14

    network, history = fitted(
        network_of(), X, y, epochs=15, patience=0, keep_best=True, evaluate=scripted(values)
    )
    first, _ = fitted(network_of(), X, y, epochs=1)

    assert (len(history.epochs), history.best_epoch, history.stopped_early) == (15, 1, False)
    np.testing.assert_array_equal(network.parameters, first.parameters)


def test_where_the_best_is_not_kept_the_last_epoch_counts():
    X, y = rows_and_labels()

    network, history = fitted(
        network_of(), X, y, epochs=4, patience=1, evaluate=scripted([0.9, 0.1, 0.1, 0.1])
    )
    unwatched, _ = fitted(network_of(), X, y, epochs=4)

    assert (history.best_epoch, history.stopped_early) == (4, False)
    np.testing.assert_array_equal(network.parameters, unwatched.parameters)


def test_without_an_evaluation_the_loss_is_watched():
    X, y = rows_and_labels()

    _, history = fitted(network_of(), X, y, epochs=5, keep_best=True)

    losses = [epoch["loss"] for epoch in history.epochs]
    assert history.best_epoch == int(np.argmin(losses)) + 1


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_divergence_stops_the_run_with_the_epoch_and_the_cure(optimizer):
    X, y = rows_and_labels()

    with pytest.raises(DivergedError) as caught:
        fitted(network_of(sizes=(3, 8, 8, 1)), X, y, optimizer=optimizer, learning_rate=1e30)

    assert caught.value.epoch in (1, 2)
    assert f"epoch {caught.value.epoch}" in str(caught.value)
    assert "learning_rate" in str(caught.value)
    assert "gradient_clip" in str(caught.value)


def test_rows_that_are_no_numbers_stop_the_run():
    X, y = rows_and_labels()
    X[7, 1] = np.nan

    with pytest.raises(DivergedError, match="epoch 1"):
        fitted(network_of(), X, y)


@pytest.mark.parametrize("options", [{}, {"drop_probability": 0.3, "batch_norm": True}])
def test_the_same_seed_gives_the_same_bits(options):
    X, y = rows_and_labels()

    first, again, other = (
        fitted(network_of(2, **options), X, y, seed=seed, epochs=3)[0].parameters
        for seed in (1, 1, 2)
    )

    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_learning_rate_follows_the_schedule():
    X, y = rows_and_labels()

    _, history = fitted(network_of(), X, y, epochs=4, schedule="cosine", batch_size=200)

    rates = [epoch["learning_rate"] for epoch in history.epochs]
    np.testing.assert_allclose(rates, 0.1 * (1 + np.cos(np.pi * np.arange(4) / 4)) / 2)


def test_batches_without_rows_are_passed_over():
    X, y = rows_and_labels()

    def with_gaps(_rng):
        yield np.arange(0)
        yield np.arange(200)
        yield np.arange(0)

    gaps, _ = fitted(network_of(), X, y, epochs=2, batches=with_gaps)
    plain, _ = fitted(network_of(), X, y, epochs=2, batches=whole)

    np.testing.assert_array_equal(gaps.parameters, plain.parameters)


def test_every_epoch_is_told_with_its_figures():
    X, y = rows_and_labels()
    told = []

    _, history = fitted(
        network_of(),
        X,
        y,
        epochs=3,
        evaluate=scripted([0.1, 0.2, 0.3]),
        on_epoch=lambda *arguments: told.append(arguments),
    )

    assert told == [(epoch + 1, figures) for epoch, figures in enumerate(history.epochs)]
    assert set(told[0][1]) == {"loss", "gradient_norm", "learning_rate", "average_precision"}


def test_autoencoder_learns_its_own_input():
    X, _ = rows_and_labels()
    X[:, 1] = X[:, 0]
    network = Autoencoder(3, (8,), 2, rng=np.random.default_rng(0), dtype=np.float32)

    _, history = fitted(network, X, X, optimizer="adam", learning_rate=0.01, epochs=60)

    assert history.epochs[-1]["loss"] < 0.1 * history.epochs[0]["loss"]
