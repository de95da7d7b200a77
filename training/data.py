"""A table for training: columns found, kinds decided, problems told.

It is read twice: first to decide what each column means, over all of its rows, then to fill the
matrix. A table for scoring or evaluating is read by the specification of the model, see
:class:`training.table_reader.TableReader`; both turn columns into cells there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
import pyarrow
from numpy.typing import NDArray

from model.answers import ANSWER_KEYS
from model.features import RESERVED, TRANSACTION_ID, Feature, FeatureSpec, Matrix
from training.cells import CellError, Refused
from training.cells.decide import Wanted
from training.cells.labels import Labels, LabelScan, decide_labels
from training.cells.time_units import NumberScan, time_unit_of
from training.column_names import AMOUNTS, LABELS, TIMES, find_column, is_time
from training.column_scan import ColumnScan, Found, Known, scan
from training.columns import infer_features
from training.config import DataConfig
from training.dates import note_on, only_date, other_dates, own_time
from training.errors import DataError
from training.memory import UNLIMITED, Memory
from training.scratch import MappedMatrix
from training.table_reader import TableReader, values_of
from training.tables.plain import texts_of
from training.tables.source import FileSource, FrameSource, Source

ECHOED = "score"  # the one key of an answer that features may be named like: many tables have it

MOST_NAMES = 12  # of columns, that a message lists


@dataclass(frozen=True)
class Table:
    """Rows ready to be divided.

    Attributes
    ----------
    source : str
        Where they came from, for messages.
    spec : FeatureSpec
        Not measured yet, and with all texts of a column as its categories: ranges, and which
        categories are told apart, belong to training rows.
    matrix : ndarray (n, F) or MappedMatrix
    labels : ndarray (n,) of int, or None
    times : ndarray (n,) or None
        Seconds, for ordering and delays.
    digest : str
        SHA-256 over all of it.
    notes : tuple of str
        What the reader should know: columns left out, and why.
    are_dated : bool
        Whether the times are counted from 1970 UTC, not from a start that nobody knows.
    """

    source: str
    spec: FeatureSpec
    matrix: Matrix | MappedMatrix
    labels: NDArray[np.int64] | None
    times: Matrix | None
    digest: str
    notes: tuple[str, ...]
    are_dated: bool = False

    def __len__(self) -> int:
        return len(self.matrix)

    @property
    def classes(self) -> NDArray[np.int64]:
        """The labels; without labels all rows count as legitimate."""
        return np.zeros(len(self), np.int64) if self.labels is None else self.labels


def load(config: DataConfig, memory: Memory = UNLIMITED, *, needs_label: bool = True) -> Table:
    """Read a table for training; where memory is limited, its matrix lives on disk.

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
    return from_source(FileSource(config.path, config.encoding), config, memory, needs_label)


def from_frame(
    frame: pd.DataFrame,
    config: DataConfig,
    source: str,
    memory: Memory = UNLIMITED,
    *,
    needs_label: bool = True,
) -> Table:
    """Build the table of a frame; see :func:`load`."""
    return from_source(FrameSource(frame, source), config, memory, needs_label)


class Digest(Protocol):
    """What a hash of the standard library offers."""

    def update(self, data: Any, /) -> None:
        """Add some bytes."""

    def hexdigest(self) -> str:
        """Return the digest."""


class Roles(NamedTuple):
    """Which column of a table is what; None where there is none."""

    label: str | None
    amount: str | None
    id: str | None
    time: str | None


