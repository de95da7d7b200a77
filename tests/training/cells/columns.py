"""Columns of texts, looked at and decided on in chunks."""

import numpy as np
import pyarrow

from training.cells import TextScan, decide


def scan_of(cells, chunk_sizes=(), missing_words=()):
    """Look at a column in chunks of some sizes; the rest is one chunk."""
    scan = TextScan(missing_words)
    for start, texts in chunks_of(cells, chunk_sizes):
        scan.add(texts, start)
    return scan


def chunks_of(cells, chunk_sizes=()):
    """Yield the first row of each chunk and its cells."""
    start = 0
    for size in (*chunk_sizes, len(cells)):
        chunk = cells[start : start + size]
        yield start, pyarrow.array(chunk, pyarrow.string())
        start += len(chunk)


def reading_of(cells, missing_words=(), **options):
    """Decide on a column that is looked at in one chunk."""
    return decide(scan_of(cells, missing_words=missing_words), name="c", **options)


def values_of(cells, **options):
    """Decide on a column and read it."""
    return reading_of(cells, **options).apply(pyarrow.array(cells, pyarrow.string()), 0)


def assert_same(values, expected):
    """Compare floats to the last bit, missing ones too."""
    np.testing.assert_array_equal(np.asarray(values), np.asarray(expected, float))
