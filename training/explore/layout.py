"""What the columns of a table are: their kinds, and the parts that some of them play."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from model.features import TRANSACTION_ID, Kind, Matrix
from training.column_names import AMOUNTS, LABELS, TIMES, find_column
from training.column_scan import ColumnScan, scan
from training.columns import is_identifier, kind_of
from training.config import DataConfig
from training.data import Frames
from training.errors import DataError
from training.explore.reading import OnRows, in_blocks, watched
from training.explore.sample import Sample, priorities
from training.explore.values import classes_of

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


@dataclass(frozen=True)
class Samples:
    """Rows drawn while the table was read.

    Attributes
    ----------
    rows : DataFrame
        Of all rows.
    priority : ndarray (n,)
        Those with the lowest are a sample of the sample.
    frauds : DataFrame or None
        Of all frauds; None without labels.
    is_whole, has_all_frauds : bool
        Whether they are all there are.
    """

    rows: pd.DataFrame
    priority: Matrix
    frauds: pd.DataFrame | None
    is_whole: bool
    has_all_frauds: bool


def look_at(
    frames: Frames, config: DataConfig, source: str, seed: int, on_rows: OnRows
) -> tuple[Layout, Samples]:
    """Read a table once (twice where some chunks of a column are numbers and others texts).

    Raises
    ------
    DataError
        If the table has no rows, or a column that is named is not there.
    """
    first = next(iter(frames(())))
    if not len(first):
        raise DataError(source, "the table has no rows")
    for name in (*config.drop, *config.categorical):
        find_column(first, name, (), source)
    label = find_column(first, config.label, LABELS, source)
    id_column = find_column(first, config.id, (TRANSACTION_ID,), source)
    size = max(SAMPLE_CELLS // len(first.columns), FEWEST_SAMPLED)
    names = [str(name) for name in first.columns]
    texts: list[str] = []
    while True:
        drawing = _Drawing(label, seed, size)
        blocks = watched(in_blocks(frames(texts)), "reading", on_rows)
        scans = scan(drawing.drawn_from(blocks), names, config.categorical)
        mixed = [own.name for own in scans if len(own.looks) > 1 and own.name not in texts]
        if not mixed:
            break
        texts += mixed
    columns = tuple(_column(own, own.name in config.categorical) for own in scans)
    kinds = {column.name: column.kind for column in columns}
    dates = [
        c.name for c in columns if c.kind == "datetime" and not c.n_missing and c.name != label
    ]
    amount = find_column(first, config.amount, AMOUNTS, source)
    time = find_column(first, config.time, TIMES, source) or (dates[0] if len(dates) == 1 else None)
    for named, fits in ((config.time, ("numeric", "datetime")), (config.amount, ("numeric",))):
        if named is not None and kinds[named] not in fits:
            raise DataError(source, f"expected {' or '.join(fits)}, found {kinds[named]}", named)
    layout = Layout(
        source=source,
        n_rows=scans[0].n_rows,
        columns=columns,
        texts=tuple(texts),
        label=label,
        time=time if kinds.get(time or "") in ("numeric", "datetime") else None,
        amount=amount if kinds.get(amount or "") == "numeric" else None,
        id=id_column,
        dropped=config.drop,
    )
    return layout, drawing.samples()


class _Drawing:
    """Draws the samples from frames that pass by."""

    def __init__(self, label: str | None, seed: int, size: int) -> None:
        self._label, self._seed = label, seed
        self._rows, self._frauds = Sample(size), Sample(SAMPLE_FRAUDS)

    def drawn_from(self, blocks: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        start = 0
        for frame in blocks:
            priority = priorities(self._seed, start, len(frame))
            self._rows.add(frame, priority)
            if self._label is not None:
                is_fraud = classes_of(frame[self._label]) == 1
                self._frauds.add(frame[is_fraud], priority[is_fraud])
            start += len(frame)
            yield frame

    def samples(self) -> Samples:
        rows, priority = self._rows.rows()
        has_frauds = self._label is not None and self._frauds.n_rows > 0
        return Samples(
            rows=rows,
            priority=priority,
            frauds=self._frauds.rows()[0] if has_frauds else None,
            is_whole=self._rows.is_whole,
            has_all_frauds=self._frauds.is_whole,
        )


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
