"""What is typed to run the program, and what it says where a package is missing."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from training.cli.commands import Commands
from training.program import command_line, serving_command


def test_commands_can_be_pasted_into_a_shell():
    assert command_line("promote", Path("a b/1.npz")) == "python -m training promote 'a b/1.npz'"
    assert serving_command(Path("a b")) == "FRAUDSCORE_MODEL_DIR='a b' make serve"


def test_missing_package_is_named_with_the_command_that_installs_it():
    def learn():
        raise ModuleNotFoundError("No module named 'sklearn'", name="sklearn")

    found = CliRunner().invoke(Commands(commands=[click.Command("train", callback=learn)]), "train")

    assert found.exit_code == 1
    assert found.output == "Error: this needs sklearn, which is not installed: make setup\n"


def test_missing_module_of_our_own_is_a_mistake_of_ours():
    def learn():
        raise ModuleNotFoundError("No module named 'training.lost'", name="training.lost")

    with pytest.raises(ModuleNotFoundError, match="lost"):
        CliRunner().invoke(
            Commands(commands=[click.Command("train", callback=learn)]),
            "train",
            catch_exceptions=False,
        )
