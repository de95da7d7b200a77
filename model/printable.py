"""Texts from outside on a terminal: nothing in them may move its cursor or hide what follows."""

from __future__ import annotations

import re

# C0 and C1 control characters but for the line feed and the tab, line and paragraph separators,
# and the marks that turn the direction of writing.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return a text in which every control character is a visible sign of the same width.

    Examples
    --------
    >>> printable("\\x1b[2Jgone")
    '␛[2Jgone'
    """
    return _UNPRINTABLE.sub(_sign, text)


def one_line(text: str) -> str:
    """Return a text as one line without control characters."""
    return printable(" ".join(text.splitlines()))


def _sign(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)  # the block of pictures for control characters
    return "\u2421" if code == 0x7F else "\ufffd"
