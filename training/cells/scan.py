"""What a column of texts holds, added up over its chunks in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

from training.cells.booleans import BOOLEANS
from training.cells.dates import DateShape
from training.cells.dates import layout_of as date_layout_of
from training.cells.masks import MaskedColumn
from training.cells.missing import WORDS, are_missing, count_words
from training.cells.numbers import NumberShape
from training.cells.numbers import layout_of as number_layout_of
from training.cells.plain import are_whole, has_number
from training.cells.tally import MOST_EXAMPLES, Example, Tally

PLAIN, WHOLE = NumberShape(decimal="."), NumberShape(is_whole=True)
MOST_SHAPES = 1000  # a column with more has words behind its numbers: they count as texts

Shape = NumberShape | DateShape | None  # None: a truth value


class TextScan:
    """How many cells of a column are written in which way, and the first of each.

    Cells are not kept: only the shapes that numbers and dates have, at most ``MOST_SHAPES``, those
    that come first. So nothing depends on the chunks in which the column is added.

    Parameters
    ----------
    missing_words : sequence of str
        What else means missing in this column, besides :data:`training.cells.missing.WORDS`.

    Attributes
    ----------
    n_rows, n_empty : int
        ``n_empty``: the null cells.
    missing : Counter of str
        How often each of the words came that mean missing.
    n_booleans : int
    texts, booleans : Tally
        Cells that are neither numbers nor dates, and truth values.
    numbers : dict of NumberShape to Tally
    dates : dict of DateShape to Tally
    """

    def __init__(self, missing_words: Sequence[str] = ()) -> None:
        self.missing_words = (*WORDS, *missing_words)
        self._numbers_may_be_missing = has_number(missing_words)
        self.n_rows = self.n_empty = 0
        self.missing: Counter[str] = Counter()
        self.texts, self.booleans = Tally(), Tally()
        self.numbers: dict[NumberShape, Tally] = {}
        self.dates: dict[DateShape, Tally] = {}

    @property
    def n_present(self) -> int:
        """How many cells hold something."""
        return self.n_rows - self.n_empty - self.missing.total()

    def add(
        self,
        texts: pyarrow.Array,
        first_row: int,
        plain: NDArray[np.float64] | None = None,
    ) -> None:
        """Look at the next chunk.

        Parameters
        ----------
        texts : pyarrow.Array of strings
            null where a cell is empty.
        first_row : int
            The number of its first row in the table.
        plain : ndarray, optional
            What :func:`training.cells.plain.read_plain` made of it.
        """
        self.n_rows += len(texts)
        self.n_empty += texts.null_count
        if texts.null_count == len(texts) or self._is_more_of_the_same(texts, plain):
            return
        column = MaskedColumn(texts)
        are_words = are_missing(column.texts, self.missing_words)
        if are_words.any():
            words = column.texts.filter(pyarrow.array(are_words))
            self.missing.update(count_words(words))
            column = column.without(are_words)
        is_text = column.codes >= 0
        places: dict[Shape, list[NDArray[np.intp]]] = {}
        for mask in BOOLEANS.keys() & set(column.masks):
            places.setdefault(None, []).append(column.positions(column.masks.index(mask)))
        for code, mask in column.with_digits:
            layout = number_layout_of(mask) or date_layout_of(mask)
            if layout is not None:
                positions = column.positions(code)
                for shape, have_it in layout.shapes(column.cells(positions)):
                    if have_it.any():
                        places.setdefault(shape, []).append(positions[have_it])
        # in the order in which they come first: which are kept must not depend on the chunks
        for shape in sorted(places, key=lambda shape: min(found[0] for found in places[shape])):
            tally = self._tally_of(shape)
            if tally is not None:
                positions = np.concatenate(places[shape])
                is_text[positions] = False
                _count(tally, column, positions, first_row)
        _count(self.texts, column, np.flatnonzero(is_text), first_row)

    def _is_more_of_the_same(self, texts: pyarrow.Array, plain: NDArray[np.float64] | None) -> bool:
        """Count a chunk of plain numbers, where such have been seen; return whether it is one.

        In a column that has decimal points, other plain numbers add nothing to what is decided.
        """
        tally = None
        if plain is None or self._numbers_may_be_missing:
            return False
        if PLAIN in self.numbers:
            tally = self.numbers[PLAIN]
        elif WHOLE in self.numbers and are_whole(texts):
            tally = self.numbers[WHOLE]
        if tally is None or len(tally.examples) < MOST_EXAMPLES:
            return False
        tally.add(len(texts) - texts.null_count, ())
        return True

    def _tally_of(self, shape: Shape) -> Tally | None:
        """Return the tally of a shape; None if there are too many already."""
        if shape is None:
            return self.booleans
        tallies: dict[Any, Tally]
        tallies = self.numbers if isinstance(shape, NumberShape) else self.dates
        if shape not in tallies and len(tallies) == MOST_SHAPES:
            return None
        return tallies.setdefault(shape, Tally())


def _count(tally: Tally, column: MaskedColumn, positions: NDArray[np.intp], first_row: int) -> None:
    n_wanted = MOST_EXAMPLES - len(tally.examples)
    first = np.sort(positions)[:n_wanted].tolist() if n_wanted else []
    examples = [Example(first_row + place, column.texts[place].as_py()) for place in first]
    tally.add(len(positions), examples)
