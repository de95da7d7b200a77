"""The classifier as it serves: raw rows → logits."""

from __future__ import annotations

import numpy as np

from model.chunks import chunks
from model.features import Matrix
from model.first_layer import CHUNK_ROWS, FirstLayer
from model.mlp import MLP
from model.preprocessing import Preprocessor


class FoldedMLP:
    """Raw rows → logits of each member, with nothing computed that could be beforehand.

    The preprocessing is part of the first layer, and all members' first layers are one.

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
        self._mlp = mlp
        self._first = FirstLayer(mlp, preprocessor, mlp.dtype)
        self._activate = mlp.layers[0].activate
        self._others = mlp.hidden[1:]

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
        if len(matrix) <= CHUNK_ROWS:
            return self._logits(matrix)
        parts = [self._logits(matrix[rows]) for rows in chunks(len(matrix), CHUNK_ROWS)]
        return np.concatenate(parts, axis=1)

    def _logits(self, matrix: Matrix) -> Matrix:
        first, mlp = self._first, self._mlp
        Z = first.forward(first.inputs(matrix))  # (n, K·H)
        if mlp.members is not None:
            Z = first.by_member(Z)  # (K, n, H)
        logits = mlp.logits_through(self._others, self._activate(Z, Z)) if mlp.hidden else Z[..., 0]
        return np.atleast_2d(logits.astype(np.float64))
