"""What networks are stacked from: trained values as views into one flat vector.

A component lists the shapes of what it learns. A network joins the values of all its components in
one flat parameter vector and the gradients in another of the same layout, and binds each component
to its slices. An optimizer then steps the whole network in a handful of array operations, and a
snapshot is one copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]


class Workspace(dict[tuple["Component", Shape], Any]):
    """Buffers that are allocated at the first step of a shape and used again at the next.

    ``workspace[component, shape]`` are those of a component for inputs of a shape. What a step
    returns from a workspace is overwritten by the following step. A workspace belongs to one
    training loop; it is never shared between threads.
    """

    def __missing__(self, key: tuple[Component, Shape]) -> Any:
        component, shape = key
        buffers = self[key] = component.allocate(shape)
        return buffers


class Component:
    """A step of a network that may learn.

    Subclasses have ``forward(X, workspace=None)``, the training pass, which fills caches;
    ``backward(dA)``, which fills the gradients and returns dX; ``apply(X)``, the inference pass,
    which writes nothing, so that any number of threads may call it; and ``rescale``, the multiplier
    rule of DeepLIFT for its part.

    Parameters
    ----------
    shapes : mapping of str to tuple
        Name → shape of each trained array, in the order of the flat layout.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    parameters, gradients : ndarray (size,)
        Flat views; of the network's vectors once the component belongs to one.
    statistics : ndarray
        What is measured rather than learned (running means); empty for most.
    """

    decayed: ClassVar[frozenset[str]] = frozenset({"weights"})  # weight decay spares the others

    def __init__(self, shapes: Mapping[str, Shape], dtype: DTypeLike) -> None:
        self.shapes = dict(shapes)
        self.size = sum(map(prod, self.shapes.values()))
        self.dtype = np.dtype(dtype)
        self.statistics = np.zeros(0, self.dtype)
        self.parameters = np.zeros(self.size, self.dtype)
        self.gradients = np.zeros(self.size, self.dtype)
        self.bind(self.parameters, self.gradients)

    def bind(self, parameters: Array, gradients: Array) -> None:
        """Move to slices of a network's vectors, taking the present values along."""
        parameters[:] = self.parameters
        gradients[:] = self.gradients
        self.parameters = parameters
        self.gradients = gradients
        self._value = self._views(parameters)
        self._gradient = self._views(gradients)

    def _views(self, flat: Array) -> dict[str, Array]:
        views, start = {}, 0
        for name, shape in self.shapes.items():
            views[name] = flat[start : start + prod(shape)].reshape(shape)
            start += prod(shape)
        return views

    def leaves(self) -> Iterator[Component]:
        """Yield the innermost components: itself, unless it is made of others."""
        yield self

    def freeze(self) -> None:
        """Make all values read-only."""
        for array in (self.parameters, self.statistics, *self._value.values()):
            array.setflags(write=False)

    def decay_mask(self) -> Array:
        """Return 1 for each value that weight decay applies to, 0 for the others, flat."""
        parts = [
            np.full(prod(shape), float(name in self.decayed), self.dtype)
            for name, shape in self.shapes.items()
        ]
        return np.concatenate([*parts, np.zeros(0, self.dtype)])

    def describe(self) -> dict[str, Any]:
        """Return what rebuilds this component, without its values, as JSON types."""
        raise NotImplementedError

    def allocate(self, shape: Shape) -> Any:
        """Return the buffers of a training pass over inputs of this shape."""
        raise NotImplementedError

    def forward(self, X: Array, workspace: Workspace | None = None) -> Array:
        """Return the output of the training pass."""
        raise NotImplementedError

    def backward(self, dA: Array, *, wants_input_gradient: bool = True) -> Array:
        """Fill the gradients, given the gradient of the output; return that of the input."""
        raise NotImplementedError

    def apply(self, X: Array) -> Array:
        """Return the output of the inference pass."""
        raise NotImplementedError

    def rescale(self, X: Array, X_reference: Array, multipliers: Array) -> Array:
        """Take DeepLIFT multipliers of the output back to the input (Shrikumar et al., 2017)."""
        raise NotImplementedError


def bind_all(components: Iterable[Component], parameters: Array, gradients: Array) -> None:
    """Bind components to consecutive slices of two flat vectors."""
    start = 0
    for component in components:
        stop = start + component.size
        component.bind(parameters[start:stop], gradients[start:stop])
        start = stop
