"""Everything a client can get wrong has a clear answer, and none of it is a 500."""

import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import create_app
from tests.app.test_errors import assert_problem
from tests.factories import valid_row

ROUTES = ["/predict", "/anomaly"]


def post(client, route, body, content_type="application/json", **headers):
    """Send bytes as they are."""
    return client.post(route, data=body, content_type=content_type, headers=headers)


def with_text(text):
    """Return a body whose Amount is written as given."""
    return json.dumps(valid_row(Amount="HERE")).replace('"HERE"', text).encode()


MALFORMED = {
    "not JSON": b"Amount=5",
    "empty": b"",
    "white space": b"  ",
    "cut off": json.dumps(valid_row()).encode()[:-1],
    "NaN": with_text("NaN"),
    "Infinity": with_text("Infinity"),
    "-Infinity": with_text("-Infinity"),
    "1e999": with_text("1e999"),
    "-1e999": with_text("-1e999"),
    "400 digits": with_text("1" * 400),
    "5000 digits": with_text("1" * 5000),
    "nested 10,000 deep": with_text("[" * 10_000 + "]" * 10_000),
    "nested 10,000 objects deep": with_text('{"a":' * 10_000 + "1" + "}" * 10_000),
    "lone surrogate": with_text('"\\ud800"'),
    "not UTF-8": with_text('"HERE"').replace(b"HERE", b"\xff"),
    "byte-order mark": b"\xef\xbb\xbf" + json.dumps(valid_row()).encode(),
    "UTF-16": json.dumps(valid_row()).encode("utf-16"),
    "duplicate key": with_text('1, "Amount": 1'),
    "duplicate key in a list": b"[" + with_text('1, "Amount": 2') + b"]",
    "duplicate key in the envelope": b'{"transactions": [' + with_text('1,"Amount":2') + b"]}",
    "duplicate envelope key": b'{"transactions": [], "transactions": []}',
    "duplicate spelt with an escape": with_text('1, "\\u0041mount": 2'),
}

NUMBER = {"Amount": ["Not a valid number."]}

UNACCEPTABLE = {
    "empty list": ([], ["Shorter than minimum length 1."]),
    "empty envelope": ({"transactions": []}, ["Shorter than minimum length 1."]),
    "envelope with null": ({"transactions": None}, ["Field may not be null."]),
    "envelope with an object": ({"transactions": {}}, ["Not a valid list."]),
    "envelope with a number": ({"transactions": 5}, ["Not a valid list."]),
    "string for a number": (valid_row(Amount="5"), {"0": NUMBER}),
    "boolean for a number": (valid_row(Amount=True), {"0": NUMBER}),
    "list for a number": (valid_row(Amount=[5]), {"0": NUMBER}),
    "object for a number": (valid_row(Amount={"value": 5}), {"0": NUMBER}),
    "null for a number": (valid_row(Amount=None), {"0": {"Amount": ["Field may not be null."]}}),
    "number out of its bounds": (
        valid_row(Amount=-1),
        {"0": {"Amount": ["Must be greater than or equal to 0."]}},
    ),
    "number for a boolean": (
        valid_row(is_new_device=1),
        {"0": {"is_new_device": ["Not a valid boolean."]}},
    ),
    "number for a category": (
        valid_row(merchant_category=7),
        {"0": {"merchant_category": ["Not a valid string."]}},
    ),
    "missing key": (
        valid_row(Amount=...),
        {"0": {"Amount": ["Missing data for required field."]}},
    ),
    "unknown key": (
        valid_row(Amout=3),
        {"0": {"Amout": ["Unknown field. Did you mean 'Amount'?"]}},
    ),
    "several rows": (
        [valid_row(), valid_row(Amount="x", V1=None), valid_row(), valid_row(Amount=False)],
        {"1": {"V1": ["Field may not be null."], **NUMBER}, "3": NUMBER},
    ),
    "rows of the envelope": (
        {"transactions": [valid_row(), valid_row(Amount="x")]},
        {"1": NUMBER},
    ),
    "row that is no object": (
        [valid_row(), [1, 2]],
        {"1": {"_schema": ["Invalid input type: expected an object."]}},
    ),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_body_is_400(client, route, body):
    assert_problem(post(client, route, body), 400)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(("body", "errors"), UNACCEPTABLE.values(), ids=UNACCEPTABLE.keys())
def test_unacceptable_value_is_422_naming_row_and_feature(client, route, body, errors):
    document = assert_problem(post(client, route, json.dumps(body)), 422)

    assert document["errors"] == {"transactions": errors}


@pytest.mark.parametrize("body", ["null", "5", '"text"', "true", "1.5"])
def test_body_that_is_no_transaction_at_all_is_422(client, body):
    document = assert_problem(post(client, "/predict", body), 422)

    assert document["errors"] == {"_schema": ["Not a transaction, a list of them, or an envelope."]}


@pytest.mark.parametrize("text", ["2026-02-30T00:00:00", "yesterday", "", "12:30", "9" * 5000])
def test_text_that_is_no_time_is_422(client, text):
    document = assert_problem(
        post(client, "/predict", json.dumps(valid_row(transaction_time=text))), 422
    )

    assert list(document["errors"]["transactions"]["0"]) == ["transaction_time"]


def test_empty_object_is_422_naming_every_missing_feature(client, champion):
    document = assert_problem(post(client, "/predict", "{}"), 422)

    required = [f.name for f in champion.artifact.scorer.spec.features if not f.nullable]
    assert sorted(document["errors"]["transactions"]["0"]) == sorted(required)


def test_unknown_key_of_the_envelope_is_422(client):
    body = {"transactions": [valid_row()], "explain": True}

    document = assert_problem(post(client, "/predict", json.dumps(body)), 422)

    assert document["errors"] == {"explain": ["Unknown field."]}


@pytest.mark.parametrize("key", ["transaction_id", "payment_id"])
@pytest.mark.parametrize("value", ["", "x" * 129, True, None, 1.5, 2**70, 2.0**54, [1], {"id": 1}])
def test_identifier_that_is_neither_text_nor_integer_is_422(client, key, value):
    body = [valid_row(), valid_row(**{key: value}, Amount="x")]

    document = assert_problem(post(client, "/predict", json.dumps(body)), 422)

    message = "Must be an integer, or a string of 1 to 128 characters."
    assert document["errors"] == {"transactions": {"1": {key: [message], **NUMBER}}}


@pytest.mark.parametrize("wrap", [list, lambda rows: {"transactions": rows}])
def test_more_rows_than_the_limit_is_422_naming_limit_and_count(model_dir, wrap):
    client = create_app({"MODEL_DIR": model_dir, "MAX_ROWS": 3}).test_client()

    assert client.post("/predict", json=wrap([valid_row()] * 3)).status_code == 200
    document = assert_problem(client.post("/predict", json=wrap([valid_row()] * 4)), 422)

    assert document["errors"] == {"transactions": ["Longer than maximum length 3: 4 rows."]}


def test_ten_thousand_rows_are_within_the_limit_and_one_more_is_not(client):
    rows = [valid_row()] * 10_000

    assert len(client.post("/predict", json=rows).get_json()["predictions"]) == 10_000
    assert client.post("/predict", json=[*rows, valid_row()]).status_code == 422


def test_body_over_the_limit_is_413(model_dir):
    client = create_app({"MODEL_DIR": model_dir, "MAX_BODY_BYTES": 2048}).test_client()
    body = json.dumps(valid_row()).encode()

    assert post(client, "/predict", body.ljust(2048)).status_code == 200
    document = assert_problem(post(client, "/predict", body.ljust(2049)), 413)

    assert document["detail"] == "The body is larger than the limit of 2048 bytes."


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/vnd.api+json", "application/json; charset=latin-1", None],
)
def test_wrong_content_type_is_415(client, content_type):
    assert_problem(post(client, "/predict", json.dumps(valid_row()), content_type), 415)


