"""Names of columns as one option has them: separated by commas, quoted where they hold one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from model.errors import ConfigurationError

_NAME = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,"][^,]*|))\s*(,|$)')


def names_in(text: str) -> list[str]:
    """Return the names of a list.

    Raises
    ------
    ConfigurationError
        If a quotation mark is not closed.

    Examples
    --------
    >>> names_in('a, b c ,"d, e"')
    ['a', 'b c', 'd, e']
    """
    names, start, more = [], 0, True
    while more:
        found = _NAME.match(text, start)
        if found is None:
            raise ConfigurationError(f"columns are separated by commas, got {text!r}")
        quoted, plain, comma = found.groups()
        names.append(plain.strip() if quoted is None else quoted.replace('""', '"'))
        start, more = found.end(), bool(comma)
    return names


def list_text(names: Iterable[str]) -> str:
    """Return names as :func:`names_in` reads them.

    Examples
    --------
    >>> list_text(["a", "d, e", " f"])
    'a,"d, e"," f"'
    """
    return ",".join(map(_quoted, names))


def _quoted(name: str) -> str:
    needs_quotes = not name or name != name.strip() or "," in name or name.startswith('"')
    return f'"{name.replace(chr(34), chr(34) * 2)}"' if needs_quotes else name
