"""Activation functions and their derivatives, and one table of them by name.

Every function takes the pre-activation ``z`` and an optional ``out`` array, and keeps the dtype.
A derivative is taken with respect to ``z``; inside a layer it may use the activated value ``a``,
which is already there, instead of computing it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import ConfigurationError

Array = NDArray[Any]

LEAKY_SLOPE = 0.01
PRELU_INITIAL_SLOPE = 0.25

# Arrays already: of a number NumPy would have to make one at each call.
ZERO = np.zeros((), np.float32)
HALF = np.full((), 0.5, np.float32)
ONE = np.ones((), np.float32)


def identity(z: Array, out: Array | None = None) -> Array:
    """Return ``z``.

    Examples
    --------
    >>> float(identity(np.array(2.0)))
    2.0
    """
    return np.positive(z, out=out)


def identity_derivative(z: Array, out: Array | None = None) -> Array:
    """Return ones."""
    return _gradient_identity(z, z, out)


def relu(z: Array, out: Array | None = None, zero: Array = ZERO) -> Array:
    """Return max(z, 0) (Nair & Hinton, 2010).

    Examples
    --------
    >>> relu(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    return np.maximum(z, zero, out=out)


def relu_derivative(z: Array, out: Array | None = None) -> Array:
    """Return 1 where z > 0, else 0 (0 at the kink).

    Examples
    --------
    >>> relu_derivative(np.array([-1.0, 0.0, 2.0])).tolist()
    [0.0, 0.0, 1.0]
    """
    return _gradient_relu(z, relu(np.asarray(z)), out)


def leaky_relu(z: Array, out: Array | None = None, slope: Array | float = LEAKY_SLOPE) -> Array:
    """Return z where z > 0, else slope · z (Maas et al., 2013)."""
    negative = np.less(z, 0)
    result = np.asarray(np.multiply(z, 1.0, out=out))  # whole numbers become floats here
    return np.asarray(np.multiply(result, slope, out=result, where=negative))


def leaky_relu_derivative(
    z: Array, out: Array | None = None, slope: Array | float = LEAKY_SLOPE
) -> Array:
    """Return 1 where z > 0, else the slope."""
    positive = np.greater(z, 0)  # before the result is written: it may be z itself
    result = np.empty(np.shape(z), np.result_type(z, 0.0)) if out is None else out
    np.copyto(result, slope, casting="same_kind")
    np.copyto(result, 1, where=positive)
    return result


def prelu(z: Array, out: Array | None = None, slope: Array | float = PRELU_INITIAL_SLOPE) -> Array:
    """Return z where z > 0, else slope · z with a learned slope (He et al., 2015, eq. 1)."""
    return leaky_relu(z, out, slope)


def prelu_derivative(
    z: Array, out: Array | None = None, slope: Array | float = PRELU_INITIAL_SLOPE
) -> Array:
    """Return 1 where z > 0, else the learned slope."""
    return leaky_relu_derivative(z, out, slope)


def tanh(z: Array, out: Array | None = None) -> Array:
    """Return the hyperbolic tangent."""
    return np.tanh(z, out=out)


def tanh_derivative(z: Array, out: Array | None = None) -> Array:
    """Return 1 − tanh(z)²."""
    return _gradient_tanh(z, np.tanh(z), out)


def sigmoid(z: Array, out: Array | None = None) -> Array:
    """Return the logistic function 1 / (1 + e⁻ᶻ), as (1 + tanh(z / 2)) / 2: it cannot overflow.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    # z an array first, or a Python number would become float32; nothing in place unless asked, as
    # that costs twice as much for an array of one element
    result = np.tanh(np.multiply(np.asarray(z), HALF, out=out), out=out)
    return np.asarray(np.add(np.multiply(result, HALF, out=out), HALF, out=out))


def sigmoid_derivative(z: Array, out: Array | None = None) -> Array:
    """Return s(z) · (1 − s(z)).

    Examples
    --------
    >>> float(sigmoid_derivative(np.array(0.0)))
    0.25
    """
    return _gradient_sigmoid(z, sigmoid(z), out)


def _gradient_identity(z: Array, _a: Array, out: Array | None = None) -> Array:
    result = np.empty_like(z) if out is None else out
    result[...] = 1
    return result


def _gradient_relu(_z: Array, a: Array, out: Array | None = None, one: Array = ONE) -> Array:
    # relu(z) is never negative: rounded up and cut at 1 it is the derivative, without a boolean
    # in between
    result = np.ceil(a, out=out)
    return np.minimum(result, one, out=out)


def _gradient_tanh(_z: Array, a: Array, out: Array | None = None) -> Array:
    result = np.multiply(a, a, out=out)
    return np.subtract(1, result, out=out)


def _gradient_sigmoid(_z: Array, a: Array, out: Array | None = None) -> Array:
    result = np.subtract(1, a, out=out)
    return np.multiply(result, a, out=out)


@dataclass(frozen=True)
class Activation:
    """What a layer needs to know of an activation.

    Attributes
    ----------
    name : str
        Stable name, written into artifacts.
    function : callable
        ``function(z, out)``, or ``function(z, out, slope)`` where ``initial_slope`` is set, or
        ``function(z, out, bounds[0])`` where there are such.
    gradient : callable
        ``gradient(z, a, out)`` → da/dz, given both z and a = function(z); for the sloped ones
        ``gradient(z, a, out, slope)``, and ``gradient(z, a, out, bounds[1])``.
    initial_slope : float or None
        The slope for z < 0 that is learned beside the weights; None: nothing to learn.
    rectifies : bool
        Whether half of its input is cut, so that He's variance applies (He et al., 2015).
    bounds : pair of float or None
        What function and gradient compare with: best given as arrays of z's shape, because NumPy
        compares two arrays two to three times as fast as an array with a number.
    """

    name: str
    function: Callable[..., Array]
    gradient: Callable[..., Array]
    initial_slope: float | None = None
    rectifies: bool = False
    bounds: tuple[float, float] | None = None


def _gradient_leaky(
    z: Array, _a: Array, out: Array | None = None, slope: Array | float = LEAKY_SLOPE
) -> Array:
    return leaky_relu_derivative(z, out, slope)


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("identity", identity, _gradient_identity),
        Activation("relu", relu, _gradient_relu, rectifies=True, bounds=(0.0, 1.0)),
        Activation("leaky_relu", leaky_relu, _gradient_leaky, rectifies=True),
        Activation("prelu", prelu, _gradient_leaky, PRELU_INITIAL_SLOPE, rectifies=True),
        Activation("tanh", tanh, _gradient_tanh),
        Activation("sigmoid", sigmoid, _gradient_sigmoid),
    )
}


def activation_named(name: str) -> Activation:
    """Look an activation up by its stable name.

    Raises
    ------
    ConfigurationError
        If there is none of that name; the message lists those that exist.
    """
    try:
        return ACTIVATIONS[name]
    except KeyError:
        known = ", ".join(ACTIVATIONS)
        raise ConfigurationError(f"unknown activation {name!r}; known: {known}") from None
