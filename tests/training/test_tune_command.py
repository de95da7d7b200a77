"""The command ``tune``, as a user types it."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from matplotlib.image import imread
from rich.console import Console

from tests.training.commands import QUICK_TOML, refused, run, write
from tests.training.pages import assert_is_a_good_page, facts_of
from tests.training.searches import SMALL_SPACE
from tests.training.tables import mixed_frame
from training import outcome, search_space, tune
from training.cli.search_console import SearchConsole
from training.config_file import load_config
from training.tune import Request

ROOT = Path(__file__).resolve().parents[2]
FRAME = mixed_frame(400)
IN_SMALL_SPACE = """
from tests.training.searches import SMALL_SPACE
from training import search_space
search_space.CLASSIFIER = SMALL_SPACE
from training.__main__ import main
main()
"""


@pytest.fixture
def small_space(monkeypatch):
    """Search two settings of small networks."""
    monkeypatch.setattr(search_space, "CLASSIFIER", SMALL_SPACE)


@pytest.fixture
def data(working_folder):
    """Return the options that name a table and quick training."""
    assert (working_folder / "quick.toml").read_text() == QUICK_TOML
    return ("--data", write(FRAME), "--config", "quick.toml", "--folds", "2")


@pytest.mark.usefixtures("small_space")
def test_tune_then_train_with_what_it_wrote(data, monkeypatch):
    monkeypatch.setattr(outcome, "ENOUGH_FOR_IMPORTANCE", 3)

    output = run("tune", *data, "--trials", 3)
    trained = run("train", "--config", "reports/tune/cards.toml")

    best = load_config(Path("reports/tune/cards.toml"), {})
    assert "fold 2          learns from" in output
    assert "study           reports/tune/cards.db" in output
    assert "trials          0 done, 3 to go" in output
    assert "Best of 3 trials (3 complete, 0 given up, 0 interrupted or failed)" in output
    assert "train with      python -m training train --config reports/tune/cards.toml" in output
    assert f"learning rate {best.learning.learning_rate:g}" in trained
    page = Path("reports/tune/cards.html")
    assert "report          reports/tune/cards.html" in output
    assert_is_a_good_page(page)
    facts = facts_of(page)
    assert facts["trials"][facts["best"]]["settings"] == {
        "learning.learning_rate": best.learning.learning_rate,
        "network.layers": ",".join(map(str, best.network.layers)),
    }
    for name in ("history", "importance", "setting_layers", "setting_learning_rate"):
        height, width, _ = imread(f"reports/tune/cards-{name}.png").shape
        assert min(height, width) > 100


@pytest.mark.usefixtures("small_space")
def test_same_command_goes_on(data):
    run("tune", *data, "--trials", 1)

    output = run("tune", *data, "--trials", 2)

    assert "trials          1 done, 1 to go" in output
    assert "importance      is told once 10 trials are complete" in output
    assert not Path("reports/tune/cards-importance.png").exists()
    assert_is_a_good_page(Path("reports/tune/cards.html"))
    assert "Only 2 trials are complete" in Path("reports/tune/cards.html").read_text()


@pytest.mark.usefixtures("small_space")
def test_what_cannot_work_is_told_in_one_line(data):
    assert "at least 2 folds" in refused("tune", *data, "--folds", 1)
    assert "ends in .db" in refused("tune", *data, "--study", "quick.toml")
    assert "expected a duration" in refused("tune", *data, "--timeout", "long")
    anomaly = ("--task", "anomaly", "--metric", "log_loss")
    assert "an autoencoder has none" in refused("tune", *data, *anomaly)
    assert "'auc' is not one of" in run("tune", *data, "--metric", "auc", status=2)


@pytest.mark.usefixtures("small_space")
def test_search_is_shared_with_a_process_that_is_then_killed(data):
    command = [sys.executable, "-W", "error", "-c", IN_SMALL_SPACE, "tune", *data]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(  # noqa: S603 (our own program)
        [*command, "--trials", "1000"], stdout=subprocess.PIPE, text=True, env=environment
    ) as other:
        try:
            assert any("trial 0 " in line for line in other.stdout)
            run("tune", *data, "--trials", 3)
        finally:
            other.kill()

    output = run("tune", *data, "--trials", 1)

    assert "untuned" in output
    assert load_config(Path("reports/tune/cards.toml"), {}).data.path == "cards.csv"


class Recording(SearchConsole):
    """Keeps what the progress bar shows."""

    def __init__(self):
        super().__init__(Console(force_terminal=True, file=StringIO()))
        self.seen = []

    def on_fold(self, trial, fold):
        """Look at the bar after each fold."""
        super().on_fold(trial, fold)
        task = self._progress.tasks[0]
        self.seen.append((task.description, task.completed, task.total))


@pytest.mark.usefixtures("small_space")
def test_progress_shows_trials_and_folds(data):
    config = load_config(Path("quick.toml"), {"data": {"path": data[1]}})
    console = Recording()

    tune.tune(config, Request(n_folds=2, n_trials=2), console)
    console.close()

    assert console.seen == [
        ("trial 0: fold 1 of 2", 0, 2),
        ("trial 0: fold 2 of 2", 0, 2),
        ("trial 1: fold 1 of 2", 1, 2),
        ("trial 1: fold 2 of 2", 1, 2),
    ]
