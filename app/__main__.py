"""``python -m app``: what an operator does beside a running service."""

from __future__ import annotations

from typing import Any

import click

from app.key_commands import keys
from model.errors import FraudscoreError


class Commands(click.Group):
    """Turns what goes wrong on purpose into one line and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except FraudscoreError as error:
            raise click.ClickException(" ".join(str(error).split())) from None
        except OSError as error:
            raise click.ClickException(f"{error.filename}: {error.strerror}") from None


@click.group(cls=Commands)
def main() -> None:
    """Operate a fraudscore service."""


main.add_command(keys)

if __name__ == "__main__":
    main(prog_name="python -m app")
