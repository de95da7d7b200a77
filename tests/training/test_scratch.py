"""Matrices in temporary files: read like arrays, bounded in memory, gone afterwards."""

import errno
import os
import resource
import tempfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training import scratch
from training.errors import ScratchError
from training.scratch import MappedMatrix


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the empty folder in which temporary files are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def filled(values, order="C", buffer_bytes=10**6):
    """Return a matrix in a file, written in two pieces."""
    matrix = MappedMatrix(values.shape, values.dtype, order, buffer_bytes)
    half = len(values) // 2
    matrix[:half], matrix[half:] = values[:half], values[half:]
    return matrix


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    "key",
    [
        slice(None),
        slice(3, 900, 7),
        slice(-5, None),
        (slice(None), 2),
        (slice(10, 20), 0),
        (np.array([5, 1, 1, 999]), 1),
        np.array([5, 1, 1, 999]),
        np.array([], np.intp),
    ],
    ids=str,
)
def test_what_is_read_is_what_was_written(rng, order, key):
    values = rng.normal(size=(1000, 3))
    matrix = filled(values, order)

    found = matrix[key]

    np.testing.assert_array_equal(found, values[key])
    assert found.flags.c_contiguous
    assert (len(matrix), matrix.shape, matrix.dtype) == (1000, (1000, 3), np.float64)


@pytest.mark.parametrize("order", ["C", "F"])
def test_what_was_read_is_a_copy(rng, order):
    values = rng.normal(size=(50, 3))
    matrix = filled(values, order)

    matrix[:][:] = 0
    matrix[:, 1][:] = 0
    matrix[:, 2] = np.arange(50.0)

    np.testing.assert_array_equal(matrix[:, :2], values[:, :2])
    np.testing.assert_array_equal(matrix[:, 2], np.arange(50))


@settings(max_examples=60)
@given(data=st.data(), n_rows=st.integers(1, 300), blocks=st.integers(2, 9))
def test_batches_are_those_of_an_array_whatever_fits_into_the_buffer(data, n_rows, blocks):
    values = np.random.default_rng(n_rows).normal(size=(n_rows, 2)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scratch, "BLOCK_BYTES", 32)  # four rows
        matrix = filled(values, buffer_bytes=32 * blocks)
    numbers = st.lists(st.integers(0, n_rows - 1), max_size=40)

    assert matrix.block_rows == 4
    for rows in data.draw(st.lists(numbers, max_size=8)):
        rows = np.array(rows, np.intp)
        np.testing.assert_array_equal(matrix.take(rows, axis=0), values.take(rows, axis=0))


def test_rows_of_a_window_are_read_once(rng, monkeypatch):
    monkeypatch.setattr(scratch, "BLOCK_BYTES", 32)
    values = rng.normal(size=(400, 2)).astype(np.float32)
    matrix = filled(values, buffer_bytes=32 * 20)
    window = np.arange(40)
    matrix.take(window)
    matrix[:40] = np.zeros((40, 2), np.float32)

    np.testing.assert_array_equal(matrix.take(window), values[:40])  # from the buffer
    assert matrix.window_rows == 40


def test_file_has_no_name_and_needs_no_removal(folder):
    matrix = filled(np.ones((1000, 10)))

    assert matrix[:].sum() == 10_000
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("how", ["posix_fallocate", "written zeros"])
def test_file_is_as_large_as_the_matrix_from_the_start(folder, monkeypatch, how):
    if how == "written zeros":
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
        monkeypatch.setattr(scratch, "ZEROS", bytes(1000))
    free = os.statvfs(folder).f_bfree

    matrix = MappedMatrix((100_001, 10), np.float64, "C", 10**6)

    assert matrix[:].sum() == 0
    assert (free - os.statvfs(folder).f_bfree) * os.statvfs(folder).f_bsize > 4e6


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_is_refused_naming_size_and_folder(folder, monkeypatch, code):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)

    with pytest.raises(ScratchError) as caught:
        MappedMatrix((1000, 10), np.float64, "C", 10**6)

    assert str(caught.value) == (
        f"no room for 1MB of temporary files in {folder}: {os.strerror(code)}; "
        "TMPDIR names another folder"
    )
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("how", ["posix_fallocate", "written zeros"])
def test_file_larger_than_the_system_allows_is_an_error_and_no_signal(folder, monkeypatch, how):
    if how == "written zeros":
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(ScratchError, match="File too large"):
            MappedMatrix((1000, 10), np.float64, "C", 10**6)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(folder.iterdir()) == []
