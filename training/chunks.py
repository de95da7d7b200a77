"""Reading and scoring many rows a chunk at a time, in memory and out of it alike.

Chunks depend on the width of the rows alone, so that on one machine the figures of a run do not
depend, not even in their last bit, on how much memory it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.chunks import chunks
from model.features import Matrix
from model.scorer import Anomalies, Scorer, Scores
from training.scratch import MappedMatrix

Array = NDArray[Any]

CHUNK_CELLS = 2**21
# few enough for every layer's output to stay in the processor's cache
FEWEST_ROWS, MOST_ROWS = 256, 2048


def chunks_of(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Yield slices that make up so many rows; of wide rows there are fewer in each."""
    length = min(max(CHUNK_CELLS // max(n_columns, 1), FEWEST_ROWS), MOST_ROWS)
    yield from chunks(n_rows, length)


@dataclass(frozen=True)
class RowsOf:
    """Some rows of a matrix, read a chunk or a column at a time: they are never all copied."""

    matrix: Matrix | MappedMatrix
    rows: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: slice | tuple[slice, int]) -> Matrix:
        if isinstance(key, slice):
            return self.matrix[self.rows[key]]
        chunk, column = key
        return self.matrix[self.rows[chunk], column]


def score(scorer: Scorer, rows: Matrix | RowsOf) -> Scores:
    """Return what the classifier says of many rows; what the policy sees of anomalies is left out.

    Raises
    ------
    TaskError
        If the scorer has no classifier.
    """

    def arrays(matrix: Matrix) -> tuple[Array, ...]:
        scores = scorer.score(matrix)
        return scores.logits, scores.probability, scores.score, scores.decision, scores.spread

    return Scores(*_joined(arrays, scorer, rows), anomaly=None)


def anomaly(scorer: Scorer, rows: Matrix | RowsOf) -> Anomalies:
    """Return what the autoencoder says of many rows; the shares of the features are left out.

    Raises
    ------
    TaskError
        If the scorer has no autoencoder.
    """

    def arrays(matrix: Matrix) -> tuple[Array, ...]:
        found = scorer.anomaly(matrix)
        shares = np.empty((len(matrix), 0))
        return found.reconstruction_error, found.anomaly_score, found.is_anomaly, shares

    threshold = scorer.anomalies.scale.threshold if scorer.anomalies is not None else 0.0
    return Anomalies(*_joined(arrays, scorer, rows), threshold=threshold)


def _joined(
    arrays: Callable[[Matrix], tuple[Array, ...]], scorer: Scorer, rows: Matrix | RowsOf
) -> list[Array]:
    found = [arrays(rows[chunk]) for chunk in chunks_of(len(rows), scorer.preprocessor.n_encoded)]
    return [np.concatenate(pieces) for pieces in zip(*found, strict=True)]
