"""The dense layer with its activation.

Shapes: B rows, F inputs, H outputs, K members. Without members X is (B, F) and the weights are
(F, H). With members every trained array has a leading axis of K, X is (B, F), shared by all
members, or (K, B, F), and the same lines of code train K networks in one batched product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from model.activations import activation_named
from model.component import Component, Shape, Workspace
from model.errors import ConfigurationError
from model.initializers import Initializer, glorot_uniform, he_normal
from model.optimizers import SGD

Array = NDArray[Any]

# Below this difference of pre-activations DeepLIFT's quotient is noise: the derivative, its limit,
# takes over.
SMALLEST_DIFFERENCE = 1e-7


@dataclass(slots=True)
class _DenseBuffers:
    Z: Array
    A: Array
    dZ: Array
    dX: Array
    ones: Array


class Layer(Component):
    """A dense layer with its activation: A = f(X @ W + b).

    Parameters
    ----------
    n_in, n_out : int
    activation : str, optional
        Name in :data:`model.activations.ACTIVATIONS`; identity when omitted.
    members : int, optional
        How many independent layers to hold in one; None is one, without the axis.
    rng : Generator, optional
        Source of the initial weights; fresh entropy when omitted.
    initializer : callable, optional
        ``initializer(rng, shape)``; by default He's for rectifiers, Glorot's for the others.
    dtype : dtype
        float64 or float32.
    initial_bias : float
        Zero, or a small positive value that lets rectifiers start alive.

    Attributes
    ----------
    weights : ndarray (F, H) or (K, F, H)
    biases : ndarray (H,) or (K, H)
        Views: assigning to them copies the values in.
    dW, db : ndarray
        Gradients after ``backward``, of the same shapes.
    input_cache, z_cache : ndarray
        X and the pre-activation of the last ``forward``.

    Examples
    --------
    >>> layer = Layer(2, 2, "relu")
    >>> layer.weights = [[0.5, -0.5], [0.5, -0.5]]
    >>> layer.apply(np.array([[0.0, 1.0]])).tolist()
    [[0.5, 0.0]]
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        activation: str | None = None,
        *,
        members: int | None = None,
        rng: np.random.Generator | None = None,
        initializer: Initializer | None = None,
        dtype: DTypeLike = np.float64,
        initial_bias: float = 0.0,
    ) -> None:
        if n_in < 1 or n_out < 1 or (members is not None and members < 1):
            raise ConfigurationError(
                f"a layer needs at least one input, output and member, got {n_in=}, {n_out=}, "
                f"{members=}"
            )
        self.n_in, self.n_out, self.members = n_in, n_out, members
        self.activation = activation_named(activation or "identity")
        axes: Shape = () if members is None else (members,)
        shapes = {"weights": (*axes, n_in, n_out), "biases": (*axes, n_out)}
        slope = self.activation.initial_slope
        if slope is not None:
            shapes["slope"] = (*axes, n_out)
        super().__init__(shapes, dtype)
        rng = np.random.default_rng() if rng is None else rng
        initializer = initializer or (he_normal if self.activation.rectifies else glorot_uniform)
        self.weights = initializer(rng, shapes["weights"])
        self.biases = initial_bias
        if slope is not None:
            self._value["slope"][...] = slope

    def bind(self, parameters: Array, gradients: Array) -> None:
        """Move to slices of a network's vectors; see :class:`model.component.Component`."""
        super().bind(parameters, gradients)
        self._weights = self._value["weights"]
        self._biases = self._value["biases"][..., None, :]  # (1, H) or (K, 1, H)
        self._slope = self._value["slope"][..., None, :] if "slope" in self._value else None
        self._dW, self._db = self._gradient["weights"], self._gradient["biases"]
        # the same product; dot has less to decide at each call
        self._product = np.dot if self.members is None else np.matmul

    @property
    def weights(self) -> Array:
        """Weights (F, H) or (K, F, H)."""
        return self._weights

    @weights.setter
    def weights(self, values: Any) -> None:
        self._weights[...] = values

    @property
    def biases(self) -> Array:
        """Biases (H,) or (K, H)."""
        return self._value["biases"]

    @biases.setter
    def biases(self, values: Any) -> None:
        self._value["biases"][...] = values

    @property
    def dW(self) -> Array:
        """Gradient of the weights."""
        return self._dW

    @property
    def db(self) -> Array:
        """Gradient of the biases."""
        return self._db

    def activate(self, Z: Array, out: Array | None = None) -> Array:
        """Return f(Z)."""
        if self._slope is None:
            return self.activation.function(Z, out)
        return self.activation.function(Z, out, self._slope)

    def _derivative(self, Z: Array, A: Array, out: Array | None = None) -> Array:
        if self._slope is None:
            return self.activation.gradient(Z, A, out)
        return self.activation.gradient(Z, out, self._slope)

    def allocate(self, shape: Shape) -> _DenseBuffers:
        """Return room for what a training pass keeps."""
        members = () if self.members is None else (self.members,)
        rows = (*members, shape[-2])
        Z, A, dZ = (np.empty((*rows, self.n_out), self.dtype) for _ in range(3))
        dX = np.empty((*rows, self.n_in), self.dtype)
        return _DenseBuffers(Z, A, dZ, dX, np.ones(shape[-2], self.dtype))

    def forward(self, X: Array, workspace: Workspace | None = None) -> Array:
        """Return f(X @ W + b) and keep what ``backward`` needs.

        Parameters
        ----------
        X : ndarray (B, F) or (K, B, F)
        workspace : Workspace, optional
            Where the result lives; a fresh array without.

        Returns
        -------
        ndarray (B, H) or (K, B, H)
        """
        return self.activate(self.forward_z(X, workspace), self._buffers.A)

    def forward_z(self, X: Array, workspace: Workspace | None = None) -> Array:
        """Like ``forward``, but return the pre-activation: where a loss takes logits."""
        X = np.asarray(X, self.dtype)
        if X.ndim < 2:
            X = X[None]
        buffers = self.allocate(X.shape) if workspace is None else workspace[self, X.shape]
        Z = self._product(X, self._weights, buffers.Z)
        self.input_cache, self.z_cache, self._buffers = X, Z, buffers
        Z += self._biases
        return Z

    def backward(self, dA: Array, *, wants_input_gradient: bool = True) -> Array:
        """Fill ``dW`` and ``db`` from the gradient of the output; return that of the input."""
        buffers = self._buffers
        dZ = self._derivative(self.z_cache, buffers.A, buffers.dZ)
        if self._slope is not None:
            cut = np.minimum(self.z_cache, 0)
            cut *= dA
            self._product(buffers.ones, cut, out=self._gradient["slope"])
        dZ *= dA
        return self.backward_from_z(dZ, wants_input_gradient=wants_input_gradient)

    def backward_from_z(self, dZ: Array, *, wants_input_gradient: bool = True) -> Array:
        """Like ``backward``, from the gradient of the pre-activation.

        With Z = X W + 1 bᵀ: dW = Xᵀ dZ, db = 1ᵀ dZ, dX = dZ Wᵀ. Losses that are computed from
        logits enter here, so that no sigmoid derivative is multiplied in a second time.
        """
        X, buffers = self.input_cache, self._buffers
        self._product(X.mT, dZ, self._dW)
        self._product(buffers.ones, dZ, self._db)
        if not wants_input_gradient:
            return dZ
        dX = self._product(dZ, self._weights.mT, buffers.dX)
        return dX if dX.ndim == X.ndim else dX.sum(axis=0)  # members shared one X

    def update(self, learning_rate: float) -> None:
        """Step down the gradient."""
        SGD(learning_rate).step(self.parameters, self.gradients)

    def apply(self, X: Array) -> Array:
        """Return f(X @ W + b); writes nothing."""
        Z = self.apply_z(X)
        return self.activate(Z, Z)

    def apply_z(self, X: Array) -> Array:
        """Like ``apply``, but return the pre-activation."""
        Z: Array = np.matmul(X, self._weights)
        Z += self._biases
        return Z

    def rescale(self, X: Array, X_reference: Array, multipliers: Array) -> Array:
        """Apply DeepLIFT's linear rule (3.5.1) after the rescale rule."""
        Z, Z_reference = self.apply_z(X), self.apply_z(X_reference)
        multipliers = self.rescale_activation(Z, Z_reference, multipliers)
        return np.asarray(np.matmul(multipliers, self._weights.mT))

    def rescale_activation(self, Z: Array, Z_reference: Array, multipliers: Array) -> Array:
        """Take multipliers of the output back to the pre-activation: the rescale rule (3.5.2)."""
        dZ = Z - Z_reference
        A = self.activate(Z)
        small = np.abs(dZ) < SMALLEST_DIFFERENCE
        quotient = (A - self.activate(Z_reference)) / np.where(small, 1, dZ)
        slope = np.where(small, self._derivative(Z, A), quotient)
        return np.asarray(multipliers * slope)

    def describe(self) -> dict[str, Any]:
        """Return what rebuilds this layer, without its values."""
        return {
            "kind": "dense",
            "n_in": self.n_in,
            "n_out": self.n_out,
            "activation": self.activation.name,
        }
