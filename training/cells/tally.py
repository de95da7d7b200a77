"""How many cells of a column are written in one way, and the first of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_EXAMPLES = 3
LONGEST_EXAMPLE = 60  # characters that are kept of a cell


@dataclass(frozen=True, order=True)
class Example:
    """A cell of the table: the number of its row and what it holds."""

    row: int
    value: str

    def __str__(self) -> str:
        return f"row {self.row}: {shown(self.value)}"


def shown(value: str) -> str:
    r"""Return a cell as messages quote it: a long one shortened, ``\N`` with one backslash."""
    short = value if len(value) <= LONGEST_EXAMPLE else value[: LONGEST_EXAMPLE - 1] + "…"
    return repr(short).replace("\\\\", "\\")


@dataclass
class Tally:
    """A number of cells and the first of them, in the order of their rows."""

    count: int = 0
    examples: list[Example] = field(default_factory=list)

    def add(self, count: int, examples: Iterable[Example]) -> None:
        """Add cells of later rows."""
        self.count += count
        self.examples += list(examples)[: MOST_EXAMPLES - len(self.examples)]


def first_examples(tallies: Iterable[Tally]) -> tuple[Example, ...]:
    """Return the first cells of several ways of writing, in the order of their rows."""
    return tuple(sorted(example for tally in tallies for example in tally.examples)[:MOST_EXAMPLES])
