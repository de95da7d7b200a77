"""A trained model in Python: loaded from a file or a folder, answering to every form of rows."""

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import TrainedModel, load
from model.errors import ArtifactNotFoundError, ConfigurationError, FeatureError, TaskError
from model.features import Feature, FeatureSpec
from model.tables import matrix_of
from tests.factories import TINY_FEATURES, save_tiny, valid_row, write_tiny_artifact

NAN = float("nan")
NAMES = [feature.name for feature in TINY_FEATURES]
SPEC = FeatureSpec(TINY_FEATURES, "payment_id", "Amount")
ROWS = [
    valid_row(),
    valid_row(V2=None, is_new_device=True, merchant_category="games"),
    valid_row(Amount=900.25, V1=3.0, is_new_device=None, merchant_category="never seen"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of a small model with a champion."""
    directory = tmp_path_factory.mktemp("tiny")
    write_tiny_artifact(directory)
    return directory


@pytest.fixture(scope="module")
def trained(folder):
    """Return the small model, loaded."""
    return load(folder)


def typed_frame():
    """Return the rows as a frame whose columns have the types that pandas gives them."""
    frame = pd.DataFrame(ROWS)
    frame["transaction_time"] = pd.to_datetime(frame["transaction_time"])
    frame["is_new_device"] = frame["is_new_device"].astype("boolean")
    frame["merchant_category"] = frame["merchant_category"].astype("category")
    return frame


def structured():
    """Return the rows as a structured array; booleans as numbers, which can be missing there."""
    kinds = ["f8", "f8", "f8", "f8", "U20", "M8[s]"]
    filled = [{**row, "V2": row["V2"] or NAN} for row in ROWS]
    for row in filled:
        row["is_new_device"] = {None: NAN, True: 1.0, False: 0.0}[row["is_new_device"]]
    return np.array(
        [tuple(row[name] for name in NAMES) for row in filled],
        list(zip(NAMES, kinds, strict=True)),
    )


WAYS = {
    "list of dicts": lambda: ROWS,
    "generator": lambda: iter(ROWS),
    "rows of values": lambda: [[row[name] for name in NAMES] for row in ROWS],
    "tuples": lambda: [tuple(row[name] for name in NAMES) for row in ROWS],
    "array of objects": lambda: np.array([[row[n] for n in NAMES] for row in ROWS], object),
    "structured array": structured,
    "frame of objects": lambda: pd.DataFrame(ROWS).astype(object),
    "frame as read": lambda: pd.DataFrame(ROWS),
    "frame of types": typed_frame,
    "frame with a time zone": lambda: typed_frame().assign(
        transaction_time=lambda f: (
            f["transaction_time"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
        )
    ),
    "frame with an index": lambda: typed_frame().set_index(pd.Index([7, 7, 9])),
    "frame in another order": lambda: typed_frame()[NAMES[::-1]].assign(label=1),
    "rows of a frame": lambda: [row for _, row in typed_frame().iterrows()],
    "records of a frame": lambda: typed_frame().to_dict("records"),
    "dict of lists": lambda: {name: [row[name] for row in ROWS] for name in [*NAMES]},
    "dict of columns": lambda: dict(typed_frame().items()),
    "arrow table": lambda: pyarrow.Table.from_pandas(typed_frame()),
    "arrow batch": lambda: pyarrow.RecordBatch.from_pandas(typed_frame()),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_form_of_the_same_rows_is_scored_the_same(way, trained):
    expected = trained.artifact.scorer.score(SPEC.matrix_from_rows(ROWS))

    np.testing.assert_array_equal(trained.score(WAYS[way]()), expected.score)
    np.testing.assert_array_equal(trained.predict_proba(WAYS[way]())[:, 1], expected.probability)


@pytest.mark.parametrize("one", [ROWS[0], [ROWS[0]], pd.Series(ROWS[0]), typed_frame().iloc[0]])
def test_one_transaction_is_a_table_of_one_row(one, trained):
    assert trained.score(one).shape == (1,)
    assert trained.score(one) == trained.score(ROWS)[0]
    assert len(trained.explain(one)) == 1


@pytest.mark.parametrize("nothing", [[], pd.DataFrame(ROWS)[:0], {name: [] for name in NAMES}])
def test_no_rows_give_no_answers(nothing, trained):
    assert trained.score(nothing).shape == (0,)
    assert trained.predict_proba(nothing).shape == (0, 2)
    assert trained.explain(nothing) == []


def test_answers_are_those_of_the_scorer(trained):
    scorer, matrix = trained.artifact.scorer, SPEC.matrix_from_rows(ROWS)
    scores = scorer.score(matrix)

    assert trained.score(ROWS).tolist() == scores.score.tolist()
    assert trained.predict_proba(ROWS).sum(axis=1).tolist() == [1.0] * 3
    names = ["approve", "review", "block"]
    assert trained.decide(ROWS).tolist() == [names[code] for code in scores.decision]
    assert trained.explain(ROWS) == scorer.reasons(matrix)
    anomaly_scores = scorer.anomaly(matrix).anomaly_score
    assert trained.anomaly_score(ROWS).tolist() == anomaly_scores.tolist()


def test_large_tables_are_scored_in_order(trained, monkeypatch):
    monkeypatch.setattr("model.trained.CHUNK_ROWS", 2)
    rows = [valid_row(V1=value) for value in np.linspace(-3, 3, 7)]

    found = trained.predict_proba(rows)[:, 1]

    alone = [trained.predict_proba(row)[0, 1] for row in rows]
    np.testing.assert_allclose(found, alone, rtol=1e-5)
    assert len(trained.explain(rows)) == 7


def test_model_is_loaded_from_a_file_too_and_says_what_it_is(folder, trained):
    again = load(str(next(folder.glob("*.npz"))))

    assert again.score(ROWS).tolist() == trained.score(ROWS).tolist()
    assert isinstance(again, TrainedModel)
    version = trained.artifact.version
    assert (
        repr(again) == f"TrainedModel('tiny', version '{version}', fraud and anomaly, 6 features)"
    )
    assert (again.name, again.version, again.features) == ("tiny", version, tuple(NAMES))


def test_artifact_shows_itself_on_one_line(trained):
    assert len(repr(trained.artifact)) < 300


def test_where_there_is_no_model_the_error_says_so(tmp_path):
    with pytest.raises(ArtifactNotFoundError, match="no such artifact"):
        load(tmp_path / "nothing")
    with pytest.raises(ArtifactNotFoundError, match="no model has been promoted here"):
        load(tmp_path)


def test_model_without_a_classifier_refuses_to_score(tmp_path):
    detector = TrainedModel(save_tiny(tmp_path, tasks="anomaly"))

    assert "'tiny', version" in repr(detector)
    assert detector.anomaly_score(ROWS).shape == (3,)
    with pytest.raises(TaskError, match="without the task 'fraud'"):
        detector.score(ROWS)


@pytest.mark.parametrize(
    ("transactions", "message"),
    [
        (5, "transactions are dicts, a frame or rows of values, got int: 5"),
        (None, "got NoneType"),
        ("grocery", "got str: 'grocery'"),
        (np.zeros((3, 4)), r"6 features in order, 'Amount' to 'transaction_time'.*got \(3, 4\)"),
        (np.zeros(6), r"got \(6,\); a single row is written \[row\]"),
        ([[1.0, 2.0], [1.0]], "row 1 has 1 values, row 0 has 2"),
        (pd.DataFrame({"V2": [1.0]}), r"needs the columns \['Amount', 'V1', 'merchant_category'"),
        ({**{name: [1.0] for name in NAMES}, "V1": [1, 2]}, "differ in length.*'V1': 2"),
        (pd.concat([pd.DataFrame(ROWS)] * 2, axis=1), "column 'Amount' .* twice"),
    ],
)
def test_what_holds_no_transactions_is_refused_with_the_cure(transactions, message, trained):
    with pytest.raises(ConfigurationError, match=message):
        trained.score(transactions)


@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        ([valid_row(Amuont=1)], {0: {"Amuont": ["Unknown field. Did you mean 'Amount'?"]}}),
        ([ROWS[0], valid_row(V1="2")], {1: {"V1": ["Not a valid number."]}}),
        ([valid_row(V1=NAN)], {0: {"V1": ["Field may not be null."]}}),
        ([ROWS[0], 5], {1: {"_schema": ["Invalid input type: expected an object."]}}),
        ([valid_row(V1=...)], {0: {"V1": ["Missing data for required field."]}}),
    ],
)
def test_dicts_are_refused_as_json_is(rows, problems, trained):
    with pytest.raises(FeatureError) as caught:
        trained.score(rows)

    assert caught.value.problems == problems


FINITE = "Special numeric values (nan or infinity) are not permitted."
BAD_COLUMNS = {
    "missing number": ("V1", [1.0, NAN, 2.0], {1: "Field may not be null."}),
    "infinity": ("V1", [1.0, 2.0, math.inf], {2: FINITE}),
    "below the bound": ("Amount", [-1, 2, 3], {0: "Must be greater than or equal to 0."}),
    "text of a number": ("V1", ["1", "2", "3"], dict.fromkeys(range(3), "Not a valid number.")),
    "truth in a number": ("V1", [True] * 3, dict.fromkeys(range(3), "Not a valid number.")),
    "two in a truth": ("is_new_device", [0, 1, 2], {2: "Not a valid boolean."}),
    "text of a truth": ("is_new_device", [True, "no", None], {1: "Not a valid boolean."}),
    "number in a category": (
        "merchant_category",
        [1, 2, 3],
        dict.fromkeys(range(3), "Not a valid string."),
    ),
    "missing category": ("merchant_category", ["games", None, "x"], {1: "Field may not be null."}),
    "missing date": (
        "transaction_time",
        pd.to_datetime(["2026-01-01", None, "2026-01-03"]),
        {1: "Field may not be null."},
    ),
    "number in a date": (
        "transaction_time",
        [1.0, 2.0, 3.0],
        dict.fromkeys(range(3), "Not a valid datetime: expected ISO 8601, as 2026-01-31T13:45:00."),
    ),
    "date that means never": (
        "transaction_time",
        np.array(["2026-01-01", "9999-12-31", "12026-01-01"], "M8[s]"),
        {1: "Field may not be null.", 2: "Field may not be null."},
    ),
}


@pytest.mark.parametrize("case", BAD_COLUMNS)
def test_frames_are_refused_by_row_and_column(case, trained):
    name, values, messages = BAD_COLUMNS[case]

    with pytest.raises(FeatureError) as caught:
        trained.score(pd.DataFrame(ROWS).assign(**{name: values}))

    assert caught.value.problems == {row: {name: [text]} for row, text in messages.items()}


def test_problems_of_a_large_table_are_those_of_its_first_rows(trained):
    frame = pd.DataFrame(ROWS * 100).assign(V1=math.inf, merchant_category=None)

    with pytest.raises(FeatureError) as caught:
        trained.score(frame)

    assert list(caught.value.problems) == list(range(100))
    assert set(caught.value.problems[99]) == {"V1", "merchant_category"}


def test_codes_are_read_as_tables_write_them():
    spec = FeatureSpec((Feature("code", "categorical", nullable=True, categories=("42", "5411")),))

    def codes(values):
        return matrix_of(pd.DataFrame({"code": values}), spec)[:, 0].tolist()

    assert codes([42, 5411, 7]) == [0, 1, 2]
    assert codes([42.0, None, 5411.5])[::2] == [0, 2]
    assert codes(["42", "5411", "42.0"]) == [0, 1, 2]


def test_words_for_missing_are_those_of_the_model():
    features = (Feature("x", "categorical", nullable=True, categories=("a", "NA")),)
    spec = FeatureSpec(features, missing=("-",))

    for rows in (
        [{"x": text} for text in ("a", "NA", "-", "")],
        pd.DataFrame({"x": ["a", "NA", "-", ""]}),
        [["a"], ["NA"], ["-"], [""]],
    ):
        np.testing.assert_array_equal(matrix_of(rows, spec)[:, 0], [0, 1, NAN, NAN])


def test_values_of_python_and_numpy_are_read_as_what_they_are():
    row = valid_row(
        Amount=Decimal("25.50"),
        V1=np.float32(0.5),
        V2=pd.NA,
        is_new_device=np.bool_(True),
        merchant_category=np.str_("travel"),
    )
    moments = [
        datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
        pd.Timestamp("2026-03-01T21:30+09:00"),
        np.datetime64("2026-03-01T12:30"),
    ]

    matrix = matrix_of([{**row, "transaction_time": moment} for moment in moments], SPEC)

    noon = datetime(2026, 3, 1, 12, 30, tzinfo=UTC).timestamp()
    expected = [25.5, 0.5, NAN, 1.0, 1.0, noon]
    np.testing.assert_array_equal(matrix, [expected] * 3)
    midnight = matrix_of({**row, "transaction_time": date(2026, 3, 1)}, SPEC)[0, -1]
    assert midnight == noon - 12.5 * 3600
    assert matrix_of([{**row, "transaction_time": moments[0], "V2": pd.NaT}], SPEC).shape == (1, 6)


json_rows = st.fixed_dictionaries(
    {
        "Amount": st.floats(0, 1e12) | st.integers(0, 2**60),
        "V1": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60),
        "V2": st.none() | st.floats(-1e6, 1e6),
        "is_new_device": st.none() | st.booleans(),
        "merchant_category": st.sampled_from(["grocery", "travel", "games", "x", "é", "42"]),
        "transaction_time": st.datetimes(datetime(1700, 1, 1), datetime(2098, 1, 1)).map(
            datetime.isoformat
        ),
    }
)


@given(st.lists(json_rows, min_size=1, max_size=6))
def test_frames_give_the_matrix_of_json(rows):
    expected = SPEC.matrix_from_rows(json.loads(json.dumps(rows)))
    frame = pd.DataFrame(rows)
    frame["transaction_time"] = pd.to_datetime(frame["transaction_time"], format="ISO8601")

    for table in (frame, frame.convert_dtypes(), pyarrow.Table.from_pandas(frame), rows):
        np.testing.assert_array_equal(matrix_of(table, SPEC), expected)
