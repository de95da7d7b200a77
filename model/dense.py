"""The dense layer with its activation.

Shapes: B rows, F inputs, H outputs, K members. Without members X is (B, F) and the weights are
(F, H). With members every trained array has a leading axis of K, X is (B, F), shared by all
members, or (K, B, F), and the same lines of code train K networks in one batched product. Inside a
pass (see :class:`model.component.Pass`) the last two axes of X, Z and A are swapped.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from model.activations import activation_named
from model.component import Component, Pass, Shape, width_error
from model.errors import ConfigurationError
from model.initializers import Initializer, glorot_uniform, he_normal
from model.optimizers import SGD
from model.randomness import generator_from

Array = NDArray[Any]

# Below this difference of pre-activations DeepLIFT's quotient is noise: the derivative, its limit,
# takes over.
SMALLEST_DIFFERENCE = 1e-7


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
        self.n_in, self.n_out = n_in, n_out
        self.activation = activation_named(activation or "identity")
        axes: Shape = () if members is None else (members,)
        shapes = {"weights": (*axes, n_in, n_out), "biases": (*axes, n_out)}
        slope = self.activation.initial_slope
        if slope is not None:
            shapes["slope"] = (*axes, n_out)
        super().__init__(shapes, dtype, members)
        rng = generator_from(rng)
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
        self._matrix, self._matrix_gradient = map(self._augmented_matrix, (parameters, gradients))

    def _augmented_matrix(self, flat: Array) -> Array:
        """Return [W; b], (F + 1, H) or (K, F + 1, H), as a view."""
        by_member = flat.reshape(self.members or 1, -1)[:, : (self.n_in + 1) * self.n_out]
        axes = self.shapes["weights"][:-2]
        return by_member.reshape(*axes, self.n_in + 1, self.n_out)

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

    def _derivative(self, Z: Array, A: Array) -> Array:
        """Return f′(Z), given A = f(Z) too."""
        if self._slope is None:
            return self.activation.gradient(Z, A)
        return self.activation.gradient(Z, A, None, self._slope)

    @property
    def input_cache(self) -> Array:
        """Input of the last training pass."""
        return np.asarray(self.newest_pass.X[..., :-1, :].mT)

    @property
    def z_cache(self) -> Array:
        """Pre-activation of the last training pass."""
        return np.asarray(self.newest_pass.Z.mT)

    def make_pass(self, shape: Shape) -> DensePass:
        """Return this layer at work on augmented inputs of a shape."""
        if shape[-2] - 1 != self.n_in:
            raise width_error(self.n_in, shape[-2] - 1)
        return DensePass(self, shape)

    def update(self, learning_rate: float) -> None:
        """Step down the gradient."""
        SGD(learning_rate).step(self.parameters, self.gradients)

    def apply(self, X: Array) -> Array:
        """Return f(X @ W + b); writes nothing."""
        Z = self.apply_z(X)
        return self.activate(Z, Z)

    def apply_z(self, X: Array) -> Array:
        """Like ``apply``, but return the pre-activation."""
        # of one row and a single network, dot takes half the time of matmul
        W = self._weights
        try:
            Z: Array = X.dot(W) if W.ndim == 2 else np.matmul(X, W)
        except ValueError:  # asking beforehand would cost every row something
            raise width_error(self.n_in, X.shape[-1]) from None
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


class DensePass(Pass):
    """A dense layer at work: Z = [W; b]ᵀ X, with ones as the last row of X."""

    def __init__(self, layer: Layer, shape: Shape) -> None:
        members = () if layer.members is None else (layer.members,)
        n_rows = shape[-1]
        self._layer = layer
        self.output = np.ones((*members, layer.n_out + 1, n_rows), layer.dtype)
        self.A = self.output[..., :-1, :]
        self.Z, self.dZ = (np.empty(self.A.shape, layer.dtype) for _ in range(2))
        self.dX = np.empty((*members, layer.n_in, n_rows), layer.dtype)
        self._dZ_rows = self.dZ.mT
        self._matrix, self._gradient = layer._matrix.mT, layer._matrix_gradient
        self._weights = layer._weights
        # the same product; the method has less to decide at each call
        self._product = np.matmul if members else np.ndarray.dot
        # of one column and one row matmul makes no BLAS call: broadcasting is faster
        self._outer = np.multiply if members and layer.n_out == 1 else self._product
        self._shares_input = bool(members) and len(shape) == 2  # all members read one X
        self._activation = layer.activation
        # what function and gradient take beside Z
        self._operands: tuple[tuple[Array, ...], tuple[Array, ...]] = ((), ())
        if layer._slope is not None:
            self._operands = ((layer._slope.mT,), (layer._slope.mT,))
        elif layer.activation.bounds is not None:
            low, high = (np.full_like(self.Z, bound) for bound in layer.activation.bounds)
            self._operands = ((low,), (high,))

    def forward(self, X: Array) -> Array:
        """Return f(Z), augmented."""
        self._activation.function(self.forward_z(X), self.A, *self._operands[0])
        return self.output

    def forward_z(self, X: Array) -> Array:
        """Return the pre-activation Z, (…, H, B): where a loss takes logits."""
        self._layer.newest_pass = self
        self.X = X
        return self._product(self._matrix, X, self.Z)

    def backward(self, dA: Array, *, wants_input_gradient: bool = True) -> Array:
        """Fill the gradients and return dX."""
        dZ = self._activation.gradient(self.Z, self.A, self.dZ, *self._operands[1])
        if self._layer._slope is not None:
            self._layer._gradient["slope"][...] = (np.minimum(self.Z, 0) * dA).sum(axis=-1)
        dZ *= dA
        return self.backward_from_z(wants_input_gradient=wants_input_gradient)

    def backward_from_z(self, *, wants_input_gradient: bool = True) -> Array:
        """Like ``backward``, with the gradient of the pre-activation in ``dZ`` already.

        With Z = [W; b]ᵀ X: [dW; db] = X dZᵀ, dX = W dZ. Losses that are computed from logits enter
        here, so that no sigmoid derivative is multiplied in a second time.
        """
        self._product(self.X, self._dZ_rows, self._gradient)
        if not wants_input_gradient:
            return self.dX
        dX = self._outer(self._weights, self.dZ, self.dX)
        return dX.sum(axis=0) if self._shares_input else dX
