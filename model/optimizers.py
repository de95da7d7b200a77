"""Optimizers: each steps one flat parameter vector, in place, given one flat gradient vector.

They own nothing but their moments. ``learning_rate`` may be set between steps; that is all a
schedule does.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import ConfigurationError

Array = NDArray[Any]


def _check_learning_rate(learning_rate: float) -> float:
    if not (np.isfinite(learning_rate) and learning_rate >= 0):
        raise ConfigurationError(f"learning_rate must be finite and ≥ 0, got {learning_rate!r}")
    return learning_rate


class SGD:
    """Stochastic gradient descent, with classical momentum if asked for.

    v ← μ v + g,  w ← w − η v  (Sutskever et al., 2013, eqs. 1–2, with η outside of v).

    Parameters
    ----------
    learning_rate : float
        η.
    momentum : float
        μ in [0, 1); 0 is plain gradient descent.
    """

    def __init__(self, learning_rate: float, momentum: float = 0.0) -> None:
        if not 0 <= momentum < 1:
            raise ConfigurationError(f"momentum must lie in [0, 1), got {momentum!r}")
        self.learning_rate = _check_learning_rate(learning_rate)
        self.momentum = momentum
        self._velocity: Array | None = None
        self._step: Array | None = None

    def step(self, parameters: Array, gradients: Array) -> None:
        """Move the parameters down the gradient, in place."""
        if self._step is None:
            self._step = np.empty_like(parameters)
        if self.momentum:
            if self._velocity is None:
                self._velocity = np.zeros_like(parameters)
            self._velocity *= self.momentum
            self._velocity += gradients
            gradients = self._velocity
        rate = np.asarray(self.learning_rate, gradients.dtype)  # cheaper for a ufunc than a number
        np.multiply(gradients, rate, out=self._step)
        parameters -= self._step


class Adam:
    """Adam (Kingma & Ba, 2015, algorithm 1, in the efficient order given at the end of section 2).

    Parameters
    ----------
    learning_rate : float
        α.
    beta1, beta2 : float
        Decay of the first and second moment.
    epsilon : float
        ε̂ of the efficient order.
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        if not (0 <= beta1 < 1 and 0 <= beta2 < 1):
            raise ConfigurationError(f"beta1, beta2 must lie in [0, 1), got {beta1!r}, {beta2!r}")
        self.learning_rate = _check_learning_rate(learning_rate)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.steps = 0
        self._moments: tuple[Array, Array, Array] | None = None
        self._constants: list[Array] = []

    def step(self, parameters: Array, gradients: Array) -> None:
        """Move the parameters, in place."""
        if self._moments is None:
            self._moments = (
                np.zeros_like(parameters),
                np.zeros_like(parameters),
                np.empty_like(parameters),
            )
            # arrays already: of a number a ufunc would have to make one at each call
            constants = (self.beta1, 1 - self.beta1, self.beta2, 1 - self.beta2, self.epsilon)
            self._constants = [np.asarray(value, parameters.dtype) for value in constants]
        first, second, work = self._moments
        beta1, rest1, beta2, rest2, epsilon = self._constants
        self.steps += 1
        np.multiply(gradients, rest1, out=work)
        first *= beta1
        first += work
        np.multiply(gradients, gradients, out=work)
        work *= rest2
        second *= beta2
        second += work
        correction = sqrt(1 - self.beta2**self.steps) / (1 - self.beta1**self.steps)
        np.sqrt(second, out=work)
        work += epsilon
        np.divide(first, work, out=work)
        work *= np.asarray(self.learning_rate * correction, work.dtype)
        parameters -= work


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019, algorithm 2).

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon : float
        As in :class:`Adam`.
    weight_decay : float
        λ: each step first shrinks the decayed values by the factor 1 − α λ. (The paper's schedule
        multiplier is part of α here, so that the decay follows the learning rate.)
    decay_mask : ndarray (size,), optional
        1 for values that decay (weights), 0 for those that do not (biases); all when omitted.
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        *,
        weight_decay: float = 1e-2,
        decay_mask: Array | None = None,
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon)
        if weight_decay < 0:
            raise ConfigurationError(f"weight_decay must be ≥ 0, got {weight_decay!r}")
        self.weight_decay = weight_decay
        self.decay_mask = decay_mask
        self._shrink: Array | None = None

    def step(self, parameters: Array, gradients: Array) -> None:
        """Shrink, then move the parameters, in place."""
        rate = self.learning_rate * self.weight_decay
        if rate:
            mask = 1.0 if self.decay_mask is None else self.decay_mask
            if self._shrink is None:
                self._shrink = np.empty_like(parameters)
            np.multiply(parameters, rate, out=self._shrink)
            np.multiply(self._shrink, mask, out=self._shrink)
            parameters -= self._shrink
        super().step(parameters, gradients)
