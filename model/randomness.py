"""Where chance comes from: a generator that is passed in, never a seed and never a global."""

from __future__ import annotations

from typing import Any

import numpy as np

from model.errors import ConfigurationError


def generator_from(rng: Any) -> np.random.Generator:
    """Return the generator given, or without one a generator of fresh entropy.

    Raises
    ------
    ConfigurationError
        If it is no generator, but a seed for example: two networks that are given the same number
        would begin with the same weights, and those of all their layers would go together.

    Examples
    --------
    >>> generator_from(42)
    Traceback (most recent call last):
    model.errors.ConfigurationError: rng is a Generator: numpy.random.default_rng(42), not 42
    """
    if rng is None:
        return np.random.default_rng()
    if not isinstance(rng, np.random.Generator):
        seed = rng if isinstance(rng, int | np.integer) else "seed"
        raise ConfigurationError(
            f"rng is a Generator: numpy.random.default_rng({seed}), not {rng!r:.60}"
        )
    return rng
