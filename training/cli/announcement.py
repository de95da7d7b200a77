"""The first line of a command that reads a table: said before anything that takes time.

Importing what learns takes seconds on a slow machine, and reading a large table minutes.
"""

from __future__ import annotations

from glob import glob
from pathlib import Path

import click

from model.printable import one_line
from training.config import RunConfig
from training.size import as_bytes


def announce(config: RunConfig) -> None:
    """Say what is going to be read, and how large it is."""
    if config.data.path is None:
        click.echo("No --data: simulating transactions")
        return
    path = config.data.path
    found = [Path(path)] if Path(path).exists() else [Path(name) for name in glob(path)]
    files = [file for own in found for file in (own, *own.rglob("*")) if file.is_file()]
    if files:  # what is not there is told by whoever reads it
        size = as_bytes(sum(file.stat().st_size for file in files))
        click.echo(one_line(f"Reading {path} ({size})"))
