"""What the columns of a table are: their kinds, and the parts that some of them play."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from model.features import TRANSACTION_ID, Kind
from training.cells import Reading, Refused
from training.cells.decide import Wanted
from training.cells.labels import Labels, LabelScan, decide_labels
from training.column_names import AMOUNTS, LABELS, TIMES, find_column
from training.column_scan import ColumnScan, Known, OnBatch, scan
from training.columns import is_identifier, left_out
from training.config import DataConfig
from training.errors import DataError
from training.tables.source import Source

MOST_CATEGORIES = 1_000  # of a column that are counted one by one

ColumnKind = Kind | Literal["identifier", "empty", "refused", "other"]
APART = ("identifier", "empty", "refused", "other")  # kinds that are no features


@dataclass(frozen=True)
class Column:
    """A column as a whole.

    Attributes
    ----------
    name : str
    kind : str
        That of a feature, ``identifier`` (texts that tell rows apart), ``empty``, ``refused`` (no
        one rule reads its cells) or ``other`` (bytes, nested values).
    n_missing : int
    reading : Reading or None
        By which rule its texts are read.
    note : str or None
        How they are read, where this is not plain; why they cannot be.
    n_texts : int
        Different texts of a category or an identifier; 0 otherwise.
    categories : tuple of str
        The most frequent first.
    """

    name: str
    kind: ColumnKind
    n_missing: int
    reading: Reading | None = None
    note: str | None = None
    n_texts: int = 0
    categories: tuple[str, ...] = ()

    @property
    def refusal(self) -> str | None:
        """Why its cells cannot be read; None where they can be."""
        return str(self.reading) if isinstance(self.reading, Refused) else None

    @property
    def has_texts(self) -> bool:
        """Whether its cells are texts."""
        return self.kind in ("categorical", "identifier")


@dataclass(frozen=True)
class Layout:
    """What a table consists of.

    Attributes
    ----------
    source : str
    n_rows : int
    columns : tuple of Column
        All of them, in their order.
    label, time, amount, id : str or None
    labels : Labels or None
        Which values of the label mean fraud; None without a label, or where it has to be asked.
    label_refusal : str or None
        Why training would not read the labels.
    label_values : tuple of str
        The first different labels, as they are written.
    parts : frozenset of str
        Columns that are named, or found by name, as label, time, amount or id, fit or not; and
        dates that cannot be read, where no other column orders the rows.
    dropped : tuple of str
        Columns that the user wants to leave out.
    missing : tuple of str
        Words that mean missing in texts too.
    """

    source: str
    n_rows: int
    columns: tuple[Column, ...]
    label: str | None
    time: str | None
    amount: str | None
    id: str | None
    labels: Labels | None
    label_refusal: str | None
    label_values: tuple[str, ...]
    parts: frozenset[str]
    dropped: tuple[str, ...]
    missing: tuple[str, ...]

    def column(self, name: str) -> Column:
        """Return the column of a name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that a model could learn from."""
        apart = {self.label, self.id, *self.dropped}
        return tuple(c for c in self.columns if c.name not in apart and c.kind not in APART)


def look_at(
    source: Source, config: DataConfig, on_batch: OnBatch | None = None
) -> tuple[Layout, Known]:
    """Read a table once (twice where a first look does not tell codes from numbers).

    Returns
    -------
    layout : Layout
    known : Known
        For a run that reads the table alike.

    Raises
    ------
    DataError
        If the table has no rows, or a column that is named is not there or no such column.
    """
    names = list(source.looks)
    for name in (*config.drop, *config.categorical):
        find_column(names, name, (), source.name)
    label = find_column(names, config.label, LABELS, source.name)
    time = find_column(names, config.time, TIMES, source.name)
    amount = find_column(names, config.amount, AMOUNTS, source.name)
    id_column = find_column(names, config.id, (TRANSACTION_ID,), source.name)
    wanted: dict[str | None, Wanted] = {amount: "number"}
    if config.time is not None:
        wanted[config.time] = "date"
    scans = [
        ColumnScan(name, source.looks[name], config, wanted.get(name), source.types[name])
        for name in names
    ]
    found = LabelScan()
    labels = {} if label is None else {label: found}
    n_rows = scan(source, scans, labels, on_batch=on_batch).n_rows
    if not n_rows:
        raise DataError(source.name, "the table has no rows")
    columns = {own.name: _column(own) for own in scans}

    def fitting(name: str | None, is_named: bool, *kinds: str) -> str | None:
        if name is None or columns[name].kind in kinds:
            return name
        if is_named:
            reason = f"expected {' or '.join(kinds)}, found {columns[name].kind}"
            raise DataError(source.name, columns[name].refusal or reason, name)
        return None

    layout = Layout(
        source=source.name,
        n_rows=n_rows,
        columns=tuple(columns.values()),
        label=label,
        time=fitting(time, config.time is not None, "numeric", "datetime"),
        amount=fitting(amount, config.amount is not None, "numeric"),
        id=id_column,
        labels=None if label is None else _labels(found, config),
        label_refusal=None if label is None else _refusal(decide_labels(found, config.positive)),
        label_values=tuple(example.value for example in found.values),
        parts=frozenset(filter(None, (label, time, amount, id_column))),
        dropped=config.drop,
        missing=config.missing,
    )
    if time is None:
        layout = replace(layout, time=_only_date(layout))
    if layout.time is None:  # a date that cannot be read may be what orders the rows
        refused = [own for own in scans if columns[own.name].kind == "refused"]
        dates = {own.name for own in refused if own.refused_kind == "datetime"}
        layout = replace(layout, parts=layout.parts | dates)
    return layout, Known(n_rows, {own.name: own for own in scans}, labels)


def _labels(found: LabelScan, config: DataConfig) -> Labels | None:
    """Return which labels mean fraud, rows without any left out; None where that is not known."""
    present = LabelScan()
    present.values = found.values
    labels = decide_labels(present, config.positive)
    return None if isinstance(labels, Refused) or not found.values else labels


def _refusal(labels: Labels | Refused) -> str | None:
    return str(labels) if isinstance(labels, Refused) else None


def _only_date(layout: Layout) -> str | None:
    """Return the date-time that every row has, where there is one such column."""
    dates = [c.name for c in layout.features if c.kind == "datetime" and not c.n_missing]
    return dates[0] if len(dates) == 1 else None


def _column(own: ColumnScan) -> Column:
    kind = _kind(own)
    note = left_out(own) if kind in ("empty", "other") else own.note
    column = Column(own.name, kind, own.n_missing, own.reading, note)
    if not column.has_texts:
        return column
    categories = tuple(own.texts.most_frequent(MOST_CATEGORIES, 1))
    if column.kind == "identifier":
        categories = ()
    return replace(column, n_texts=len(own.texts), categories=categories)


def _kind(own: ColumnScan) -> ColumnKind:
    if isinstance(own.reading, Refused):
        return "refused"
    if own.kind is None:
        return "other" if own.is_binary or own.look == "other" else "empty"
    tells_apart = own.kind == "categorical" and is_identifier(own)
    return "identifier" if tells_apart else own.kind