def from_source(
    source: Source,
    config: DataConfig,
    memory: Memory,
    needs_label: bool,
    known: Known | None = None,
) -> Table:
    """Build the table of anything that can be read twice; see :func:`load`.

    Where it is ``known`` what the columns hold, it is read once.
    """
    roles = _roles_of(source, config, needs_label)
    apart = {roles.label, roles.id, *config.drop, TRANSACTION_ID}
    candidates = [name for name in source.looks if name not in apart]
    _refuse_names(candidates, roles, source.name)
    wanted: dict[str, Wanted] = {}
    if roles.amount is not None:
        wanted[roles.amount] = "number"
    if config.time is not None:
        wanted[config.time] = "date"
    looked_at = dict.fromkeys([*candidates, *filter(None, [roles.time])])
    columns = {
        name: ColumnScan(name, source.looks[name], config, wanted.get(name), source.types[name])
        for name in looked_at
    }
    label_scans = {} if roles.label is None else {roles.label: LabelScan()}
    if known is None:
        n_rows, kept = scan(source, list(columns.values()), label_scans, keep=memory.limit is None)
    else:
        n_rows, kept = _look_at_the_rest(source, columns, label_scans, known)
    if not n_rows:
        raise DataError(source.name, "the table has no rows")
    labels = None
    if roles.label is not None:
        labels = labels_as_said(label_scans[roles.label], roles.label, config, source)
    _check_amount(columns, roles, config, source.name)
    features, notes = infer_features([columns[name] for name in candidates], config, source.name)
    notes = [*(f"the file is {note}" for note in source.notes), *notes]
    time = _time_of(columns, roles, config, features, notes)
    own = own_time(features, time)
    dates = other_dates(features, own)
    notes += note_on(dates, own, has_time=time is not None)
    if not config.time_features and own is not None and not dates:
        features = [feature for feature in features if feature.name != own]
        own = None
        if not features:
            raise DataError(source.name, "no column is left to learn from")
    spec = FeatureSpec(
        tuple(features),
        id_column=None if roles.id == TRANSACTION_ID else roles.id,
        amount=roles.amount,
        time=own,
        dates=dates,
        missing=config.missing,
    )
    notes += [note for note in [labels and labels.note] if note]
    if ECHOED in spec.names:
        notes.append(f"column {ECHOED!r} is a feature: the {ECHOED!r} of an answer is the model's")
    if time is not None and isinstance(columns[time].reading, Refused):
        raise DataError(source.name, str(columns[time].reading), time)
    memory.refuse(n_rows, len(source.looks))
    table = Table(
        source.name,
        spec,
        memory.matrix((n_rows, len(features)), np.float64, "F"),
        None if labels is None else np.empty(n_rows, np.int64),
        None if time is None else np.empty(n_rows),
        "",
        (),
    )
    readings = {name: own.reading for name, own in columns.items() if own.reading is not None}
    reader = TableReader(kept or source, spec, config, readings)
    clocks: dict[str, NumberScan] = {}
    if time is None:
        numbers = [feature.name for feature in features if feature.kind == "numeric"]
        clocks = {name: NumberScan() for name in numbers if is_time(name)}
    scanned = None if time is None else columns[time]
    digest = _fill(table, reader, labels, roles.label, scanned, clocks)
    notes += _notes_on(clocks)
    are_dated = False
    if table.times is not None and time is not None:
        are_dated = _read_times(table.times, columns[time], config, source.name, notes)
    if table.labels is not None and needs_label and table.labels.min() == table.labels.max():
        reason = f"all labels are {table.labels[0]}, both classes are needed"
        raise DataError(source.name, reason, roles.label)
    for array in (table.labels, table.times):
        if array is not None:
            digest.update(array)
    return replace(table, digest=digest.hexdigest(), notes=tuple(notes), are_dated=are_dated)


def _look_at_the_rest(
    source: Source,
    columns: dict[str, ColumnScan],
    labels: dict[str, LabelScan],
    known: Known,
) -> Found:
    """Put in what is known already; look at the columns that something else is asked of."""
    for name, own in columns.items():
        if name in known.columns and known.columns[name].asks_as(own):
            columns[name] = known.columns[name]
    labels |= {name: known.labels[name] for name in labels.keys() & known.labels.keys()}
    asked = [own for name, own in columns.items() if own is not known.columns.get(name)]
    unread = {name: own for name, own in labels.items() if name not in known.labels}
    if asked or unread:
        scan(source, asked, unread)
    return Found(known.n_rows, None)


