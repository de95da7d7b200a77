"""Gradients of whole networks by central differences, and what they would look like if wrong."""

import numpy as np
import pytest

from model import MLP, Autoencoder
from model.activations import ACTIVATIONS
from model.component import Workspace, augmented
from model.losses import cross_entropy_gradient, weights_per_row
from tests.gradient_check import (
    TOLERANCE,
    assert_away_from_kinks,
    assert_gradient,
    numerical_gradient,
    relative_error,
)

N_ROWS, N_FEATURES, MEMBERS = 6, 4, 3
CLASS_WEIGHTS = {0: 0.6, 1: 5.0}

MLPS = {
    **{
        f"hidden {name}": {"sizes": [4, 5, 3, 1], "activations": [name, name, "sigmoid"]}
        for name in ACTIVATIONS
    },
    "one layer": {"sizes": [4, 1]},
    "batch norm": {"sizes": [4, 5, 3, 1], "batch_norm": True},
    "dropout": {"sizes": [4, 5, 3, 1], "drop_probability": 0.3},
    "residual": {"sizes": [4, 5, 5, 5, 1], "residual": True},
    "all of them": {
        "sizes": [4, 5, 5, 1],
        "activations": ["prelu", "tanh", "sigmoid"],
        "batch_norm": True,
        "drop_probability": 0.3,
        "residual": True,
    },
}
AUTOENCODERS = {
    "relu": {},
    "tanh": {"activation": "tanh"},
    "deep": {"hidden": (6, 5), "activation": "sigmoid"},
    "denoising": {"drop_probability": 0.3},
}
INPUTS = {
    "one network": (None, (N_ROWS, N_FEATURES)),
    "members that share the rows": (MEMBERS, (N_ROWS, N_FEATURES)),
    "members with rows of their own": (MEMBERS, (MEMBERS, N_ROWS, N_FEATURES)),
}


@pytest.fixture
def masks():
    """Return the generator that a network draws weights and dropout masks from."""
    return np.random.default_rng(3)


def moved_from_the_start(network, rng):
    """Return the network with biases, slopes and scales that are not 0, 0.25 and 1."""
    network.parameters += rng.normal(scale=0.2, size=network.n_parameters)
    return network


def repeatable(network, masks, *batch, **options):
    """Return a function that computes loss and gradient with the same dropout masks each time."""
    state = masks.bit_generator.state

    def loss():
        masks.bit_generator.state = state
        return network.loss_and_gradient(*batch, **options)

    return loss


def gradient_of_input(network, X, y, sample_weights):
    """Return the gradient of the loss with respect to X."""
    columns, weights = augmented(X), np.ones(1) if sample_weights is None else sample_weights
    run = network.make_pass(columns.shape)
    Z, scale = run.forward_z(columns), weights[..., None, :] / X.shape[-2]
    network.loss_gradient(Z, network.target_columns(y), scale, run.dZ)
    return run.backward_from_z(wants_input_gradient=True).mT


def assert_network_gradients(network, masks, X, y, weights):
    """Assert that gradients of parameters and input agree with central differences."""
    loss = repeatable(network, masks, X, y, weights)
    state = masks.bit_generator.state
    loss()
    assert_away_from_kinks(network.layers[:-1])
    assert_gradient(network.gradients.copy(), numerical_gradient(loss, network.parameters))
    masks.bit_generator.state = state
    assert_gradient(gradient_of_input(network, X, y, weights), numerical_gradient(loss, X))


