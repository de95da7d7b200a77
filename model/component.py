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

from model.errors import ConfigurationError

Array = NDArray[Any]
Shape = tuple[int, ...]

MOST_PARAMETERS = 100_000_000  # 400 MB in float32, which an artifact has room for


def augmented(X: Array) -> Array:
    """Return rows as columns with a one below each: (…, B, F) → (…, F + 1, B)."""
    columns = np.ones((*X.shape[:-1], X.shape[-1] + 1), X.dtype)
    columns[..., :-1] = X
    return columns.mT


class Pass:
    """A component at work on inputs of one shape, in buffers of its own.

    In a pass features lie down and rows across, so that every product and every sum over features
    runs through memory in order. What goes forward has a row of ones at its end: with it weights
    and biases are one matrix, [W; b], and one product. What comes back has none.

    Attributes
    ----------
    output : ndarray (…, H + 1, B)
        What ``forward`` returns, overwritten by the next one.
    """

    output: Array

    def forward(self, X: Array) -> Array:
        """Return the output of the training pass: (…, F + 1, B) → (…, H + 1, B)."""
        raise NotImplementedError

    def backward(self, dA: Array, *, wants_input_gradient: bool = True) -> Array:
        """Fill the gradients, given that of the output; return that of the input.

        (…, H, B) → (…, F, B); anything where no gradient of the input is wanted.
        """
        raise NotImplementedError


class Chain(Pass):
    """Components at work one after the other.

    Attributes
    ----------
    shape : tuple
        Of the output.
    """

    def __init__(self, components: Iterable[Component], shape: Shape) -> None:
        self.passes: list[Pass] = []
        self._from_first_learner: list[Pass] = []
        for component in components:
            step = component.make_pass(shape)
            shape = step.output.shape
            self.passes.append(step)
            if component.size or self._from_first_learner:
                self._from_first_learner.append(step)
        self.shape = shape

    def forward(self, X: Array) -> Array:
        """Run each on the output of the one before."""
        for step in self.passes:
            X = step.forward(X)
        return X

    def backward(self, dA: Array, *, wants_input_gradient: bool = True) -> Array:
        """Run each, last first, on what the one after returned.

        Where no gradient of the input is wanted, those before the first that learns are left out.
        """
        steps = self.passes if wants_input_gradient else self._from_first_learner
        for step in reversed(steps):
            wanted = wants_input_gradient or step is not steps[0]
            dA = step.backward(dA, wants_input_gradient=wanted)
        return dA

    @property
    def learns(self) -> bool:
        """Whether any of them has parameters."""
        return bool(self._from_first_learner)


class Workspace(dict[tuple[Any, Shape], Any]):
    """Passes that are made at the first step of a shape and used again at the next.

    ``workspace[component, shape]`` is that of a component, or a network, for augmented inputs of a
    shape. What a step returns from a workspace is overwritten by the following step. A workspace
    belongs to one training loop; it is never shared between threads.
    """

    def __missing__(self, key: tuple[Any, Shape]) -> Any:
        owner, shape = key
        self[key] = owner.make_pass(shape)
        return self[key]


