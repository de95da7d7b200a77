"""What is printed and drawn once an artifact is written: it cannot fail the run any more."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from rich.console import Console

from model.printable import one_line
from training.cli.console import line

T = TypeVar("T")

NOT_WRITTEN = 4  # exit status where the model is there, and something about it could not be written


class Aftermath:
    """Does what follows a saved artifact, and remembers what failed.

    Parameters
    ----------
    console : Console
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._has_failed = False

    def attempt(self, what: str, write: Callable[[], T]) -> T | None:
        """Return what a function returns; where it fails say so in a line, and return None."""
        try:
            return write()
        # Whatever it is, the model is complete; rich exits where nobody reads on, as before | head
        except (Exception, SystemExit) as error:
            self._has_failed = True
            reason = one_line(str(error))
            text = f"{what}: {type(error).__name__}{f': {reason}' if reason else ''}"
            with suppress(OSError, ValueError, SystemExit):  # the terminal may be what failed
                line(self._console, "not written", f"{text} (the model is complete without it)")
            return None

    def say(self, name: str, value: str, *, wraps: bool = True) -> None:
        """Print a name and its value."""
        self.attempt("a line", lambda: line(self._console, name, value, wraps=wraps))

    def finish(self) -> None:
        """End with the status that says so if anything failed.

        Raises
        ------
        SystemExit
        """
        if self._has_failed:
            raise SystemExit(NOT_WRITTEN)
