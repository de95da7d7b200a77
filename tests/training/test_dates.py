"""Dates that are not the transaction's time: known by role, and read as the time between."""

import io
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from app import create_app
from model.cells import epoch_seconds
from model.golden_answers import GOLDEN_TOLERANCE
from tests.training.runs import train
from tests.training.tables import mixed_frame, plain_frame, times
from training.analysis import analysis
from training.batch import score_frame
from training.config import DataConfig
from training.data import from_frame, matrix_of
from training.errors import DataError
from training.promote import promote

DAY = 86_400.0
N_ROWS = 1500


def dated_frame():
    """Return transactions of customers of whom the young are defrauded."""
    rng = np.random.default_rng(3)
    frame = mixed_frame(N_ROWS)
    years = np.where(
        frame["is_fraud"] == 1, rng.integers(1995, 2007, N_ROWS), rng.integers(1940, 2007, N_ROWS)
    )
    births = pd.Series(
        [f"{year}-{1 + n % 12:02d}-{1 + n % 28:02d}" for n, year in enumerate(years)]
    )
    frame["date_of_birth"] = births.where(rng.random(N_ROWS) > 0.1)
    frame["card_expires"] = (
        pd.to_datetime(frame["transaction_time"])
        + pd.to_timedelta(rng.integers(1, 1000, N_ROWS), "D")
    ).dt.strftime("%Y-%m-%d")
    return frame


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a run on transactions with two dates beside their time."""
    return train(dated_frame(), tmp_path_factory.mktemp("dates"))


def spec_of(frame, **config):
    """Return the specification and the notes of a frame."""
    table = from_frame(frame, DataConfig(**config), "cards.csv")
    return table.spec, table.notes


def test_roles_are_those_of_the_time_and_of_all_other_dates(run):
    spec = run.artifact.scorer.spec

    assert (spec.time, spec.dates) == ("transaction_time", ("date_of_birth", "card_expires"))
    assert run.artifact.manifest["training_data"]["notes"] == []


def test_typical_days_are_those_of_legitimate_training_rows(run):
    spec, frame = run.artifact.scorer.spec, dated_frame().iloc[run.parts.train]
    frame = frame[frame["is_fraud"] == 0]
    ages = pd.to_datetime(frame["transaction_time"]) - pd.to_datetime(frame["date_of_birth"])
    days = (ages.dropna() / pd.Timedelta(days=1)).to_numpy()

    birth = spec.features[spec.names.index("date_of_birth")]

    np.testing.assert_allclose(birth.typical_days, np.quantile(days, [0.05, 0.95]))
    central = spec.central_row()[0]
    age = (central[spec.time_column] - central[spec.names.index("date_of_birth")]) / DAY
    assert age == pytest.approx(np.median(days))
    assert spec.features[spec.time_column].typical_days is None


def test_what_an_age_says_is_learned(run):
    """With the calendar alone of a birth no more could be known than without it."""
    scorer = run.artifact.scorer
    row = scorer.spec.central_row()
    young, old = row.copy(), row.copy()
    column = scorer.spec.names.index("date_of_birth")
    young[0, column], old[0, column] = epoch_seconds("2004-05-05"), epoch_seconds("1946-05-05")

    assert scorer.logits(young).mean() > scorer.logits(old).mean() + 1


@settings(max_examples=40, deadline=None)
@given(
    years=st.sets(st.integers(1930, 2010), min_size=3, max_size=3),
    hour=st.integers(0, 23),
    birth=st.sampled_from(["02-03", "11-30", "07-15"]),
)
def test_three_birth_years_are_three_encodings_and_scores(run, years, hour, birth):
    scorer = run.artifact.scorer
    rows = [
        {**transactions()[0], "date_of_birth": f"{year}-{birth}",
         "transaction_time": f"2026-01-12T{hour:02d}:00:00"}
        for year in years
    ]  # fmt: skip

    matrix = scorer.spec.matrix_from_rows(rows)

    for encoded in (scorer.preprocessor.transform(matrix, bins=bins) for bins in (True, False)):
        assert len(np.unique(encoded, axis=0)) == 3
    assert len(set(scorer.score(matrix).logits)) == 3
    assert len(set(scorer.anomaly(matrix).reconstruction_error)) == 3


def transactions():
    """Return rows of the table as a client sends them."""
    rows = dated_frame().drop(columns="is_fraud").head(30).to_dict("records")
    return [{name: None if pd.isna(v) else v for name, v in row.items()} for row in rows]


def test_contributions_add_up_and_an_age_counts_for_its_date(run):
    scorer = run.artifact.scorer
    matrix = scorer.spec.matrix_from_rows(transactions())
    reference = scorer.spec.central_row()

    contributions = scorer.contributions(matrix)

    # in float64 contributions add up exactly; the logits are those of the float32 network
    difference = scorer.logits(matrix).mean(axis=0) - scorer.logits(reference).mean(axis=0)
    np.testing.assert_allclose(contributions.sum(axis=1), difference, atol=1e-4)
    changed = reference.copy()
    column = scorer.spec.names.index("date_of_birth")
    changed[0, column] -= 20 * 365 * DAY
    only = scorer.contributions(changed)[0]
    assert only[column] != 0
    assert not np.delete(only, column).any()
    anomalies = scorer.anomaly(matrix)
    np.testing.assert_allclose(anomalies.shares.sum(axis=1), anomalies.reconstruction_error)


def test_file_and_service_say_the_same(run):
    models = run.artifact.path.parent
    promote(models, run.artifact.version)
    client = create_app({"MODEL_DIR": models}).test_client()
    frame = dated_frame().head(30)

    answers = client.post("/predict?explain=true", json=transactions()).get_json()["predictions"]

    scores = score_frame(run.artifact.scorer, frame, "cards.csv")
    np.testing.assert_allclose(
        [row["probability"] for row in answers], scores["probability"], atol=1e-6
    )
    codes = {reason["code"] for row in answers for reason in row["reasons"]}
    assert {"DATE_OF_BIRTH_LATE", "DATE_OF_BIRTH_DATE"} <= codes
    for row in answers:
        for reason in row["reasons"]:
            if reason["feature"] == "date_of_birth" and reason["value"] is not None:
                first, last = reason["typical"]
                assert first[:3] == "194"
                assert last[:2] == "20"
    card = client.get("/model").get_json()
    assert (card["time"], card["dates"]) == ("transaction_time", ["date_of_birth", "card_expires"])
    described = client.get("/openapi.json").text
    assert "Read as the days from it to the transaction" in described


def test_box_of_a_transaction_gives_the_typical_range_as_dates(run):
    printed = io.StringIO()
    row = {**transactions()[0], "date_of_birth": "2006-12-31"}

    Console(file=printed, width=200).print(analysis(run.artifact, row))

    _, line = printed.getvalue().split("DATE_OF_BIRTH_LATE")
    assert re.search(
        r"2006-12-31T00:00:00\+00:00, typical is 19\d\d-\d\d-\d\d to 200\d-\d\d-\d\d ", line
    )


def test_missing_date_is_as_far_away_as_the_median_and_is_indicated(run):
    preprocessor, spec = run.artifact.scorer.preprocessor, run.artifact.scorer.spec
    column = spec.names.index("date_of_birth")
    matrix = np.repeat(spec.central_row(), 2, axis=0)
    matrix[0, column] = np.nan
    days = spec.days_since(column, run.table.matrix[run.parts.train])

    completed = preprocessor.complete(matrix)

    assert completed[0, -2] == pytest.approx(np.nanmedian(days))
    moved = preprocessor.transform(matrix)
    assert np.count_nonzero(moved[0] != moved[1])


def test_golden_rows_watch_the_days(run):
    """A model that counts its days to another moment does not score them as it did."""
    with np.load(run.artifact.path) as arrays:
        rows, logits = arrays["golden.rows"], arrays["golden.logits"]
    scorer = run.artifact.scorer
    np.testing.assert_allclose(scorer.logits(rows), logits, rtol=GOLDEN_TOLERANCE)

    spoiled = replace(scorer.preprocessor, moment=np.zeros(0, np.intp))
    untimed = replace(scorer.spec, time=None)
    found = replace(scorer, spec=untimed, preprocessor=spoiled).logits(rows)

    assert not np.allclose(found, logits, rtol=GOLDEN_TOLERANCE, atol=GOLDEN_TOLERANCE)


def test_calendar_can_be_left_out_and_the_days_stay(tmp_path):
    run = train(dated_frame(), tmp_path, data={"time_features": False}, task="fraud")

    preprocessor, spec = run.artifact.scorer.preprocessor, run.artifact.scorer.spec
    assert spec.dates == ("date_of_birth", "card_expires")
    of_time = preprocessor.sources == spec.time_column
    assert not of_time.any()  # it is read only to count the days
    assert len(preprocessor.dates) == 0
    assert len(preprocessor.elapsed) == 2


def test_without_calendar_a_time_that_no_date_needs_is_left_out():
    spec, _ = spec_of(plain_frame(Time=..., date=times(40)), time_features=False)

    assert spec.names == ("V1", "Amount")
    with pytest.raises(DataError, match="no column is left"):
        spec_of(plain_frame(Time=..., V1=..., Amount=..., date=times(40)), time_features=False)


@pytest.mark.parametrize("name", ["dob", "birth_date", "signUpDate", "sign_up", "card_expiry"])
def test_a_lone_date_whose_name_says_otherwise_is_not_the_time(name):
    frame = plain_frame(Time=..., **{name: times(40)})
    table = from_frame(frame, DataConfig(), "cards.csv")

    assert (table.spec.time, table.spec.dates, table.times) == (None, (name,), None)
    assert table.notes == (
        f"dates ({name}) enter as days since 1970: no column is known as the time; name it with "
        "--time, so that they enter as the days up to it",
    )


def test_a_lone_date_is_the_time_as_ever():
    table = from_frame(plain_frame(Time=..., moment=times(40)), DataConfig(), "cards.csv")

    assert (table.spec.time, table.spec.dates, table.notes) == ("moment", (), ())
    assert len(table.times) == 40


def test_beside_a_numeric_time_dates_are_counted_from_1970():
    spec, notes = spec_of(plain_frame(dob=times(40)))

    assert (spec.time, spec.dates) == (None, ("dob",))
    assert notes == ("dates (dob) enter as days since 1970: the time column is no date-time",)
    matrix = matrix_of(plain_frame(dob=times(40)), spec, "x")
    np.testing.assert_allclose(
        spec.days_since(spec.date_columns[0], matrix), -matrix[:, spec.date_columns[0]] / DAY
    )
