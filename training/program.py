"""What is typed to run this program, which has a shorter name where it is installed."""

from __future__ import annotations

import shlex
from pathlib import Path

# In a checkout this package is called training, in the wheel fraudscore.training.
IS_INSTALLED = "." in __name__.removesuffix(".program")
PROGRAM = "fraudscore" if IS_INSTALLED else f"python -m {__package__}"


def command_line(*arguments: object) -> str:
    """Return a command of this program, fit to be pasted into a shell."""
    return f"{PROGRAM} {shlex.join(map(str, arguments))}"


def serving_command(directory: Path) -> str:
    """Return the command that serves the models of a folder."""
    folder = shlex.quote(str(directory))
    if IS_INSTALLED:
        return f"fraudscore serve --model {folder}"
    return f"FRAUDSCORE_MODEL_DIR={folder} make serve"


def installing_command() -> str:
    """Return the command that installs what training needs."""
    return "pip install 'fraudscore[train]'" if IS_INSTALLED else "make setup"
