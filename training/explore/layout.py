"""What the columns of a table are: their kinds, and the parts that some of them play."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from model.features import TRANSACTION_ID, Kind
from training.cells import Refused
from training.cells.labels import LabelScan, decide_labels
from training.column_names import AMOUNTS, LABELS, TIMES, find_column
from training.column_scan import ColumnScan, scan
from training.columns import is_identifier, left_out
from training.config import DataConfig
from training.errors import DataError
from training.explore.reading import Decided, OnRows, in_blocks, kind_of, watched
from training.explore.sample import Drawing, Samples
from training.tables.source import Source

SAMPLE_CELLS = 2**22
SAMPLE_FRAUDS = 20_000
FEWEST_SAMPLED = 2_000
MOST_CATEGORIES = 1_000  # of a column that are counted one by one

ColumnKind = Kind | Literal["identifier", "empty", "other"]


@dataclass(frozen=True)
class Column:
    """A column as a whole.

    Attributes
    ----------
    name : str
    kind : str
        That of a feature, ``identifier`` (texts that tell rows apart), ``empty``, or ``other``:
        of a type that training leaves out.
    n_missing : int
    n_texts : int
        Different texts of a category or an identifier; 0 otherwise.
    categories : tuple of str
        The most frequent first.
    junk : tuple of str
        Texts in a column of numbers, or of dates.
    note : str or None
        How it is read, where this is not plain; why it is left out, where it is.
    is_refused : bool
        Whether training would refuse it; the note says why.
    """

    name: str
    kind: ColumnKind
    n_missing: int
    n_texts: int = 0
    categories: tuple[str, ...] = ()
    junk: tuple[str, ...] = ()
    note: str | None = None
    is_refused: bool = False


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
    dropped : tuple of str
        Columns that the user wants to leave out.
    """

    source: str
    n_rows: int
    columns: tuple[Column, ...]
    label: str | None
    time: str | None
    amount: str | None
    id: str | None
    dropped: tuple[str, ...]

    def column(self, name: str) -> Column:
        """Return the column of a name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that a model could learn from."""
        apart = {self.label, self.id, *self.dropped}
        kinds = ("identifier", "empty", "other")
        return tuple(c for c in self.columns if c.name not in apart and c.kind not in kinds)


def decide(source: Source, config: DataConfig) -> Decided:
    """Decide what each column of a table means.

    Raises
    ------
    DataError
        If the table has no rows, or a column that is named is not there.
    """
    names = list(source.looks)
    for name in (*config.drop, *config.categorical):
        find_column(names, name, (), source.name)
    label = find_column(names, config.label, LABELS, source.name)
    columns = {
        name: ColumnScan(name, source.looks[name], config, type_name=source.types[name])
        for name in names
    }
    labels = LabelScan()
    found = scan(source, list(columns.values()), None if label is None else {label: labels})
    if not found.n_rows:
        raise DataError(source.name, "the table has no rows")
    read = None if label is None else decide_labels(labels, config.positive)
    return Decided(source, columns, label, read, config.missing)


def look_at(
    decided: Decided, config: DataConfig, seed: int, on_rows: OnRows
) -> tuple[Layout, Samples]:
    """Read a table once, and draw samples of its rows.

    Raises
    ------
    DataError
        If a column that is named is not there or no such column.
    """
    source, names, label = decided.source.name, list(decided.columns), decided.label
    time = find_column(names, config.time, TIMES, source)
    amount = find_column(names, config.amount, AMOUNTS, source)
    id_column = find_column(names, config.id, (TRANSACTION_ID,), source)
    drawn = Drawing(label, seed, max(SAMPLE_CELLS // len(names), FEWEST_SAMPLED), SAMPLE_FRAUDS)
    for _ in drawn.from_blocks(watched(in_blocks(decided.frames()), "reading", on_rows)):
        pass
    samples = drawn.samples()
    columns = {name: _column(own, name == label) for name, own in decided.columns.items()}

    def fitting(name: str | None, is_named: bool, *kinds: str) -> str | None:
        if name is None or columns[name].kind in kinds:
            return name
        if is_named:
            reason = f"expected {' or '.join(kinds)}, found {columns[name].kind}"
            raise DataError(source, reason, name)
        return None

    layout = Layout(
        source=source,
        n_rows=decided.columns[names[0]].n_rows,
        columns=tuple(columns.values()),
        label=label,
        time=fitting(time, config.time is not None, "numeric", "datetime"),
        amount=fitting(amount, config.amount is not None, "numeric"),
        id=id_column,
        dropped=config.drop,
    )
    if time is None:
        layout = replace(layout, time=_only_date(layout))
    return layout, samples


def _only_date(layout: Layout) -> str | None:
    """Return the date-time that every row has, where there is one such column."""
    dates = [c.name for c in layout.features if c.kind == "datetime" and not c.n_missing]
    return dates[0] if len(dates) == 1 else None


def _column(own: ColumnScan, is_label: bool) -> Column:
    if is_label:
        return Column(own.name, "numeric", own.n_missing)
    kind, note = kind_of(own), own.note
    if kind is None:
        kind = "empty" if own.is_empty and not own.is_binary else "other"
        return Column(own.name, kind, own.n_missing, note=left_out(own))
    if isinstance(own.reading, Refused):
        junk = tuple(dict.fromkeys(example.value for example in own.reading.examples))
        note = str(own.reading)
        return Column(own.name, kind, own.n_missing, junk=junk, note=note, is_refused=True)
    if kind != "categorical":
        return Column(own.name, kind, own.n_missing, note=note)
    if is_identifier(own) and not own.is_declared:
        return Column(own.name, "identifier", own.n_missing, len(own.texts), note=note)
    categories = tuple(own.texts.most_frequent(MOST_CATEGORIES, 1))
    return Column(own.name, kind, own.n_missing, len(own.texts), categories, note=note)
