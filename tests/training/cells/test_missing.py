"""Words that mean missing."""

import io

import pandas as pd
import pyarrow
import pytest

from tests.training.cells.columns import assert_same, reading_of, values_of
from training.cells import Dates, Numbers, Texts
from training.cells.missing import WORDS, are_missing, note_on

NAN = float("nan")


def test_words_of_pandas_are_among_them():
    from pandas._libs.parsers import STR_NA_VALUES

    assert set(WORDS) >= STR_NA_VALUES
    text = "x\n" + "\n".join(f'"{word}"' for word in STR_NA_VALUES)
    assert pd.read_csv(io.StringIO(text), skip_blank_lines=False)["x"].isna().all()


@pytest.mark.parametrize(
    "word",
    ["NA", "N/A", "n/a", "None", "null", "NULL", "nan", "NaN", r"\N", "-", "--", " ", "?", "$ -"],
)
def test_a_word_is_missing_among_numbers_and_among_dates(word):
    for cells, kind in ((["1.5", word, "2"], Numbers), (["2024-01-31", word], Dates)):
        reading = reading_of(cells)

        assert isinstance(reading, kind)
        assert reading.n_missing == 1
        assert "1 cell is read as missing" in reading.note

    assert_same(values_of(["1.5", word, "2"]), [1.5, NAN, 2])


def test_a_word_is_text_among_texts():
    assert isinstance(reading_of(["NA", "DE", "-"]), Texts)
    assert isinstance(reading_of(["NA", "NA"]), Texts)


def test_words_of_the_configuration_are_missing_too():
    cells = ["1.5", "unknown", "-999"]

    reading = reading_of(cells, missing_words=["unknown", "-999"])

    assert reading.n_missing == 2
    assert_same(reading.apply(pyarrow.array(cells), 0), [1.5, NAN, NAN])


def test_which_texts_are_words_can_be_asked_for_columns_of_texts():
    texts = pyarrow.array(["NA", " NA ", "DE", None, ""])

    assert are_missing(texts, ["NA"]).tolist() == [True, True, False, False, False]


def test_note_counts_the_words():
    assert note_on({}) is None
    assert note_on({"-": 1}) == "1 cell is read as missing: 1 '-'"
    expected = "1,207 cells are read as missing: 1,200 'NA', 5 '-', 2 of white space only"
    assert note_on({"": 2, "-": 5, "NA": 1200}) == expected
