"""What a column of a table holds, added up over the batches in which the table is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pyarrow

from model.cells import are_never
from model.features import Kind
from training.cells import Booleans, Dates, Numbers, Reading, Refused, Texts, TextScan, decide
from training.cells.decide import Wanted
from training.cells.labels import LabelScan
from training.cells.numbers import MARK_NAMES, decimals_shown
from training.cells.plain import read_plain
from training.cells.tally import first_examples
from training.config import DataConfig
from training.tables.plain import Look, are_texts, is_missing, seconds_of, texts_of
from training.tables.source import KeptSource, Source

BATCH_CELLS = 2**19  # that are looked at together
FEWEST_PENDING = 10_000  # different texts of single batches that are kept before they are merged

KINDS: Mapping[Look, Kind] = {"number": "numeric", "boolean": "boolean", "moment": "datetime"}
KIND_OF_READING: Mapping[type[Any], Kind | None] = {
    Numbers: "numeric",
    Dates: "datetime",
    Booleans: "boolean",
    Texts: "categorical",
    Refused: None,
}


class TextCounts:
    """How often each text comes, in about the memory that the different texts take."""

    def __init__(self) -> None:
        self._counts = _counts_of(pyarrow.array([], pyarrow.large_string()))
        self._pending: list[pyarrow.Table] = []
        self._n_pending = 0

    def add(self, texts: pyarrow.Array) -> None:
        """Count some texts; null is none."""
        counts = _counts_of(texts)
        self._pending.append(counts)
        self._n_pending += len(counts)
        if self._n_pending > max(len(self._counts), FEWEST_PENDING):
            self._merge()

    def __len__(self) -> int:
        self._merge()
        return len(self._counts)

    def most_frequent(self, most: int, fewest: int) -> list[str]:
        """Return the texts that come at least ``fewest`` times; where none does, the first.

        In order of their number, then of the alphabet; not more than ``most``.
        """
        self._merge()
        order = [("count", "descending"), ("text", "ascending")]
        texts, counts = self._counts.sort_by(order).slice(0, most).to_pydict().values()
        n_frequent = sum(count >= fewest for count in counts)
        return texts[: max(n_frequent, 1)]

    def _merge(self) -> None:
        if self._pending:
            together = pyarrow.concat_tables([self._counts, *self._pending]).group_by("text")
            summed = together.aggregate([("count", "sum")])
            self._counts = summed.select(["text", "count_sum"]).rename_columns(["text", "count"])
            self._pending, self._n_pending = [], 0


def _counts_of(texts: pyarrow.Array) -> pyarrow.Table:
    counted = texts.drop_null().value_counts()
    columns = {"text": counted.field("values"), "count": counted.field("counts")}
    return pyarrow.table(columns)


class ColumnScan:
    """What is known of a column after some of its batches.

    Parameters
    ----------
    name : str
    look : Look
    config : DataConfig
        The marks of its numbers, the form of its dates, words that mean missing, and whether it is
        declared to hold categories.
    wanted : {"number", "date"}, optional
        What it has to be, whatever it looks like.
    type_name : str
        What its type is called, for messages.

    Attributes
    ----------
    n_rows : int
    texts : TextCounts
        Of a column of categories.
    is_declared : bool
        Whether the configuration says that it holds categories.
    is_binary : bool
        Whether it holds bytes that are no texts.
    reading : Reading or None
        By which rule its texts are read, once it is decided; None of any other type.
    """

    def __init__(
        self,
        name: str,
        look: Look,
        config: DataConfig,
        wanted: Wanted | None = None,
        type_name: str = "",
    ) -> None:
        self.name, self.look, self.wanted, self.type_name = name, look, wanted, type_name
        self.n_rows = 0
        self.texts = TextCounts()
        self.is_binary = False
        self.reading: Reading | None = None
        self._config = config
        self.is_declared = name in config.categorical
        self._asked = (name, wanted, self.is_declared, *_marks_of(name, config))
        self._has_plain = False
        self._cells = TextScan(config.missing)
        self._n_null = self._n_never = 0
        self._n_counted = self._n_null_counted = 0

    def add(self, column: pyarrow.Array, first_row: int) -> pyarrow.Array:
        """Look at the next batch, whose first row has this number in the table.

        Returns
        -------
        pyarrow.Array
            The batch as it may be kept, see ``can_be_kept``: plain numbers instead of their texts.
        """
        self.n_rows += len(column)
        if self.look == "bytes":
            self.is_binary = self.is_binary or not are_texts(column)
        if self.is_binary or self.look in ("nothing", "other"):
            return column
        if self.is_declared:
            self.count(column)
        elif self._has_texts:
            texts = texts_of(column)
            plain = read_plain(texts)
            self._cells.add(texts, first_row, plain)
            if self._cells.texts.count or not (self._cells.numbers or self._cells.dates):
                self.count(column)
            if plain is not None:
                self._has_plain = True
                return pyarrow.array(plain, from_pandas=True)
        else:
            self._n_null += int(np.count_nonzero(is_missing(column)))
            if self.look == "moment":
                self._n_never += int(np.count_nonzero(are_never(seconds_of(column))))
        return column

    @property
    def can_be_kept(self) -> bool:
        """Whether what ``add`` returned is all that its column means."""
        is_plain = isinstance(self.reading, Numbers) and self.reading.reads_plain
        return is_plain or not self._has_plain

    def asks_as(self, other: ColumnScan) -> bool:
        """Whether both find the same in the same batches."""
        return self._asked == other._asked

    def count(self, column: pyarrow.Array) -> None:
        """Count the texts of a batch."""
        texts = texts_of(column, self._config.missing)
        self._n_counted += len(texts)
        self._n_null_counted += texts.null_count
        self.texts.add(texts)

    def decide(self) -> None:
        """Decide what the column means, after its last batch."""
        if self._has_texts and not self.is_binary:
            self.reading = reading_of(self._cells, self.name, self._config, self.wanted)
        if self.kind == "categorical" and self._n_counted < self.n_rows:
            self.texts, self._n_counted, self._n_null_counted = TextCounts(), 0, 0

    @property
    def shown_decimals(self) -> set[str]:
        """The decimal mark, where texts of its numbers show it."""
        if isinstance(self.reading, Numbers):
            return decimals_shown(self.reading.rule, self._cells.numbers)
        return set()

    def settle_mark(self, shown: set[str], *, may_be_commas: bool) -> None:
        """Decide what the one mark of its numbers is, where only the table can tell.

        Parameters
        ----------
        shown : set of str
            Decimal marks that other columns show.
        may_be_commas : bool
            Whether the file is written as where a comma is the decimal mark.
        """
        if not (isinstance(self.reading, Refused) and self.reading.open_mark):
            return
        mark, example = self.reading.open_mark, self.reading.examples[0].value
        if len(shown) == 1 and not (mark == "." and "," in shown):
            decimal = next(iter(shown))
            note = f"{example} is read by the decimal {MARK_NAMES[decimal]} of other columns"
        elif mark == "." and self.reading.is_plain and not shown and not may_be_commas:
            decimal = "."
            note = (
                f"{example} is read with a decimal point, as nothing in the table says otherwise "
                "(--thousands . if it separates thousands)"
            )
        else:
            return
        said = replace(self._config, decimal=decimal)
        self.reading = reading_of(self._cells, self.name, said, self.wanted)
        if isinstance(self.reading, Numbers) and not (mark == "." and shown):  # of floats, no word
            notes = [note, self.reading.note]
            self.reading = replace(self.reading, note="; ".join(filter(None, notes)))

    @property
    def lacks_counts(self) -> bool:
        """Whether it holds categories that have not been counted from the first row on."""
        return self.kind == "categorical" and self._n_counted < self.n_rows

    @property
    def kind(self) -> Kind | None:
        """The kind of feature that it is; None if it is empty, refused or cannot be one."""
        if self.is_binary or self.look in ("nothing", "other") or self.is_empty:
            return None
        if self.is_declared:
            return "categorical"
        return KINDS[self.look] if self.reading is None else KIND_OF_READING[type(self.reading)]

    @property
    def is_empty(self) -> bool:
        """Whether no row has a value."""
        if self._has_texts:
            return not self._cells.n_present
        return self.look == "nothing" or self.n_missing == self.n_rows

    @property
    def n_missing(self) -> int:
        """How many rows have no value."""
        if self.look == "nothing":
            return self.n_rows
        if isinstance(self.reading, Numbers | Dates | Booleans):
            return self._cells.n_empty + self.reading.n_missing
        if self.is_declared or self._has_texts:
            return self._n_null_counted
        return self._n_null + self._n_never

    @property
    def holds_numbers(self) -> bool:
        """Whether one of its texts is a number, or nearly."""
        return bool(self._cells.numbers)

    def others_than(self, kind: Kind) -> str:
        """Return the first of its texts that are of another kind, with their rows."""
        cells = self._cells
        tallies = {
            "numeric": list(cells.numbers.values()),
            "datetime": list(cells.dates.values()),
            "boolean": [cells.booleans],
            "categorical": [cells.texts],
        }
        del tallies[kind]
        return ", ".join(map(str, first_examples(chain.from_iterable(tallies.values()))))

    @property
    def refused_kind(self) -> Kind:
        """What most of a column that is refused looks like."""
        n_numbers, n_dates = (
            sum(tally.count for tally in tallies.values())
            for tallies in (self._cells.numbers, self._cells.dates)
        )
        return "datetime" if n_dates > n_numbers else "numeric"

    @property
    def note(self) -> str | None:
        """How its values were read, where this is not plain."""
        if self._n_never:
            return f"{self._n_never:,} dates far in the past or future are read as missing"
        return getattr(self.reading, "note", None)

    @property
    def _has_texts(self) -> bool:
        return self.look in ("text", "bytes") and not self.is_declared


def _marks_of(name: str, config: DataConfig) -> tuple[Any, ...]:
    """Return what a configuration says of the cells of a column."""
    is_time = config.time_format is not None and name == config.time
    return config.missing, config.decimal, config.thousands, config.time_format, is_time


def reading_of(
    cells: TextScan, name: str, config: DataConfig, wanted: Wanted | None = None
) -> Reading:
    """Return by which rule a column of texts is read.

    A format of dates that the configuration states is that of the time column; of others it is
    what helps where they cannot be read without.
    """
    marks = {"name": name, "decimal": config.decimal, "thousands": config.thousands}
    if not cells.n_present:
        return Texts()
    is_stated = config.time_format is not None
    if is_stated and name == config.time:
        return decide(cells, **marks, time_format=config.time_format)
    found = decide(cells, **marks, wanted=wanted)
    if is_stated and isinstance(found, Refused) and (cells.dates or wanted == "date"):
        return decide(cells, **marks, time_format=config.time_format)
    return found


class Found(NamedTuple):
    """What a look at a table has found beside its columns."""

    n_rows: int
    kept: Source | None


class Known(NamedTuple):
    """What a look at a table has found: a run that asks the same need not look again."""

    n_rows: int
    columns: Mapping[str, ColumnScan]
    labels: Mapping[str, LabelScan]


OnBatch = Callable[[int, pyarrow.RecordBatch], None]  # the number of its first row, and a batch


def scan(
    source: Source,
    columns: Sequence[ColumnScan],
    labels: Mapping[str, LabelScan] | None = None,
    *,
    keep: bool = False,
    on_batch: OnBatch | None = None,
) -> Found:
    """Look at some columns of a table.

    The table is read once more where the first look does not tell a column of categories, codes
    with leading zeros for example: then their texts are counted.

    Parameters
    ----------
    source : Source
    columns : sequence of ColumnScan
    labels : mapping of str to LabelScan, optional
        Of label columns.
    keep : bool
        Whether there is memory for the table.
    on_batch : callable, optional
        Given each batch of the first look.

    Returns
    -------
    Found
        ``kept``: these columns as they have been read, so that the source need not be read again;
        None where it has to be.
    """
    n_rows, batches = 0, []
    for first_row, batch in numbered(source):
        arrays = {own.name: own.add(batch.column(own.name), first_row) for own in columns}
        for name, label in (labels or {}).items():
            arrays[name] = batch.column(name)
            label.add(texts_of(arrays[name]), first_row)
        if on_batch is not None:
            on_batch(first_row, batch)
        if keep:
            batches.append(pyarrow.RecordBatch.from_pydict(arrays))
        n_rows = first_row + len(batch)
    for column in columns:
        column.decide()
    shown = set[str]().union(*(column.shown_decimals for column in columns))
    for column in columns:
        column.settle_mark(shown, may_be_commas=source.has_semicolons)
    uncounted = [column for column in columns if column.lacks_counts]
    if uncounted:
        for _, batch in numbered(source):
            for column in uncounted:
                column.count(batch.column(column.name))
    can_be_kept = keep and all(column.can_be_kept for column in columns)
    return Found(n_rows, KeptSource(source, batches) if can_be_kept else None)


def numbered(source: Source) -> Iterator[tuple[int, pyarrow.RecordBatch]]:
    """Yield the batches of a table, each with the number of its first row."""
    first_row = 0
    for batch in source.batches(max(BATCH_CELLS // max(len(source.looks), 1), 1)):
        yield first_row, batch
        first_row += len(batch)
