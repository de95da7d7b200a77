"""The command line that the quality benchmarks share."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def options(doc: str, file: str, repeats: int, unit: str) -> argparse.Namespace:
    """Return the arguments ``data``, ``trials`` and ``repeats``; leave if there is no data.

    Parameters
    ----------
    doc : str
        Of the program.
    file : str
        Development data beside the project, used where no other file is named.
    repeats : int
        How often each model is trained where nothing is said.
    unit : str
        What a repeat is.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("data", nargs="?", type=Path, default=DATA / file, help=f"a {file}")
    parser.add_argument(
        "--trials", type=int, help="search the peers' parameters anew, with so many trials each"
    )
    parser.add_argument(f"--{unit}", type=int, default=repeats, dest="repeats")
    given = parser.parse_args()
    if not given.data.is_file():
        print(f"Skipped: there is no {given.data.name}. Name such a file as the argument.")
        sys.exit(0)
    return given
