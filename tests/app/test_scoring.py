"""What /predict and /anomaly answer to transactions they can score."""

import json

import numpy as np
import pytest

from app import create_app, responses
from app.answer import answer
from model.cells import NEVER
from model.decision import DECISIONS, Policy
from tests.app.test_errors import assert_problem
from tests.factories import tiny_rows, valid_row, write_tiny_artifact
from tests.precision import as_rounded

ROUTES = ["predict", "anomaly"]
FORMS = {
    "list": lambda rows: rows,
    "envelope": lambda rows: {"transactions": rows},
}


def some_rows(n_rows=60, seed=7):
    """Return varied transactions as JSON objects: all decisions, anomalies, missing values."""
    matrix, _ = tiny_rows(n_rows, np.random.default_rng(seed))
    matrix[::10, 0] *= 1000
    rows = []
    for amount, v1, v2, is_new, category, seconds in matrix.tolist():
        row = valid_row(
            Amount=amount,
            V1=v1,
            V2=None if np.isnan(v2) else v2,
            is_new_device=None if np.isnan(is_new) else bool(is_new),
            merchant_category=["grocery", "travel", "games"][int(category)],
            transaction_time=str(np.datetime64(int(seconds), "s")),
        )
        rows.append(row)
    return rows


def client_of(directory, **changes):
    """Return a client of a service over a tiny model of its own."""
    write_tiny_artifact(directory, **changes)
    return create_app({"MODEL_DIR": directory}).test_client()


@pytest.mark.parametrize("query", ["", "?explain=true", "?anomaly=1", "?explain=1&anomaly=true"])
def test_answer_to_one_transaction_keeps_the_contract(client, query):
    document = client.post(f"/predict{query}", json=valid_row(transaction_id="t-1")).get_json()

    responses.Prediction().load(document)
    assert document["transaction_id"] == "t-1"
    assert ("reasons" in document) == ("explain" in query or document["decision"] != "approve")
    assert ("anomaly_score" in document) == ("anomaly" in query)


@pytest.mark.parametrize("query", ["", "?explain=true", "?anomaly=1", "?explain=1&anomaly=true"])
@pytest.mark.parametrize("form", FORMS)
def test_answer_to_several_transactions_keeps_the_contract(client, form, query):
    document = client.post(f"/predict{query}", json=FORMS[form](some_rows())).get_json()

    responses.Predictions().load(document)
    rows = document["predictions"]
    assert {row["decision"] for row in rows} == set(DECISIONS)
    for row in rows:
        assert ("reasons" in row) == ("explain" in query or row["decision"] != "approve")
        assert ("anomaly_score" in row) == ("anomaly" in query)


@pytest.mark.parametrize("query", ["", "?explain=true"])
def test_answer_about_one_anomaly_keeps_the_contract(client, query):
    document = client.post(f"/anomaly{query}", json=valid_row(transaction_id=7)).get_json()

    responses.Anomaly().load(document)
    assert document["transaction_id"] == 7
    assert ("contributions" in document) == ("explain" in query or document["is_anomaly"])


@pytest.mark.parametrize("query", ["", "?explain=true"])
@pytest.mark.parametrize("form", FORMS)
def test_answer_about_several_anomalies_keeps_the_contract(client, form, query):
    document = client.post(f"/anomaly{query}", json=FORMS[form](some_rows())).get_json()

    responses.Anomalies().load(document)
    rows = document["predictions"]
    assert {row["is_anomaly"] for row in rows} == {True, False}
    for row in rows:
        assert row["is_anomaly"] == (row["reconstruction_error"] > document["threshold"])
        assert ("contributions" in row) == ("explain" in query or row["is_anomaly"])


