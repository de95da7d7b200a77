"""A table for training: columns found, problems told."""

import numpy as np
import pandas as pd
import pytest

from tests.training.tables import mixed_frame, plain_frame
from training.column_names import ONLY_BESIDE
from training.config import DataConfig
from training.data import (
    AMOUNTS,
    LABELS,
    TIMES,
    from_frame,
    labelled,
    load,
)
from training.errors import DataError
from training.tables.source import FrameSource


def refusal_of(frame, needs_label=True, **config):
    """Return the error that a frame is refused with."""
    with pytest.raises(DataError) as caught:
        from_frame(frame, DataConfig(**config), "cards.csv", needs_label=needs_label)
    assert caught.value.source == "cards.csv"
    assert str(caught.value).startswith("cards.csv")
    return caught.value


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_all_formats_give_the_same_table(tmp_path, suffix):
    frame = mixed_frame(400)
    path = tmp_path / f"cards{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False)

    table = load(DataConfig(path=str(path), id="payment_id"))
    reference = from_frame(frame, DataConfig(id="payment_id"), "memory")

    assert table.spec == reference.spec
    np.testing.assert_array_equal(table.matrix, reference.matrix)
    np.testing.assert_array_equal(table.labels, reference.labels)
    np.testing.assert_array_equal(table.times, reference.times)
    assert table.digest == reference.digest
    assert len(table) == 400


def test_columns_of_the_well_known_table_need_no_names():
    table = from_frame(plain_frame(), DataConfig(), "cards.csv")

    assert table.spec.names == ("Time", "V1", "Amount")
    assert table.spec.amount == "Amount"
    assert table.labels.sum() == 10
    np.testing.assert_array_equal(table.times, np.arange(40))


@pytest.mark.parametrize("name", LABELS)
def test_label_is_found_by_its_usual_names(name):
    table = from_frame(plain_frame().rename(columns={"Class": name}), DataConfig(), "cards.csv")

    assert name not in table.spec.names
    assert table.labels.sum() == 10


@pytest.mark.parametrize("name", TIMES)
def test_time_is_found_by_its_usual_names(name):
    frame = plain_frame(Time=1.7e9 + np.arange(40)).rename(columns={"Time": name})
    if name in ONLY_BESIDE:
        frame[ONLY_BESIDE[name]] = np.arange(40)

    table = from_frame(frame, DataConfig(), "cards.csv")

    np.testing.assert_array_equal(table.times, 1.7e9 + np.arange(40))


@pytest.mark.parametrize("name", AMOUNTS)
def test_amount_is_found_by_its_usual_names(name):
    table = from_frame(plain_frame().rename(columns={"Amount": name}), DataConfig(), "cards.csv")

    assert table.spec.amount == name


def test_columns_can_be_named():
    frame = plain_frame(
        n_rows=40,
        Time=...,
        Class=...,
        Amount=...,
        outcome=[0, 1] * 20,
        seen=1.7e9 + np.arange(40)[::-1],
        euros=1.5,
        number=np.arange(40),
        hint="x",
    )

    table = from_frame(
        frame,
        DataConfig(label="outcome", time="seen", amount="euros", id="number", drop=("hint",)),
        "cards.csv",
    )

    assert table.spec.names == ("V1", "seen", "euros")
    assert (table.spec.amount, table.spec.id_column) == ("euros", "number")
    assert table.times[0] == 1.7e9 + 39


def test_transaction_id_is_an_id_without_being_named():
    table = from_frame(plain_frame(transaction_id=np.arange(40)), DataConfig(), "cards.csv")

    assert table.spec.names == ("Time", "V1", "Amount")
    assert table.spec.id_keys == ("transaction_id",)


def test_time_as_text_orders_and_stays_a_feature():
    frame = plain_frame(Time=pd.date_range("2026", periods=40, freq="h").astype(str))

    table = from_frame(frame, DataConfig(), "cards.csv")

    assert table.spec.features[0].kind == "datetime"
    np.testing.assert_array_equal(np.diff(table.times), 3600)


def test_table_without_time_and_amount_is_fine():
    table = from_frame(plain_frame(Time=..., Amount=...), DataConfig(), "cards.csv")

    assert (table.times, table.spec.amount) == (None, None)


@pytest.mark.parametrize("key", ["label", "time", "amount", "id"])
def test_named_column_that_is_not_there_is_refused_listing_those_that_are(key):
    error = refusal_of(plain_frame(), **{key: "nowhere"})

    assert error.column == "nowhere"
    assert "['Time', 'V1', 'Amount', 'Class']" in error.reason


def test_dropping_a_column_that_is_not_there_is_refused():
    assert refusal_of(plain_frame(), drop=("V1", "nowhere")).column == "nowhere"


