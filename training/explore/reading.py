"""A table read in blocks of a fixed number of rows, however its file gives them.

Sums over blocks, and so every figure to its last bit, then depend on the table and the machine
alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from training.data import Frames
from training.table_files import read_chunks

BLOCK_CELLS = 2**20

OnRows = Callable[[str, int], None]  # what is being done, and to how many more rows


def frames_of(path: Path, texts: Sequence[str]) -> Frames:
    """Return what reads a file, from its first row each time.

    Parameters
    ----------
    path : Path
    texts : sequence of str
        Columns that are always read as texts.
    """

    def frames(more: Sequence[str]) -> Iterator[pd.DataFrame]:
        n_columns = len(next(read_chunks(path, 1)).columns)
        return read_chunks(path, block_rows(n_columns), [*texts, *more])

    return frames


def block_rows(n_columns: int) -> int:
    """Return how many rows are looked at together."""
    return max(BLOCK_CELLS // max(n_columns, 1), 1)


def in_blocks(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Yield the rows of some frames in frames of :func:`block_rows`; the last may be shorter."""
    pending: list[pd.DataFrame] = []
    room = 0
    for frame in frames:
        rest = frame
        while len(rest):
            room = room or block_rows(len(frame.columns))
            pending.append(rest.iloc[:room])
            room, rest = room - len(pending[-1]), rest.iloc[room:]
            if not room:
                yield _joined(pending)
                pending = []
    if pending:
        yield _joined(pending)


def unwatched(_what: str, _n_rows: int) -> None:
    """Take no notice of progress."""


def watched(blocks: Iterable[pd.DataFrame], what: str, on_rows: OnRows) -> Iterator[pd.DataFrame]:
    """Yield the blocks, and tell how far they are: a block is done when the next is asked for."""
    for frame in blocks:
        yield frame
        on_rows(what, len(frame))


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return frames[0] if len(frames) == 1 else pd.concat(frames)