class Component:
    """A step of a network that may learn.

    Subclasses have ``make_pass``, which puts them to work: its forward is the training pass and
    fills caches, its backward fills the gradients; ``apply(X)``, the inference pass, which writes
    nothing, so that any number of threads may call it; and ``rescale``, the multiplier rule of
    DeepLIFT for its part.

    Parameters
    ----------
    shapes : mapping of str to tuple
        Name → shape of each trained array, a leading axis of K included where there are members.
    dtype : dtype
        float32 or float64.
    members : int, optional
        K: the flat layout has all arrays of the first member, then all of the second, and so on.

    Attributes
    ----------
    parameters, gradients : ndarray (size,)
        Flat views; of the network's vectors once the component belongs to one.
    statistics : ndarray
        What is measured rather than learned (running means); empty for most.
    """

    decayed: ClassVar[frozenset[str]] = frozenset({"weights"})  # weight decay spares the others

    def __init__(
        self, shapes: Mapping[str, Shape], dtype: DTypeLike, members: int | None = None
    ) -> None:
        self.shapes = dict(shapes)
        self.members = members
        self.size = sum(map(prod, self.shapes.values()))
        refuse_more_than_most(self.size)
        self.dtype = np.dtype(dtype)
        self.statistics = np.zeros(0, self.dtype)
        self.parameters = np.zeros(self.size, self.dtype)
        self.gradients = np.zeros(self.size, self.dtype)
        self.newest_pass: Any = None  # what ``backward`` belongs to
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
        by_member = flat.reshape(self.members or 1, -1)
        views, start = {}, 0
        for name, shape in self.shapes.items():
            stop = start + prod(shape) // len(by_member)
            views[name] = by_member[:, start:stop].reshape(shape)
            start = stop
        return views

    @property
    def values(self) -> Array:
        """All trained values as one vector, array by array whatever the flat layout; a copy."""
        return np.concatenate([np.zeros(0, self.dtype), *map(np.ravel, self._value.values())])

    @values.setter
    def values(self, values: Array) -> None:
        start = 0
        for view in self._value.values():
            view[...] = values[start : start + view.size].reshape(view.shape)
            start += view.size

    def leaves(self) -> Iterator[Component]:
        """Yield the innermost components: itself, unless it is made of others."""
        yield self

    def freeze(self) -> None:
        """Make all values read-only, and let the buffers of the training go."""
        self.newest_pass = None
        for array in (self.parameters, self.statistics, *self._value.values()):
            array.setflags(write=False)

    def decay_mask(self) -> Array:
        """Return 1 for each value that weight decay applies to, 0 for the others, flat."""
        mask = np.zeros(self.size, self.dtype)
        for name, view in self._views(mask).items():
            view[...] = name in self.decayed
        return mask

    def __repr__(self) -> str:
        facts = [repr(fact) for name, fact in self.describe().items() if name != "kind"]
        return f"{type(self).__name__}({', '.join(facts)})"

    def describe(self) -> dict[str, Any]:
        """Return what rebuilds this component, without its values, as JSON types."""
        raise NotImplementedError

    def make_pass(self, shape: Shape) -> Pass:
        """Return this component at work on augmented inputs of a shape, (…, F + 1, B)."""
        raise NotImplementedError

    def forward(self, X: Array, workspace: Workspace | None = None) -> Array:
        """Return the output of the training pass and keep what ``backward`` needs.

        Parameters
        ----------
        X : ndarray (B, F) or (K, B, F)
        workspace : Workspace, optional
            Where the result lives; a fresh array without.

        Returns
        -------
        ndarray (B, H) or (K, B, H)
        """
        X = augmented(np.atleast_2d(np.asarray(X, self.dtype)))
        self.newest_pass = (
            self.make_pass(X.shape) if workspace is None else workspace[self, X.shape]
        )
        return np.asarray(self.newest_pass.forward(X)[..., :-1, :].mT)

    def backward(self, dA: Array, *, wants_input_gradient: bool = True) -> Array:
        """Fill the gradients, given the gradient of the output; return that of the input."""
        dX = self.newest_pass.backward(dA.mT, wants_input_gradient=wants_input_gradient)
        return np.asarray(dX.mT)

    def apply(self, X: Array) -> Array:
        """Return the output of the inference pass."""
        raise NotImplementedError

    def rescale(self, X: Array, X_reference: Array, multipliers: Array) -> Array:
        """Take DeepLIFT multipliers of the output back to the input (Shrikumar et al., 2017)."""
        raise NotImplementedError


def refuse_more_than_most(size: int) -> None:
    """Raise unless so many values can be learned, before memory is taken for them."""
    if size > MOST_PARAMETERS:
        raise ConfigurationError(
            f"{size:,} weights and biases are too many, the most is {MOST_PARAMETERS:,}: "
            "take fewer units, members or inputs"
        )


def width_error(expected: int, found: int) -> ConfigurationError:
    """Return the error for rows that are wider or narrower than what they were given to reads."""
    return ConfigurationError(f"rows of {expected} values are expected, got {found}")


def bind_all(components: Iterable[Component], parameters: Array, gradients: Array) -> None:
    """Bind components to consecutive slices of two flat vectors."""
    start = 0
    for component in components:
        stop = start + component.size
        component.bind(parameters[start:stop], gradients[start:stop])
        start = stop
