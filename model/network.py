"""A stack of components over one flat parameter vector, and the one training primitive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from model.chunks import chunks
from model.component import (
    Chain,
    Component,
    Shape,
    Workspace,
    augmented,
    bind_all,
    refuse_more_than_most,
)
from model.dense import Layer
from model.errors import ConfigurationError
from model.layers import component_from, rescale_through
from model.network_file import read_network, write_network
from model.randomness import generator_from

Array = NDArray[Any]
Snapshot = tuple[Array, list[Array]]


def minibatches(n_rows: int, batch_size: int, rng: np.random.Generator) -> Iterator[Array]:
    """Yield the row numbers of each batch of one epoch: every row once, in a fresh order.

    Raises
    ------
    ConfigurationError
        If the batch size is below 1.
    """
    if batch_size < 1:
        raise ConfigurationError(f"batch_size must be at least 1, got {batch_size!r}")
    order = rng.permutation(n_rows)
    for rows in chunks(n_rows, batch_size):
        yield order[rows]


class NetworkPass:
    """A network at work on inputs of one shape; losses meet it at the last pre-activation."""

    def __init__(self, network: Network, shape: Shape) -> None:
        self._hidden = Chain(network.hidden, shape)
        self._last = network.output.make_pass(self._hidden.shape)
        self.dZ = self._last.dZ

    def forward(self, X: Array) -> Array:
        """Return the output of the training pass, augmented."""
        return self._last.forward(self._hidden.forward(X))

    def forward_z(self, X: Array) -> Array:
        """Return the last pre-activation of the training pass."""
        return self._last.forward_z(self._hidden.forward(X))

    def backward_from_z(self, *, wants_input_gradient: bool = False) -> Array:
        """Fill the gradients, that of the last pre-activation being in ``dZ``."""
        goes_on = wants_input_gradient or self._hidden.learns
        dA = self._last.backward_from_z(wants_input_gradient=goes_on)
        return self._hidden.backward(dA, wants_input_gradient=wants_input_gradient)


class Network:
    """Components applied one after the other, trained and inspected as a whole.

    Parameters
    ----------
    components : sequence of Component
        The last one is a :class:`model.Layer`.

    Attributes
    ----------
    parameters, gradients : ndarray (size,)
        All trained values, and their gradients, in one vector each; the components hold views.
    layers : list of Layer
        The dense layers in order.
    """

    def __init__(self, components: Sequence[Component]) -> None:
        if not components or not isinstance(components[-1], Layer):
            raise ConfigurationError("a network ends in a dense layer")
        self.components = tuple(components)
        self.hidden = self.components[:-1]
        self.output: Layer = components[-1]
        self.dtype = self.output.dtype
        self.members = self.output.members
        size = sum(component.size for component in components)
        refuse_more_than_most(size)
        self.parameters = np.zeros(size, self.dtype)
        self.gradients = np.zeros(size, self.dtype)
        bind_all(components, self.parameters, self.gradients)

    def __repr__(self) -> str:
        facts = [*map(repr, self.components)]
        if self.members is not None:
            facts.append(f"members={self.members}")
        return f"{type(self).__name__}({', '.join(facts)}, dtype={self.dtype})"

    @property
    def layers(self) -> list[Layer]:
        """The dense layers in order, those inside residual blocks included."""
        return [leaf for leaf in self._leaves if isinstance(leaf, Layer)]

    @property
    def n_parameters(self) -> int:
        """How many values are learned, over all members."""
        return self.parameters.size

    def decay_mask(self) -> Array:
        """Return 1 for weights and 0 for biases and the like, in the layout of the parameters."""
        return np.concatenate([component.decay_mask() for component in self.components])

    def forward(self, X: Array, workspace: Workspace | None = None) -> Array:
        """Run the training pass: dropout drops, batch statistics are updated, caches are filled.

        Parameters
        ----------
        X : ndarray (N, F) or (K, N, F)
        workspace : Workspace, optional
            Where buffers live; fresh arrays without.

        Returns
        -------
        ndarray (N, H) or (K, N, H)
        """
        X = augmented(np.atleast_2d(np.asarray(X, self.dtype)))
        return self._at_work(X, workspace).forward(X)[..., :-1, :].mT

    def apply(self, X: Array) -> Array:
        """Run the inference pass; writes nothing, so threads may share the network."""
        A = np.asarray(X, self.dtype)
        for component in self.components:
            A = component.apply(A)
        return A

    def make_pass(self, shape: Shape) -> NetworkPass:
        """Return the network at work on augmented inputs of a shape, (…, F + 1, B)."""
        return NetworkPass(self, shape)

    def _at_work(self, X: Array, workspace: Workspace | None) -> NetworkPass:
        run = self.make_pass(X.shape) if workspace is None else workspace[self, X.shape]
        self._newest_pass: NetworkPass = run
        return run

    def backward_from_z(self, dZ: Array) -> None:
        """Fill the gradients after a ``forward``, from that of the last pre-activation."""
        self._newest_pass.dZ[...] = dZ.mT
        self._newest_pass.backward_from_z()

    def target_columns(self, y: Array) -> Array:
        """Lay targets as the last pre-activation lies in a pass: (…, H, N)."""
        raise NotImplementedError

    def loss(self, Z: Array, y: Array, sample_weights: Array) -> float:
        """Return the loss, given the last pre-activation; all as columns, (…, H, N)."""
        raise NotImplementedError

    def loss_gradient(self, Z: Array, y: Array, scale: Array, out: Array) -> Array:
        """Return the gradient of the loss there, given wᵢ / N."""
        raise NotImplementedError

    def backpropagate(
        self, X: Array, y: Array, scale: Array, workspace: Workspace | None = None
    ) -> Array:
        """Run forward and backward once and fill the gradients: the one training primitive.

        Parameters
        ----------
        X : ndarray (F + 1, N) or (K, F + 1, N)
            Rows as columns, over ones: see :func:`model.component.augmented`.
        y : ndarray (H, N) or (K, H, N)
            Targets, as columns too.
        scale : ndarray (1, N) or (K, 1, N)
            wᵢ / N.
        workspace : Workspace, optional

        Returns
        -------
        ndarray (H, N) or (K, H, N)
            The last pre-activation, from which ``loss`` tells the value.
        """
        run = self._at_work(X, workspace)
        Z = run.forward_z(X)
        self.loss_gradient(Z, y, scale, run.dZ)
        run.backward_from_z()
        return Z

    def loss_and_gradient(
        self,
        X: Array,
        y: Array,
        sample_weights: Array | float | None = None,
        workspace: Workspace | None = None,
    ) -> float:
        """Backpropagate a batch of rows and tell its loss.

        Parameters
        ----------
        X : ndarray (N, F) or (K, N, F)
        y : ndarray
            Targets: (N,) labels of a classifier, (N, F) rows of an autoencoder; a leading member
            axis where X has one.
        sample_weights : ndarray (N,) or (K, N), or float, optional
        workspace : Workspace, optional

        Returns
        -------
        float
            (1/N) · Σ wᵢ ℓᵢ, summed over members; ``gradients`` then holds its gradient.
        """
        X, y = augmented(np.atleast_2d(np.asarray(X, self.dtype))), self.target_columns(y)
        if X.shape[-1] != y.shape[-1]:
            raise ConfigurationError(f"{X.shape[-1]} rows have {y.shape[-1]} targets")
        weights = np.asarray(1 if sample_weights is None else sample_weights, self.dtype)
        weights = np.atleast_1d(weights)[..., None, :]
        Z = self.backpropagate(X, y, weights / X.shape[-1], workspace)
        return self.loss(Z, y, weights)

    @property
    def _leaves(self) -> list[Component]:
        return [leaf for component in self.components for leaf in component.leaves()]

    def snapshot(self) -> Snapshot:
        """Return a copy of all values, for restoring the best epoch."""
        values = np.concatenate([leaf.values for leaf in self._leaves])
        return values, [leaf.statistics.copy() for leaf in self._leaves]

    def restore(self, snapshot: Snapshot) -> None:
        """Take back the values of a snapshot.

        Raises
        ------
        ConfigurationError
            If it is from a network of another shape.
        """
        values, statistics = snapshot
        leaves = self._leaves
        expected = [self.parameters.shape, *(leaf.statistics.shape for leaf in leaves)]
        found = [values.shape, *(array.shape for array in statistics)]
        if expected != found:
            raise ConfigurationError(f"values of shapes {found} do not fit a network of {expected}")
        start = 0
        for leaf, array in zip(leaves, statistics, strict=True):
            leaf.values = values[start : start + leaf.size]
            leaf.statistics[...] = array
            start += leaf.size

    def to_arrays(self) -> dict[str, Array]:
        """Return all values by name: ``parameters``, and ``statistics.N`` of the leaves that have.

        They are copies.
        """
        values, statistics = self.snapshot()
        named = {f"statistics.{n}": array for n, array in enumerate(statistics) if array.size}
        return {"parameters": values, **named}

    def restore_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Take back the values that ``to_arrays`` gave.

        Raises
        ------
        ConfigurationError, KeyError
            If they are from a network of another shape.
        """
        _, statistics = self.snapshot()
        found = [
            arrays[f"statistics.{n}"] if array.size else array for n, array in enumerate(statistics)
        ]
        self.restore((arrays["parameters"], found))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the network as one ``.npz`` file without pickle; ``load`` reads it.

        Raises
        ------
        ConfigurationError
            If a value is not finite.
        OSError
            If the file cannot be written; what was there before is then untouched.
        """
        write_network(Path(path), self)

    @classmethod
    def load(cls, path: str | PathLike[str], *, rng: np.random.Generator | None = None) -> Self:
        """Read a network that ``save`` wrote: the same values bit by bit.

        Parameters
        ----------
        path : path
        rng : Generator, optional
            Source of dropout masks, should it learn on; fresh entropy when omitted.

        Raises
        ------
        ArtifactError
            If there is no such file, it is damaged, or it holds no network of this class.
        """
        return read_network(cls, Path(path), rng)

    def freeze(self) -> None:
        """Make all values read-only: from now on the network only serves."""
        self.parameters.setflags(write=False)
        self.__dict__.pop("_newest_pass", None)  # buffers of the training
        for component in self.components:
            component.freeze()

    def multipliers(self, Z: Array, Z_reference: Array) -> Array:
        """Return DeepLIFT-Rescale multipliers from the first pre-activation to the last.

        (Shrikumar et al., 2017.)

        Parameters
        ----------
        Z : ndarray (N, H) or (K, N, H)
            Pre-activation of the first component, a dense layer.
        Z_reference : ndarray (1, H) or (K, 1, H)

        Returns
        -------
        ndarray (N, H) or (K, N, H)
            ``(multipliers * (Z - Z_reference)).sum(-1)`` is the difference of the logits.
        """
        if not self.hidden:
            return np.ones_like(Z)
        first, others = self.layers[0], self.hidden[1:]
        multipliers = self.output.weights.mT  # one output unit: (1, H) or (K, 1, H)
        if others:
            A, A_reference = first.activate(Z), first.activate(Z_reference)
            multipliers = rescale_through(others, A, A_reference, multipliers)
        return first.rescale_activation(Z, Z_reference, multipliers)

    def astype(self, dtype: DTypeLike) -> Self:
        """Return the same network in another precision."""
        network = self.rebuild(self.describe(), dtype)
        network.restore(self.snapshot())
        return network

    def describe(self) -> dict[str, Any]:
        """Return what rebuilds the network, without its values, as JSON types."""
        return {
            "members": self.members,
            "components": [component.describe() for component in self.components],
        }

    @classmethod
    def rebuild(
        cls,
        description: Mapping[str, Any],
        dtype: DTypeLike = np.float32,
        rng: np.random.Generator | None = None,
    ) -> Self:
        """Build the network of a description; ``restore`` then gives it its values.

        Raises
        ------
        ConfigurationError
            If the description is not one of ours.
        """
        try:
            members, parts = description["members"], list(description["components"])
        except (KeyError, TypeError) as error:
            raise ConfigurationError(f"not a network: {error}") from None
        rng = generator_from(rng)
        network = cls.__new__(cls)
        Network.__init__(network, [component_from(part, members, dtype, rng) for part in parts])
        network.check_ends()
        return network

    def check_ends(self) -> None:
        """Raise a ConfigurationError if this class of network cannot end, or begin, as it does."""
