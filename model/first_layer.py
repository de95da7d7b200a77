"""The first layer of a classifier as it serves: raw rows → pre-activations, encoding included."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from model.dense import Layer
from model.errors import ConfigurationError
from model.features import Matrix
from model.mlp import MLP
from model.piecewise import Curves, Terms, is_tabulated
from model.preprocessing import Preprocessor

Array = NDArray[Any]

CHUNK_ROWS = 512  # of a large table, computed at once


class Inputs(NamedTuple):
    """What the layer reads of n rows: columns (n, D), and terms of the curves if there are any."""

    columns: Array
    terms: Terms | None


class FirstLayer:
    """The first layer of a network, all members side by side: U = K·H units.

    Binned and categorical features are looked up in curves; the few other encoded columns are
    multiplied with their weights.

    Parameters
    ----------
    mlp : MLP
    preprocessor : Preprocessor
        Must encode as many columns as the network reads.
    dtype : dtype
        What to compute in.
    origin : ndarray (1, F), optional
        A raw row, without missing values, from which all others are measured: inputs are then
        differences, exactly zero for each feature that equals it.

    Attributes
    ----------
    sources : ndarray of int
        The raw column of each part that :meth:`split` returns.
    at_origin : ndarray (1, U)
        Pre-activations of the origin; without one the biases.

    Raises
    ------
    ConfigurationError
        If network and preprocessing do not fit each other.
    """

    def __init__(
        self,
        mlp: MLP,
        preprocessor: Preprocessor,
        dtype: DTypeLike,
        origin: Matrix | None = None,
    ) -> None:
        layer = mlp.components[0]
        if not isinstance(layer, Layer) or layer.n_in != preprocessor.n_encoded:
            raise ConfigurationError(
                f"the network does not read the {preprocessor.n_encoded} encoded columns"
            )
        self._shape = (-1, mlp.members or 1, layer.n_out)  # (n, K, H)
        stacked = layer.weights.reshape(-1, layer.n_in, layer.n_out).astype(np.float64)
        weights = np.concatenate(list(stacked), axis=1)  # (E, U)
        tabulated = is_tabulated(preprocessor)
        self._preprocessor = preprocessor.restricted(~tabulated)
        self._weights = weights[~tabulated].astype(dtype)
        biases = layer.biases.reshape(-1).astype(np.float64)
        self._curves = None
        filled = None if origin is None else preprocessor.complete(origin)
        self.sources = self._preprocessor.sources
        if tabulated.any():
            self._curves = Curves(preprocessor, weights, dtype, filled)
            self.sources = np.concatenate([self.sources, self._curves.sources])
            biases += self._curves.at_origin
        self._columns_of_origin = None
        if origin is not None and filled is not None:
            self._columns_of_origin = self._preprocessor.encoded(origin, filled, dtype=dtype)
            biases += self._columns_of_origin[0] @ weights[~tabulated]
        self.at_origin = biases[None].astype(dtype)

    def inputs(self, matrix: Matrix) -> Inputs:
        """Return what the layer reads of raw rows.

        Parameters
        ----------
        matrix : ndarray (n, F)
        """
        filled = self._preprocessor.complete(matrix)
        columns = self._preprocessor.encoded(matrix, filled, dtype=self._weights.dtype)
        if self._columns_of_origin is not None:
            columns -= self._columns_of_origin
        return Inputs(columns, None if self._curves is None else self._curves.locate(filled))

    def forward(self, inputs: Inputs) -> Array:
        """Return the pre-activations, shape (n, U)."""
        Z: Array = inputs.columns.dot(self._weights)
        Z += self.at_origin
        if self._curves is not None and inputs.terms is not None:
            Z += self._curves.blend(inputs.terms)
        return Z

    def by_member(self, Z: Array) -> Array:
        """Return pre-activations as networks take them: (n, U) → (K, n, H), a view."""
        return Z.reshape(self._shape).swapaxes(0, 1)

    def joined(self, A: Array) -> Array:
        """Return the opposite of :meth:`by_member`: (K, n, H) → (n, U)."""
        return A.swapaxes(0, 1).reshape(-1, self.at_origin.shape[1])

    def split(self, inputs: Inputs, multipliers: Array) -> Array:
        """Return what each input adds to a weighted sum of the units.

        Parameters
        ----------
        inputs : Inputs
        multipliers : ndarray (n, U)
            The weights of the units.

        Returns
        -------
        ndarray (n, len(sources))
        """
        parts: Array = inputs.columns * (multipliers @ self._weights.T)
        if self._curves is None or inputs.terms is None:
            return parts
        return np.concatenate([parts, self._curves.split(inputs.terms, multipliers)], axis=1)
