"""What all groups of commands of ``python -m app`` have in common."""

from __future__ import annotations

from typing import IO, Any

import click

from model.errors import FraudscoreError
from model.printable import one_line


class Refusal(click.ClickException):
    """Something that cannot be done, said in one line."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the line."""
        click.echo(f"fraudscore cannot {one_line(self.message)}", file=file, err=True)


class Commands(click.Group):
    """Turns what goes wrong on purpose into one line and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except FraudscoreError as error:
            raise Refusal(f"{ctx.invoked_subcommand}: {error}") from None
        except OSError as error:
            raise Refusal(f"{ctx.invoked_subcommand}: {error.filename}: {error.strerror}") from None
