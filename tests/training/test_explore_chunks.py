"""Nothing depends on how many rows are read at a time, and memory is bounded by samples."""

import numpy as np
import pandas as pd
import pyarrow
import pytest

from tests.training.explorations import column, explored, payments, surveyed
from training.config_file import load_config
from training.explore import exploration_facts, survey
from training.explore.sample import Drawn, Sample, priorities
from training.explore.survey import survey_source
from training.tables.source import FrameSource

N_ROWS = 1000


@pytest.fixture
def small_blocks(monkeypatch):
    """Look at few rows together, and sample few."""
    monkeypatch.setattr("training.explore.reading.BLOCK_CELLS", 11 * 130)
    monkeypatch.setattr("training.explore.sample.SAMPLE_CELLS", 0)
    monkeypatch.setattr("training.explore.sample.FEWEST_SAMPLED", 400)
    monkeypatch.setattr("training.explore.sample.SAMPLE_FRAUDS", 60)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("rows", [pytest.param(1, marks=pytest.mark.soak), 11, 37, 999])
def test_any_number_of_rows_at_a_time_gives_the_same_facts(rows):
    frame = payments(600)

    assert explored(frame, rows) == explored(frame)


@pytest.mark.usefixtures("small_blocks")
def test_counts_are_of_all_rows_where_the_sample_is_not():
    frame = payments(N_ROWS)

    facts = explored(frame)

    assert facts["sample"] == {
        "rows": 400,
        "is_whole": False,
        "frauds": 60,
        "has_all_frauds": False,
        "seed": 0,
    }
    assert "400 rows drawn with seed 0 and 60 of the frauds" in " ".join(facts["remarks"])
    assert facts["classes"]["fraud"] == frame["fraud"].sum()
    amount = column(facts, "amount")
    assert amount["numbers"]["high"] == frame["amount"].max()
    assert amount["numbers"]["mean"] == pytest.approx(frame["amount"].mean())
    for fraud, name in enumerate(("legitimate", "fraud")):
        own = frame[frame["fraud"] == fraud]["amount"]
        assert amount["numbers"]["by_class"][name]["mean"] == pytest.approx(own.mean(), rel=1e-12)
        assert amount["numbers"]["by_class"][name]["deviation"] == pytest.approx(own.std())
    assert amount["numbers"]["median"] == pytest.approx(frame["amount"].median(), rel=0.2)
    rows = column(facts, "city")["categories"]["rows"]
    assert sum(row["rows"] for row in rows) == N_ROWS


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_files_of_every_format_give_the_same_facts(tmp_path, suffix):
    frame, path = payments(400), tmp_path / f"payments{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path, row_group_size=70)
    else:
        frame.to_csv(path, index=False)
    config = load_config(None, {"data": {"path": str(path)}, "name": "payments"})

    facts = exploration_facts(survey(config.data, config.seed), config)

    expected = explored(frame)
    for name in ("columns", "amount", "time", "repeats", "suspects", "correlations"):
        assert facts[name] == expected[name]
    assert facts["data"]["file_bytes"] == path.stat().st_size


def test_digits_among_texts_stay_as_they_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr("training.explore.reading.BLOCK_CELLS", 2 * 50)
    codes = ["007"] * 100 + ["abc"] * 50 + ["7"] * 50
    path = tmp_path / "codes.csv"
    pd.DataFrame({"code": codes, "label": [0, 1] * 100}).to_csv(path, index=False)
    config = load_config(None, {"data": {"path": str(path)}})

    facts = exploration_facts(survey(config.data, 0), config)

    rows = column(facts, "code")["categories"]["rows"]
    assert {row["name"]: row["rows"] for row in rows} == {"007": 100, "7": 50, "abc": 50}


def test_priority_of_a_row_does_not_depend_on_where_reading_begins():
    whole = priorities(3, 0, 100)

    for start in (1, 4, 7, 50):
        assert (priorities(3, start, 30) == whole[start : start + 30]).all()
    assert not (priorities(4, 0, 100) == whole).any()


def test_sample_is_uniform():
    counts = np.zeros(200)
    rows = np.arange(200)
    for seed in range(400):
        sample = Sample(50)
        for start in range(0, 200, 40):
            own = rows[start : start + 40]
            sample.add(Drawn(pyarrow.table({"row": own}), own, priorities(seed, start, 40)))
        drawn = sample.drawn()
        assert drawn.cells["row"].to_pylist() == drawn.rows.tolist()
        counts[drawn.rows] += 1

    assert counts.sum() == 400 * 50
    assert counts.mean() == 100
    assert abs(counts - 100).max() < 5 * np.sqrt(400 * 0.25 * 0.75)


def test_repeats_of_very_many_rows_are_estimated(monkeypatch):
    monkeypatch.setattr("training.explore.repeats.MOST_HASHES", 2000)
    frame = payments(4000).drop(columns="payment_ref")
    table = pd.concat([frame, frame[:1500]], ignore_index=True)

    facts = explored(table)
    in_pieces = surveyed(table, rows=333).tally.repeats.whole.found()

    assert facts["repeats"]["compared_share"] == in_pieces.share == 0.25
    assert facts["repeats"]["rows"] == in_pieces.n_repeated == pytest.approx(1500, rel=0.15)
    assert any("scaled up" in remark for remark in facts["remarks"])


class CountedFrame(FrameSource):
    """A frame that counts how often it is read."""

    n_readings = 0

    def batches(self, rows):
        """Yield the rows."""
        self.n_readings += 1
        return super().batches(rows)


@pytest.mark.parametrize(
    ("frame", "most"),
    [
        (payments(400), 3),
        (payments(400).rename(columns={"fraud": "chargeback"}), 4),  # the label is looked for
    ],
    ids=["usual", "a label by another name"],
)
def test_table_is_read_for_what_it_holds_for_counts_and_for_the_trial_only(frame, most):
    source = CountedFrame(frame, "payments.csv")
    config = load_config(None, {"data": {"path": "payments.csv"}})

    facts = exploration_facts(survey_source(source, config.data, 0), config)

    assert facts["command"] is not None
    assert source.n_readings <= most
