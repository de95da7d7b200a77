"""Which values of a label column mean fraud."""

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.cells.columns import chunks_of
from training.cells import CellError, Refused
from training.cells.labels import MOST_VALUES, LabelScan, decide_labels


def scan_of(cells, sizes=()):
    """Look at a label column in chunks."""
    scan = LabelScan()
    for start, texts in chunks_of(cells, sizes):
        scan.add(texts, start)
    return scan


def labels_of(cells, positive=None):
    """Decide on a label column and read it."""
    return decide_labels(scan_of(cells), positive).apply(pyarrow.array(cells), 0).tolist()


@pytest.mark.parametrize(
    ("fraud", "legitimate"),
    [
        ("1", "0"),
        ("1.0", "0.0"),
        ("1", "-1"),
        ("1", "\u22121"),
        ("True", "False"),
        ("true", "FALSE"),
        ("Yes", "No"),
        ("y", "N"),
        ("T", "F"),
        ("fraud", "legit"),
        ("Fraud", "Legitimate"),
        ("FRAUD", "genuine"),
        ("Fraudulent", "normal"),
        ("fraud", "non-fraud"),
        (" Fraud ", "not fraud"),
    ],
)
def test_pairs_are_known(fraud, legitimate):
    cells = [legitimate, fraud, legitimate]

    assert labels_of(cells) == [0, 1, 0]
    assert labels_of([fraud]) == [1]
    assert labels_of([legitimate]) == [0]


def test_words_are_told_and_zeros_and_ones_need_no_note():
    assert decide_labels(scan_of(["1", "0", "1.0"])).note is None
    assert decide_labels(scan_of(["No", "Yes", "no"])).note == (
        "labels are read with 'Yes' as fraud and 'No', 'no' as legitimate"
    )


@pytest.mark.parametrize(
    "cells",
    [
        ["0", "1", "2"],
        ["yes", "0"],
        ["0", "1", "-1"],
        ["ok", "chargeback"],
        ["fraud", "no"],
        ["A", "B"],
        ["0.5", "0"],
    ],
)
def test_other_values_are_refused_with_the_cure(cells):
    refused = decide_labels(scan_of(cells))

    assert str(refused).startswith("labels must be 0 or 1, found " + ", ".join(map(repr, cells)))
    assert refused.cure == "say with --positive VALUE which of them means fraud"


def test_value_that_means_fraud_can_be_said():
    cells = ["ok", "chargeback", "pending"]

    assert labels_of(cells, "chargeback") == [0, 1, 0]
    assert labels_of(["0", "1"], "0") == [1, 0]
    assert labels_of(["1.0", "2.0"], "2") == [0, 1]
    assert "'chargeback' as fraud and 'ok', 'pending' as legitimate" in (
        decide_labels(scan_of(cells), "chargeback").note
    )
    assert "no label is 'fraud', found 'ok', 'chargeback'" in str(
        decide_labels(scan_of(cells), "fraud")
    )


@pytest.mark.parametrize("word", [None, " ", "NA", "null", "?"])
def test_cell_without_a_label_is_refused_naming_the_row(word):
    refused = decide_labels(scan_of(["0", "1", word, "1", word], sizes=[3]))

    assert refused.reason == "2 rows have no label"
    assert [example.row for example in refused.examples] == [2, 4]
    assert "one row has no label" in str(decide_labels(scan_of([word]), "fraud"))


def test_column_of_many_values_is_no_label():
    cells = [str(number) for number in range(MOST_VALUES + 500)]

    refused = decide_labels(scan_of(cells, sizes=[5, 40]), "5")

    assert "more than 20 different labels" in refused.reason
    assert len(scan_of(cells).values) == MOST_VALUES + 1


def test_label_that_another_table_has_is_refused():
    labels = decide_labels(scan_of(["yes", "no"]))

    with pytest.raises(CellError, match="row 4 holds 'maybe', expected a label: 'no' or 'yes'"):
        labels.apply(pyarrow.array(["yes", "maybe"]), 3)
    with pytest.raises(CellError, match="row 0 is empty"):
        labels.apply(pyarrow.array([None], pyarrow.string()), 0)


@given(
    cells=st.lists(st.sampled_from(["0", "1", "yes", "No", "x", None, "NA"])),
    sizes=st.lists(st.integers(0, 4)),
)
def test_chunks_do_not_matter(cells, sizes):
    whole = decide_labels(scan_of(cells))

    assert decide_labels(scan_of(cells, sizes)) == whole
    if not isinstance(whole, Refused):
        whole.apply(pyarrow.array(cells, pyarrow.string()), 0)