def test_prediction_is_what_the_scorer_says(client, champion):
    rows = some_rows()
    scorer = champion.artifact.scorer
    matrix = scorer.spec.matrix_from_rows(rows)
    scores, reasons = scorer.score(matrix), scorer.reasons(matrix)
    low, high = scorer.uncertainty(scores)
    anomaly_scores = scorer.anomaly(matrix).anomaly_score

    document = client.post("/predict?explain=true&anomaly=true", json=rows).get_json()

    for number, row in enumerate(document["predictions"]):
        assert row == as_rounded(
            {
                "probability": float(scores.probability[number]),
                "score": int(scores.score[number]),
                "decision": DECISIONS[scores.decision[number]],
                "uncertainty": [float(low[number]), float(high[number])],
                "anomaly_score": float(anomaly_scores[number]),
                "reasons": json.loads(json.dumps([r.to_dict() for r in reasons[number]])),
            }
        )


def test_uncertainty_lies_around_the_probability(client):
    rows = client.post("/predict", json=some_rows()).get_json()["predictions"]

    assert all(
        0 <= low <= row["probability"] <= high <= 1
        for row in rows
        for low, high in [row["uncertainty"]]
    )
    assert any(high - low > 0.01 for low, high in (row["uncertainty"] for row in rows))


@pytest.mark.parametrize("members", [None, 1])
def test_single_network_has_nobody_to_disagree_with(tmp_path, members):
    rows = client_of(tmp_path, members=members).post("/predict", json=some_rows()).get_json()

    assert all("uncertainty" not in row for row in rows["predictions"])


def test_anomaly_is_what_the_scorer_says(client, champion):
    rows = some_rows()
    scorer = champion.artifact.scorer
    matrix = scorer.spec.matrix_from_rows(rows)
    anomalies = scorer.anomaly(matrix)
    reasons = scorer.anomaly_reasons(matrix, anomalies)

    document = client.post("/anomaly?explain=true", json=rows).get_json()

    assert document["threshold"] == anomalies.threshold
    for number, row in enumerate(document["predictions"]):
        assert row == as_rounded(
            {
                "reconstruction_error": float(anomalies.reconstruction_error[number]),
                "anomaly_score": float(anomalies.anomaly_score[number]),
                "is_anomaly": bool(anomalies.is_anomaly[number]),
                "contributions": json.loads(json.dumps([r.to_dict() for r in reasons[number]])),
            }
        )


@pytest.mark.parametrize("query", ["", "?explain=true"])
@pytest.mark.parametrize("route", ROUTES)
def test_a_transaction_gets_the_same_answer_alone_and_among_others(client, route, query):
    rows = some_rows()

    together = client.post(f"/{route}{query}", json=rows).get_json()

    common = {key: value for key, value in together.items() if key != "predictions"}
    for row, expected in zip(rows, together["predictions"], strict=True):
        alone = client.post(f"/{route}{query}", json=row).get_json()
        assert alone == as_rounded(expected | common)


@pytest.mark.parametrize("route", ROUTES)
def test_order_of_keys_does_not_matter(client, route):
    row = valid_row()
    turned = dict(reversed(row.items()))

    assert (
        client.post(f"/{route}", json=row).get_json()
        == client.post(
            f"/{route}", data=json.dumps(turned, sort_keys=False), content_type="application/json"
        ).get_json()
    )


@pytest.mark.parametrize("route", ROUTES)
def test_order_of_rows_and_every_identifier_are_kept(client, route):
    keys = [
        {"transaction_id": "a"},
        {"payment_id": 7},
        {},
        {"transaction_id": "ü", "payment_id": 0},
    ]
    rows = [valid_row(**key, V1=float(i)) for i, key in enumerate(keys)]

    answers = client.post(f"/{route}", json=rows).get_json()["predictions"]

    found = [{k: row[k] for k in ("transaction_id", "payment_id") if k in row} for row in answers]
    assert found == keys


@pytest.mark.parametrize("identifier", ["x", "x" * 128, 0, -5, 2**64 - 1, "null", "a:b"])
def test_identifier_comes_back_as_it_was(client, identifier):
    document = client.post("/predict", json=valid_row(transaction_id=identifier)).get_json()

    assert document["transaction_id"] == identifier


