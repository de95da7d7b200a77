"""Reading the lock files, and what the installed distributions say that they must hold."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from itertools import product
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {"serve": None, "train": "train", "dev": "dev", "bench": "bench"}  # name: extra of ours
PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
PLATFORMS = ("linux", "darwin")


def read_lock(name):
    """Return the text of a lock."""
    return (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")


def pins(text):
    """Return the requirements that a lock pins, without their hashes."""
    return [
        Requirement(line) for line in re.findall(r"^([a-z][^\\\n]*?) ?\\?$", text, re.MULTILINE)
    ]


def missing(text, extra):
    """Return what is needed somewhere and not pinned under its name with its extras.

    pip before 23.3 takes ``coverage`` and ``coverage[toml]`` for two things, and so would look for
    the second in the index, where the newest release has none of our hashes.
    """
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = list(settings["dependencies"])
    asked += settings["optional-dependencies"].get(extra, [])
    if "fraudscore[train]" in asked:
        asked += settings["optional-dependencies"]["train"]
    wanted = [(text, "") for text in asked]
    pinned = set()
    for pin in pins(text):
        name = canonicalize_name(pin.name)
        pinned |= {(name, ()), _key(pin)}
        wanted += [(line, each) for line in _requires(name) for each in ("", *pin.extras)]
    found = {
        _key(requirement)
        for requirement, given in ((Requirement(line), given) for line, given in wanted)
        if requirement.name != "fraudscore" and _applies_somewhere(requirement, given)
    }
    return sorted(found - pinned)


def _key(requirement):
    """Return the name by which pip knows a requirement."""
    extras = sorted(canonicalize_name(extra) for extra in requirement.extras)
    return canonicalize_name(requirement.name), tuple(extras)


def _requires(name):
    """Return what a distribution asks for; nothing where it is not installed here."""
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


def _applies_somewhere(requirement, extra):
    """Return whether a requirement holds for a Python and a system that we support."""
    return requirement.marker is None or any(
        requirement.marker.evaluate(
            {
                "extra": extra,
                "python_version": version,
                "python_full_version": f"{version}.0",
                "sys_platform": platform,
                "platform_system": platform.capitalize(),
            }
        )
        for version, platform in product(PYTHONS, PLATFORMS)
    )
