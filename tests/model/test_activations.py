"""Activations against their formulas, one by one."""

import math

import numpy as np
import pytest

from model import activations
from model.activations import ACTIVATIONS, activation_named
from model.errors import ConfigurationError
from tests.gradient_check import assert_gradient, numerical_gradient

NAMES = sorted(ACTIVATIONS)

# Name → plain Python: the value, and the derivative.
REFERENCES = {
    "identity": (lambda z: z, lambda _z: 1.0),
    "relu": (lambda z: max(z, 0.0), lambda z: float(z > 0)),
    "leaky_relu": (lambda z: z if z > 0 else 0.01 * z, lambda z: 1.0 if z > 0 else 0.01),
    "prelu": (lambda z: z if z > 0 else 0.25 * z, lambda z: 1.0 if z > 0 else 0.25),
    "tanh": (math.tanh, lambda z: 1 - math.tanh(z) ** 2),
    "sigmoid": (
        lambda z: 1 / (1 + math.exp(-z)),
        lambda z: math.exp(-z) / (1 + math.exp(-z)) ** 2,
    ),
}


def derivative_of(name):
    """Return the public derivative of an activation."""
    return getattr(activations, f"{name}_derivative")


@pytest.mark.parametrize("name", NAMES)
def test_activation_equals_its_formula(name, rng):
    z = rng.normal(scale=3, size=100)

    expected = [REFERENCES[name][0](value) for value in z.tolist()]

    np.testing.assert_allclose(ACTIVATIONS[name].function(z), expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_derivative_equals_its_formula(name, rng):
    z = rng.normal(scale=3, size=100)

    expected = [REFERENCES[name][1](value) for value in z.tolist()]

    np.testing.assert_allclose(derivative_of(name)(z), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_derivative_agrees_with_central_differences(name, rng):
    z = rng.normal(scale=2, size=20)
    assert np.abs(z).min() > 1e-3

    numeric = numerical_gradient(lambda: ACTIVATIONS[name].function(z).sum(), z)

    assert_gradient(derivative_of(name)(z), numeric)


@pytest.mark.parametrize("name", [n for n in NAMES if ACTIVATIONS[n].initial_slope is None])
def test_gradient_from_the_activated_value_equals_the_derivative(name, rng):
    z = rng.normal(size=(4, 5))
    a = ACTIVATIONS[name].function(z)

    np.testing.assert_allclose(ACTIVATIONS[name].gradient(z, a), derivative_of(name)(z), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMES)
def test_dtype_and_input_are_kept(name, dtype, rng):
    z = rng.normal(size=(3, 4)).astype(dtype)
    before = z.copy()

    for function in (ACTIVATIONS[name].function, derivative_of(name)):
        assert function(z).dtype == dtype
        assert function(z).shape == z.shape

    np.testing.assert_array_equal(z, before)


@pytest.mark.parametrize("name", NAMES)
def test_result_may_be_written_over_the_input(name, rng):
    z = rng.normal(size=(3, 4))

    for function in (ACTIVATIONS[name].function, derivative_of(name)):
        expected, in_place = function(z), z.copy()
        returned = function(in_place, in_place)

        np.testing.assert_array_equal(in_place, expected)
        assert returned is in_place


@pytest.mark.parametrize("name", NAMES)
def test_result_may_be_written_to_another_array(name, rng):
    z = rng.normal(size=(3, 4))

    for function in (ACTIVATIONS[name].function, derivative_of(name)):
        out = np.full_like(z, np.nan)
        function(z, out)

        np.testing.assert_array_equal(out, function(z))


@pytest.mark.parametrize("value", [np.float64(-1.5), np.array(-1.5), np.float64(2.0)])
@pytest.mark.parametrize("name", NAMES)
def test_a_single_number_is_accepted(name, value):
    assert ACTIVATIONS[name].function(value) == pytest.approx(REFERENCES[name][0](float(value)))
    assert derivative_of(name)(value) == pytest.approx(REFERENCES[name][1](float(value)))


@pytest.mark.parametrize("name", NAMES)
def test_whole_numbers_are_accepted(name):
    z = np.array([-2, 3])

    assert ACTIVATIONS[name].function(z) == pytest.approx([REFERENCES[name][0](v) for v in (-2, 3)])
    assert derivative_of(name)(z) == pytest.approx([REFERENCES[name][1](v) for v in (-2, 3)])


@pytest.mark.parametrize("name", [name for name in NAMES if ACTIVATIONS[name].rectifies])
def test_derivative_of_rectifiers_at_zero_is_that_of_the_left(name):
    assert derivative_of(name)(np.array([0.0])) == REFERENCES[name][1](0.0)


@pytest.mark.parametrize("name", NAMES)
def test_extreme_inputs_stay_finite(name):
    z = np.array([-1000.0, 1000.0, -1e300, 1e300])

    assert np.isfinite(ACTIVATIONS[name].function(z)).all()
    assert np.isfinite(derivative_of(name)(z)).all()


def test_sloped_activation_takes_one_slope_per_unit():
    z = np.array([[-1.0, -1.0], [2.0, 2.0]])

    np.testing.assert_allclose(
        activations.prelu(z, slope=np.array([0.5, 0.1])), [[-0.5, -0.1], [2.0, 2.0]]
    )


def test_unknown_activation_lists_the_known_ones():
    with pytest.raises(ConfigurationError, match=r"unknown activation 'swish'; known: .*relu"):
        activation_named("swish")