def _no_label(source: Source) -> DataError:
    names = list(source.looks)
    found = f"{names[:MOST_NAMES]}" + (" and more" if len(names) > MOST_NAMES else "")
    reason = f"no label column found (looked for {', '.join(LABELS)}; the table has {found})"
    return DataError(source.name, f"{reason}: name it with --label")


def _roles_of(source: Source, config: DataConfig, needs_label: bool) -> Roles:
    names = list(source.looks)
    label = find_column(names, config.label, LABELS, source.name)
    if label is None and needs_label:
        raise _no_label(source)
    amount = find_column(names, config.amount, AMOUNTS, source.name)
    id_column = find_column(names, config.id, (TRANSACTION_ID,), source.name)
    time = find_column(names, config.time, TIMES, source.name)
    for name in config.drop:
        find_column(names, name, (), source.name)
    if amount in config.drop or amount in (label, id_column):
        if config.amount is not None:
            raise DataError(source.name, "the amount must be a feature, and hold numbers", amount)
        amount = None
    for name in filter(None, (label, id_column)):
        if source.looks[name] == "other":
            raise DataError(
                source.name, f"holds values of the type {source.types[name]}: name another", name
            )
    return Roles(label, amount, id_column, time)


def _refuse_names(candidates: Sequence[str], roles: Roles, source: str) -> None:
    """Refuse names that have another meaning in a request or an answer."""
    taken = ANSWER_KEYS | RESERVED
    wrong = [name for name in candidates if name in taken - {ECHOED}]
    wrong += [roles.id] if roles.id in taken - {TRANSACTION_ID} else []
    if wrong:
        raise DataError(
            source,
            f"the columns {wrong} are named like keys of a request or an answer: rename them, or "
            f"leave them out with --drop {','.join(wrong)}",
        )


def _check_amount(
    columns: Mapping[str, ColumnScan], roles: Roles, config: DataConfig, source: str
) -> None:
    """Refuse an amount that holds no numbers: money that is left out in silence decides nothing."""
    if roles.amount is None:
        return
    column = columns[roles.amount]
    cure = "" if config.amount is not None else f", or leave it out with --drop {column.name}"
    if isinstance(column.reading, Refused):
        if column.holds_numbers:
            return  # refused as any other column, with its examples
        reason = f"the amount: {column.reading}, name another with --amount{cure}"
        raise DataError(source, reason, column.name)
    if column.kind != "numeric":
        holds = "no values" if column.is_empty else f"{column.kind or column.type_name} values"
        raise DataError(
            source,
            f"the amount must hold numbers, found {holds}: name another with --amount{cure}",
            column.name,
        )


def _time_of(
    columns: Mapping[str, ColumnScan],
    roles: Roles,
    config: DataConfig,
    features: Sequence[Feature],
    notes: list[str],
) -> str | None:
    """Return the column that orders the rows."""
    time = roles.time
    if time is None:
        return _date_of_all_rows(features)
    column = columns[time]
    if column.kind in ("numeric", "datetime") or isinstance(column.reading, Refused):
        return time
    if config.time is None:
        notes.append(f"column {time!r} holds no times and does not order the rows")
        return _date_of_all_rows(features)
    return time


def _fill(
    table: Table,
    reader: TableReader,
    labels: Labels | None,
    label: str | None,
    time: ColumnScan | None,
    clocks: Mapping[str, NumberScan],
) -> Digest:
    """Fill the arrays of a table and look at features; return the digest over its matrix."""
    digest = sha256("|".join(table.spec.names).encode())
    for first_row, batch, matrix in reader.rows():
        rows = slice(first_row, first_row + len(batch))
        table.matrix[rows] = matrix
        for name, clock in clocks.items():
            clock.add(matrix[:, table.spec.names.index(name)], first_row)
        digest.update(np.ascontiguousarray(matrix).ravel())
        if table.labels is not None and labels is not None:
            try:
                table.labels[rows] = labels.apply(texts_of(batch.column(label)), first_row)
            except CellError as error:
                raise DataError(table.source, str(error), label) from None
        if table.times is not None and time is not None:
            table.times[rows] = _times_of(batch.column(time.name), time, first_row, table.source)
    return digest


