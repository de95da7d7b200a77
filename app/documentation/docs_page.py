"""The documentation page: the OpenAPI document in HTML, one file, no script, nothing to fetch."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Any

from flask import render_template
from markupsafe import Markup

_STYLE = (files(__package__) / "templates" / "docs.css").read_text(encoding="utf-8")
_SHORT = 12  # characters; longer bounds stand below each other
_YEARS = 10_000  # smaller numbers may be years: their thousands are not separated
STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()


def documentation_page(document: dict[str, Any]) -> str:
    """Return the page of an OpenAPI document; needs an application context for its template."""
    return render_template(
        "docs.html",
        document=document,
        # our own file, and the hash in the policy must be that of this very text
        style=Markup(_STYLE),  # nosec B704 # noqa: S704
        pretty=_pretty,
        curl=_curl,
        shown=_shown,
        range=_range,
        between=_between,
    )


def _pretty(value: Any) -> str:
    """Write JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _curl(path: str, operation: dict[str, Any], body: Any) -> str:
    """Return a command that sends a body, fit to be pasted into a shell."""
    text = _pretty(body).replace("'", r"\u0027")  # a quote can only stand inside a JSON string
    key = '-H "Authorization: Bearer $KEY" ' if operation.get("security") else ""
    return f"curl -s \"$URL{path}\" {key}-H 'Content-Type: application/json' -d '{text}'"


def _shown(value: Any) -> str:
    """Write one value: numbers grouped by thousands, but for years; moments as they are."""
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:,.10g}" if abs(value) >= _YEARS else f"{value:.10g}"


def _range(bounds: Sequence[Any] | None) -> str:
    """Write a lowest and a highest value; nothing where none was measured."""
    if not bounds:
        return ""
    low, high = map(_shown, bounds)
    return f"{low}\nto {high}" if len(low) > _SHORT else f"{low} to {high}"


def _between(lowest: int | None, highest: int | None) -> str:
    """Write a number of things."""
    if lowest == highest:
        return f"{lowest:,}"
    return f"up to {highest:,}" if not lowest else f"{lowest:,} to {highest:,}"
