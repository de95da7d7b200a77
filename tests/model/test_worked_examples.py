"""The textbook's examples: a trace worked by hand, XOR, counts and class weights."""

import numpy as np
import pytest

from model import MLP, Layer, compute_class_weights

X_XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y_XOR = np.array([0, 1, 1, 0])


@pytest.fixture
def traced():
    """Return the network of the hand-worked trace: two inputs, two ReLU units, one sigmoid."""
    network = MLP([2, 2, 1], ["relu", "sigmoid"])
    hidden, output = network.layers
    hidden.weights, hidden.biases = [[0.5, -0.5], [0.5, -0.5]], 0
    output.weights, output.biases = [[1.0], [-1.0]], 0
    return network


def test_forward_pass_worked_by_hand(traced):
    probability = traced.forward(np.array([[0.0, 1.0]]))

    hidden, output = traced.layers
    assert hidden.z_cache.tolist() == [[0.5, -0.5]]
    assert output.input_cache.tolist() == [[0.5, 0.0]]
    assert output.z_cache.tolist() == [[0.5]]
    assert probability.item() == pytest.approx(0.6225, abs=5e-5)
    assert traced.predict([[0.0, 1.0]]).tolist() == [1]


def test_loss_worked_by_hand(traced):
    loss = traced.loss_and_gradient(np.array([[0.0, 1.0]]), np.array([1]))

    assert loss == pytest.approx(0.4741, abs=5e-5)
    assert loss == pytest.approx(-np.log(1 / (1 + np.exp(-0.5))), rel=1e-14)


def test_backward_pass_worked_by_hand(traced):
    # δ₂ = 0.6225 − 1 = −0.3775;  dW₂ = [0.5, 0]ᵀ δ₂ = [−0.1888, 0]ᵀ,  db₂ = δ₂
    # δ₁ = δ₂ · [1, −1] · relu'([0.5, −0.5]) = [−0.3775, 0];  dW₁ = [0, 1]ᵀ δ₁,  db₁ = δ₁
    x = np.array([[0.0, 1.0]])

    traced.backward([1], traced.forward(x))

    hidden, output = traced.layers
    np.testing.assert_allclose(output.dW, [[-0.1888], [0.0]], atol=5e-5)
    np.testing.assert_allclose(output.db, [-0.3775], atol=5e-5)
    np.testing.assert_allclose(hidden.dW, [[0.0, 0.0], [-0.3775, 0.0]], atol=5e-5)
    np.testing.assert_allclose(hidden.db, [-0.3775, 0.0], atol=5e-5)


def test_step_worked_by_hand(traced):
    loss = traced.train_step([[0.0, 1.0]], [1], learning_rate=0.1)

    hidden, output = traced.layers
    assert loss == pytest.approx(0.4741, abs=5e-5)
    np.testing.assert_allclose(output.weights, [[1.01888], [-1.0]], atol=5e-6)
    np.testing.assert_allclose(output.biases, [0.03775], atol=5e-6)
    np.testing.assert_allclose(hidden.weights, [[0.5, -0.5], [0.53775, -0.5]], atol=5e-6)
    assert traced.loss_and_gradient(np.array([[0.0, 1.0]]), np.array([1])) < loss


def test_class_weights_scale_the_loss_and_the_gradient(traced):
    x = np.array([[0.0, 1.0]])
    plain = traced.loss_and_gradient(x, np.array([1])), traced.gradients.copy()

    loss = traced.train_step(x, [1], learning_rate=0, class_weights={0: 0.556, 1: 5.0})

    assert loss == pytest.approx(5 * plain[0])
    np.testing.assert_allclose(traced.gradients, 5 * plain[1])


def test_one_dense_layer_by_hand():
    layer = Layer(2, 2, "relu")
    layer.weights, layer.biases = [[1.0, -1.0], [2.0, 0.5]], [0.5, 0.0]

    A = layer.forward(np.array([[1.0, 2.0], [1.0, 0.0]]))
    dX = layer.backward(np.array([[1.0, 1.0], [2.0, 3.0]]))

    assert layer.z_cache.tolist() == [[5.5, 0.0], [1.5, -1.0]]
    assert A.tolist() == [[5.5, 0.0], [1.5, 0.0]]
    assert layer.dW.tolist() == [[3.0, 0.0], [2.0, 0.0]]
    assert layer.db.tolist() == [3.0, 0.0]
    assert dX.tolist() == [[1.0, 2.0], [2.0, 4.0]]


def test_parameters_of_the_textbook_network_are_counted():
    network = MLP([30, 16, 16, 1], ["relu", "relu", "sigmoid"])

    assert network.n_parameters == 30 * 16 + 16 + 16 * 16 + 16 + 16 + 1 == 785
    assert network.parameters.shape == network.gradients.shape == (785,)
    assert MLP([30, 16, 16, 1], members=4).n_parameters == 4 * 785


def test_class_weights_of_a_rare_fraud():
    y = [0] * 578 + [1]

    assert compute_class_weights(y) == {0: pytest.approx(579 / 1156), 1: pytest.approx(289.5)}


@pytest.mark.parametrize("seed", range(20))
def test_two_layers_solve_xor(seed):
    network = MLP([2, 8, 1], ["tanh", "sigmoid"], rng=np.random.default_rng(seed))

    for _ in range(5000):
        loss = network.train_step(X_XOR, Y_XOR, learning_rate=0.5)

    assert network.predict(X_XOR).tolist() == Y_XOR.tolist()
    assert loss < 0.05


def test_one_layer_cannot_solve_xor(rng):
    # The best line gives every row the probability ½: a loss of ln 2, and nothing learned.
    network = MLP([2, 1], rng=rng)

    for _ in range(5000):
        loss = network.train_step(X_XOR, Y_XOR, learning_rate=0.5)

    assert loss == pytest.approx(np.log(2), abs=1e-6)
    np.testing.assert_allclose(network.predict_proba(X_XOR), 0.5, atol=1e-3)


def test_one_layer_solves_what_a_line_separates(rng):
    network = MLP([2, 1], rng=rng)

    for _ in range(2000):
        network.train_step(X_XOR, [0, 1, 1, 1], learning_rate=0.5)

    assert network.predict(X_XOR).tolist() == [0, 1, 1, 1]
