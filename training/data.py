"""A file → a table that can be split and trained on: columns found, kinds inferred, problems told.

A table for training is read with :func:`load`, which infers the feature specification; a table for
scoring or evaluating with :func:`matrix_of`, which takes the specification of the artifact. Both
turn columns into cells in the same place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.features import RESERVED, TRANSACTION_ID, Feature, FeatureSpec, Matrix
from training.columns import cells, epoch_seconds, frequent_codes, infer_features
from training.config import DataConfig
from training.errors import DataError
from training.table_files import read_frame

# Usual names, compared without case, spaces and underscores; the earlier wins.
LABELS = ("class", "is fraud", "fraud", "tx fraud", "label", "target")
TIMES = (
    "time",
    "timestamp",
    "transaction time",
    "transaction date",
    "tx datetime",
    "trans date trans time",
    "datetime",
    "date",
)
AMOUNTS = ("amount", "transaction amount", "tx amount", "amt")


@dataclass(frozen=True)
class Table:
    """Rows ready to be divided.

    Attributes
    ----------
    source : str
        Where they came from, for messages.
    spec : FeatureSpec
        Not measured yet: ranges belong to training rows.
    matrix : ndarray (n, F)
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
    matrix: Matrix
    labels: NDArray[np.int64] | None
    times: Matrix | None
    digest: str
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.matrix)


def load(config: DataConfig, *, needs_label: bool = True) -> Table:
    """Read a table for training.

    Raises
    ------
    DataError
        Naming file, column and what was expected.
    """
    if config.path is None:
        raise DataError("data", "no file given")
    frame = read_frame(Path(config.path), config.categorical)
    return from_frame(frame, config, config.path, needs_label=needs_label)


def from_frame(
    frame: pd.DataFrame, config: DataConfig, source: str, *, needs_label: bool = True
) -> Table:
    """Build the table of a frame; see :func:`load`."""
    if not len(frame):
        raise DataError(source, "the table has no rows")
    label = _find(frame, config.label, LABELS, source)
    if label is None and needs_label:
        raise DataError(
            source, f"no label column found (looked for {', '.join(LABELS)}): name it with --label"
        )
    labels = None if label is None else labels_of(frame, label, source)
    if labels is not None and needs_label and labels.min() == labels.max():
        raise DataError(source, f"all labels are {labels[0]}, both classes are needed", label)
    amount = _find(frame, config.amount, AMOUNTS, source)
    id_column = _find(frame, config.id, (TRANSACTION_ID,), source)
    for column in config.drop:
        _find(frame, column, (), source)
    no_features = {label, id_column, *config.drop, *(RESERVED & set(frame.columns))}
    candidates = frame.drop(columns=[column for column in no_features if column is not None])
    features, notes = infer_features(candidates, config, source)
    numbers = [feature.name for feature in features if feature.kind == "numeric"]
    if config.amount is not None and config.amount not in numbers:
        raise DataError(source, "the amount must be a feature, and hold numbers", config.amount)
    spec = FeatureSpec(
        tuple(features),
        id_column=None if id_column == TRANSACTION_ID else id_column,
        amount=amount if amount in numbers else None,
    )
    matrix = matrix_of(frame, spec, source)
    time = _find(frame, config.time, TIMES, source) or _only_date(features)
    times = None if time is None else _seconds(frame[time], source)
    digest = sha256("|".join(spec.names).encode())
    for array in (matrix, labels, times):
        if array is not None:
            digest.update(np.ascontiguousarray(array).tobytes())
    return Table(source, spec, matrix, labels, times, digest.hexdigest(), tuple(notes))


def with_categories_of(table: Table, rows: NDArray[np.intp]) -> Table:
    """Return the table with only those categories that some rows, the training rows, show.

    What only later rows show counts as "other", there as in service.
    """
    matrix, features = table.matrix.copy(), list(table.spec.features)
    for column, feature in enumerate(features):
        if feature.kind == "categorical":
            kept = frequent_codes(table.matrix[rows, column], feature)
            code_of = np.full(feature.other + 1, float(len(kept)))
            code_of[kept] = np.arange(len(kept))
            present = ~np.isnan(matrix[:, column])
            matrix[present, column] = code_of[matrix[present, column].astype(np.intp)]
            categories = tuple(feature.categories[code] for code in kept)
            features[column] = replace(feature, categories=categories)
    return replace(table, matrix=matrix, spec=replace(table.spec, features=tuple(features)))


def _find(frame: pd.DataFrame, named: str | None, usual: Sequence[str], source: str) -> str | None:
    if named is not None:
        if named not in frame.columns:
            raise DataError(source, f"there is no such column; there are {list(frame)}", named)
        return named
    plain = {_plain(str(name)): str(name) for name in reversed(frame.columns)}
    return next((plain[_plain(name)] for name in usual if _plain(name) in plain), None)


def _only_date(features: Sequence[Feature]) -> str | None:
    dates = [feature for feature in features if feature.kind == "datetime"]
    return dates[0].name if len(dates) == 1 and not dates[0].nullable else None


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


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
    label = _find(frame, named, LABELS, source)
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


def _seconds(column: pd.Series, source: str) -> Matrix:
    """Return a time column as seconds; numbers are seconds already."""
    is_number = pd.api.types.is_numeric_dtype(column)
    seconds = column.to_numpy(np.float64) if is_number else epoch_seconds(column)
    if np.isnan(seconds).any():
        raise DataError(
            source, f"{int(np.isnan(seconds).sum())} rows have no readable time", str(column.name)
        )
    return seconds
