"""A short stable code for each reason of a refusal, to be counted: messages hold numbers and names.

Told by how a message begins. A test goes through all refusals and finds a code for every message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from model import cells

if TYPE_CHECKING:
    from app.errors import Problem

_BEGINNINGS = {
    "An HTTP/1.1 request needs a Host": "no_host",
    "The Content-Type": "media_type",
    "The body must come as it is": "content_coding",
    "The body could not be read": "unreadable_body",
    "The body is empty": "empty_body",
    "The body is larger": "body_too_large",
    "The body is not valid JSON": "malformed_json",
    "The body is nested too deeply": "malformed_json",
    "The key ": "repeated_key",
    "Not a transaction, ": "not_transactions",
    "Not a valid list": "not_transactions",
    "Shorter than minimum length": "no_rows",
    "Longer than maximum length": "too_many_rows",
    "Invalid input type": "not_an_object",
    "Unknown field": "unknown_field",
    cells.MISSING: "missing",
    cells.NULL: "null",
    cells.NOT_A_NUMBER: "not_a_number",
    cells.NOT_FINITE: "not_finite",
    cells.NOT_A_BOOLEAN: "not_a_boolean",
    cells.NOT_A_STRING: "not_a_string",
    cells.NOT_A_DATETIME: "not_a_datetime",
    "Must be greater than or equal": "out_of_bounds",
    "Must be less than or equal": "out_of_bounds",
    "Must be an integer, or a string": "not_an_identifier",
    "Each option may be given once": "repeated_option",
}
OTHER = "other"
CODES = tuple(dict.fromkeys([*_BEGINNINGS.values(), OTHER]))
_ABOUT_CONTENT = frozenset({400, 413, 415, 422})


def codes_of(problem: Problem) -> list[str]:
    """Return the code of every reason that a problem document names; a count of more is none."""
    if problem.status not in _ABOUT_CONTENT:
        return []
    messages = [problem.detail] if problem.errors is None else _messages(problem.errors)
    return [_code(message) for message in messages if not message.endswith("are not listed.")]


@lru_cache(maxsize=1024)
def _code(message: str) -> str:
    """Return the code of a message; one request may hold the same a thousand times."""
    for beginning, code in _BEGINNINGS.items():
        if message.startswith(beginning):
            return code
    return OTHER


def _messages(errors: Mapping[str, Any]) -> Iterator[str]:
    """Return all messages of nested errors."""
    for below in errors.values():
        if isinstance(below, Mapping):
            yield from _messages(below)
        else:
            yield from below
