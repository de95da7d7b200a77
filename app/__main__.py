"""``python -m app``: what an operator tells a running service from beside it."""

from __future__ import annotations

import os

import click

from app import drain as draining
from app.access.key_commands import keys
from app.commands import Commands
from app.config import Settings
from app.run_dir import locate


@click.group(cls=Commands)
def main() -> None:
    """Operate a fraudscore service."""


@main.command()
@click.option("--seconds", metavar="N", help="Instead of FRAUDSCORE_DRAIN_SECONDS.")
def drain(seconds: str | None) -> None:
    """Answer /health with 503 in every worker, wait, and go on scoring."""
    given = {} if seconds is None else {"DRAIN_SECONDS": seconds}
    draining.drain(locate(os.environ), Settings.load(os.environ, given).drain_seconds)


@main.command()
def undrain() -> None:
    """Call a drain off."""
    draining.undrain(locate(os.environ))


main.add_command(keys)

if __name__ == "__main__":
    main(prog_name=f"python -m {__package__}")
