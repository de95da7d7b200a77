"""The production loop."""

import numpy as np
import pytest

from model import Autoencoder
from tests.training.fits import fitted, gradient_at_start, network_of, rows_and_labels, whole
from training.errors import DivergedError


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
    start = network_of(initial_bias=0.5)
    before, gradient = gradient_at_start(start, X, y)

    network, _ = fitted(network_of(initial_bias=0.5), X, y, epochs=1, batches=whole, l2=0.3)

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


def test_autoencoder_learns_its_own_input():
    X, _ = rows_and_labels()
    X[:, 1] = X[:, 0]
    network = Autoencoder(3, (8,), 2, rng=np.random.default_rng(0), dtype=np.float32)

    _, history = fitted(network, X, X, optimizer="adam", learning_rate=0.01, epochs=60)

    assert history.epochs[-1]["loss"] < 0.1 * history.epochs[0]["loss"]
