"""JSON that means one thing: what is not in the grammar, or no program could write back, fails."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

MOST_DEPTH = 64
LARGEST_INTEGER = 2**63  # what other readers take for an integer


def loads(content: bytes) -> Any:
    """Parse JSON.

    Refused are NaN and infinities (also as 1e999), keys that one object holds twice, integers of
    more than 64 bits, nesting deeper than 64, and text that is no Unicode.

    Parameters
    ----------
    content : bytes
        UTF-8; how long it may be is for the caller to say.

    Raises
    ------
    ValueError
        If it is no such text.
    """
    try:
        document = json.loads(
            content.decode(),
            parse_float=_finite,
            parse_int=_bounded,
            parse_constant=_finite,
            object_pairs_hook=_unique,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _refuse_depth(document)
    if b"\\u" in content:  # only an escape can spell half of a character
        json.dumps(document, ensure_ascii=False).encode()
    return document


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text:.40} is no finite number")
    return value


def _bounded(text: str) -> int:
    value = int(text) if len(text) <= len(str(-LARGEST_INTEGER)) else LARGEST_INTEGER
    if not -LARGEST_INTEGER <= value < LARGEST_INTEGER:
        raise ValueError(f"{text:.40} is an integer of more than 64 bits")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:40]!r} appears twice in one object")
    return document


def _refuse_depth(document: Any) -> None:
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(MOST_DEPTH):
        lists = [part.values() if isinstance(part, dict) else part for part in level]
        level = [item for part in lists for item in part if isinstance(item, dict | list)]
        if not level:
            return
    raise ValueError(f"nested more than {MOST_DEPTH} deep")
