"""The autoencoder: learns what legitimate transactions look like; what it cannot rebuild is odd."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from model.component import Component, Workspace
from model.dense import Layer
from model.errors import ConfigurationError, NotFittedError
from model.initializers import Initializer
from model.layers import Dropout
from model.losses import mean_squared_error, squared_error_gradient
from model.network import Network, minibatches
from model.optimizers import SGD
from model.randomness import generator_from

Array = NDArray[Any]

SMALLEST_VARIANCE = 1e-12  # of scaled residuals; keeps a table of constants from dividing by zero


class Autoencoder(Network):
    """A mirrored dense autoencoder, trained on legitimate rows.

    Parameters
    ----------
    n_features : int
    hidden : int or sequence of int
        Units of the encoder's hidden layers; the decoder mirrors them.
    bottleneck : int
        Units in the middle.
    activation : str
        Of all layers but the bottleneck's and the output's, which are linear.
    members : int, optional
        K autoencoders in one batched product; the mean of their errors counts, so that a row is
        usual only where all of them rebuild it.
    rng, initializer, dtype
        As in :class:`model.MLP`.
    drop_probability : float
        Dropout on the input: a denoising autoencoder (Vincent et al., 2010, masking noise).

    Attributes
    ----------
    whitening : ndarray (F, F) or (K, F, F), or None
        Σ^(-1/2) of the residuals of legitimate rows, of each member; None: plain mean squared
        error.
    threshold : float or None
        Reconstruction error above which a row is called an anomaly.
    """

    def __init__(
        self,
        n_features: int,
        hidden: int | Sequence[int] = (64,),
        bottleneck: int = 8,
        *,
        activation: str = "relu",
        members: int | None = None,
        rng: np.random.Generator | None = None,
        initializer: Initializer | None = None,
        dtype: DTypeLike = np.float64,
        drop_probability: float = 0.0,
    ) -> None:
        widths = [hidden] if isinstance(hidden, int) else list(hidden)
        sizes = [n_features, *widths, bottleneck, *reversed(widths), n_features]
        names = [*[activation] * len(widths), "identity", *[activation] * len(widths), "identity"]
        rng = generator_from(rng)
        components: list[Component] = [
            Layer(
                n_in,
                n_out,
                name,
                members=members,
                rng=rng,
                initializer=initializer,
                dtype=dtype,
            )
            for n_in, n_out, name in zip(sizes[:-1], sizes[1:], names, strict=True)
        ]
        if drop_probability:
            components.insert(0, Dropout(drop_probability, rng=rng, dtype=dtype))
        super().__init__(components)

    whitening: Array | None = None
    threshold: float | None = None

    def check_ends(self) -> None:
        """Raise unless as many features come out as go in."""
        if self.layers[0].n_in != self.n_features:
            raise ConfigurationError(f"{self} does not give back what it reads")

    @property
    def n_features(self) -> int:
        """How many features go in and come out."""
        return self.output.n_out

    def target_columns(self, y: Array) -> Array:
        """Return rows (…, N, F) as (…, F, N)."""
        return np.asarray(y, self.dtype).mT

    def loss(self, Z: Array, y: Array, sample_weights: Array) -> float:
        """Return the mean squared error of the (linear) output."""
        return mean_squared_error(Z.mT, y.mT, sample_weights.mT)[0]

    def loss_gradient(self, Z: Array, y: Array, scale: Array, out: Array) -> Array:
        """Return its gradient."""
        return squared_error_gradient(Z, y, scale * (1 / self.n_features), out)

    def train_step(
        self, X: ArrayLike, learning_rate: float, workspace: Workspace | None = None
    ) -> float:
        """Do one step of gradient descent on a batch; return the loss before it."""
        X = np.asarray(X, self.dtype)
        value = self.loss_and_gradient(X, X, workspace=workspace)
        SGD(learning_rate).step(self.parameters, self.gradients)
        return value

    def fit(
        self,
        X: ArrayLike,
        epochs: int = 50,
        batch_size: int = 64,
        learning_rate: float = 0.01,
        rng: np.random.Generator | None = None,
        on_epoch: Callable[[int, dict[str, float]], None] | None = None,
    ) -> dict[str, list[float]]:
        """Train with plain gradient descent on legitimate rows: the textbook loop.

        Parameters
        ----------
        X : array_like (N, F)
            Legitimate rows, scaled.
        epochs, batch_size, learning_rate, rng, on_epoch
            As in :meth:`model.MLP.fit`.

        Returns
        -------
        dict of str to list
            ``loss``: the mean training loss of each epoch.
        """
        X = self._checked(X)
        rng = generator_from(rng)
        workspace = Workspace()
        losses: list[float] = []
        for epoch in range(1, epochs + 1):
            total = 0.0
            for rows in minibatches(len(X), batch_size, rng):
                loss = self.train_step(X[rows], learning_rate, workspace)
                total += loss * len(rows) / (len(X) * (self.members or 1))
            losses.append(total)
            if on_epoch is not None:
                on_epoch(epoch, {"loss": total})
        return {"loss": losses}

    def reconstruct(self, X: ArrayLike) -> Array:
        """Return the reconstruction of each row, the members' mean, shape (N, F)."""
        output = self.apply(self._checked(X))
        return output if self.members is None else output.mean(axis=0)

    def residual_shares(self, X: ArrayLike) -> Array:
        """Return what each feature adds to the reconstruction error.

        Returns
        -------
        ndarray (N, F), float64
            Never negative; a row's shares add up to its ``reconstruction_error``.
        """
        residual = self._residual(X)
        if self.whitening is not None:
            if residual.ndim > self.whitening.ndim:  # artifacts that whiten the members' mean
                residual = residual.mean(axis=0)
            residual = residual @ self.whitening
        shares = np.square(residual, out=residual)
        shares /= self.n_features
        return shares if shares.ndim == 2 else np.asarray(shares.mean(axis=0))

    def reconstruction_error(self, X: ArrayLike) -> Array:
        """Return the mean over members and features of the squared whitened Σ^(-1/2) (x − x̂).

        Before ``fit_whitening`` Σ is the identity: the plain mean squared error.

        Returns
        -------
        ndarray (N,), float64
        """
        return np.asarray(self.residual_shares(X).sum(axis=1))

    def fit_whitening(self, X: ArrayLike, shrinkage: float = 0.05) -> None:
        """Measure the covariance of the residuals on legitimate rows that were not trained on.

        The mean squared whitened residual is the squared Mahalanobis distance of the residual
        from zero (Mahalanobis, 1936), divided by F; the symmetric root keeps one term a feature.

        Parameters
        ----------
        X : array_like (N, F)
            Legitimate validation rows, scaled.
        shrinkage : float
            Weight of the mean variance against the sample covariance, in (0, 1]: it keeps constant
            and duplicated columns from being divided by zero.

        Raises
        ------
        ConfigurationError
            If there are no rows, or shrinkage is out of range.
        """
        X = self._checked(X)
        if not len(X) or not 0 < shrinkage <= 1:
            raise ConfigurationError(
                f"whitening needs rows and 0 < shrinkage ≤ 1, got {len(X)} rows, {shrinkage=}"
            )
        residual = self._residual(X)
        residual -= residual.mean(axis=-2, keepdims=True)
        covariance = residual.mT @ residual / len(X)  # (F, F), or (K, F, F)
        variance = np.trace(covariance, axis1=-2, axis2=-1) / self.n_features
        variance = np.maximum(variance, SMALLEST_VARIANCE)[..., None, None]
        target = variance * np.eye(self.n_features)
        values, vectors = np.linalg.eigh((1 - shrinkage) * covariance + shrinkage * target)
        self.whitening = (vectors / np.sqrt(values)[..., None, :]) @ vectors.mT

    def fit_threshold(self, X: ArrayLike, quantile: float = 0.99) -> float:
        """Set the threshold at a quantile of the errors of legitimate validation rows.

        Raises
        ------
        ConfigurationError
            If the quantile is outside of [0, 1].
        """
        if not 0 <= quantile <= 1:
            raise ConfigurationError(f"quantile must lie in [0, 1], got {quantile!r}")
        self.threshold = float(np.quantile(self.reconstruction_error(X), quantile))
        return self.threshold

    def to_arrays(self) -> dict[str, Array]:
        """Return all values by name, ``whitening`` and ``threshold`` among them where there are."""
        measured = {"whitening": self.whitening, "threshold": self.threshold}
        known = {n: np.array(value, ndmin=1) for n, value in measured.items() if value is not None}
        return {**super().to_arrays(), **known}

    def restore_arrays(self, arrays: Mapping[str, Array]) -> None:
        """Take back the values that ``to_arrays`` gave."""
        super().restore_arrays(arrays)
        whitening, threshold = arrays.get("whitening"), arrays.get("threshold")
        square = (self.n_features, self.n_features)
        if whitening is not None and whitening.shape not in (square, (self.members, *square)):
            raise ConfigurationError(f"whitening of shape {whitening.shape}, not {square}")
        if threshold is not None and threshold.shape != (1,):
            raise ConfigurationError(f"a threshold is one number, not {threshold.shape}")
        self.whitening = whitening
        self.threshold = None if threshold is None else float(threshold[0])

    def freeze(self) -> None:
        """Make all values read-only, the whitening too."""
        super().freeze()
        if self.whitening is not None:
            self.whitening.setflags(write=False)

    def astype(self, dtype: DTypeLike) -> Self:
        """Return the same autoencoder in another precision, whitening and threshold along."""
        autoencoder = super().astype(dtype)
        autoencoder.whitening, autoencoder.threshold = self.whitening, self.threshold
        return autoencoder

    def predict(self, X: ArrayLike) -> Array:
        """Return 1 for anomalies, 0 for the others, shape (N,).

        Raises
        ------
        NotFittedError
            Before ``fit_threshold``.
        """
        if self.threshold is None:
            raise NotFittedError("the anomaly threshold")
        return (self.reconstruction_error(X) > self.threshold).astype(np.int64)

    def _residual(self, X: ArrayLike) -> Array:
        """Return x − x̂ of each member, float64, shape (N, F) or (K, N, F)."""
        X = self._checked(X)
        return np.subtract(X, self.apply(X), dtype=np.float64)

    def _checked(self, X: ArrayLike) -> Array:
        X = np.atleast_2d(np.asarray(X, self.dtype))
        if X.ndim != 2 or X.shape[1] != self.n_features:
            raise ConfigurationError(f"X must be (n, {self.n_features}), got {X.shape}")
        return X