@pytest.mark.parametrize("class_weights", [None, CLASS_WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", INPUTS)
@pytest.mark.parametrize("name", MLPS)
def test_classifier_gradients_agree_with_central_differences(name, case, class_weights, rng, masks):
    members, shape = INPUTS[case]
    network = moved_from_the_start(MLP(**MLPS[name], members=members, rng=masks), rng)
    X, y = rng.normal(size=shape), np.array([0.0, 1, 0, 0, 1, 0])

    assert_network_gradients(network, masks, X, y, weights_per_row(y, class_weights))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", INPUTS)
@pytest.mark.parametrize("name", AUTOENCODERS)
def test_autoencoder_gradients_agree_with_central_differences(name, case, weighted, rng, masks):
    members, shape = INPUTS[case]
    autoencoder = Autoencoder(
        4, **{"hidden": 6, **AUTOENCODERS[name]}, bottleneck=2, members=members, rng=masks
    )
    moved_from_the_start(autoencoder, rng)
    X, target = rng.normal(size=shape), rng.normal(size=shape)
    weights = rng.uniform(0.5, 3, shape[:-1]) if weighted else None

    assert_network_gradients(autoencoder, masks, X, target, weights)


def test_soft_labels_and_weights_of_members_are_differentiated(rng, masks):
    network = moved_from_the_start(MLP([4, 5, 1], ["tanh", "sigmoid"], members=3, rng=masks), rng)
    X, y = rng.normal(size=(N_ROWS, 4)), rng.random((3, N_ROWS))

    assert_network_gradients(network, masks, X, y, rng.uniform(0.1, 4, (3, N_ROWS)))


@pytest.mark.parametrize("class_weights", [None, CLASS_WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("members", [None, MEMBERS])
@pytest.mark.parametrize("name", MLPS)
def test_textbook_backward_gives_the_same_gradient(name, members, class_weights, rng, masks):
    network = moved_from_the_start(MLP(**MLPS[name], members=members, rng=masks), rng)
    X, y = rng.normal(size=(N_ROWS, 4)), np.array([0, 1, 0, 0, 1, 0])
    state = masks.bit_generator.state
    network.loss_and_gradient(X, y, weights_per_row(y, class_weights))
    expected = network.gradients.copy()

    network.gradients[:] = np.nan
    masks.bit_generator.state = state
    network.backward(y[:, None], network.forward(X), class_weights)

    np.testing.assert_allclose(network.gradients, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", MLPS)
def test_workspace_gives_the_same_gradients(name, rng):
    plain, buffered = (MLP(**MLPS[name], members=2, rng=np.random.default_rng(5)) for _ in range(2))
    workspace = Workspace()

    for n_rows in (6, 4, 6):
        X, y = rng.normal(size=(n_rows, 4)), rng.integers(0, 2, n_rows)
        expected = plain.loss_and_gradient(X, y)

        assert buffered.loss_and_gradient(X, y, workspace=workspace) == expected
        np.testing.assert_array_equal(buffered.gradients, plain.gradients)


def multiplied_by_the_sigmoid_derivative_again(z, y, scale, out):
    """Return the gradient of the loss with the first common error."""
    p = 1 / (1 + np.exp(-z))
    return np.multiply(cross_entropy_gradient(z, y, scale), p * (1 - p), out=out)


def divided_by_the_rows_again(z, y, scale, out):
    """Return the gradient of the loss with the second common error."""
    return np.divide(cross_entropy_gradient(z, y, scale), z.shape[-1], out=out)


@pytest.mark.parametrize(
    "wrong", [multiplied_by_the_sigmoid_derivative_again, divided_by_the_rows_again]
)
def test_common_errors_would_be_caught(wrong, rng, masks, monkeypatch):
    network = moved_from_the_start(MLP([4, 5, 1], ["tanh", "sigmoid"], rng=masks), rng)
    X, y = rng.normal(size=(N_ROWS, 4)), np.array([0, 1, 0, 0, 1, 0])
    loss = repeatable(network, masks, X, y)
    numeric = numerical_gradient(loss, network.parameters)

    monkeypatch.setattr("model.mlp.cross_entropy_gradient", wrong)
    loss()

    assert relative_error(network.gradients, numeric) > 1e4 * TOLERANCE
    with pytest.raises(AssertionError):
        assert_gradient(network.gradients, numeric)
