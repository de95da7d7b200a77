"""Batches gathered many at a time."""

import numpy as np
import pytest

from model import Autoencoder
from tests.training.fits import network_of, rows_and_labels
from training.blocks import BLOCK_ROWS, blocks


def uneven_batches(n_rows, rng):
    """Return all rows in batches of uneven sizes, a few of them in two."""
    order = np.concatenate([rng.permutation(n_rows), np.arange(3)])
    return np.split(order, np.sort(rng.choice(np.arange(1, n_rows), 60, replace=False)))


@pytest.mark.parametrize("members", [None, 2])
def test_each_batch_finds_its_rows_labels_and_weights(members, rng):
    X, y = rows_and_labels(2 * BLOCK_ROWS + 100)
    batches = uneven_batches(len(X), rng)
    weights = rng.uniform(1, 2, len(X) if members is None else (members, len(X)))

    found = [
        (block, bounds)
        for block in blocks(network_of(members), X, y, weights, batches)
        for bounds in block.bounds
    ]

    for (block, (start, stop)), rows in zip(found, batches, strict=True):
        columns = block.X[:, start:stop]
        np.testing.assert_array_equal(columns[:-1].T, X[rows])
        assert (columns[-1] == 1).all()
        np.testing.assert_array_equal(block.y[0, start:stop], y[rows])
        expected = weights[..., rows][..., None, :]
        np.testing.assert_array_equal(block.weights[..., start:stop], expected)
        np.testing.assert_allclose(block.scale[..., start:stop], expected / len(rows))


def test_a_block_ends_with_the_batch_that_fills_it():
    X, y = rows_and_labels(3 * BLOCK_ROWS)
    batches = np.array_split(np.arange(len(X)), 7)

    sizes = [block.n_rows for block in blocks(network_of(), X, y, None, batches)]

    assert sum(sizes) == len(X)
    assert all(BLOCK_ROWS <= size < BLOCK_ROWS + len(batches[0]) for size in sizes[:-1])


def test_without_weights_a_batch_is_averaged():
    X, y = rows_and_labels(10)

    (block,) = blocks(network_of(), X, y, None, [np.arange(4), np.arange(4, 10)])

    np.testing.assert_allclose(block.scale, [[1 / 4] * 4 + [1 / 6] * 6])
    assert block.scale.dtype == np.float32


def test_rows_that_are_their_own_target_are_gathered_once(rng):
    X, _ = rows_and_labels(10)

    (block,) = blocks(Autoencoder(3, (4,), 2, rng=rng), X, X, None, [np.arange(10)])

    assert np.shares_memory(block.y, block.X)
    np.testing.assert_array_equal(block.y.T, X)
