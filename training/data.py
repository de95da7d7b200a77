"""A file → a table that can be split and trained on: columns found, kinds inferred, problems told.

A table for training is read with :func:`load`, which infers the feature specification; a table for
scoring or evaluating with :func:`matrix_of`, which takes the specification of the artifact. Both
turn columns into cells in the same place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.chunks import chunks
from model.features import RESERVED, TRANSACTION_ID, Feature, FeatureSpec, Matrix
from training.column_names import AMOUNTS, LABELS, TIMES, find_column
from training.column_scan import scan
from training.columns import cells, epoch_seconds, frequent_codes, infer_features
from training.config import DataConfig
from training.errors import DataError
from training.memory import UNLIMITED, Memory
from training.scratch import MappedMatrix
from training.table_files import read_chunks, read_frame

FRAME_CELLS = 2**19  # of a chunk that is turned into cells at a time

Frames = Callable[[Sequence[str]], Iterable[pd.DataFrame]]  # columns read as texts → chunks


@dataclass(frozen=True)
class Table:
    """Rows ready to be divided.

    Attributes
    ----------
    source : str
        Where they came from, for messages.
    spec : FeatureSpec
        Not measured yet: ranges belong to training rows.
    matrix : ndarray (n, F) or MappedMatrix
    labels : ndarray (n,) of int, or None
    times : ndarray (n,) or None
        Seconds, for ordering and delays.
    digest : str
        SHA-256 over all of it.
    notes : tuple of str
        What the reader should know: columns left out, and why.
    """

    source: str
    spec: FeatureSpec
    matrix: Matrix | MappedMatrix
    labels: NDArray[np.int64] | None
    times: Matrix | None
    digest: str
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.matrix)

    @property
    def classes(self) -> NDArray[np.int64]:
        """The labels; without labels all rows count as legitimate."""
        return np.zeros(len(self), np.int64) if self.labels is None else self.labels


def load(config: DataConfig, memory: Memory = UNLIMITED, *, needs_label: bool = True) -> Table:
    """Read a table for training; where memory is limited, in chunks and more than once.

    Raises
    ------
    DataError
        Naming file, column and what was expected.
    ScratchError
        If the disk has no room for what memory cannot hold.
    ConfigurationError
        If memory cannot hold even what a run needs of every row.
    """
    if config.path is None:
        raise DataError("data", "no file given")
    path = Path(config.path)
    if memory.limit is None:
        frame = read_frame(path, config.categorical)
        return from_frame(frame, config, config.path, needs_label=needs_label)
    n_rows = _chunk_rows(next(read_chunks(path, 1)))

    def frames(texts: Sequence[str]) -> Iterator[pd.DataFrame]:
        return read_chunks(path, n_rows, [*config.categorical, *texts])

    return from_frames(frames, config, config.path, memory, needs_label)


def from_frame(
    frame: pd.DataFrame,
    config: DataConfig,
    source: str,
    memory: Memory = UNLIMITED,
    *,
    needs_label: bool = True,
) -> Table:
    """Build the table of a frame; see :func:`load`."""

    def frames(_texts: Sequence[str]) -> Iterator[pd.DataFrame]:
        for rows in chunks(max(len(frame), 1), _chunk_rows(frame)):
            yield frame.iloc[rows]

    return from_frames(frames, config, source, memory, needs_label)


def _chunk_rows(frame: pd.DataFrame) -> int:
    return max(FRAME_CELLS // max(len(frame.columns), 1), 1)


def from_frames(
    frames: Frames, config: DataConfig, source: str, memory: Memory, needs_label: bool
) -> Table:
    """Build the table of frames that can be read again: first to infer kinds, then to fill it."""
    first = next(iter(frames(())))
    if not len(first):
        raise DataError(source, "the table has no rows")
    label = find_column(first, config.label, LABELS, source)
    if label is None and needs_label:
        raise DataError(
            source, f"no label column found (looked for {', '.join(LABELS)}): name it with --label"
        )
    amount = find_column(first, config.amount, AMOUNTS, source)
    id_column = find_column(first, config.id, (TRANSACTION_ID,), source)
    for column in config.drop:
        find_column(first, column, (), source)
    no_features = {label, id_column, *config.drop, *RESERVED}
    candidates = [str(name) for name in first.columns if name not in no_features]
    columns = scan(frames(()), candidates, config.categorical)
    texts = [column.name for column in columns if len(column.looks) > 1]
    if texts:  # a chunk of digits among texts: read again as they are written, "007" is no 7
        columns = scan(frames(texts), candidates, config.categorical)
    features, notes = infer_features(columns, config, source)
    numbers = [feature.name for feature in features if feature.kind == "numeric"]
    if config.amount is not None and config.amount not in numbers:
        raise DataError(source, "the amount must be a feature, and hold numbers", config.amount)
    spec = FeatureSpec(
        tuple(features),
        id_column=None if id_column == TRANSACTION_ID else id_column,
        amount=amount if amount in numbers else None,
    )
    n_rows = columns[0].n_rows
    memory.refuse(n_rows, len(first.columns))
    time = find_column(first, config.time, TIMES, source) or _only_date(features)
    table = Table(
        source,
        spec,
        memory.matrix((n_rows, len(features)), np.float64, "F"),
        None if label is None else np.empty(n_rows, np.int64),
        None if time is None else np.empty(n_rows),
        "",
        tuple(notes),
    )
    digest = _fill(table, frames(texts), label, time)
    if table.labels is not None and needs_label and table.labels.min() == table.labels.max():
        reason = f"all labels are {table.labels[0]}, both classes are needed"
        raise DataError(source, reason, label)
    return replace(table, digest=digest)


def _fill(table: Table, frames: Iterable[pd.DataFrame], label: str | None, time: str | None) -> str:
    """Fill the arrays of a table from its frames; return the digest over them."""
    digest = sha256("|".join(table.spec.names).encode())
    start = 0
    for frame in frames:
        rows = slice(start, start + len(frame))
        matrix = matrix_of(frame, table.spec, table.source)
        table.matrix[rows] = matrix
        digest.update(np.ascontiguousarray(matrix).ravel())
        if table.labels is not None:
            table.labels[rows] = labels_of(frame, label, table.source)
        if table.times is not None:
            table.times[rows] = _seconds(frame[time])
        start = rows.stop
    if table.times is not None and np.isnan(table.times).any():
        n_missing = int(np.isnan(table.times).sum())
        raise DataError(table.source, f"{n_missing} rows have no readable time", time)
    for array in (table.labels, table.times):
        if array is not None:
            digest.update(array)
    return digest.hexdigest()


def _only_date(features: Sequence[Feature]) -> str | None:
    dates = [feature for feature in features if feature.kind == "datetime"]
    return dates[0].name if len(dates) == 1 and not dates[0].nullable else None


def with_categories_of(table: Table, rows: NDArray[np.intp]) -> Table:
    """Return the table with only those categories that some rows, the training rows, show.

    What only later rows show counts as "other", there as in service. The matrix is changed in
    place: a large one is there once.
    """
    features = list(table.spec.features)
    for column, feature in enumerate(features):
        if feature.kind == "categorical":
            kept = frequent_codes(table.matrix[rows, column], feature)
            code_of = np.full(feature.other + 1, float(len(kept)))
            code_of[kept] = np.arange(len(kept))
            cells = table.matrix[:, column]
            present = ~np.isnan(cells)
            cells[present] = code_of[cells[present].astype(np.intp)]
            table.matrix[:, column] = cells
            categories = tuple(feature.categories[code] for code in kept)
            features[column] = replace(feature, categories=categories)
    return replace(table, spec=replace(table.spec, features=tuple(features)))


def labels_of(frame: pd.DataFrame, label: str, source: str) -> NDArray[np.int64]:
    """Return the labels of a frame as 0 and 1.

    Raises
    ------
    DataError
        If there are none, or one is missing or neither 0 nor 1.
    """
    if not len(frame):
        raise DataError(source, "the table has no rows")
    values = frame[label]
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = ~numbers.isin((0, 1))
    if wrong.any():
        examples = sorted({str(value) for value in values[wrong].head(1000)})[:5]
        raise DataError(source, f"labels must be 0 or 1, found {', '.join(examples)}", label)
    return numbers.to_numpy(np.int64)


def find_label(frame: pd.DataFrame, named: str | None, source: str) -> str:
    """Return the label column of a frame.

    Raises
    ------
    DataError
        If there is none.
    """
    label = find_column(frame, named, LABELS, source)
    if label is None:
        raise DataError(source, f"no label column found (looked for {', '.join(LABELS)})")
    return label


def text_columns(spec: FeatureSpec) -> list[str]:
    """Return the columns that a model reads as text: ids and categories."""
    return [*spec.id_keys, *(f.name for f in spec.features if f.kind == "categorical")]


def matrix_of(frame: pd.DataFrame, spec: FeatureSpec, source: str) -> Matrix:
    """Return the raw matrix of a frame; columns that the specification does not know are ignored.

    Raises
    ------
    DataError
        If a feature is missing from the table, or holds what it cannot.
    """
    absent = [f.name for f in spec.features if f.name not in frame.columns and not f.nullable]
    if absent:
        raise DataError(source, f"the model needs the columns {absent}, the table lacks them")
    columns: dict[str, Any] = {}
    for feature in spec.features:
        if feature.name in frame.columns:
            columns[feature.name] = cells(frame[feature.name], feature, source)
        else:
            columns[feature.name] = [None if feature.kind == "categorical" else np.nan] * len(frame)
    return spec.matrix_from_columns(columns)


def _seconds(column: pd.Series) -> Matrix:
    """Return a time column as seconds, NaN where unreadable; numbers are seconds already."""
    is_number = pd.api.types.is_numeric_dtype(column)
    return column.to_numpy(np.float64, na_value=np.nan) if is_number else epoch_seconds(column)
