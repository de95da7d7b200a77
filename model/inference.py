"""The classifier as it serves: scaler folded into the first layer, members side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.dense import Layer
from model.errors import ConfigurationError
from model.features import Matrix
from model.mlp import MLP
from model.preprocessing import Preprocessor

Array = NDArray[Any]


class FoldedMLP:
    """Raw rows → logits of each member, with nothing computed that could be beforehand.

    The standardised columns meet the first layer in float64 without having been centred and
    scaled; all members' first layers are one product. From the first activation on the network
    runs in its own precision.

    Parameters
    ----------
    mlp : MLP
    preprocessor : Preprocessor
        Must encode as many columns as the network reads.

    Raises
    ------
    ConfigurationError
        If they do not fit each other.
    """

    def __init__(self, mlp: MLP, preprocessor: Preprocessor) -> None:
        first = mlp.components[0]
        if not isinstance(first, Layer) or first.n_in != preprocessor.n_encoded:
            raise ConfigurationError(
                f"the network does not read the {preprocessor.n_encoded} encoded columns"
            )
        self._mlp = mlp
        self._first = first
        self._preprocessor = preprocessor
        n_standardised = len(preprocessor.standardised)
        weights = first.weights.reshape(-1, first.n_in, first.n_out)  # (K, E, H), K = 1 if none
        biases = first.biases.reshape(-1, first.n_out)
        folded, shifted = zip(
            *(
                preprocessor.fold(w[:n_standardised], b.astype(np.float64))
                for w, b in zip(weights, biases, strict=True)
            ),
            strict=True,
        )
        self._weights = np.concatenate(folded, axis=1)  # (n_standardised, K·H)
        self._biases = np.concatenate(shifted)
        self._rest_weights = np.concatenate(list(weights[:, n_standardised:]), axis=1)

    def logits(self, matrix: Matrix) -> Matrix:
        """Return the logits, float64.

        Parameters
        ----------
        matrix : ndarray (n, F)
            Raw rows.

        Returns
        -------
        ndarray (K, n)
            K = 1 without members.
        """
        preprocessor = self._preprocessor
        filled = preprocessor.complete(matrix)
        Z = preprocessor.clipped(filled) @ self._weights
        Z += self._biases
        if len(self._rest_weights):
            Z += preprocessor.encoded_rest(matrix, filled) @ self._rest_weights
        if self._mlp.members is not None:
            Z = Z.reshape(len(Z), self._mlp.members, self._first.n_out).swapaxes(0, 1)
        if not self._mlp.hidden:
            return np.atleast_2d(Z[..., 0])
        A = self._first.activate(Z.astype(self._mlp.dtype))
        logits = self._mlp.logits_through(self._mlp.hidden[1:], A)
        return np.atleast_2d(logits).astype(np.float64)
