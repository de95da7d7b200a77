"""Demonstrations: the ideas behind the networks as pictures, made by the networks themselves.

Each draws its own small data, trains networks of :mod:`model` on them with the loop of
:mod:`training.fit`, and tells what came of it on one page. They need no table and no artifact.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from model.errors import ConfigurationError
from training.demo import autoencoder, boundary, depth, xor
from training.report.page import Page
from training.report.writing import write_page

__all__ = ["DEMOS", "names_of", "write_demo"]

DEMOS: dict[str, Callable[[int], Page]] = {
    "xor": xor.page,
    "boundary": boundary.page,
    "depth": depth.page,
    "autoencoder": autoencoder.page,
}
ALL = "all"


def names_of(name: str) -> list[str]:
    """Return the demonstrations that a name stands for: one, or all.

    Raises
    ------
    ConfigurationError
        If there is none of that name; the message lists those that exist.
    """
    if name != ALL and name not in DEMOS:
        known = ", ".join([*DEMOS, ALL])
        raise ConfigurationError(f"unknown demonstration {name!r}; known: {known}")
    return list(DEMOS) if name == ALL else [name]


def write_demo(name: str, seed: int, directory: Path) -> tuple[Path, str]:
    """Make a demonstration: the same seed gives the same bytes on the same machine.

    Parameters
    ----------
    name : str
        One of :data:`DEMOS`.
    seed : int
    directory : Path
        Of all reports; this one goes to ``demo/<name>.html`` below it, with its figures as JSON
        and a PNG for each plot beside it.

    Returns
    -------
    Path, str
        The page, and the sentence that it comes to.
    """
    page = DEMOS[name](seed)
    return write_page(page, directory / "demo" / f"{name}.html"), page.facts["headline"]
