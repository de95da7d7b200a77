"""Help answers at once: what learns and draws is imported by the commands that need it."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from training.cli.commands import main
from training.cli.options import SEARCH_METRICS
from training.objective import METRICS

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ["pandas", "pyarrow", "sklearn", "scipy", "matplotlib", "optuna", "imblearn", "rich"]
SCRIPT = f"""
import sys
from training.cli.commands import main
try:
    main(["train", "--help"])
except SystemExit:
    pass
print("IMPORTED", *(set(sys.modules) & set({HEAVY})))
"""


def test_help_imports_nothing_heavy():
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "--label" in done.stdout
    assert done.stdout.strip().splitlines()[-1] == "IMPORTED"


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_explains_itself(name):
    result = CliRunner().invoke(main, [name, "--help"])

    assert result.exit_code == 0
    assert main.commands[name].get_short_help_str()


def test_the_metrics_offered_are_those_of_the_search():
    assert tuple(METRICS) == SEARCH_METRICS
