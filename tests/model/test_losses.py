"""Losses against plain Python, against central differences, and at the edges."""

import math

import numpy as np
import pytest

from model import compute_class_weights
from model.errors import ConfigurationError
from model.losses import binary_cross_entropy, mean_squared_error, weights_per_row
from tests.gradient_check import assert_gradient, numerical_gradient

N_ROWS, MEMBERS = 6, 3
# Sample weights of each kind that broadcasts to the rows.
WEIGHTS = {
    "no weights": lambda rng: 1.0,  # noqa: ARG005
    "one weight": lambda rng: 2.5,  # noqa: ARG005
    "weights of rows": lambda rng: rng.uniform(0.1, 5, (N_ROWS, 1)),
    "weights of members' rows": lambda rng: rng.uniform(0.1, 5, (MEMBERS, N_ROWS, 1)),
}


def cross_entropy_of(z, y):
    """Return −y ln p − (1 − y) ln (1 − p) of one logit, in plain Python."""
    p = 1 / (1 + math.exp(-z))
    return -y * math.log(p) - (1 - y) * math.log(1 - p)


@pytest.mark.parametrize("members", [None, MEMBERS])
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("soft", [False, True])
def test_cross_entropy_gradient_agrees_with_central_differences(members, weights, soft, rng):
    if "members" in weights and members is None:
        members = MEMBERS
    z = rng.normal(scale=2, size=(N_ROWS, 1) if members is None else (members, N_ROWS, 1))
    y = rng.random((N_ROWS, 1)) if soft else rng.integers(0, 2, (N_ROWS, 1)).astype(float)
    w = WEIGHTS[weights](rng)

    gradient = binary_cross_entropy(z, y, w)[1]

    assert_gradient(gradient, numerical_gradient(lambda: binary_cross_entropy(z, y, w)[0], z))


@pytest.mark.parametrize("members", [None, MEMBERS])
@pytest.mark.parametrize("weights", WEIGHTS)
def test_squared_error_gradient_agrees_with_central_differences(members, weights, rng):
    if "members" in weights and members is None:
        members = MEMBERS
    prediction = rng.normal(size=(N_ROWS, 4) if members is None else (members, N_ROWS, 4))
    target, w = rng.normal(size=(N_ROWS, 4)), WEIGHTS[weights](rng)

    gradient = mean_squared_error(prediction, target, w)[1]

    numeric = numerical_gradient(lambda: mean_squared_error(prediction, target, w)[0], prediction)
    assert_gradient(gradient, numeric)


def test_cross_entropy_is_the_weighted_sum_over_the_number_of_rows(rng):
    z, y, w = rng.normal(size=(3, 1)), np.array([[0.0], [1.0], [1.0]]), rng.uniform(1, 9, (3, 1))

    by_hand = [float(w[i, 0]) * cross_entropy_of(float(z[i, 0]), y[i, 0]) for i in range(3)]

    assert binary_cross_entropy(z, y, w)[0] == pytest.approx(sum(by_hand) / 3, rel=1e-14)


def test_squared_error_is_the_weighted_mean_over_features_over_the_number_of_rows():
    prediction, target = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 2.0], [1.0, 7.0]])
    w = np.array([[2.0], [10.0]])

    value, gradient = mean_squared_error(prediction, target, w)

    assert value == (2 * (1 + 0) / 2 + 10 * (4 + 9) / 2) / 2
    np.testing.assert_allclose(gradient, [[1.0, 0.0], [10.0, -15.0]])


def test_twice_the_rows_give_the_same_loss(rng):
    z, y = rng.normal(size=(5, 1)), rng.integers(0, 2, (5, 1)).astype(float)
    twice = np.concatenate([z, z]), np.concatenate([y, y])

    assert binary_cross_entropy(*twice)[0] == pytest.approx(binary_cross_entropy(z, y)[0])
    assert mean_squared_error(*twice)[0] == pytest.approx(mean_squared_error(z, y)[0])


def test_loss_of_members_is_the_sum_of_each_and_the_gradient_that_of_each_alone(rng):
    z, y = rng.normal(size=(MEMBERS, N_ROWS, 1)), rng.integers(0, 2, (N_ROWS, 1)).astype(float)

    for loss in (binary_cross_entropy, mean_squared_error):
        value, gradient = loss(z, y)
        alone = [loss(member, y) for member in z]

        assert value == pytest.approx(sum(value for value, _ in alone))
        np.testing.assert_allclose(gradient, np.stack([gradient for _, gradient in alone]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("label", [0, 1])
def test_cross_entropy_of_logits_of_a_thousand_is_finite(label, dtype):
    z, y = np.array([[1000.0], [-1000.0]], dtype), np.full((2, 1), label, dtype)

    value, gradient = binary_cross_entropy(z, y)

    assert value == 500.0  # one row right and free, the other wrong and 1000, over two
    assert (gradient * 2).ravel().tolist() == ([1.0, 0.0] if label == 0 else [0.0, -1.0])


def test_dtype_is_kept_whatever_the_weights_are(rng):
    z, y = rng.normal(size=(4, 1)).astype(np.float32), np.ones((4, 1), np.float32)

    for w in (2.0, np.float64(2.0), np.full((4, 1), 2.0), np.full((4, 1), 2)):
        for loss in (binary_cross_entropy, mean_squared_error):
            assert loss(z, y, w)[1].dtype == np.float32


def test_arguments_are_not_changed(rng):
    z, y, w = rng.normal(size=(4, 1)), rng.random((4, 1)), rng.random((4, 1))
    before = z.copy(), y.copy(), w.copy()

    for loss in (binary_cross_entropy, mean_squared_error):
        loss(z, y, w)

    for array, kept in zip((z, y, w), before, strict=True):
        np.testing.assert_array_equal(array, kept)


def test_class_weights_of_nine_and_one():
    weights = compute_class_weights([0] * 9 + [1])

    assert weights == {0: pytest.approx(0.5556, abs=5e-5), 1: 5.0}


def test_class_weights_add_up_to_the_number_of_rows(rng):
    y = rng.integers(0, 3, 1000)
    weights = compute_class_weights(y)

    assert sum(weights[label] for label in y.tolist()) == pytest.approx(1000)


def test_class_weights_of_one_class_are_one():
    assert compute_class_weights(np.zeros((5, 1), int)) == {0: 1.0}


def test_class_weights_need_labels():
    with pytest.raises(ConfigurationError, match="at least one label"):
        compute_class_weights([])


def test_rows_get_the_weight_of_their_class():
    y = np.array([0.0, 1.0, 0.0])

    assert weights_per_row(y, None) is None
    assert weights_per_row(y, {0: 0.5, 1: 5.0}).tolist() == [0.5, 5.0, 0.5]
    assert weights_per_row(y, {1: 5.0}).tolist() == [1.0, 5.0, 1.0]


def test_weights_of_other_classes_are_refused():
    with pytest.raises(ConfigurationError, match="classes 0 and 1"):
        weights_per_row(np.zeros(2), {"fraud": 5.0})
