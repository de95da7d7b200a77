"""Optimizers: first steps by hand, and many steps against few-line references."""

import numpy as np
import pytest

from model.errors import ConfigurationError
from model.optimizers import SGD, Adam, AdamW


def adam_reference(parameters, gradients, rate=1e-3, b1=0.9, b2=0.999, decay=0.0):
    """Return the parameters after all steps: Adam as published, with decay beside it."""
    w, m, v = parameters.copy(), 0.0, 0.0
    for t, g in enumerate(gradients, start=1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        # the published ε is added to √v̂; the efficient order's ε̂ = 1e-8 to √v
        epsilon = 1e-8 / np.sqrt(1 - b2**t)
        step = m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + epsilon)
        w = w - rate * decay * w - rate * step
    return w


def momentum_reference(parameters, gradients, rate, momentum):
    """Return the parameters after all steps of classical momentum."""
    w, v = parameters.copy(), 0.0
    for g in gradients:
        v = momentum * v + g
        w = w - rate * v
    return w


def after(optimizer, parameters, gradients):
    """Return the parameters after all steps of ours."""
    parameters = parameters.copy()
    for gradient in gradients:
        optimizer.step(parameters, gradient)
    return parameters


@pytest.fixture
def problem(rng):
    """Return a start and the gradients of twenty steps."""
    return rng.normal(size=7), rng.normal(size=(20, 7))


def test_gradient_descent_by_hand():
    assert after(SGD(0.1), np.array([1.0]), [np.array([2.0])]).tolist() == [0.8]


def test_momentum_by_hand():
    gradients = [np.array([2.0]), np.array([1.0])]  # v = 2, then 0.9 · 2 + 1 = 2.8

    found = after(SGD(0.1, momentum=0.9), np.array([1.0]), gradients)

    assert found == pytest.approx([1 - 0.2 - 0.28])


@pytest.mark.parametrize("gradient", [3.0, -0.2, 1e4])
def test_first_step_of_adam_is_the_learning_rate_against_the_sign(gradient):
    found = after(Adam(0.01), np.array([1.0]), [np.array([gradient])])

    assert found == pytest.approx([1 - 0.01 * np.sign(gradient)], abs=1e-6)


def test_second_step_of_adam_by_hand():
    # m = 0.9·0.2 + 0.1·1 = 0.28, m̂ = 0.28/0.19; v = 0.999·0.004 + 0.001 = 0.004996, v̂ = /0.001999
    expected = 1 - 0.1 - 0.1 * (0.28 / 0.19) / np.sqrt(0.004996 / 0.001999)

    found = after(Adam(0.1), np.array([1.0]), [np.array([2.0]), np.array([1.0])])

    assert found == pytest.approx([expected], abs=1e-6)


def test_first_step_of_adamw_shrinks_then_moves():
    found = after(AdamW(0.1, weight_decay=0.5), np.array([2.0]), [np.array([1.0])])

    assert found == pytest.approx([2 * (1 - 0.1 * 0.5) - 0.1], abs=1e-6)


def test_gradient_descent_equals_its_reference(problem):
    expected = momentum_reference(*problem, 0.05, 0.9)

    np.testing.assert_allclose(after(SGD(0.05, momentum=0.9), *problem), expected, rtol=1e-13)


def test_adam_equals_its_reference(problem):
    expected = adam_reference(*problem, rate=0.01, b1=0.8, b2=0.99)

    np.testing.assert_allclose(after(Adam(0.01, 0.8, 0.99), *problem), expected, rtol=1e-12)


def test_adamw_equals_its_reference(problem):
    expected = adam_reference(*problem, rate=0.01, decay=0.1)

    found = after(AdamW(0.01, weight_decay=0.1), *problem)

    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_adamw_without_decay_is_adam(problem):
    np.testing.assert_array_equal(
        after(AdamW(0.01, weight_decay=0.0), *problem), after(Adam(0.01), *problem)
    )


def test_adamw_decays_only_what_the_mask_says(problem):
    mask = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0])

    found = after(AdamW(0.01, weight_decay=0.1, decay_mask=mask), *problem)

    expected = np.where(
        mask, adam_reference(*problem, 0.01, decay=0.1), after(Adam(0.01), *problem)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("optimizer", [SGD, Adam, AdamW])
def test_learning_rate_may_change_between_steps(optimizer, problem):
    stepped, parameters = optimizer(0.1), problem[0].copy()
    stepped.step(parameters, problem[1][0])
    before = parameters.copy()

    stepped.learning_rate = 0.0
    stepped.step(parameters, problem[1][1])

    np.testing.assert_array_equal(parameters, before)


@pytest.mark.parametrize("optimizer", [SGD(0.1, 0.9), Adam(), AdamW()])
def test_step_is_in_place_and_keeps_dtype_and_gradients(optimizer, rng):
    parameters, gradients = rng.normal(size=(2, 5)).astype(np.float32)
    before, kept = parameters.copy(), gradients.copy()

    optimizer.step(parameters, gradients)
    optimizer.step(parameters, gradients)

    assert (parameters != before).all()
    np.testing.assert_array_equal(gradients, kept)


@pytest.mark.parametrize("optimizer", [SGD(0.1, 0.9), Adam(0.1), AdamW(0.1, weight_decay=0.0)])
def test_a_bowl_is_descended(optimizer):
    parameters = np.array([3.0, -2.0])

    for _ in range(500):
        optimizer.step(parameters, 2 * parameters)

    assert np.abs(parameters).max() < 1e-3


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SGD(-0.1), "learning_rate must be finite and ≥ 0, got -0.1"),
        (lambda: SGD(float("nan")), "got nan"),
        (lambda: Adam(float("inf")), "got inf"),
        (lambda: SGD(0.1, momentum=1.0), r"momentum must lie in \[0, 1\), got 1.0"),
        (lambda: Adam(beta1=1.0), "beta1, beta2 must lie"),
        (lambda: Adam(beta2=-0.1), "beta1, beta2 must lie"),
        (lambda: AdamW(weight_decay=-1), "weight_decay must be ≥ 0, got -1"),
    ],
)
def test_arguments_that_cannot_work_are_refused(build, message):
    with pytest.raises(ConfigurationError, match=message):
        build()
