"""The order of the rows in an epoch."""

import numpy as np
import pytest

from training import scratch
from training.row_order import batches_of, row_order
from training.scratch import MappedMatrix

BLOCK, WINDOW = 4, 40  # rows


@pytest.fixture(params=[400, 403])
def X(request, monkeypatch):
    """Return a matrix in a file ten times the size of its window."""
    monkeypatch.setattr(scratch, "BLOCK_BYTES", 32)
    return MappedMatrix((request.param, 2), np.float32, "C", 32 * 20)


def test_every_row_comes_once(X, rng):
    assert (X.block_rows, X.window_rows) == (BLOCK, WINDOW)
    for _ in range(5):
        np.testing.assert_array_equal(np.sort(row_order(X, rng)), np.arange(len(X)))


def test_order_is_new_in_every_epoch_and_depends_on_the_seed_alone(X):
    first, second = (row_order(X, rng) for rng in [np.random.default_rng(1)] * 2)

    np.testing.assert_array_equal(row_order(X, np.random.default_rng(1)), first)
    assert (first != second).any()


def test_window_holds_whole_blocks_so_that_each_is_read_once(X, rng):
    order = row_order(X, rng)

    windows = [set(order[start : start + WINDOW] // BLOCK) for start in range(0, len(X), WINDOW)]
    short = len(X) % BLOCK > 0  # windows after the last, shorter block begin within a block
    assert all(len(blocks) <= WINDOW // BLOCK + 1 + short for blocks in windows)
    assert sum(map(len, windows)) <= -(-len(X) // BLOCK) + short * len(windows)


def test_window_is_drawn_from_the_whole_file_and_its_rows_are_shuffled(X, rng):
    orders = np.array([row_order(X, rng)[:WINDOW] for _ in range(200)])

    assert orders.mean() == pytest.approx((len(X) - 1) / 2, abs=0.1 * len(X))
    neighbours = (np.abs(np.diff(orders, axis=1)) == 1).mean()
    assert neighbours < 0.15  # within a block in order it would be three in four


def test_array_and_file_that_fits_into_its_window_are_shuffled_as_a_whole():
    small = MappedMatrix((500, 2), np.float32, "C", 10**6)
    expected = np.random.default_rng(3).permutation(500)

    for X in (small, np.zeros((500, 2))):
        np.testing.assert_array_equal(row_order(X, np.random.default_rng(3)), expected)


def test_batches_follow_the_order():
    batches = [rows.tolist() for rows in batches_of(np.array([3, 1, 4, 0, 2]), 2)]

    assert batches == [[3, 1], [4, 0], [2]]
