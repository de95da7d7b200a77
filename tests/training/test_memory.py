"""Runs with limited memory: the same model where the limit shapes nothing, else one as good."""

import tempfile

import numpy as np
import pytest

from model.errors import ConfigurationError
from tests.training.commands import refused, run, write
from tests.training.runs import figures_of, quick
from tests.training.tables import mixed_frame
from training import evaluate, memory, scratch
from training.config import RunConfig
from training.config_file import load_config
from training.errors import DivergedError, ScratchError
from training.memory import Memory, resident_bytes
from training.pipeline import run as run_pipeline

ENOUGH = "8GB"  # for whatever process the tests run in


@pytest.fixture(autouse=True)
def short(monkeypatch, tmp_path):
    """Read small chunks, draw short bootstraps, make temporary files in a folder of their own."""
    monkeypatch.setattr("training.column_scan.BATCH_CELLS", 6300)  # 700 rows
    monkeypatch.setattr(evaluate, "RESAMPLES", 10)
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))


@pytest.fixture
def narrow(monkeypatch):
    """Shuffle windows of some two hundred rows, in blocks of eight or sixteen."""
    monkeypatch.setattr(scratch, "BLOCK_BYTES", 2048)
    monkeypatch.setattr(memory, "BUFFER_SHARE", 50_000 / 8e9)


def frame_with_late_categories():
    """Return transactions of which the later show another merchant, and gaps where none were."""
    frame = mixed_frame(2000)
    frame.loc[700:, "merchant"] = frame.loc[700:, "merchant"].replace("fuel", "charging")
    frame.loc[frame.index[::9], "amount"] = np.nan
    frame.loc[1700:, "constant"] = np.nan
    return frame


FRAME = frame_with_late_categories()


def trained(folder, suffix=".csv", memory=None, **overrides):
    """Train on the frame, read from a file."""
    path = folder / f"cards{suffix}"
    if not path.exists():
        FRAME.to_csv(path, index=False) if suffix == ".csv" else FRAME.to_parquet(path)
    facts = quick(**overrides, output=str(folder / "artifacts"))
    facts["data"] = {**facts["data"], "path": str(path)}
    if memory is not None:
        facts["memory"] = memory
    return run_pipeline(load_config(None, facts))


@pytest.mark.parametrize(
    ("suffix", "changes"),
    [
        (".csv", {"split": {"validation": "holdout"}, "network": {"scaling": "robust"}}),
        (".parquet", {"split": {"validation": "cross_fit", "how": "random"}}),
        (".csv", {"learning": {"min_frauds_per_batch": 4}, "task": "fraud"}),
        (".parquet", {"policy": {"anomaly_review": 0.99}, "split": {"test_share": 0.0}}),
    ],
    ids=str,
)
def test_limit_that_shapes_nothing_gives_the_same_artifact(tmp_path, suffix, changes):
    free, limited = (trained(tmp_path, suffix, limit, **changes) for limit in (None, ENOUGH))

    assert limited.artifact.sha256 == free.artifact.sha256
    assert limited.evaluation == free.evaluation
    assert limited.artifact.manifest["configuration"]["memory"] is None


@pytest.mark.usefixtures("narrow")
def test_windows_leave_the_preprocessing_alone_and_learn_as_well(tmp_path):
    free, limited, again = (trained(tmp_path, memory=limit) for limit in (None, ENOUGH, ENOUGH))

    assert limited.artifact.sha256 == again.artifact.sha256 != free.artifact.sha256
    assert limited.artifact.manifest["configuration"]["memory"] == ENOUGH
    one, other = (run.artifact.scorer for run in (free, limited))
    assert one.spec == other.spec
    for name, array in one.preprocessor.to_arrays().items():
        np.testing.assert_array_equal(other.preprocessor.to_arrays()[name], array)
    assert figures_of(limited)["roc_auc"] == pytest.approx(figures_of(free)["roc_auc"], abs=0.03)


@pytest.mark.usefixtures("narrow")
def test_windows_and_guaranteed_frauds_go_together(tmp_path):
    run = trained(tmp_path, memory=ENOUGH, learning={"min_frauds_per_batch": 8})

    assert figures_of(run)["roc_auc"] > 0.9


@pytest.mark.parametrize("limit", ["1MB", "100MB"])
def test_limit_that_nothing_fits_into_is_refused_with_the_least_that_does(tmp_path, limit):
    with pytest.raises(ConfigurationError, match=r"memory must be at least \d+MB, got") as caught:
        trained(tmp_path, memory=limit)

    least = str(caught.value).split()[5].rstrip(",")
    Memory.of(f"{int(least[:-2]) + 50}MB").refuse()  # the process may have grown meanwhile


def test_limit_that_the_rows_do_not_fit_into_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "ROW_BYTES", 10**7)

    with pytest.raises(
        ConfigurationError, match=r"at least \d+MB for 2,000 rows of 9 columns, got 8000MB"
    ):
        trained(tmp_path, memory=ENOUGH)


def test_memory_of_this_process_is_plausible(monkeypatch, tmp_path):
    now = resident_bytes()
    monkeypatch.setattr(memory, "STATM", tmp_path / "none")

    assert 5e7 < now < 1e11
    assert resident_bytes() > 0.5 * now  # the peak


def test_resampling_is_refused_where_memory_is_limited():
    with pytest.raises(ConfigurationError, match="resampling"):
        load_config(None, {"memory": "2GB", "learning": {"resampling": "oversample"}})
    assert RunConfig().memory is None


@pytest.mark.parametrize("number", [1, 2, 3])
def test_disk_that_fills_up_ends_the_run_and_leaves_nothing(tmp_path, monkeypatch, number):
    reserve, calls = scratch._mapped_file, []

    def fail_later(n_bytes):
        calls.append(n_bytes)
        if len(calls) == number:
            raise ScratchError("no room")
        return reserve(n_bytes)

    monkeypatch.setattr(scratch, "_mapped_file", fail_later)

    with pytest.raises(ScratchError):
        trained(tmp_path, memory=ENOUGH)

    assert list((tmp_path / "scratch").iterdir()) == []
    assert not (tmp_path / "artifacts").exists()


def test_run_that_diverges_leaves_no_temporary_file(tmp_path):
    with pytest.raises(DivergedError):
        trained(tmp_path, memory=ENOUGH, learning={"optimizer": "sgd", "learning_rate": 1e30})

    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.usefixtures("working_folder")
def test_command_trains_and_reports_in_limited_memory():
    output = run("train", "--data", write(FRAME), "--config", "quick.toml", "--memory", ENOUGH)

    assert "champion" in output


@pytest.mark.usefixtures("working_folder")
def test_command_says_in_one_line_what_is_wrong_with_the_limit():
    data = write(mixed_frame(300))

    assert refused("train", "--data", data, "--memory", "plenty").startswith("memory: expected a")
    assert refused("train", "--data", data, "--memory", "1MB").startswith("memory must be at least")
