"""Strict and fast JSON: what is not in the grammar, or could mean two things, is refused."""

from __future__ import annotations

import json
import math
from dataclasses import is_dataclass
from typing import Any

import orjson
from flask.json.provider import JSONProvider

from model.chunks import chunks

_LONGEST_NAME = 128
# The parser and the encoder hold all other threads up until they are done.
_PIECE_BYTES = 256 * 1024
_PIECE_ROWS = 1024


class MalformedJSONError(ValueError):
    """A body that is not JSON, or JSON that could be read in two ways."""


def loads(body: bytes | str) -> Any:
    """Parse JSON; refuse NaN, infinities, byte-order marks, lone surrogates and duplicate keys."""
    data = body.encode() if isinstance(body, str) else body
    try:
        document = _loads_in_pieces(data) if len(data) > _PIECE_BYTES else None
        if document is None:
            document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        reason = f"{error.msg} (line {error.lineno}, column {error.colno})"
        raise MalformedJSONError(f"The body is not valid JSON: {reason}.") from None
    if _may_repeat_a_key(data, document):
        _refuse_repeated_keys(data)
    return document


def dumps(value: Any) -> bytes:
    """Write JSON; refuse NaN and infinities, which orjson would silently turn into null."""
    data = orjson.dumps(value)
    if b"null" in data:
        _refuse_non_finite(value)
    return data


def dumps_rows(rows: list[Any]) -> orjson.Fragment:
    """Write a list a piece at a time, to become a part of what is written."""
    pieces = [dumps(rows[part])[1:-1] for part in chunks(len(rows), _PIECE_ROWS)]
    return orjson.Fragment(b"[%b]" % b",".join(pieces))


class StrictJSONProvider(JSONProvider):
    """Flask's door to the two functions above."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """Write JSON as text."""
        return dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Parse JSON from text or bytes."""
        return loads(s)


def _loads_in_pieces(data: bytes) -> Any:
    """Parse a list of objects, or an envelope around one, a piece at a time; None if it is neither.

    A piece begins where an object seems to. If it does not, because a text or something nested was
    cut, then brackets or quotation marks are left over and the piece is no JSON: what can be parsed
    this way is the same as in one go, and everything else comes back for that, errors included.
    """
    first, last = data.find(b"["), data.rfind(b"]")
    pieces: list[Any] = []
    try:
        document = orjson.loads(data[: first + 1] + data[last:])
        rows = document.get("transactions") if type(document) is dict else document
        if rows != []:
            return None
        start = first + 1
        while start <= last:
            end = data.find(b"},", start + _PIECE_BYTES, last) + 1 or last
            piece = orjson.loads(b"[%b]" % data[start:end])
            if not piece:
                return None
            pieces += piece
            start = end + 1
    except orjson.JSONDecodeError:
        return None
    rows += pieces
    return document


def _may_repeat_a_key(data: bytes, document: Any) -> bool:
    """Tell whether colons are left over once every parsed key has taken one.

    Every key in the text is followed by a colon, and a parser that lets the last duplicate win
    keeps fewer keys than that. Other colons stand inside strings, as in times of day; a colon that
    ends a key directly follows its quotation mark when no white space precedes any colon. Keys
    below the levels that a request has are not counted: too few only send the body to the exact
    test, they never let a duplicate pass.
    """
    n_keys = _count_keys(document)
    if data.count(b":") == n_keys:
        return False
    spaced = b" :" in data or b"\n:" in data or b"\t:" in data or b"\r:" in data
    return spaced or data.count(b'":') != n_keys


def _count_keys(document: Any) -> int:
    """Count the keys of an object, of a list of objects, or of an object that holds such a list."""
    if type(document) is list:
        return sum([len(item) for item in document if type(item) is dict])
    if type(document) is dict:
        rows = document.get("transactions")
        return len(document) + (_count_keys(rows) if type(rows) is list else 0)
    return 0


def _refuse_repeated_keys(data: bytes) -> None:
    """Read the body again with the slower parser, which shows the pairs of every object."""
    try:
        # Numbers are not looked at again, so a long one costs nothing and cannot overflow.
        json.loads(data, object_pairs_hook=_unique, parse_int=len, parse_float=len)
    except RecursionError:
        raise MalformedJSONError("The body is nested too deeply.") from None


def _unique(pairs: list[tuple[str, Any]]) -> None:
    """Refuse the first key that one object holds twice."""
    seen = set()
    for key, _ in pairs:
        if key in seen:
            shown = key if len(key) <= _LONGEST_NAME else key[:_LONGEST_NAME] + "…"
            raise MalformedJSONError(
                f"The key {json.dumps(shown, ensure_ascii=False)} appears twice in one object."
            )
        seen.add(key)


def _refuse_non_finite(value: Any) -> None:
    """Walk through the value and refuse any number that JSON has no word for."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, float):
            if not math.isfinite(item):
                raise ValueError("a number that is not finite cannot be written as JSON")
        elif isinstance(item, dict):
            pending.extend(item.values())
        elif is_dataclass(item):
            pending.extend(vars(item).values())
        elif isinstance(item, list | tuple):
            pending.extend(item)
