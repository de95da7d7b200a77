"""The lock files hold all that is asked for, under the names under which it is asked for."""

import re

import pytest

from tests.locks import LOCKS, missing, pins, read_lock


@pytest.mark.parametrize(("name", "extra"), LOCKS.items())
def test_everything_that_is_needed_is_pinned_with_its_extras(name, extra):
    assert missing(read_lock(name), extra) == []


def test_a_lock_without_extras_would_be_noticed():
    stripped = re.sub(r"^([a-z0-9-]+)\[.*?\]", r"\1", read_lock("dev"), flags=re.MULTILINE)

    assert ("coverage", ("toml",)) in missing(stripped, "dev")  # pytest-cov asks for it
    assert ("limits", ("redis",)) in missing(stripped, "dev")  # and we for this


def test_a_lock_that_lacks_something_would_be_noticed():
    without = re.sub(r"^werkzeug==.*?\n(?=\w)", "", read_lock("serve"), flags=re.M | re.DOTALL)

    assert missing(without, None) == [("werkzeug", ())]


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_is_exact_and_has_hashes(name):
    text = read_lock(name)

    assert all(str(pin.specifier).startswith("==") for pin in pins(text))
    entries = re.split(r"\n(?=\w)", text.strip())
    assert len(entries) == len(pins(text))
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)


def test_larger_locks_hold_the_smaller_ones():
    """What serves in tests and training is what serves in production."""
    pinned = {name: {str(pin) for pin in pins(read_lock(name))} for name in LOCKS}

    assert pinned["serve"] <= pinned["train"] <= pinned["dev"]
    assert pinned["train"] <= pinned["bench"]
