"""The rows of a table as a model reads them, by its specification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow
from numpy.typing import NDArray

from model.cells import are_never
from model.features import Feature, FeatureSpec, Kind, Matrix
from training.cells import CellError, Reading, Refused, Texts
from training.cells.decide import Wanted
from training.cells.tally import shown
from training.column_scan import ColumnScan, numbered, scan
from training.config import DataConfig
from training.errors import DataError, MissingColumnsError
from training.tables.plain import are_texts, floats_of, look_of, seconds_of, texts_of
from training.tables.source import Source

WANTED: Mapping[Kind, Wanted] = {"numeric": "number", "datetime": "date"}
EXPECTED: Mapping[Kind, str] = {
    "numeric": "a number",
    "boolean": "true or false",
    "datetime": "a date-time",
    "categorical": "a text",
}


class Rows(NamedTuple):
    """Some rows of a table: as they were read, and as a model reads them."""

    first_row: int
    batch: pyarrow.RecordBatch
    matrix: Matrix


class TableReader:
    """Reads the rows of a table as a model does; columns that it does not know are ignored.

    Parameters
    ----------
    source : Source
    spec : FeatureSpec
    config : DataConfig
    readings : mapping of str to Reading, optional
        By which rules columns of texts are read; found by a first look at the table where omitted.

    Attributes
    ----------
    notes : tuple of str
        How the table was read, where this is not plain.

    Raises
    ------
    DataError
        If a feature is missing from the table, or its column holds what it cannot.
    """

    def __init__(
        self,
        source: Source,
        spec: FeatureSpec,
        config: DataConfig,
        readings: Mapping[str, Reading] | None = None,
    ) -> None:
        self._source, self._spec = source, spec
        config = replace(config, missing=(*config.missing, *spec.missing))
        features = [feature for feature in spec.features if feature.name in source.looks]
        absent = [f.name for f in spec.features if f.name not in source.looks and not f.nullable]
        if absent:
            raise MissingColumnsError(source.name, absent)
        for feature in features:
            _refuse_look(feature, source)
        self._readings = _readings(source, features, config) if readings is None else readings
        self._missing = spec.missing
        notes = {name: getattr(own, "note", None) for name, own in self._readings.items()}
        self.notes = (
            *(f"the file is {note}" for note in source.notes),
            *(f"column {name!r}: {note}" for name, note in notes.items() if note),
        )

    def rows(self) -> Iterator[Rows]:
        """Yield the table from its first row.

        Raises
        ------
        DataError
            Naming the row, if a value is missing that may not be, infinite, out of the declared
            bounds, or not of the feature's kind.
        """
        for first_row, batch in numbered(self._source):
            columns: dict[str, Any] = {}
            for feature in self._spec.features:
                if feature.name in self._source.looks:
                    column = batch.column(feature.name)
                    columns[feature.name] = self._cells(column, feature, first_row)
                else:
                    nothing = None if feature.kind == "categorical" else np.nan
                    columns[feature.name] = [nothing] * len(batch)
            yield Rows(first_row, batch, self._spec.matrix_from_columns(columns))

    def matrix(self) -> Matrix:
        """Return the whole table."""
        matrices = [rows.matrix for rows in self.rows()]
        return np.concatenate(matrices) if matrices else np.empty((0, len(self._spec.features)))

    def _cells(self, column: pyarrow.Array, feature: Feature, first_row: int) -> Any:
        """Return a column as the specification wants it; see :meth:`rows`."""
        source = self._source.name
        if feature.kind == "categorical":
            if look_of(column.type) == "bytes" and not are_texts(column):
                raise DataError(source, "holds bytes that are no texts", feature.name)
            texts = texts_of(column, self._missing)
            if not feature.nullable and texts.null_count:
                missing = texts.is_null().to_numpy(zero_copy_only=False)
                _refuse(missing, column, feature, NEEDED, first_row, source)
            return texts.to_pylist()
        try:
            values = values_of(column, feature.kind, self._readings.get(feature.name), first_row)
        except CellError as error:
            raise DataError(source, str(error), feature.name) from None
        is_nan = np.isnan(values)
        if not feature.nullable:
            _refuse(is_nan, column, feature, NEEDED, first_row, source)
        _refuse(np.isinf(values), column, feature, "a finite number", first_row, source)
        if feature.minimum is not None:
            expected = f"at least {feature.minimum:g}"
            _refuse(values < feature.minimum, column, feature, expected, first_row, source)
        if feature.maximum is not None:
            expected = f"at most {feature.maximum:g}"
            _refuse(values > feature.maximum, column, feature, expected, first_row, source)
        return values


NEEDED = "a value: none was missing in training, and its data.nullable does not allow it"


def values_of(
    column: pyarrow.Array, kind: Kind, reading: Reading | None, first_row: int
) -> NDArray[np.float64]:
    """Return a batch of a column as floats, NaN for missing: numbers, truths, seconds since 1970.

    Parameters
    ----------
    column : pyarrow.Array
    kind : {"numeric", "boolean", "datetime"}
    reading : Reading or None
        By which rule texts are read.
    first_row : int

    Raises
    ------
    CellError
        For the first cell that is none.
    """
    look = look_of(column.type)
    if kind == "datetime" and look == "moment":
        seconds = seconds_of(column)
        return np.where(are_never(seconds), np.nan, seconds)
    if look in ("text", "bytes"):
        if reading is None or isinstance(reading, Texts | Refused):  # no row has a value
            return np.full(len(column), np.nan)
        values = reading.apply(texts_of(column), first_row)
    elif look == "nothing":
        return np.full(len(column), np.nan)
    else:
        values = floats_of(column)
    if kind == "boolean":
        wrong = ~(np.isnan(values) | (values == 0) | (values == 1))
        if wrong.any():
            place = int(wrong.argmax())
            raise CellError(first_row + place, str(column[place].as_py()), EXPECTED[kind])
    return values


def _readings(source: Source, features: list[Feature], config: DataConfig) -> dict[str, Reading]:
    """Return by which rules the columns of texts are read that are no categories to the model."""
    kinds = {
        feature.name: feature.kind
        for feature in features
        if feature.kind != "categorical" and source.looks[feature.name] in ("text", "bytes")
    }
    columns = [
        ColumnScan(name, source.looks[name], config, WANTED.get(kind))
        for name, kind in kinds.items()
    ]
    if columns:
        scan(source, columns)
    for column in columns:
        kind = kinds[column.name]
        if column.is_binary:
            raise DataError(source.name, f"holds bytes, expected {EXPECTED[kind]}", column.name)
        if isinstance(column.reading, Refused) and kind in WANTED:
            raise DataError(source.name, str(column.reading), column.name)
        refused = column.refused_kind if isinstance(column.reading, Refused) else None
        found = column.kind or refused
        if found not in (kind, None) and (refused or (kind, found) != ("boolean", "numeric")):
            reason = (
                f"the model reads {kind} values here, the table holds {found} ones "
                f"({column.others_than(kind)}): expected {EXPECTED[kind]}"
            )
            raise DataError(source.name, reason, column.name)
    return {column.name: column.reading for column in columns if column.reading is not None}


def _refuse_look(feature: Feature, source: Source) -> None:
    """Refuse a column of a type that cannot be the feature."""
    look = source.looks[feature.name]
    fitting = {
        "numeric": ("number", "boolean", "text", "bytes", "nothing"),
        "boolean": ("number", "boolean", "text", "bytes", "nothing"),
        "datetime": ("moment", "text", "bytes", "nothing"),
        "categorical": ("number", "boolean", "text", "bytes", "moment", "nothing"),
    }
    if look not in fitting[feature.kind]:
        reason = f"the model reads {feature.kind} values here, the table holds {NAMES[look]}"
        raise DataError(source.name, reason, feature.name)


NAMES = {
    "number": "numbers",
    "boolean": "truth values",
    "moment": "dates",
    "text": "texts",
    "bytes": "bytes",
    "nothing": "nothing",
    "other": "values of a nested or other type",
}


def _refuse(
    wrong: NDArray[np.bool_],
    column: pyarrow.Array,
    feature: Feature,
    expected: str,
    first_row: int,
    source: str,
) -> None:
    """Raise if any value of a column is wrong, naming the first."""
    if wrong.any():
        place = int(wrong.argmax())
        value = texts_of(column[place : place + 1])[0].as_py()
        held = "nothing" if value is None else shown(value) if _is_text(column) else value
        reason = f"row {first_row + place} holds {held}, expected {expected}"
        raise DataError(source, reason, feature.name)


def _is_text(column: pyarrow.Array) -> bool:
    return look_of(column.type) in ("text", "bytes")
