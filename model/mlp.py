"""The multi-layer perceptron: a transaction in, the probability of fraud out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from model.activations import sigmoid
from model.component import Component, Workspace
from model.dense import Layer
from model.errors import ConfigurationError
from model.initializers import Initializer
from model.layers import BatchNorm, Dropout, Residual
from model.losses import binary_cross_entropy, cross_entropy_gradient, weights_per_row
from model.network import Network, minibatches
from model.optimizers import SGD
from model.randomness import generator_from

Array = NDArray[Any]
ClassWeights = Mapping[int, float]
History = dict[str, list[float]]


class MLP(Network):
    """A binary classifier of dense layers, ending in one sigmoid unit.

    Parameters
    ----------
    sizes : sequence of int
        Units per layer, from the features to the output: ``[30, 16, 16, 1]``.
    activations : sequence of str, optional
        One per layer; by default ReLU for the hidden layers and a sigmoid for the output.
    members : int, optional
        K networks trained in one batched product; their mean logit is the score.
    rng : Generator, optional
        Source of the initial weights and dropout masks; fresh entropy when omitted.
    initializer : callable, optional
        See :class:`model.Layer`.
    dtype : dtype
        float64 or float32.
    drop_probability : float
        Dropout after each hidden layer.
    batch_norm : bool
        Batch normalisation after each hidden layer.
    residual : bool
        Hidden layers after the first that keep the width add to their input instead of replacing
        it.
    initial_bias : float
        Biases of the hidden layers at the start.

    Examples
    --------
    >>> network = MLP([30, 16, 16, 1], ["relu", "relu", "sigmoid"])
    >>> network.n_parameters
    785
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activations: Sequence[str] | None = None,
        *,
        members: int | None = None,
        rng: np.random.Generator | None = None,
        initializer: Initializer | None = None,
        dtype: DTypeLike = np.float64,
        drop_probability: float = 0.0,
        batch_norm: bool = False,
        residual: bool = False,
        initial_bias: float = 0.0,
    ) -> None:
        sizes = list(sizes)
        if len(sizes) < 2 or sizes[-1] != 1:
            raise ConfigurationError(
                f"sizes run from the features to one output unit, as [30, 16, 1], got {sizes}"
            )
        names = list(activations or ["relu"] * (len(sizes) - 2) + ["sigmoid"])
        if len(names) != len(sizes) - 1 or names[-1] != "sigmoid":
            raise ConfigurationError(
                f"{len(sizes) - 1} layers need as many activations, the last of them 'sigmoid', "
                f"got {names}"
            )
        rng = generator_from(rng)
        shared: dict[str, Any] = {"members": members, "rng": rng, "initializer": initializer}
        components: list[Component] = []
        for n_in, n_out, name in zip(sizes[:-2], sizes[1:-1], names[:-1], strict=True):
            block: list[Component] = [
                Layer(n_in, n_out, name, **shared, dtype=dtype, initial_bias=initial_bias)
            ]
            if batch_norm:
                block.append(BatchNorm(n_out, members=members, dtype=dtype))
            if drop_probability:
                block.append(Dropout(drop_probability, rng=rng, dtype=dtype))
            # the first layer stays a plain one: serving makes the preprocessing a part of it
            components += [Residual(block)] if residual and components and n_in == n_out else block
        components.append(Layer(sizes[-2], 1, "sigmoid", **shared, dtype=dtype))
        super().__init__(components)

    def check_ends(self) -> None:
        """Raise unless there is one sigmoid unit at the end."""
        if self.output.n_out != 1 or self.output.activation.name != "sigmoid":
            raise ConfigurationError(f"a classifier ends in one sigmoid unit, not {self.output}")

    def target_columns(self, y: Array) -> Array:
        """Return labels (…, N) as (…, 1, N)."""
        return np.asarray(y, self.dtype)[..., None, :]

    def loss(self, Z: Array, y: Array, sample_weights: Array) -> float:
        """Return the cross-entropy of the logits."""
        return binary_cross_entropy(Z.mT, y.mT, sample_weights.mT)[0]

    def loss_gradient(self, Z: Array, y: Array, scale: Array, out: Array) -> Array:
        """Return its gradient."""
        return cross_entropy_gradient(Z, y, scale, out)

    def backward(
        self, y_true: ArrayLike, y_pred: Array, class_weights: ClassWeights | None = None
    ) -> None:
        """Fill the gradients after a ``forward``.

        Under cross-entropy the output's delta is ``probability − y``, once: the sigmoid's
        derivative has cancelled.

        Parameters
        ----------
        y_true : array_like (N,) or (N, 1)
        y_pred : ndarray (N, 1) or (K, N, 1)
            What ``forward`` returned.
        class_weights : mapping of int to float, optional
        """
        y = _labels(y_true, self.dtype)
        weights = weights_per_row(y, class_weights)
        delta = (y_pred - y[:, None]) * (1 if weights is None else weights[:, None]) / len(y)
        self.backward_from_z(delta.astype(self.dtype, copy=False))

    def update_weights(self, learning_rate: float) -> None:
        """Step down the gradient."""
        SGD(learning_rate).step(self.parameters, self.gradients)

    def train_step(
        self,
        X: ArrayLike,
        y: ArrayLike,
        learning_rate: float,
        class_weights: ClassWeights | None = None,
        workspace: Workspace | None = None,
    ) -> float:
        """Do one step of gradient descent on a batch; return the loss before it."""
        y = _labels(y, self.dtype)
        weights = weights_per_row(y, class_weights)
        value = self.loss_and_gradient(np.asarray(X), y, weights, workspace)
        self.update_weights(learning_rate)
        return value

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        epochs: int = 50,
        batch_size: int = 64,
        learning_rate: float = 0.01,
        class_weights: ClassWeights | None = None,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        rng: np.random.Generator | None = None,
        on_epoch: Callable[[int, dict[str, float]], None] | None = None,
    ) -> History:
        """Train with plain gradient descent: the textbook loop.

        Parameters
        ----------
        X : array_like (N, F)
        y : array_like (N,) or (N, 1)
        epochs : int
        batch_size : int
            1 is stochastic, N full-batch, anything between mini-batch gradient descent.
        learning_rate : float
        class_weights : mapping of int to float, optional
            See :func:`model.compute_class_weights`.
        X_val, y_val : array_like, optional
            Rows to evaluate on after each epoch.
        rng : Generator, optional
            Source of the row order.
        on_epoch : callable, optional
            Called with the epoch (from 1) and its figures.

        Returns
        -------
        dict of str to list
            One value per epoch: the mean training loss, and accuracy, precision, recall and F1,
            of the validation rows where given (``val_…``), else of the training rows.
        """
        X, y = self._checked(X, y)
        rng = generator_from(rng)
        validation = None if X_val is None or y_val is None else (X_val, y_val)
        workspace = Workspace()
        history: History = {}
        for epoch in range(1, epochs + 1):
            total = 0.0
            for rows in minibatches(len(X), batch_size, rng):
                batch = X[rows], y[rows]
                loss = self.train_step(*batch, learning_rate, class_weights, workspace)
                total += loss * len(rows) / (len(X) * (self.members or 1))
            figures = {"loss": total}
            scores = self.evaluate(*(validation or (X, y)))
            prefix = "val_" if validation else ""
            for name in ("accuracy", "precision", "recall", "f1"):
                figures[prefix + name] = scores[name]
            for name, value in figures.items():
                history.setdefault(name, []).append(value)
            if on_epoch is not None:
                on_epoch(epoch, figures)
        return history

    def logits(self, X: ArrayLike) -> Array:
        """Return the logit of each row and member.

        Returns
        -------
        ndarray (N,) or (K, N)
        """
        return self.logits_through(self.hidden, np.atleast_2d(np.asarray(X, self.dtype)))

    def logits_through(self, components: Sequence[Component], A: Array) -> Array:
        """Return the logits, given the input of the last few hidden components."""
        for component in components:
            A = component.apply(A)
        return self.output.apply_z(A)[..., 0]

    def predict_proba(self, X: ArrayLike) -> Array:
        """Return the probability of class 1 (of the members' mean logit), shape (N,)."""
        logits = self.logits(X)
        return sigmoid(logits if self.members is None else logits.mean(axis=0))

    def predict(self, X: ArrayLike, threshold: float = 0.5) -> Array:
        """Return 1 where the probability reaches the threshold, else 0, shape (N,)."""
        return (self.predict_proba(X) >= threshold).astype(np.int64)

    def evaluate(self, X: ArrayLike, y: ArrayLike, threshold: float = 0.5) -> dict[str, Any]:
        """Compare predictions with labels.

        Returns
        -------
        dict
            ``accuracy``, ``precision``, ``recall``, ``f1`` (0 where undefined) and
            ``confusion_matrix``, ndarray (2, 2) of counts, [[tn, fp], [fn, tp]].
        """
        X, y = self._checked(X, y)
        predicted, actual = self.predict(X, threshold), y.astype(np.int64)
        matrix = np.bincount(2 * actual + predicted, minlength=4).reshape(2, 2)
        (tn, fp), (fn, tp) = matrix.tolist()
        return {
            "accuracy": (tp + tn) / len(y) if len(y) else 0.0,
            "precision": tp / (tp + fp) if tp + fp else 0.0,
            "recall": tp / (tp + fn) if tp + fn else 0.0,
            "f1": 2 * tp / (2 * tp + fp + fn) if tp else 0.0,
            "confusion_matrix": matrix,
        }

    def _checked(self, X: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        X, y = np.atleast_2d(np.asarray(X, self.dtype)), _labels(y, self.dtype)
        n_features = self.layers[0].n_in
        if X.ndim != 2 or X.shape[1] != n_features or len(X) != len(y):
            raise ConfigurationError(
                f"X must be (n, {n_features}) with one label a row, got {X.shape} and {y.shape}"
            )
        if not np.isin(y, (0, 1)).all():
            raise ConfigurationError("labels must be 0 or 1")
        return X, y


def _labels(y: ArrayLike, dtype: DTypeLike) -> Array:
    """Return labels given as (N,) or (N, 1) as (N,)."""
    y = np.asarray(y, dtype)
    return y.reshape(-1) if y.ndim != 1 else y
