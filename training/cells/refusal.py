"""What a column or a cell that cannot be read says about itself."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow
from numpy.typing import NDArray

from training.cells.tally import Example, shown
from training.errors import TrainingError


@dataclass(frozen=True)
class Refused:
    """A column that no one rule reads.

    Attributes
    ----------
    reason : str
        What it holds, as part of a sentence.
    examples : tuple of Example
        The first cells that show it.
    cure : str
        What to do, as part of a sentence.
    open_mark : str or None
        The only mark of its numbers, where nothing but that is open: decimal mark or not.
    is_plain : bool
        Of an open mark: whether the numbers have nothing beside it, no currency and no brackets.
    """

    reason: str
    examples: tuple[Example, ...]
    cure: str
    open_mark: str | None = None
    is_plain: bool = False

    def __str__(self) -> str:
        """The reason, the examples and the cure in one line."""
        examples = ", ".join(str(example) for example in self.examples)
        return f"{self.reason}{examples and f' ({examples})'}: {self.cure}"


class CellError(TrainingError):
    """A cell that the rule of its column does not read.

    Attributes
    ----------
    row : int
    value : str or None
    expected : str
    """

    def __init__(self, row: int, value: str | None, expected: str) -> None:
        self.row = row
        self.value = value
        self.expected = expected
        held = "is empty" if value is None else f"holds {shown(value)}"
        super().__init__(f"row {row} {held}, expected {expected}")


def refuse_unread(texts: pyarrow.Array, unread: NDArray, first_row: int, expected: str) -> None:
    """Raise :class:`CellError` for the first of the cells that are unread, if any is."""
    if unread.any():
        position = int(unread.argmax())
        raise CellError(first_row + position, texts[position].as_py(), expected)
