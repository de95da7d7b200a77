"""Scores in a CSV file that somebody opens in a spreadsheet."""

import pandas as pd
import pyarrow
import pytest

from training.spreadsheets import escaped, is_formula


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "=cmd|' /C calc'!A0",
        "-1|x",
        "\uff1d1",
        "+",
    ],
)
def test_formulas_are_escaped(text):
    frame, n_escaped = escaped(pd.DataFrame({"id": pd.array([text, "t-1"], "string")}))

    assert list(frame["id"]) == [f"'{text}", "t-1"]
    assert n_escaped == 1


@pytest.mark.parametrize("text", ["-5", "+491234", "-1.5", "-1,234.50", "t-1", "'=1", "a=b", ""])
def test_numbers_and_texts_are_not(text):
    assert not is_formula(text)


def test_numbers_missing_cells_and_other_columns_stay():
    frame = pd.DataFrame(
        {
            "=name": pd.array([-1, 2, 3]),
            "id": pd.array(["=a", None, "b"], pd.ArrowDtype(pyarrow.large_string())),
            "day": pd.array([1, 2, None], pd.ArrowDtype(pyarrow.date32())),
            "score": [-0.5, 0.25, 1.0],
        }
    )

    result, n_escaped = escaped(frame)

    assert n_escaped == 2
    assert list(result.columns) == ["'=name", "id", "day", "score"]
    assert list(result["id"][[0, 2]]) == ["'=a", "b"]
    assert pd.isna(result["id"][1])
    for before, after in (("=name", "'=name"), ("day", "day"), ("score", "score")):
        pd.testing.assert_series_equal(frame[before], result[after], check_names=False)
