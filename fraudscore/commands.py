"""All commands under one name: ``serve``, those of ``app`` and those of ``training``."""

from __future__ import annotations

import click

from app.__main__ import main as operating
from fraudscore.serving import serve
from training.cli.commands import Commands
from training.cli.commands import main as training


class Program(Commands, click.CommandCollection):
    """Finds a command where it is defined; says what goes wrong as training does."""


main = Program(
    "fraudscore",
    sources=[click.Group(commands=[serve]), operating, training],
    help="Serve, operate, train, evaluate and apply fraud models.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
