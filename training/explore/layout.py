"""What the columns of a table are: their kinds, and the parts that some of them play."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from model.features import TRANSACTION_ID, Kind
from training.column_names import AMOUNTS, LABELS, TIMES, find_column
from training.column_scan import ColumnScan, scan
from training.columns import is_identifier, kind_of
from training.config import DataConfig
from training.data import Frames
from training.errors import DataError
from training.explore.reading import OnRows, in_blocks, watched
from training.explore.sample import Drawing, Samples

SAMPLE_CELLS = 2**22
SAMPLE_FRAUDS = 20_000
FEWEST_SAMPLED = 2_000
MOST_CATEGORIES = 1_000  # of a column that are counted one by one

ColumnKind = Kind | Literal["identifier", "empty"]


@dataclass(frozen=True)
class Column:
    """A column as a whole.

    Attributes
    ----------
    name : str
    kind : str
        That of a feature, ``identifier`` (texts that tell rows apart) or ``empty``.
    n_missing : int
    n_texts : int
        Different texts of a category or an identifier; 0 otherwise.
    categories : tuple of str
        The most frequent first.
    junk : tuple of str
        Texts in a column of numbers.
    """

    name: str
    kind: ColumnKind
    n_missing: int
    n_texts: int = 0
    categories: tuple[str, ...] = ()
    junk: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """What a table consists of.

    Attributes
    ----------
    source : str
    n_rows : int
    columns : tuple of Column
        All of them, in their order.
    texts : tuple of str
        Columns that are to be read as texts.
    label, time, amount, id : str or None
    dropped : tuple of str
        Columns that the user wants to leave out.
    """

    source: str
    n_rows: int
    columns: tuple[Column, ...]
    texts: tuple[str, ...]
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
        kinds = ("identifier", "empty")
        return tuple(c for c in self.columns if c.name not in apart and c.kind not in kinds)


def look_at(
    frames: Frames, config: DataConfig, source: str, seed: int, on_rows: OnRows
) -> tuple[Layout, Samples]:
    """Read a table once (twice where some chunks of a column are numbers and others texts).

    Raises
    ------
    DataError
        If the table has no rows, or a column that is named is not there or no such column.
    """
    first = next(iter(frames(())))
    if not len(first):
        raise DataError(source, "the table has no rows")
    for name in (*config.drop, *config.categorical):
        find_column(first, name, (), source)
    label = find_column(first, config.label, LABELS, source)
    time = find_column(first, config.time, TIMES, source)
    amount = find_column(first, config.amount, AMOUNTS, source)
    id_column = find_column(first, config.id, (TRANSACTION_ID,), source)
    texts, scans, samples = _scanned(frames, config, list(first.columns), label, seed, on_rows)
    columns = {own.name: _column(own, own.name in config.categorical) for own in scans}

    def fitting(name: str | None, is_named: bool, *kinds: str) -> str | None:
        if name is None or columns[name].kind in kinds:
            return name
        if is_named:
            reason = f"expected {' or '.join(kinds)}, found {columns[name].kind}"
            raise DataError(source, reason, name)
        return None

    layout = Layout(
        source=source,
        n_rows=scans[0].n_rows,
        columns=tuple(columns.values()),
        texts=tuple(texts),
        label=label,
        time=fitting(time, config.time is not None, "numeric", "datetime"),
        amount=fitting(amount, config.amount is not None, "numeric"),
        id=id_column,
        dropped=config.drop,
    )
    if time is None:
        layout = replace(layout, time=_only_date(layout))
    return layout, samples


def _scanned(
    frames: Frames,
    config: DataConfig,
    names: Sequence[str],
    label: str | None,
    seed: int,
    on_rows: OnRows,
) -> tuple[list[str], list[ColumnScan], Samples]:
    """Return the columns to be read as texts, what all columns hold, and sampled rows."""
    texts: list[str] = []
    while True:
        drawn = Drawing(label, seed, max(SAMPLE_CELLS // len(names), FEWEST_SAMPLED), SAMPLE_FRAUDS)
        blocks = watched(in_blocks(frames(texts)), "reading", on_rows)
        scans = scan(drawn.from_blocks(blocks), names, config.categorical)
        mixed = [own.name for own in scans if len(own.looks) > 1 and own.name not in texts]
        if not mixed:
            return texts, scans, drawn.samples()
        texts += mixed


def _only_date(layout: Layout) -> str | None:
    """Return the date-time that every row has, where there is one such column."""
    dates = [c.name for c in layout.features if c.kind == "datetime" and not c.n_missing]
    return dates[0] if len(dates) == 1 else None


def _column(own: ColumnScan, is_declared: bool) -> Column:
    if own.n_missing == own.n_rows:
        return Column(own.name, "empty", own.n_missing)
    kind = "categorical" if is_declared else kind_of(own)
    if kind == "numeric":
        return Column(own.name, kind, own.n_missing, junk=_examples(own.junk))
    if kind != "categorical":
        return Column(own.name, kind, own.n_missing)
    if is_identifier(own) and not is_declared:
        return Column(own.name, "identifier", own.n_missing, len(own.texts))
    categories = tuple(own.texts.most_frequent(MOST_CATEGORIES, 1))
    return Column(own.name, kind, own.n_missing, len(own.texts), categories)


def _examples(junk: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(junk))[:5])
