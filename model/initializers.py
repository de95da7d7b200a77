"""Initial weights: variance chosen so that signals keep their size through the depth.

Each takes the shape ``(..., n_in, n_out)``; leading axes (ensemble members) are drawn independently
with the same fan-in and fan-out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import ConfigurationError

Array = NDArray[Any]
Initializer = Callable[[np.random.Generator, tuple[int, ...]], Array]


def he_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw from N(0, 2 / n_in) (He et al., 2015, eq. 10)."""
    return rng.normal(0.0, np.sqrt(2.0 / shape[-2]), shape)


def he_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw from U(−a, a) with a = √(6 / n_in): the same variance as :func:`he_normal`."""
    limit = np.sqrt(6.0 / shape[-2])
    return rng.uniform(-limit, limit, shape)


def glorot_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw from N(0, 2 / (n_in + n_out)) (Glorot & Bengio, 2010, eq. 12)."""
    return rng.normal(0.0, np.sqrt(2.0 / (shape[-2] + shape[-1])), shape)


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw from U(−a, a) with a = √(6 / (n_in + n_out)) (Glorot & Bengio, 2010, eq. 16)."""
    limit = np.sqrt(6.0 / (shape[-2] + shape[-1]))
    return rng.uniform(-limit, limit, shape)


def zeros(_rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return zeros; as weights they leave all units of a layer identical for ever."""
    return np.zeros(shape)


INITIALIZERS: dict[str, Initializer] = {
    function.__name__: function
    for function in (he_normal, he_uniform, glorot_normal, glorot_uniform, zeros)
}


def initializer_named(name: str) -> Initializer:
    """Look an initializer up by its stable name.

    Raises
    ------
    ConfigurationError
        If there is none of that name; the message lists those that exist.
    """
    try:
        return INITIALIZERS[name]
    except KeyError:
        known = ", ".join(INITIALIZERS)
        raise ConfigurationError(f"unknown initializer {name!r}; known: {known}") from None
