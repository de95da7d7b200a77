"""What the tests of training share."""

from shutil import copytree

import numpy as np
import pandas as pd
import pytest

from tests.factories import save_tiny
from tests.training.commands import MODELS, QUICK_TOML, run
from tests.training.report_runs import COMMAND, RIVALS, train_small
from tests.training.runs import train
from tests.training.tables import mixed_frame
from training import evaluate, promote
from training.report import drawing, write_report


@pytest.fixture
def rng():
    """Return a generator that is the same in every test."""
    return np.random.default_rng(0)


@pytest.fixture
def working_folder(tmp_path, monkeypatch):
    """Change into a folder with nothing but a configuration of short runs; return it."""
    monkeypatch.setattr(evaluate, "RESAMPLES", 10)
    monkeypatch.setattr(promote, "RESAMPLES", 60)
    monkeypatch.setattr(drawing, "RESOLUTION", 60)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quick.toml").write_text(QUICK_TOML)
    return tmp_path


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Return the path of an artifact whose features are a request's."""
    return save_tiny(tmp_path_factory.mktemp("tiny")).path


@pytest.fixture(scope="session")
def textbook(tmp_path_factory):
    """Return a folder with a run of the textbook recipe on 30 features, and what it printed."""
    folder = tmp_path_factory.mktemp("textbook")
    rng = np.random.default_rng(0)
    n_rows = 1200
    is_fraud = (np.arange(n_rows) % 15 == 0).astype(int)
    frame = pd.DataFrame({"Time": np.arange(n_rows)})
    for number in range(1, 29):
        frame[f"V{number}"] = rng.normal(size=n_rows) + (number < 4) * 1.5 * is_fraud
    frame["Amount"] = rng.lognormal(3, 1, n_rows)
    frame["Class"] = is_fraud
    frame.to_csv(folder / "creditcard.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "RESAMPLES", 10)
        output = run(
            "train",
            *("--data", folder / "creditcard.csv", "--recipe", "textbook"),
            *("--output", folder / "artifacts", "--reports", folder / "reports"),
        )
    return folder, output


@pytest.fixture(scope="session")
def first_half(tmp_path_factory):
    """Return a table, and a folder with a champion that was trained on its first half."""
    frame = mixed_frame(3000)
    trained = train(frame[:1500], tmp_path_factory.mktemp("first"))
    models = trained.artifact.path.parent
    promote.promote(models, trained.artifact.version)
    return frame, models


@pytest.fixture
def served(first_half, working_folder):
    """Put the champion into the working folder; return the whole table."""
    frame, models = first_half
    copytree(models, working_folder / MODELS)
    return frame


@pytest.fixture(scope="session")
def full(tmp_path_factory):
    """Return a run that has everything a report can show."""
    folder = tmp_path_factory.mktemp("full")
    policy = {"transactions_per_day": 5000, "choose": "daily_alerts", "review": 800, "block": 50}
    split = {"validation": "holdout"}
    return train_small(folder, base_rate=0.01, split=split, policy=policy)


@pytest.fixture(scope="session")
def page(full, tmp_path_factory):
    """Return its report."""
    return write_report(full, tmp_path_factory.mktemp("reports"), RIVALS, COMMAND)