def test_table_without_label_is_refused_saying_where_it_was_looked_for():
    error = refusal_of(plain_frame(Class=...))

    assert "class, is fraud" in error.reason
    assert "--label" in error.reason


def test_table_without_label_will_do_where_none_is_needed():
    table = from_frame(plain_frame(Class=...), DataConfig(), "cards.csv", needs_label=False)

    assert table.labels is None


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_only_is_refused_naming_the_column(label):
    error = refusal_of(plain_frame(Class=label))

    assert error.column == "Class"
    assert error.reason == f"all labels are {label}, both classes are needed"


def test_one_class_will_do_where_no_label_is_needed():
    table = from_frame(plain_frame(Class=0), DataConfig(), "cards.csv", needs_label=False)

    assert not table.labels.any()


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ([0, 1, 2, 0.5] * 10, "labels must be 0 or 1, found '0', '1', '2', '0.5'"),
        ([0, 1, None, 0] * 10, "10 rows have no label (row 2: ''"),
        (["0", "maybe", "1", "0"] * 10, "labels must be 0 or 1, found '0', 'maybe', '1'"),
        ([0, 1, np.inf, 1] * 10, "labels must be 0 or 1, found '0', '1', 'inf'"),
        (["good", "bad"] * 20, "--positive"),
    ],
)
def test_labels_that_say_nothing_are_refused(labels, reason):
    error = refusal_of(plain_frame(Class=labels))

    assert error.column == "Class"
    assert reason in error.reason


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        ([True, False], None),
        (["1", "0"], None),
        ([1.0, 0.0], None),
        ([1, -1], None),
        (["Yes", "no"], None),
        (["Fraud", "legit"], None),
        (["bad", "good"], "bad"),
        ([0, 1], "0"),
    ],
)
def test_labels_are_read_however_they_are_written(labels, positive):
    frame = plain_frame(Class=labels * 20)
    config = DataConfig(positive=positive)

    table = from_frame(frame, config, "cards.csv")

    assert table.labels.tolist() == [1, 0] * 20
    again, matrix = labelled(FrameSource(frame, "cards.csv"), table.spec, config)
    np.testing.assert_array_equal(again, table.labels)
    np.testing.assert_array_equal(matrix, table.matrix)


def test_labels_that_are_not_0_and_1_are_told():
    table = from_frame(plain_frame(Class=["yes", "no"] * 20), DataConfig(), "cards.csv")

    assert "labels are read with 'yes' as fraud and 'no' as legitimate" in table.notes


def test_table_to_evaluate_needs_a_label():
    spec = from_frame(plain_frame(), DataConfig(), "cards.csv").spec

    with pytest.raises(DataError, match="no label column found"):
        labelled(FrameSource(plain_frame(Class=...), "new"), spec, DataConfig())
    with pytest.raises(DataError, match="no rows"):
        labelled(FrameSource(plain_frame().iloc[:0], "new"), spec, DataConfig())


def test_empty_table_is_refused():
    assert refusal_of(plain_frame().iloc[:0]).reason == "the table has no rows"


def test_column_without_any_value_is_left_out_with_a_note():
    table = from_frame(plain_frame(V1=np.nan), DataConfig(), "cards.csv")

    assert table.spec.names == ("Time", "Amount")
    assert "column 'V1' has no values at all and is left out" in table.notes


def test_junk_in_a_numeric_column_is_refused_naming_it():
    error = refusal_of(plain_frame(V1=["1"] * 38 + ["none", "??"]))

    assert error.column == "V1"
    assert "one cell is not (row 39: '??')" in error.reason


def test_infinite_values_are_refused_naming_the_row():
    error = refusal_of(plain_frame(V1=[0.0] * 39 + [np.inf]))

    assert (error.column, error.reason) == ("V1", "row 39 holds inf, expected a finite number")


def test_training_rows_outside_of_declared_bounds_are_refused():
    error = refusal_of(plain_frame(), bounds={"Amount": {"minimum": 2}})

    assert (error.column, error.reason) == ("Amount", "row 0 holds 1, expected at least 2")


def test_rows_without_a_readable_time_are_refused():
    frame = plain_frame(Time=["2026-01-01"] * 30 + [None] * 10)

    assert refusal_of(frame).reason == "10 rows have no readable time, row 30 first"


@pytest.mark.parametrize("amount", [["a", "b"] * 20, [True, False] * 20, [None] * 40])
@pytest.mark.parametrize("named", [None, "Amount"])
def test_amount_that_holds_no_numbers_is_refused(amount, named):
    error = refusal_of(plain_frame(Amount=amount), amount=named)

    assert error.column == "Amount"
    assert "numbers" in error.reason


