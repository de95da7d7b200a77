"""The layers a network is stacked from: dense, dropout, batch normalisation, residual.

Shapes as in :mod:`model.dense`: B rows, F features, K members, the member axis first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from model.batch_norm import BatchNorm
from model.component import Chain, Component, Pass, Shape, bind_all
from model.dense import Layer
from model.errors import ConfigurationError
from model.initializers import zeros

Array = NDArray[Any]

__all__ = ["BatchNorm", "Dropout", "Layer", "Residual", "component_from"]


class Dropout(Component):
    """Inverted dropout (Srivastava et al., 2014, with the scaling done in training).

    In training each value is set to zero with ``drop_probability`` and the others are divided by
    what remains, so that inference changes nothing.

    Parameters
    ----------
    drop_probability : float
        Share of values dropped, in [0, 1); never the share that is kept.
    rng : Generator, optional
        Source of the masks; fresh entropy when omitted.
    dtype : dtype
    """

    def __init__(
        self,
        drop_probability: float,
        *,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        if not 0 <= drop_probability < 1:
            raise ConfigurationError(
                f"drop_probability must lie in [0, 1), got {drop_probability!r}"
            )
        super().__init__({}, dtype)
        self.drop_probability = drop_probability
        self._rng = np.random.default_rng() if rng is None else rng

    def make_pass(self, shape: Shape) -> Pass:
        """Return this layer at work on augmented inputs of a shape."""
        return _DropoutPass(self, shape)

    def apply(self, X: Array) -> Array:
        """Return X: inference drops nothing."""
        return X

    def rescale(self, X: Array, X_reference: Array, multipliers: Array) -> Array:  # noqa: ARG002
        """Return the multipliers unchanged."""
        return multipliers

    def describe(self) -> dict[str, Any]:
        """Return what rebuilds this layer."""
        return {"kind": "dropout", "drop_probability": self.drop_probability}


class _DropoutPass(Pass):
    def __init__(self, dropout: Dropout, shape: Shape) -> None:
        self._rng, self._drop_probability = dropout._rng, dropout.drop_probability
        self.output = np.ones(shape, dropout.dtype)
        self._A = self.output[..., :-1, :]
        self._scale, self._dX = (np.empty(self._A.shape, dropout.dtype) for _ in range(2))
        self._kept = np.empty(self._A.shape, bool)

    def forward(self, X: Array) -> Array:
        """Drop values at random."""
        scale = self._scale
        self._rng.random(dtype=scale.dtype.name, out=scale)
        np.greater_equal(scale, self._drop_probability, out=self._kept)
        np.multiply(self._kept, 1 / (1 - self._drop_probability), out=scale, casting="same_kind")
        np.multiply(X[..., :-1, :], scale, out=self._A)
        return self.output

    def backward(self, dA: Array, *, wants_input_gradient: bool = True) -> Array:  # noqa: ARG002
        """Pass the gradient where the value passed."""
        return np.multiply(dA, self._scale, out=self._dX)


class Residual(Component):
    """Add a stack of components to its own input: X + F(X) (He et al., 2016, eq. 1).

    Parameters
    ----------
    components : sequence of Component
        Together they must keep the number of features.
    """

    def __init__(self, components: Sequence[Component]) -> None:
        if not components:
            raise ConfigurationError("a residual block needs at least one component")
        self.components = tuple(components)
        size = sum(component.size for component in self.components)
        super().__init__({"components": (size,)}, self.components[0].dtype)

    def bind(self, parameters: Array, gradients: Array) -> None:
        """Move to slices of a network's vectors, the inner components along."""
        super().bind(parameters, gradients)
        bind_all(self.components, parameters, gradients)

    def leaves(self) -> Iterator[Component]:
        """Yield the inner components."""
        for component in self.components:
            yield from component.leaves()

    def freeze(self) -> None:
        """Make all values read-only, those of the inner components too."""
        super().freeze()
        for component in self.components:
            component.freeze()

    def decay_mask(self) -> Array:
        """Return the masks of the inner components, joined."""
        return np.concatenate([component.decay_mask() for component in self.components])

    def make_pass(self, shape: Shape) -> Pass:
        """Return this block at work on augmented inputs of a shape."""
        return _ResidualPass(self.components, shape)

    def apply(self, X: Array) -> Array:
        """Return X + F(X) of the inference pass."""
        A = X
        for component in self.components:
            A = component.apply(A)
        return X + A

    def rescale(self, X: Array, X_reference: Array, multipliers: Array) -> Array:
        """Add the multipliers of F to those of the identity."""
        return multipliers + rescale_through(self.components, X, X_reference, multipliers)

    def describe(self) -> dict[str, Any]:
        """Return what rebuilds this block, without its values."""
        return {"kind": "residual", "components": [c.describe() for c in self.components]}


class _ResidualPass(Chain):
    def __init__(self, components: Sequence[Component], shape: Shape) -> None:
        super().__init__(components, shape)
        self.output = np.ones(self.shape, components[0].dtype)
        self._A = self.output[..., :-1, :]

    def forward(self, X: Array) -> Array:
        """Return X + F(X)."""
        np.add(X[..., :-1, :], super().forward(X)[..., :-1, :], out=self._A)
        return self.output

    def backward(self, dA: Array, *, wants_input_gradient: bool = True) -> Array:
        """Pass the gradient through F and past it."""
        dX = super().backward(dA, wants_input_gradient=True)
        if not wants_input_gradient:
            return dX
        return dX + (dA if dA.ndim == dX.ndim else dA.sum(axis=0))  # members shared one X


def rescale_through(
    components: Sequence[Component], X: Array, X_reference: Array, multipliers: Array
) -> Array:
    """Take DeepLIFT multipliers back through a stack of components."""
    inputs = [(X, X_reference)]
    for component in components[:-1]:
        inputs.append((component.apply(inputs[-1][0]), component.apply(inputs[-1][1])))
    for component, (x, reference) in zip(reversed(components), reversed(inputs), strict=True):
        multipliers = component.rescale(x, reference, multipliers)
    return multipliers


def component_from(
    description: Mapping[str, Any], members: int | None, dtype: DTypeLike
) -> Component:
    """Rebuild a component from what its ``describe`` returned; its values are still to be set.

    Raises
    ------
    ConfigurationError
        If the description is not one of ours.
    """
    try:
        facts = dict(description)
        kind = facts.pop("kind")
        if kind == "dense":
            return Layer(**facts, members=members, initializer=zeros, dtype=dtype)
        if kind == "dropout":
            return Dropout(**facts, dtype=dtype)
        if kind == "batch_norm":
            return BatchNorm(**facts, members=members, dtype=dtype)
        if kind == "residual":
            inner = [component_from(part, members, dtype) for part in facts["components"]]
            return Residual(inner)
    except (TypeError, KeyError, ValueError) as error:
        raise ConfigurationError(f"a layer cannot be rebuilt: {error}") from None
    raise ConfigurationError(f"unknown kind of layer {kind!r}")
