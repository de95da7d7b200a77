"""Pins what has several extras under each choice of them: ``make lock`` runs it on every lock.

uv writes ``name[a,b]`` where one package asks for ``name[a]`` and another for ``name[b]``. pip
before 23.3 looks for each under the very name by which it is asked for.
"""

import re
import sys
from itertools import combinations
from pathlib import Path

_SEVERAL = re.compile(
    r"^([a-z0-9-]+)\[([^],]+,[^]]+)\](==[^\n]+\n(?:[ \t][^\n]*\n)*)", re.MULTILINE
)


def pin_each_extra(lock: str) -> str:
    """Return a lock with an entry for every choice from several extras."""
    return _SEVERAL.sub(lambda found: "".join(_choices(*found.groups())), lock)


def _choices(name: str, extras: str, pin: str) -> list[str]:
    """Return the same pin under every name that it may be asked for by."""
    each = [extra.strip() for extra in extras.split(",")]
    chosen = [some for size in range(1, len(each) + 1) for some in combinations(each, size)]
    return [f"{name}[{','.join(some)}]{pin}" for some in chosen]


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(pin_each_extra(path.read_text(encoding="utf-8")), encoding="utf-8")
