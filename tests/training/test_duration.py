"""Durations as people write them."""

import pytest

from model.errors import ConfigurationError
from training.duration import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45s", 45),
        ("30m", 1_800),
        ("12h", 43_200),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("1.5h", 5_400),
        (" 7 D ", 604_800),
        ("0d", 0),
    ],
)
def test_durations_are_read_in_seconds(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "-7d", "7 days", "1h30m", "7y", "1e3s", "nan s"])
def test_what_is_no_duration_is_refused_with_an_example(text):
    with pytest.raises(ConfigurationError, match="7d, 12h"):
        seconds_of(text)
