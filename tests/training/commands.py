"""Running commands in the working folder."""

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from model.pointer import read_pointer
from training.cli import commands, terminal
from training.cli.options import config_from
from training.program import PROGRAM

MODELS = Path("artifacts/cards")
QUICK_TOML = """
[data]
id = "payment_id"
[network]
layers = [8]
members = 3
n_bins = 4
[learning]
epochs = 4
batch_size = 64
learning_rate = 0.01
[autoencoder]
hidden = [8]
bottleneck = 3
members = 2
epochs = 2
batch_size = 64
"""


def run(*arguments, status=0):
    """Run a command; return what it printed on standard output and standard error."""
    with pytest.MonkeyPatch.context() as patch:
        plain = terminal.Terminal(width=300, force_terminal=False)  # so that no line wraps
        patch.setattr(terminal, "CONSOLE", plain)
        result = CliRunner().invoke(commands.main, [str(part) for part in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result.output


def parsed(command):
    """Return the configuration of a training command, as the command line reads it."""
    _verb, *arguments = shlex.split(command.removeprefix(PROGRAM))
    options = commands.main.commands["train"].make_context("train", arguments).params
    return config_from({name: given for name, given in options.items() if name != "promote_anyway"})


def refused(*arguments):
    """Run a command that fails; return its one line."""
    output = run(*arguments, status=1)
    *_, last = output.strip().splitlines()
    assert last.startswith("Error: ")
    assert "Traceback" not in output
    return last.removeprefix("Error: ")


def write(frame, name="cards.csv"):
    """Write a frame into the working folder."""
    frame.to_csv(name, index=False)
    return name


def champion_of(folder):
    """Return the version that serves."""
    return read_pointer(folder).version
