"""A table as a model reads it: columns by name, categories as text."""

import numpy as np
import pytest

from tests.training.tables import mixed_frame, plain_frame
from training.config import DataConfig
from training.data import (
    from_frame,
    load,
    matrix_of,
)
from training.errors import DataError
from training.table_reader import TableReader
from training.tables.source import FileSource


def test_scoring_ignores_the_label_and_columns_that_are_unknown():
    spec = from_frame(plain_frame(), DataConfig(), "cards.csv").spec
    frame = plain_frame()
    shuffled = frame.assign(Class="?", colour="red")[["colour", "Amount", "Class", "V1", "Time"]]

    np.testing.assert_array_equal(
        matrix_of(shuffled, spec, "new.csv"), frame[["Time", "V1", "Amount"]].to_numpy(float)
    )


def test_scoring_lists_the_columns_that_are_missing():
    spec = from_frame(plain_frame(), DataConfig(), "cards.csv").spec

    with pytest.raises(DataError, match=r"needs the columns \['Time', 'Amount'\]"):
        matrix_of(plain_frame(Time=..., Amount=...), spec, "new.csv")


def test_column_that_may_be_missing_may_be_absent():
    frame = mixed_frame(100)
    spec = from_frame(frame, DataConfig(id="payment_id"), "cards.csv").spec

    matrix = matrix_of(frame.drop(columns=["v2", "merchant"]), spec, "new.csv")

    absent = [spec.names.index(name) for name in ("v2", "merchant")]
    assert np.isnan(matrix[:, absent]).all()


def test_categories_of_digits_are_the_same_in_every_chunk(tmp_path, monkeypatch):
    """In a chunk of its own each of these columns would be read as whole numbers or floats."""
    codes = ["007"] * 30 + ["7"] * 30 + ["7", None] * 15 + ["1e1"] * 30 + ["A"] * 30
    frame = plain_frame(len(codes), code=codes)
    path = tmp_path / "cards.csv"
    frame.to_csv(path, index=False)

    table = load(DataConfig(path=str(path)))
    spec = table.spec
    monkeypatch.setattr("training.column_scan.BATCH_CELLS", 30 * len(frame.columns))
    reader = TableReader(FileSource(path), spec, DataConfig())

    chunks = [rows.matrix for rows in reader.rows()]
    assert len(chunks) == 5

    feature = spec.features[spec.names.index("code")]
    assert feature.categories == ("007", "1e1", "7", "A")
    np.testing.assert_array_equal(np.concatenate(chunks), table.matrix)


def test_file_of_digits_only_is_scored_like_the_file_it_was_taken_from(tmp_path):
    codes = ["007", "7", "A"] * 20
    frame = plain_frame(60, code=codes)
    table = from_frame(frame, DataConfig(), "cards.csv")
    part = frame[frame["code"] == "007"]
    part.to_csv(tmp_path / "part.csv", index=False)

    source = FileSource(tmp_path / "part.csv")
    matrix = TableReader(source, table.spec, DataConfig()).matrix()

    np.testing.assert_array_equal(matrix, table.matrix[::3])


def test_words_that_mean_missing_to_a_model_do_so_in_every_table_and_request():
    config = DataConfig(missing=("unknown", "NA"))
    numbers = ["1.5", "unknown"] * 20
    codes = ["a"] * 20 + ["NA", "b"] * 10
    frame = plain_frame(V1=numbers, code=codes)

    spec = from_frame(frame, config, "cards.csv").spec
    matrix = matrix_of(frame, spec, "new.csv")

    assert spec.missing == ("unknown", "NA")
    assert np.isnan(matrix[:, 1]).sum() == 20
    assert np.isnan(matrix[:, -1]).sum() == 10
    row = {"Time": 1, "V1": None, "Amount": 2.0, "code": "NA"}
    assert np.isnan(type(spec).from_dict(spec.to_dict()).matrix_from_rows([row])[0, -1])
    assert "NA" not in spec.features[-1].categories
