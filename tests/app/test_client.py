"""The Python client against the real service."""

import ast
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app import client as client_module
from app import create_app
from app.client import (
    Client,
    ClientError,
    InvalidTransactionsError,
    Model,
    RequestRefusedError,
)
from tests.app.faulty import ANSWER, Status, faulty
from tests.app.serving import serving
from tests.app.test_scoring import some_rows
from tests.factories import valid_row, write_tiny_artifact
from tests.precision import as_rounded


@pytest.fixture(scope="module")
def url(model_dir):
    """Return the address of a running service that takes at most 50 rows a request."""
    with serving(create_app({"MODEL_DIR": model_dir, "MAX_ROWS": 50})) as address:
        yield address


@pytest.fixture
def service(url):
    """Return a client of that service, with small batches."""
    with Client(url, batch_rows=8) as client:
        yield client


def test_one_transaction_gives_the_answer_of_the_service(service, client):
    row = valid_row(transaction_id="t-1", payment_id=7)

    found = service.predict(row, explain=True, anomaly=True)

    told = client.post("/predict?explain=true&anomaly=true", json=row).get_json()
    assert found.probability == as_rounded(told["probability"])
    assert (found.score, found.decision) == (told["score"], told["decision"])
    assert found.identifiers == {"transaction_id": "t-1", "payment_id": 7}
    assert found.uncertainty == as_rounded(tuple(told["uncertainty"]))
    assert found.anomaly_score == as_rounded(told["anomaly_score"])
    assert [reason.code for reason in found.reasons] == [r["code"] for r in told["reasons"]]
    assert found.model == Model(**told["model"])


def test_anomaly_gives_the_answer_of_the_service(service, client):
    row = valid_row(transaction_id="t-1")

    found = service.anomaly(row, explain=True)

    told = client.post("/anomaly?explain=true", json=row).get_json()
    assert found.reconstruction_error == as_rounded(told["reconstruction_error"])
    assert found.is_anomaly == told["is_anomaly"]
    assert found.threshold == told["threshold"]
    assert found.contributions[0].feature == told["contributions"][0]["feature"]


def test_options_that_were_not_asked_for_are_not_answered(service):
    found = service.predict(valid_row(V1=-3.0))

    assert found.decision == "approve"
    assert found.anomaly_score is None
    assert found.reasons == ()


@pytest.mark.parametrize("form", [list, tuple, iter])
def test_large_input_is_sent_in_batches_and_comes_back_in_order(service, client, form):
    rows = [{**row, "transaction_id": i} for i, row in enumerate(some_rows(61))]

    found = service.predict(form(rows))

    told = client.post("/predict", json=rows).get_json()["predictions"]
    assert [p.identifiers["transaction_id"] for p in found] == list(range(61))
    assert [p.score for p in found] == [row["score"] for row in told]


def test_nothing_in_gives_nothing_out(service):
    assert service.predict([]) == []


def test_frame_is_scored_as_its_rows_are(service):
    rows = some_rows(20)
    frame = pd.DataFrame(rows)
    frame["transaction_time"] = pd.to_datetime(frame["transaction_time"])
    frame["is_new_device"] = frame["is_new_device"].astype("boolean")
    assert frame.isna().any().any()

    found = service.predict(frame)

    assert [p.score for p in found] == [p.score for p in service.predict(rows)]


@pytest.mark.parametrize(
    "amount", [np.float32(25.5), np.float64(25.5), Decimal("25.5"), pd.Series([25.5])[0]]
)
@pytest.mark.parametrize(
    "time",
    [
        datetime(2026, 3, 1, 12, 30),
        pd.Timestamp("2026-03-01T13:30", tz="Europe/Berlin"),
        np.datetime64("2026-03-01T12:30:00.000000000"),
        np.datetime64("2026-03-01T12:30"),
    ],
    ids=lambda time: type(time).__name__,
)
def test_numbers_and_date_times_of_other_libraries_can_be_sent(service, amount, time):
    row = valid_row(Amount=amount, transaction_time=time, is_new_device=np.True_)

    assert service.predict(row).score == service.predict(valid_row(is_new_device=True)).score


def test_columns_of_a_frame_beyond_those_of_the_model_are_left_out(service):
    rows = some_rows(20)
    frame = pd.DataFrame(rows).assign(label=1, note="paid", transaction_id=range(20))
    frame[7] = 7.0  # a name that is no text

    found = service.predict(frame)

    assert [p.score for p in found] == [p.score for p in service.predict(rows)]
    assert [p.identifiers for p in found] == [{"transaction_id": number} for number in range(20)]


def test_frame_that_lacks_a_column_of_the_model_is_refused_by_its_name(service):
    frame = pd.DataFrame(some_rows(3)).drop(columns="Amount")

    with pytest.raises(InvalidTransactionsError, match="row 0, Amount: Missing data"):
        service.predict(frame)


def test_frame_with_a_column_twice_is_refused(service):
    frame = pd.DataFrame(some_rows(3))

    with pytest.raises(ValueError, match="column 'V1' more than once"):
        service.predict(pd.concat([frame, frame[["V1"]]], axis=1))


def test_series_is_one_transaction(service):
    rows = some_rows(20)
    frame = pd.DataFrame(rows).assign(columns="a column of this name", payment_id=range(20))
    expected = [p.score for p in service.predict(rows)]

    alone = service.predict(frame.iloc[3])
    together = service.predict(row for _, row in frame.iterrows())

    assert (alone.score, alone.identifiers) == (expected[3], {"payment_id": 3})
    assert [p.score for p in together] == expected
    assert service.anomaly(frame.iloc[3]).identifiers == {"payment_id": 3}


