"""``python -m app keys``: make, list and remove API keys."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from app.access.keys import NAME, APIKey, read_keys, write_keys
from app.commands import Commands
from model.errors import ConfigurationError


@click.group(cls=Commands)
@click.option(
    "--file",
    "path",
    envvar="FRAUDSCORE_KEYS_FILE",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The keys file; FRAUDSCORE_KEYS_FILE names it too.",
)
@click.pass_context
def keys(context: click.Context, path: Path) -> None:
    """Manage API keys. A running service sees a change within about a second."""
    context.obj = path


@keys.command()
@click.argument("name")
@click.pass_obj
def add(path: Path, name: str) -> None:
    """Make a key and print it; it is shown this once and kept as a hash."""
    if not re.fullmatch(NAME, name):
        raise ConfigurationError("a name has 1 to 64 letters, digits, dots, dashes, underscores")
    with _sole_writer(path):
        present = read_keys(path) if path.exists() else ()
        if any(key.name == name for key in present):
            raise ConfigurationError(f"there is a key {name!r} already; remove it first")
        key, secret = APIKey.generate(name)
        write_keys(path, (*present, key))
    click.echo(secret)


@keys.command("list")
@click.pass_obj
def list_names(path: Path) -> None:
    """List the names of the keys and when they were made."""
    for key in read_keys(path):
        click.echo(f"{key.created.isoformat()}  {key.name}")


@keys.command()
@click.argument("name")
@click.pass_obj
def remove(path: Path, name: str) -> None:
    """Remove a key; whoever uses it is turned away from then on."""
    with _sole_writer(path):
        present = read_keys(path)
        kept = tuple(key for key in present if key.name != name)
        if len(kept) == len(present):
            raise ConfigurationError(f"there is no key {name!r}")
        write_keys(path, kept)


@contextmanager
def _sole_writer(path: Path) -> Iterator[None]:
    """Let one command change the file at a time, so that none undoes what another one did."""
    directory = Path(os.path.realpath(path)).parent  # several links may lead to one file
    directory.mkdir(parents=True, exist_ok=True)
    folder = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
