"""The design system: what every report is built of, whatever it reports on.

A report is a dict of JSON types, the *facts*, and a page that only shows them:

* ``facts["headline"]`` is the sentence under the title, ``facts["remarks"]`` lists what to know
  before relying on it (may be empty), ``facts["readings"]`` has one sentence for each plot, by the
  plot's name, and for tables that name one;
* every other figure is a :class:`Value`: a JSON pointer into the facts and the form it is written
  in. A page so shows no number that is not in its JSON file.

::

    facts = {"headline": …, "remarks": [], "readings": {"amounts": …}, "rows": 600, …}
    figure, axes = new_axes("amount", "share of rows")                # training.report.drawing
    plot = Plot("amounts", "Amounts by class", "Histogram of amounts, …", figure)
    table = Table(
        "Columns",
        [Column("Column"), Column("Kind", is_words=True), Column("Missing")],
        [["Amount", "numeric", Value("/columns/0/missing", "percent")]],
    )
    page = Page("Exploration", "payments", facts, [Section("Amounts", [Figure(plot), table])])
    write_page(page, Path("reports/explore/payments.html"))           # training.report.writing

Beside the page lie ``payments.json`` (the facts) and ``payments-amounts.png``. Neighbouring
figures (and tables that are ``is_half``) share a row where there is room. Anything with a
``name``, a ``title``, an ``alt``, ``svg()`` and ``png()`` can be a figure's plot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Facts = dict[str, Any]


@dataclass(frozen=True)
class Value:
    """A figure of the facts.

    Attributes
    ----------
    pointer : str
        Where it is (RFC 6901): see :func:`at`.
    form : str
        One of ``training.report.formats.FORMATS``.
    has_interval : bool
        Whether the pointer leads to ``value``, ``low`` and ``high``.
    """

    pointer: str
    form: str = "number"
    has_interval: bool = False


@dataclass(frozen=True)
class Code:
    """A text to be shown letter by letter: a digest, a key, a command."""

    text: str


Words = str | Value | Code | Sequence[str | Value | Code]


@dataclass(frozen=True)
class Lines:
    """Words on lines of their own."""

    lines: Sequence[Words]


@dataclass(frozen=True)
class Cell:
    """One place of a table that needs more than words.

    Attributes
    ----------
    words : Words or Lines
    under : Words or Lines
        Smaller, on a line of its own.
    tone : str
        "fraud", "legitimate" (the colours of the classes) or "good" (shaded).
    """

    words: Words | Lines
    under: Words | Lines = ""
    tone: str = ""


@dataclass(frozen=True)
class Column:
    """The head of a column: numbers stand to the right, words to the left."""

    title: Words
    is_words: bool = False


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row is its head.

    Attributes
    ----------
    caption : str
    columns : sequence of Column
    rows : sequence of sequences of Cell or Words
    reading : str
        Name of a sentence of ``facts["readings"]`` to stand under it.
    note : Words
        Smaller, under it.
    is_half : bool
        Whether half the page is wide enough.
    is_folded : bool
        Whether it waits to be opened.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell | Words]]
    reading: str = ""
    note: Words = ""
    is_half: bool = False
    is_folded: bool = False


class Picture(Protocol):
    """What can be a figure's plot."""

    @property
    def name(self) -> str:
        """Unique on its page."""

    @property
    def title(self) -> str:
        """A few words above it."""

    @property
    def alt(self) -> str:
        """What it shows, for those who do not see it."""

    def svg(self) -> str:
        """Return it as it lies in the page."""

    def png(self) -> bytes:
        """Return it as a file of its own."""


@dataclass(frozen=True)
class Figure:
    """A plot over its reading, ``facts["readings"][plot.name]``."""

    plot: Picture


@dataclass(frozen=True)
class Tile:
    """One large figure with its name."""

    label: Words
    value: Value
    tone: str = ""


@dataclass(frozen=True)
class Tiles:
    """A row of large figures."""

    tiles: Sequence[Tile]


@dataclass(frozen=True)
class Text:
    """A paragraph; quiet ones are smaller."""

    words: Words
    is_quiet: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list of remarks."""

    items: Sequence[Words]


Block = Text | Bullets | Tiles | Table | Figure


@dataclass(frozen=True)
class Section:
    """A headed part of a page, reached from its table of contents."""

    title: str
    blocks: Sequence[Block]

    @property
    def identifier(self) -> str:
        """The part of an address that leads here."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True)
class Page:
    """A whole report.

    Attributes
    ----------
    kind : str
        What sort of report it is.
    title : str
    facts : dict
    sections : sequence of Section
    version : str
        Of what it reports on.
    summary : sequence of Block
        Before the first section.
    """

    kind: str
    title: str
    facts: Facts
    sections: Sequence[Section]
    version: str = ""
    summary: Sequence[Block] = field(default=())

    def plots(self) -> list[Picture]:
        """Return the plots in the order of the page."""
        blocks = [*self.summary, *(block for part in self.sections for block in part.blocks)]
        return [block.plot for block in blocks if isinstance(block, Figure)]


def at(*keys: str | int) -> str:
    """Return the JSON pointer to a place in the facts."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


def resolved(facts: Facts, pointer: str) -> Any:
    """Return what a JSON pointer leads to."""
    value: Any = facts
    for key in pointer.split("/")[1:]:
        name = key.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value