def test_model_is_asked_for_once_a_frame_and_not_for_mappings():
    card = {"name": "m", "version": "1", "tasks": ["fraud"], "id_keys": ["id"]}
    card |= {"features": [{"name": "Amount"}]}
    answers = [
        Status(200, body=json.dumps(document).encode()) for document in (card, *[ANSWER] * 3)
    ]
    frame = pd.DataFrame({"Amount": [1.0, 2.0, 3.0], "label": 0})

    with faulty(*answers) as server, Client(server.url, batch_rows=1) as client:
        client.predict(frame)
        client.predict({"Amount": 1.0, "label": 0})

    paths = [path for path, _, _ in server.requests]
    assert paths == ["/model", *["/predict"] * 4]
    bodies = [json.loads(body) for _, _, body in server.requests[1:]]
    assert [list(row) for (row,) in bodies] == [["Amount"]] * 3 + [["Amount", "label"]]


def test_problems_are_numbered_over_the_whole_input(service):
    rows = [valid_row() for _ in range(20)]
    rows[10]["Amount"], rows[13]["V1"], rows[19]["V1"] = "12", None, None

    with pytest.raises(InvalidTransactionsError) as caught:
        service.predict(rows)

    assert caught.value.errors == {
        10: {"Amount": ["Not a valid number."]},
        13: {"V1": ["Field may not be null."]},
    }
    assert caught.value.status == 422
    assert len(caught.value.request_id) == 32
    assert str(caught.value) == (
        "The request is well formed, but it holds values that cannot be accepted. "
        f"(status 422, request {caught.value.request_id}); "
        "row 10, Amount: Not a valid number.; row 13, V1: Field may not be null."
    )


def test_message_names_the_first_fields_and_counts_the_others(service):
    with pytest.raises(InvalidTransactionsError, match=r"; and 1 more$") as caught:
        service.predict([{**valid_row(), "Amount": "12", "V1": "a"}] * 3)

    assert str(caught.value).count("row ") == 5


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_value_that_json_cannot_hold_is_named_before_anything_is_sent(value):
    rows = [valid_row() for _ in range(12)]
    rows[9]["V1"] = value

    with (
        Client("http://127.0.0.1:9", batch_rows=20) as client,
        pytest.raises(InvalidTransactionsError, match="JSON cannot hold; row 9, V1: ") as caught,
    ):
        client.predict(rows)

    assert {row: set(fields) for row, fields in caught.value.errors.items()} == {9: {"V1"}}
    assert caught.value.status is None


def test_batches_larger_than_the_service_takes_are_refused_with_the_reason(url):
    with Client(url, batch_rows=60) as client, pytest.raises(RequestRefusedError) as caught:
        client.predict([valid_row()] * 51)

    assert "Longer than maximum length 50: 51 rows." in str(caught.value)


def test_task_that_the_artifact_lacks_is_a_refusal(tmp_path):
    write_tiny_artifact(tmp_path, tasks="fraud")

    with (
        serving(create_app({"MODEL_DIR": tmp_path})) as address,
        Client(address) as client,
        pytest.raises(RequestRefusedError, match="without the task 'anomaly'") as caught,
    ):
        client.anomaly(valid_row())

    assert caught.value.status == 409


def test_health_and_card_tell_which_model_answers(service, champion):
    expected = Model(champion.artifact.name, champion.artifact.version)

    health, card = service.health(), service.model()

    assert (health.status, health.model) == ("ok", expected)
    assert health.facts["model"]["sha256"] == champion.artifact.sha256
    assert card.model == expected
    assert card.tasks == ("anomaly", "fraud")
    assert [feature["name"] for feature in card.features] == list(
        champion.artifact.scorer.spec.names
    )


def test_threads_may_share_a_client(service):
    rows = some_rows(40)
    expected = [prediction.score for prediction in service.predict(rows)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda row: service.predict(row).score, rows))

    assert found == expected


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://localhost", "http://", "", "http://h:99999", "http://[::1"]
)
def test_address_that_cannot_work_is_refused_at_once(url):
    with pytest.raises(ValueError, match="http://localhost:8000"):
        Client(url)


def test_batches_of_nothing_are_refused_at_once():
    with pytest.raises(ValueError, match="batch_rows"):
        Client("http://localhost", batch_rows=0)


def test_file_of_the_client_works_alone(tmp_path, url):
    """Copy it elsewhere, where nothing else of ours can be imported, and run it there."""
    source = Path(client_module.__file__)
    shutil.copy(source, tmp_path / "fraudscore_client.py")
    program = (
        "import sys; from fraudscore_client import Client\n"
        f"print(Client({url!r}).health().status)\n"
        "print(*{'app', 'model', 'numpy', 'flask'} & {*sys.modules})"
    )

    printed = subprocess.run(  # noqa: S603 (our own interpreter and code)
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout.split("\n")

    assert printed[:2] == ["ok", ""]


def test_file_of_the_client_imports_requests_and_the_standard_library_only():
    tree = ast.parse(Path(client_module.__file__).read_text(encoding="utf-8"))

    modules = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert modules - set(sys.stdlib_module_names) == {"requests"}


def test_every_error_is_a_client_error():
    errors = [
        e
        for e in vars(client_module).values()
        if isinstance(e, type) and e.__name__.endswith("Error")
    ]

    assert len(errors) == 7
    assert all(issubclass(error, ClientError) for error in errors)