def test_compressed_body_is_415(client):
    body = gzip.compress(json.dumps(valid_row()).encode())

    assert_problem(post(client, "/predict", body, **{"Content-Encoding": "gzip"}), 415)


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("explain=yes", {"explain": ["Not a valid boolean."]}),
        ("explain=", {"explain": ["Not a valid boolean."]}),
        ("explain=TRUE", {"explain": ["Not a valid boolean."]}),
        ("Explain=true", {"Explain": ["Unknown field."]}),
        ("threshold=0.5", {"threshold": ["Unknown field."]}),
        ("explain=true&explain=false", {"_schema": ["Each option may be given once."]}),
        ("explain=%ff", {"explain": ["Not a valid boolean."]}),
    ],
)
def test_unacceptable_option_is_422_naming_it(client, query, errors):
    response = client.post(f"/predict?{query}", json=valid_row())

    assert assert_problem(response, 422)["errors"] == {"query": errors}


def test_option_of_the_other_route_is_422(client):
    response = client.post("/anomaly?anomaly=true", json=valid_row())

    assert assert_problem(response, 422)["errors"] == {"query": {"anomaly": ["Unknown field."]}}


def test_values_are_never_echoed(client):
    body = valid_row(Amount="4000123412341234", merchant_category=4000123412341234)

    response = post(client, "/predict", json.dumps(body))

    assert response.status_code == 422
    assert b"4000123412341234" not in response.data


def test_long_names_and_many_problems_get_a_short_answer(client):
    rows = [valid_row(**{"k" * 1000 + str(i): 1}, Amount="x") for i in range(1000)]

    response = client.post("/predict", json=rows)

    assert_problem(response, 422)
    assert len(response.data) < 50_000


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
changed_rows = st.builds(
    lambda changes: valid_row(**changes),
    st.dictionaries(st.sampled_from([*valid_row(), "transaction_id", "x"]), anything, max_size=3),
)
bodies = st.binary(max_size=50) | st.builds(
    lambda document: json.dumps(document).encode(),
    anything
    | changed_rows
    | st.lists(changed_rows | anything, max_size=3)
    | st.fixed_dictionaries({"transactions": st.lists(changed_rows, max_size=3) | anything}),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(bodies, st.sampled_from(ROUTES))
def test_no_body_is_a_server_error_or_gets_a_number_that_is_not_json(client, body, route):
    response = post(client, f"{route}?explain=true", body)

    assert response.status_code in (200, 400, 422)
    json.loads(response.data, parse_constant=lambda word: pytest.fail(word))
