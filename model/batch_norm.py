"""Batch normalisation.

Shapes as in :mod:`model.dense`: B rows, F features, K members, the member axis first; inside a pass
the last two axes are swapped.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from model.component import Component, Pass, Shape

Array = NDArray[Any]


class BatchNorm(Component):
    """Batch normalisation (Ioffe & Szegedy, 2015, algorithms 1 and 2).

    Training normalises each feature over the batch; inference uses running averages of the batch
    means and of the unbiased batch variances.

    Parameters
    ----------
    n_features : int
    members : int, optional
    momentum : float
        Weight of the running statistics against those of the newest batch.
    epsilon : float
        Added to the variance.
    dtype : dtype
    """

    decayed = frozenset()

    def __init__(
        self,
        n_features: int,
        *,
        members: int | None = None,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        dtype: DTypeLike = np.float64,
    ) -> None:
        shape = (n_features,) if members is None else (members, n_features)
        super().__init__({"scale": shape, "shift": shape}, dtype, members)
        self.n_features, self.momentum, self.epsilon = n_features, momentum, epsilon
        self._value["scale"][...] = 1
        self.statistics = np.stack([np.zeros(shape, self.dtype), np.ones(shape, self.dtype)])

    def make_pass(self, shape: Shape) -> Pass:
        """Return this layer at work on augmented inputs of a shape."""
        return _BatchNormPass(self, shape)

    def bind(self, parameters: Array, gradients: Array) -> None:
        """Move to slices of a network's vectors; see :class:`model.component.Component`."""
        super().bind(parameters, gradients)
        self._scale, self._shift = (
            self._value[name][..., None, :]
            for name in ("scale", "shift")  # (1, F) or (K, 1, F)
        )

    def _inference_scale(self) -> Array:
        deviation = np.sqrt(self.statistics[1] + self.epsilon)
        return np.asarray(self._scale / deviation[..., None, :])

    def apply(self, X: Array) -> Array:
        """Normalise with the running statistics; writes nothing."""
        centred = X - self.statistics[0][..., None, :]
        return np.asarray(centred * self._inference_scale() + self._shift)

    def rescale(self, X: Array, X_reference: Array, multipliers: Array) -> Array:  # noqa: ARG002
        """Apply the linear rule: inference is a fixed affine map."""
        return np.asarray(multipliers * self._inference_scale())

    def describe(self) -> dict[str, Any]:
        """Return what rebuilds this layer, without its values."""
        return {
            "kind": "batch_norm",
            "n_features": self.n_features,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }


class _BatchNormPass(Pass):
    def __init__(self, norm: BatchNorm, shape: Shape) -> None:
        members = () if norm.members is None else (norm.members,)
        self._norm = norm
        self.output = np.ones((*members, *shape[-2:]), norm.dtype)

    def forward(self, X: Array) -> Array:
        """Normalise over the batch and update the running statistics."""
        norm, X = self._norm, X[..., :-1, :]
        n_rows = X.shape[-1]
        mean, variance = X.mean(axis=-1), X.var(axis=-1)
        unbiased = variance * (n_rows / max(n_rows - 1, 1))
        for running, batch in zip(norm.statistics, (mean, unbiased), strict=True):
            running *= norm.momentum
            running += (1 - norm.momentum) * batch
        self._inverse_deviation = 1 / np.sqrt(variance + norm.epsilon)[..., None]
        self._normalised = (X - mean[..., None]) * self._inverse_deviation
        self.output[..., :-1, :] = norm._scale.mT * self._normalised + norm._shift.mT
        return self.output

    def backward(self, dA: Array, *, wants_input_gradient: bool = True) -> Array:  # noqa: ARG002
        """Fill the gradients; the batch statistics depend on every row, hence the two means."""
        norm = self._norm
        norm._gradient["scale"][...] = (dA * self._normalised).sum(axis=-1)
        norm._gradient["shift"][...] = dA.sum(axis=-1)
        dN = dA * norm._scale.mT
        mean = dN.mean(axis=-1, keepdims=True)
        slope = (dN * self._normalised).mean(axis=-1, keepdims=True)
        dX = (dN - mean - self._normalised * slope) * self._inverse_deviation
        return np.asarray(dX if dX.ndim == self._normalised.ndim else dX.sum(axis=0))
