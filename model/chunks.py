"""Tables in pieces, so that what is computed on the way stays in the processor's cache."""

from __future__ import annotations

from collections.abc import Iterator


def chunks(n_rows: int, size: int) -> Iterator[slice]:
    """Yield slices of at most ``size`` rows that cover a table.

    Examples
    --------
    >>> list(chunks(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))
