"""The lock files hold all that is asked for, under the names under which it is asked for."""

import re
import runpy

import pytest

from tests.locks import LOCKS, ROOT, missing, pins, read_lock


@pytest.mark.parametrize(("name", "extra"), LOCKS.items())
def test_everything_that_is_needed_is_pinned_with_its_extras(name, extra):
    assert missing(read_lock(name), extra) == []


def test_a_lock_without_extras_would_be_noticed():
    stripped = re.sub(r"^([a-z0-9-]+)\[.*?\]", r"\1", read_lock("dev"), flags=re.MULTILINE)

    assert ("coverage", ("toml",)) in missing(stripped, "dev")  # pytest-cov asks for it


def test_a_lock_that_lacks_something_would_be_noticed():
    without = re.sub(r"^werkzeug==.*?\n(?=\w|\Z)", "", read_lock("serve"), flags=re.M | re.DOTALL)

    assert missing(without, None) == [("werkzeug", ())]


@pytest.fixture(scope="module")
def pin_each_extra():
    """Return the function that completes what uv writes."""
    return runpy.run_path(str(ROOT / "requirements/pin_each_extra.py"))["pin_each_extra"]


def test_several_extras_are_pinned_in_every_choice(pin_each_extra):
    pin = "==2.34.2 ; python_version < '4' \\\n    --hash=sha256:0a \\\n    --hash=sha256:0b\n"
    before, after = "idna==3.20 \\\n    --hash=sha256:0c\n", "urllib3[h2]==2.8.0\n"

    completed = pin_each_extra(f"{before}requests[socks, security]{pin}{after}")

    names = ("requests[socks]", "requests[security]", "requests[socks,security]")
    assert completed == before + "".join(f"{name}{pin}" for name in names) + after
    assert {str(found.specifier) for found in pins(completed)} == {"==3.20", "==2.34.2", "==2.8.0"}


@pytest.mark.parametrize("name", LOCKS)
def test_locks_are_complete_in_this_way(pin_each_extra, name):
    entries = read_lock(name).splitlines()

    assert set(pin_each_extra(read_lock(name)).splitlines()) <= set(entries)


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