def _notes_on(clocks: Mapping[str, NumberScan]) -> list[str]:
    """Return what to know of numbers that are times of our days, but order no rows."""
    units = {
        name: time_unit_of(seen, name) for name, seen in clocks.items() if np.isfinite(seen.low)
    }
    return [
        f"column {name!r} holds {unit.words} and stays a plain feature: if it is the transaction's "
        f"time, --time {name} orders the rows by it"
        for name, unit in units.items()
        if not isinstance(unit, Refused) and unit.is_since_1970
    ]


def _times_of(column: pyarrow.Array, time: ColumnScan, first_row: int, source: str) -> Matrix:
    """Return a time column as seconds, or as the numbers that it holds; NaN for missing."""
    if time.kind is None or time.kind not in ("numeric", "datetime"):
        raise DataError(source, f"expected times, found {time.kind or 'no'} values", time.name)
    try:
        return values_of(column, time.kind, time.reading, first_row)
    except CellError as error:
        raise DataError(source, str(error), time.name) from None


def _read_times(
    times: Matrix, column: ColumnScan, config: DataConfig, source: str, notes: list[str]
) -> bool:
    """Turn what a time column counts into seconds; return whether they count from 1970.

    Raises
    ------
    DataError
        If what it counts has to be asked, or a row has no time.
    """
    are_dated = True
    if column.kind == "numeric":
        seen = NumberScan()
        seen.add(times, 0)
        unit = time_unit_of(seen, column.name, config.time_unit)
        if isinstance(unit, Refused):
            raise DataError(source, str(unit), column.name)
        times[:] = unit.to_seconds(times)
        are_dated = unit.is_since_1970
        if unit.name != "s":  # seconds are what everybody expects
            notes.append(f"column {column.name!r}: {unit.note}")
    n_missing = int(np.count_nonzero(~np.isfinite(times)))
    if n_missing:
        first = int(np.argmax(~np.isfinite(times)))
        rows = "one row has" if n_missing == 1 else f"{n_missing:,} rows have"
        raise DataError(source, f"{rows} no readable time, row {first} first", column.name)
    return are_dated


def _date_of_all_rows(features: Sequence[Feature]) -> str | None:
    only = only_date(features)
    return None if only is None or only.nullable else only.name


def labels_as_said(found: LabelScan, label: str, config: DataConfig, source: Source) -> Labels:
    """Return which labels mean fraud.

    Raises
    ------
    DataError
        If that has to be asked, or a row has no label.
    """
    labels = decide_labels(found, config.positive)
    if isinstance(labels, Refused):
        raise DataError(source.name, str(labels), label)
    return labels


def labelled(
    source: Source, spec: FeatureSpec, config: DataConfig
) -> tuple[NDArray[np.int64], Matrix]:
    """Return the labels of a table, and its rows as a model reads them.

    Raises
    ------
    DataError
        If there are no rows or no labels, or the table is not what the model reads.
    """
    label = find_column(list(source.looks), config.label, LABELS, source.name)
    if label is None:
        raise _no_label(source)
    found = LabelScan()
    if not scan(source, (), {label: found}).n_rows:
        raise DataError(source.name, "the table has no rows")
    labels = labels_as_said(found, label, config, source)
    classes, matrices = [], []
    for first_row, batch, matrix in TableReader(source, spec, config).rows():
        classes.append(labels.apply(texts_of(batch.column(label)), first_row))
        matrices.append(matrix)
    return np.concatenate(classes), np.concatenate(matrices)


def matrix_of(
    frame: pd.DataFrame, spec: FeatureSpec, source: str, config: DataConfig | None = None
) -> Matrix:
    """Return the raw matrix of a frame; columns that the specification does not know are ignored.

    Raises
    ------
    DataError
        If a feature is missing from the table, or holds what it cannot.
    """
    return TableReader(FrameSource(frame, source), spec, config or DataConfig()).matrix()