def test_amount_that_is_dropped_cannot_be_the_amount():
    assert refusal_of(plain_frame(), amount="Amount", drop=("Amount",)).column == "Amount"
    assert from_frame(plain_frame(), DataConfig(drop=("Amount",)), "x").spec.amount is None


def test_no_file_is_refused():
    with pytest.raises(DataError, match="no file given"):
        load(DataConfig())


def test_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv: no such file"):
        load(DataConfig(path=str(tmp_path / "none.csv")))


def test_digest_depends_on_every_value_and_on_nothing_else():
    frame = plain_frame()
    reference = from_frame(frame, DataConfig(), "a").digest

    assert from_frame(frame.copy(), DataConfig(), "b").digest == reference
    for name in frame:
        changed = frame.copy()
        changed.loc[7, name] = 1 - changed.loc[7, name]
        assert from_frame(changed, DataConfig(), "a").digest != reference, name
    assert from_frame(frame.rename(columns={"V1": "V2"}), DataConfig(), "a").digest != reference


@pytest.mark.parametrize("name", ["TransactionAmount", "transaction_amount", "Transaction Amount"])
def test_usual_names_are_known_however_they_are_spelt(name):
    frame = pd.DataFrame({name: [1.0, 2.0, 3.0], "Is Fraud": [0, 1, 0]})

    table = from_frame(frame, DataConfig(), "cards.csv")

    assert table.spec.amount == name
    assert table.labels.tolist() == [0, 1, 0]


def test_only_date_of_a_table_orders_its_rows():
    frame = pd.DataFrame(
        {"a": [1.0, 2.0], "settled": ["2026-01-02", "2026-01-01"], "is_fraud": [0, 1]}
    )

    table = from_frame(frame, DataConfig(), "cards.csv")

    assert (np.diff(table.times) == -86_400).all()


def test_text_that_differs_wherever_it_is_present_is_left_out():
    texts = [f"user-{n}" if n % 3 else None for n in range(300)]
    frame = pd.DataFrame({"a": range(300), "user": texts, "is_fraud": [0, 1] * 150})

    table = from_frame(frame, DataConfig(), "cards.csv")

    assert table.spec.names == ("a",)
    assert "'user'" in table.notes[0]


def test_a_date_with_gaps_orders_nothing_unless_it_is_named():
    dates = ["2026-01-01T00:00:00", None] * 20
    frame = plain_frame(Time=..., last_login=dates)

    assert from_frame(frame, DataConfig(), "cards.csv").times is None
    assert refusal_of(frame, time="last_login").reason == (
        "20 rows have no readable time, row 1 first"
    )


@pytest.mark.parametrize("name", ["probability", "decision", "model", "threshold", "transactions"])
def test_columns_named_like_keys_of_an_answer_are_refused_with_the_cure(name):
    frame = plain_frame(**{name: np.arange(40)})

    for config in ({}, {"id": name}):
        error = refusal_of(frame, **config)
        assert f"['{name}'] are named like keys" in error.reason
        assert f"--drop {name}" in error.reason
    assert from_frame(frame, DataConfig(drop=(name,)), "x").spec.names == ("Time", "V1", "Amount")


def test_a_feature_may_be_called_score_and_an_id_may_not():
    frame = plain_frame(score=np.arange(40))

    table = from_frame(frame, DataConfig(), "cards.csv")

    assert "score" in table.spec.names
    assert "'score'" in table.notes[0]
    assert "['score']" in refusal_of(frame, id="score").reason


@pytest.mark.parametrize(
    ("name", "numbers", "unit", "seconds"),
    [
        ("Time", [0, 3600], None, [0, 3600]),
        ("step", [1, 2], None, [3600, 7200]),
        ("when", [1_700_000_000_000, 1_700_000_001_000], None, [1.7e9, 1.7e9 + 1]),
        ("when", [20240101, 20240102], None, [1704067200, 1704153600]),
        ("when", [1, 2], "day", [86_400, 172_800]),
    ],
)
def test_numeric_times_are_seconds_by_their_unit(name, numbers, unit, seconds):
    frame = plain_frame(**{"Time": ..., name: numbers * 20})

    table = from_frame(frame, DataConfig(time=name, time_unit=unit), "cards.csv")

    assert table.times[:2].tolist() == seconds
    assert table.are_dated == (seconds[0] > 1e9)
    is_told = any(note.startswith(f"column {name!r}: its numbers are") for note in table.notes)
    assert is_told == (name != "Time")
    column = table.spec.names.index(name)
    assert table.matrix[:2, column].tolist() == numbers


def test_numeric_time_of_an_unknown_unit_is_asked_for():
    error = refusal_of(plain_frame(Time=..., when=np.arange(40)), time="when")

    assert (error.column, "--time-unit" in error.reason) == ("when", True)
