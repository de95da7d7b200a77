"""Scoring a table into another."""

import numpy as np
import pandas as pd
import pytest

from model.answers import ANSWER_KEYS
from model.decision import DECISIONS
from tests.precision import rounding
from tests.training.runs import train
from tests.training.tables import mixed_frame
from training.batch import read_row, score_file, score_frame
from training.config import DataConfig
from training.data import matrix_of
from training.errors import DataError

COLUMNS = [
    "payment_id",
    "probability",
    "score",
    "decision",
    "uncertainty_low",
    "uncertainty_high",
    "reconstruction_error",
    "anomaly_score",
    "is_anomaly",
]
NEW = mixed_frame(500, seed=8)
SUFFIXES = (".csv", ".parquet")


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    """Return an artifact with both networks."""
    return train(mixed_frame(1500), tmp_path_factory.mktemp("run")).artifact


@pytest.fixture
def small_chunks(monkeypatch):
    """Read files in chunks of 64 rows."""
    monkeypatch.setattr("training.column_scan.BATCH_CELLS", 64 * len(NEW.columns))


def write(frame, path):
    """Write a frame in the format of its suffix."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False)
    return path


def read(path):
    """Read what was written."""
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


def scored(artifact, folder, frame=NEW, source="new.csv", target="scores.csv", on_rows=None):
    """Score a frame by way of files."""
    output = folder / "results" / target
    n_rows = score_file(artifact, write(frame, folder / source), output, on_rows)
    assert n_rows == len(frame)
    return read(output)


def test_scores_stand_beside_the_id_in_the_order_of_the_rows(artifact, tmp_path):
    shuffled = NEW.sample(frac=1, random_state=0)

    result = scored(artifact, tmp_path, shuffled)

    assert list(result) == COLUMNS
    assert result["payment_id"].tolist() == shuffled["payment_id"].tolist()


@pytest.mark.parametrize("escapes", [True, False])
def test_formulas_in_ids_are_escaped_in_csv_files(artifact, tmp_path, escapes):
    frame = NEW.head(4).assign(payment_id=["=1+1", "p-2", "-3", "@x"])
    notes = []

    for suffix in SUFFIXES:
        score_file(
            artifact,
            write(frame, tmp_path / "new.parquet"),
            tmp_path / f"scores{suffix}",
            on_note=notes.append,
            escapes_formulas=escapes,
        )

    found = {suffix: list(read(tmp_path / f"scores{suffix}")["payment_id"]) for suffix in SUFFIXES}
    assert found[".parquet"] == ["=1+1", "p-2", "-3", "@x"]
    assert found[".csv"] == (["'=1+1", "p-2", "-3", "'@x"] if escapes else found[".parquet"])
    assert [note.split()[0] for note in notes if "formula" in note] == ["2"] * escapes


def test_output_behind_a_symbolic_link_is_written_there(artifact, tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "scores.csv")

    score_file(artifact, write(NEW, tmp_path / "new.csv"), tmp_path / "link.csv")

    assert (tmp_path / "link.csv").is_symlink()
    assert len(read(tmp_path / "scores.csv")) == len(NEW)


def test_names_of_the_columns_are_no_names_of_features():
    assert set(COLUMNS[1:]) <= ANSWER_KEYS


def test_scores_are_those_of_the_scorer(artifact, tmp_path):
    matrix = matrix_of(NEW, artifact.scorer.spec, "new")
    scores, anomalies = artifact.scorer.score(matrix), artifact.scorer.anomaly(matrix)

    result = scored(artifact, tmp_path)

    for name in ("probability", "score"):
        np.testing.assert_array_equal(result[name], getattr(scores, name))
    assert result["decision"].tolist() == [DECISIONS[code] for code in scores.decision]
    low, high = artifact.scorer.uncertainty(scores)
    np.testing.assert_array_equal(result["uncertainty_low"], low)
    np.testing.assert_array_equal(result["uncertainty_high"], high)
    for name in ("reconstruction_error", "anomaly_score", "is_anomaly"):
        np.testing.assert_array_equal(result[name], getattr(anomalies, name))
    assert set(result["decision"]) == set(DECISIONS)


@pytest.mark.parametrize("source", ["new.csv", "new.csv.gz", "new.parquet"])
@pytest.mark.parametrize("target", ["scores.csv", "scores.parquet"])
def test_every_format_gives_the_same_scores(artifact, tmp_path, source, target):
    expected = score_frame(artifact.scorer, NEW, "new")

    result = scored(artifact, tmp_path, source=source, target=target)

    pd.testing.assert_frame_equal(result, expected, check_dtype=False)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("source", ["new.csv", "new.parquet"])
@pytest.mark.parametrize("target", ["scores.csv", "scores.parquet"])
def test_chunks_do_not_change_the_scores(artifact, tmp_path, source, target):
    counts = []

    result = scored(artifact, tmp_path, source=source, target=target, on_rows=counts.append)

    expected = score_frame(artifact.scorer, NEW, "new")
    assert counts == [64] * 7 + [52]
    pd.testing.assert_frame_equal(result, expected, check_dtype=False, **rounding(np.float32))


def test_columns_that_the_model_does_not_know_are_ignored(artifact, tmp_path):
    plain = scored(artifact, tmp_path)
    odd = NEW.assign(is_fraud="unknown", note="x")[["note", *reversed(NEW.columns)]]

    pd.testing.assert_frame_equal(scored(artifact, tmp_path, odd), plain)
    pd.testing.assert_frame_equal(scored(artifact, tmp_path, NEW.drop(columns="is_fraud")), plain)


def test_ids_are_written_as_they_were_read(artifact, tmp_path):
    ids = [f"{number:08d}" for number in range(500)]

    scored(artifact, tmp_path, NEW.assign(payment_id=ids, transaction_id=range(500)))

    lines = (tmp_path / "results" / "scores.csv").read_text().splitlines()
    assert lines[0].startswith("transaction_id,payment_id,probability")
    assert [line.split(",")[:2] for line in lines[1:]] == [
        [str(number), text] for number, text in enumerate(ids)
    ]


@pytest.mark.usefixtures("small_chunks")
def test_ids_may_look_like_numbers_in_some_chunks(artifact, tmp_path):
    ids = [str(number) for number in range(400)] + [f"A{number}" for number in range(100)]

    result = scored(artifact, tmp_path, NEW.assign(payment_id=ids), target="scores.parquet")

    assert result["payment_id"].tolist() == ids


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("source", ["new.csv", "new.parquet"])
def test_rows_of_a_table_without_ids_are_numbered(artifact, tmp_path, source):
    result = scored(artifact, tmp_path, NEW.drop(columns="payment_id"), source=source)

    assert list(result) == ["row", *COLUMNS[1:]]
    assert result["row"].tolist() == list(range(len(NEW)))


@pytest.mark.usefixtures("small_chunks")
def test_row_is_found_wherever_it_lies(artifact, tmp_path):
    path = write(NEW, tmp_path / "new.parquet")
    matrix = matrix_of(NEW, artifact.scorer.spec, "new")

    for number in (0, 63, 64, 499):
        cells, row = read_row(path, number, artifact.scorer.spec, DataConfig())
        assert cells["payment_id"] == NEW["payment_id"].iloc[number]
        np.testing.assert_array_equal(row, matrix[[number]])
    with pytest.raises(DataError, match="there is no row 500: it has rows 0 to 499"):
        read_row(path, 500, artifact.scorer.spec, DataConfig())


@pytest.mark.parametrize("source", ["new.csv", "new.parquet"])
@pytest.mark.parametrize("target", ["scores.csv", "scores.parquet"])
def test_table_without_rows_gives_one_without_rows(artifact, tmp_path, source, target):
    result = scored(artifact, tmp_path, NEW.iloc[:0], source=source, target=target)

    assert list(result) == COLUMNS
    assert len(result) == 0


@pytest.mark.parametrize("task", ["fraud", "anomaly"])
def test_artifact_of_one_task_gives_its_columns(tmp_path, task):
    artifact = train(mixed_frame(400), tmp_path / "run", task=task).artifact

    result = scored(artifact, tmp_path)

    part = COLUMNS[1:6] if task == "fraud" else COLUMNS[6:]
    assert list(result) == ["payment_id", *part]


def refused(artifact, tmp_path, frame, target="scores.csv"):
    """Return why a frame is refused, having seen that no output appeared."""
    with pytest.raises(DataError) as caught:
        scored(artifact, tmp_path, frame, target=target)
    results = tmp_path / "results"
    assert not results.exists() or list(results.iterdir()) == []
    return str(caught.value)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("target", ["scores.csv", "scores.parquet"])
def test_failure_in_the_middle_leaves_no_output(artifact, tmp_path, target):
    frame = NEW.assign(v1=NEW["v1"].astype(object))
    frame.loc[300, "v1"] = "junk"

    message = refused(artifact, tmp_path, frame, target)

    assert "column 'v1': a column of numbers, but one cell is not (row 300: 'junk')" in message


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("target", ["scores.csv", "scores.parquet"])
def test_interruption_leaves_the_old_output(artifact, tmp_path, target):
    before = scored(artifact, tmp_path, NEW[:10], target=target)

    def interrupt(_n_rows):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scored(artifact, tmp_path, target=target, on_rows=interrupt)

    assert [path.name for path in (tmp_path / "results").iterdir()] == [target]
    pd.testing.assert_frame_equal(read(tmp_path / "results" / target), before)


def test_gap_where_training_had_none_is_refused(artifact, tmp_path):
    frame = NEW.copy()
    frame.loc[7, "amount"] = np.nan

    message = refused(artifact, tmp_path, frame)

    assert "column 'amount': row 7 holds" in message
    assert "data.nullable" in message


def test_missing_columns_are_listed(artifact, tmp_path):
    message = refused(artifact, tmp_path, NEW.drop(columns=["v1", "amount", "v2"]))

    assert "['amount', 'v1']" in message


@pytest.mark.parametrize("name", ["scores.txt", "scores.csv.gz", "scores"])
def test_output_of_an_unknown_format_is_refused_before_anything_is_read(artifact, tmp_path, name):
    with pytest.raises(DataError, match=r"\.csv or \.parquet"):
        score_file(artifact, tmp_path / "nowhere.csv", tmp_path / name)


def test_missing_input_is_refused(artifact, tmp_path):
    with pytest.raises(DataError, match="no such file"):
        score_file(artifact, tmp_path / "nowhere.csv", tmp_path / "scores.csv")


def test_output_in_the_place_of_the_input_is_refused(artifact, tmp_path):
    path = write(NEW, tmp_path / "new.csv")
    before = path.read_bytes()

    with pytest.raises(DataError, match="place of the input"):
        score_file(artifact, path, path)

    assert path.read_bytes() == before
