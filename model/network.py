"""A stack of components over one flat parameter vector, and the one training primitive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from model.component import Component, Workspace, bind_all
from model.dense import Layer
from model.errors import ConfigurationError
from model.layers import component_from, rescale_through

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
    for start in range(0, n_rows, batch_size):
        yield order[start : start + batch_size]


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
        self.parameters = np.zeros(size, self.dtype)
        self.gradients = np.zeros(size, self.dtype)
        bind_all(components, self.parameters, self.gradients)

    @property
    def layers(self) -> list[Layer]:
        """The dense layers in order, those inside residual blocks included."""
        leaves = [leaf for component in self.components for leaf in component.leaves()]
        return [leaf for leaf in leaves if isinstance(leaf, Layer)]

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
        A = X
        for component in self.components:
            A = component.forward(A, workspace)
        return A

    def apply(self, X: Array) -> Array:
        """Run the inference pass; writes nothing, so threads may share the network."""
        A = np.asarray(X, self.dtype)
        for component in self.components:
            A = component.apply(A)
        return A

    def loss(self, Z: Array, y: Array, sample_weights: Array | float) -> tuple[float, Array]:
        """Return the loss, given the last pre-activation, and its gradient there."""
        raise NotImplementedError

    def backward_from_z(self, dZ: Array) -> None:
        """Fill the gradients from that of the last pre-activation."""
        first = self.components[0]
        dA = self.output.backward_from_z(dZ, wants_input_gradient=self.output is not first)
        for component in reversed(self.hidden):
            dA = component.backward(dA, wants_input_gradient=component is not first)

    def loss_and_gradient(
        self,
        X: Array,
        y: Array,
        sample_weights: Array | float | None = None,
        workspace: Workspace | None = None,
    ) -> float:
        """Run forward, loss and backward once: the one training primitive.

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
        A = X
        for component in self.hidden:
            A = component.forward(A, workspace)
        Z = self.output.forward_z(A, workspace)
        if sample_weights is None:
            sample_weights = 1.0
        elif isinstance(sample_weights, np.ndarray):
            sample_weights = sample_weights[..., None]
        value, dZ = self.loss(Z, y, sample_weights)
        self.backward_from_z(dZ)
        return value

    def snapshot(self) -> Snapshot:
        """Return a copy of all values, for restoring the best epoch."""
        leaves = (leaf for component in self.components for leaf in component.leaves())
        return self.parameters.copy(), [leaf.statistics.copy() for leaf in leaves]

    def restore(self, snapshot: Snapshot) -> None:
        """Take back the values of a snapshot.

        Raises
        ------
        ConfigurationError
            If it is from a network of another shape.
        """
        values, statistics = snapshot
        leaves = [leaf for component in self.components for leaf in component.leaves()]
        expected = [self.parameters.shape, *(leaf.statistics.shape for leaf in leaves)]
        found = [values.shape, *(array.shape for array in statistics)]
        if expected != found:
            raise ConfigurationError(f"values of shapes {found} do not fit a network of {expected}")
        self.parameters[:] = values
        for leaf, array in zip(leaves, statistics, strict=True):
            leaf.statistics[...] = array

    def freeze(self) -> None:
        """Make all values read-only: from now on the network only serves."""
        self.parameters.setflags(write=False)
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
    def rebuild(cls, description: dict[str, Any], dtype: DTypeLike = np.float32) -> Self:
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
        network = cls.__new__(cls)
        Network.__init__(network, [component_from(part, members, dtype) for part in parts])
        return network
