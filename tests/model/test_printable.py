"""Texts from outside on a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.printable import one_line, printable


@given(st.text())
def test_only_line_feeds_and_tabs_are_left_of_the_control_characters(text):
    shown = printable(text)

    assert len(shown) == len(text)
    assert not [c for c in shown if unicodedata.category(c) == "Cc" and c not in "\n\t"]


@given(st.text())
def test_one_line_is_one(text):
    assert len(one_line(text).splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("\x9b31m", "\ufffd31m"),
        ("a\x7fb", "a␡b"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("Straße, 東京, 😀", "Straße, 東京, 😀"),
    ],
)
def test_examples(text, shown):
    assert printable(text) == shown
