"""Codes that look like numbers and are declared to be categories."""

import pandas as pd

from training.config import DataConfig
from training.data import from_frame, load
from training.tables.source import FileSource


def codes(n_rows=300):
    """Return a table whose codes have leading zeros, gaps and, near the end, letters."""
    mcc = [("0007", "5411", None)[n % 3] for n in range(n_rows - 20)] + ["X001"] * 20
    return pd.DataFrame({"mcc": mcc, "amount": 1.0, "is_fraud": [0, 1] * (n_rows // 2)})


def test_declared_codes_of_a_csv_file_are_texts_as_written(tmp_path):
    path = tmp_path / "payments.csv"
    codes().to_csv(path, index=False)

    table = load(DataConfig(path=str(path), categorical=("mcc",)))

    (feature,) = (f for f in table.spec.features if f.name == "mcc")
    assert feature.categories == ("0007", "5411", "X001")
    assert feature.nullable


def test_declared_numbers_are_categories_without_a_decimal_point():
    frame = pd.DataFrame({"mcc": [7.0, 5411.0, None] * 40, "a": 1.0, "is_fraud": [0, 1] * 60})

    table = from_frame(frame, DataConfig(categorical=("mcc",)), "payments.csv")

    (feature,) = (f for f in table.spec.features if f.name == "mcc")
    assert feature.categories == ("5411", "7")


def test_long_column_is_of_one_type_from_beginning_to_end(tmp_path):
    path = tmp_path / "long.csv"
    mcc = pd.Series(["0007"] * 300_000 + ["X001"])
    mcc.to_frame("mcc").to_csv(path, index=False)

    batches = FileSource(path).batches(100_000)
    found = {text for batch in batches for text in batch.column("mcc").unique().to_pylist()}
    assert found == {"0007", "X001"}
