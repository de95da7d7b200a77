"""Sizes as people write them."""

import pytest

from model.errors import ConfigurationError
from training.size import bytes_of, size_text


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [
        ("512MB", 512_000_000),
        ("2GB", 2_000_000_000),
        ("1TB", 10**12),
        ("1.5GiB", 1_610_612_736),
        ("2 mib", 2_097_152),
        (" 1 gb ", 10**9),
        ("0MB", 0),
    ],
)
def test_sizes_are_read_in_bytes(text, n_bytes):
    assert bytes_of(text) == n_bytes


@pytest.mark.parametrize("text", ["", "2", "GB", "-2GB", "2 gigabytes", "2G", "1e3MB", "2GBs"])
def test_what_is_no_size_is_refused_with_an_example(text):
    with pytest.raises(ConfigurationError, match="2GB, 512MB"):
        bytes_of(text)


@pytest.mark.parametrize("n_bytes", [1, 999_999, 10**6, 1_000_001, 123_456_789_012])
def test_size_that_is_shown_is_enough_when_given_back(n_bytes):
    assert n_bytes <= bytes_of(size_text(n_bytes)) < n_bytes + 10**6