@pytest.mark.parametrize("written", ["7.0", "70e-1"])
def test_identifier_is_an_integer_however_its_json_is_written(client, written):
    body = json.dumps(valid_row(transaction_id=7)).replace(": 7", f": {written}")

    response = client.post("/predict", data=body, content_type="application/json")

    assert response.data.startswith(b'{"transaction_id":7,')


def test_identifier_does_not_change_the_score(client):
    plain = client.post("/predict", json=valid_row()).get_json()
    named = client.post("/predict", json=valid_row(payment_id="x")).get_json()

    assert named == {"payment_id": "x", **plain}


def test_missing_value_may_be_null_or_left_out(client):
    left_out = client.post("/predict?explain=true", json=valid_row(V2=...)).get_json()
    null = client.post("/predict?explain=true", json=valid_row(V2=None)).get_json()

    assert left_out == null


@pytest.mark.parametrize("charset", ["", "; charset=utf-8"])
def test_text_beyond_ascii_is_scored(client, charset):
    body = json.dumps(valid_row(merchant_category="Café", transaction_id="Zürich 🏦"))

    response = client.post("/predict", data=body, content_type=f"application/json{charset}")

    assert response.get_json()["transaction_id"] == "Zürich 🏦"
    assert response.content_type == "application/json"


@pytest.mark.parametrize("number", ["0", "-0.0", "1e300", "5e-324", str(2**63), "1" * 300])
@pytest.mark.parametrize("route", ROUTES)
def test_extreme_but_finite_numbers_get_finite_answers(client, route, number):
    body = json.dumps(valid_row(Amount="HERE", V1="HERE")).replace('"HERE"', number)

    response = client.post(f"/{route}?explain=true", data=body, content_type="application/json")

    assert response.status_code == 200
    schema = {"predict": responses.Prediction, "anomaly": responses.Anomaly}[route]
    schema().load(response.get_json())


def test_anomaly_score_is_there_where_the_policy_reviews_anomalies(tmp_path):
    policy = Policy(review=0.3, block=0.6, anomaly_review=0.9)
    client = client_of(tmp_path / "reviewing", policy=policy)

    rows = client.post("/predict", json=some_rows()).get_json()["predictions"]

    assert all("anomaly_score" in row for row in rows)
    assert all(row["decision"] != "approve" for row in rows if row["anomaly_score"] >= 0.9)


@pytest.mark.parametrize(
    ("tasks", "path"),
    [("anomaly", "/predict"), ("fraud", "/anomaly"), ("fraud", "/predict?anomaly=true")],
)
def test_task_that_the_model_lacks_is_409(tmp_path, tasks, path):
    client = client_of(tmp_path / "half", tasks=tasks, name="half")

    document = assert_problem(client.post(path, json=valid_row()), 409)

    assert "'half'" in document["detail"]


def test_task_that_the_model_lacks_is_409_whatever_the_body(tmp_path):
    client = client_of(tmp_path / "half", tasks="anomaly")

    assert_problem(client.post("/predict", json={"no": "transaction"}), 409)


@pytest.mark.parametrize(("tasks", "path"), [("anomaly", "/anomaly"), ("fraud", "/predict")])
def test_task_that_the_model_has_is_answered_without_the_other(tmp_path, tasks, path):
    client = client_of(tmp_path / "half", tasks=tasks)

    assert client.post(path, json=valid_row()).status_code == 200


@pytest.mark.parametrize("route", ROUTES)
def test_core_needs_no_web_framework(champion, client, route):
    body = json.dumps([valid_row()]).encode()

    found = answer(champion, route, body, "explain=true")

    assert found.status == 200
    assert (
        found.body
        == client.post(f"/{route}?explain=true", data=body, content_type="application/json").data
    )
    assert found.facts["rows"] == 1


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "moment",
    ["0001-01-01T01:16:06+02:00", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-12:00"],
)
def test_moment_that_stands_for_never_is_null(client, route, moment):
    response = client.post(f"/{route}?explain=true", json=valid_row(transaction_time=moment))

    assert response.status_code == 422
    assert response.get_json()["errors"]["transactions"]["0"] == {"transaction_time": [NEVER]}
