"""Commands that read a table say so first: before what takes seconds to import is imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.explorations import payments
from tests.training.test_command_help import HEAVY

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = f"""
import sys
class Told:
    def find_spec(self, name, path=None, target=None):
        if name in {HEAVY}:
            print("IMPORT", name, flush=True)
sys.meta_path.insert(0, Told())
from training.cli.commands import main
main(sys.argv[1:])
"""


def first_lines(folder, *arguments):
    """Start a command in a folder; return the lines of its output up to the first import."""
    with started(folder, *arguments) as running:
        lines = []
        for line in running.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("IMPORT"):
                break
        running.kill()
    return lines


def outputs(folder, *arguments):
    """Run a command in a folder; return the lines of its output, and its errors."""
    with started(folder, *arguments) as running:
        output, errors = running.communicate()
    return output.splitlines(), errors


def started(folder, *arguments):
    """Return the process of a command that tells of its imports."""
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "MPLCONFIGDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("command", ["explore", "train", "retrain", "tune"])
def test_first_line_says_what_is_read_before_anything_is_imported(command, tmp_path):
    path = tmp_path / "payments.csv"
    payments(40).drop(columns="fraud").to_csv(path, index=False)

    first, *others = first_lines(tmp_path, command, "--data", "payments.csv")

    size = path.stat().st_size / 1000
    assert first == f"Reading payments.csv ({size:.1f}\N{NO-BREAK SPACE}kB)"
    assert others
    assert others[0].startswith("IMPORT")


def test_simulated_transactions_are_announced_too(tmp_path):
    (first, *_), errors = outputs(tmp_path, "train", "--memory", "1MB")

    assert first == "No --data: simulating transactions"
    assert "memory must be at least" in errors


def test_what_is_not_there_is_not_announced(tmp_path):
    lines, errors = outputs(tmp_path, "explore", "--data", "absent.csv")

    assert not any(line.startswith("Reading") for line in lines)
    assert "absent.csv: no such file" in errors
