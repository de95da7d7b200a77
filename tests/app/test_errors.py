"""One shape for everything that goes wrong."""

import logging

import pytest
from flask import abort
from gunicorn.http import errors as wire
from marshmallow import ValidationError
from werkzeug.exceptions import (
    ClientDisconnected,
    MethodNotAllowed,
    TooManyRequests,
    UnsupportedMediaType,
    default_exceptions,
)

import model.errors
from app.errors import problem_of
from app.json_provider import MalformedJSONError
from app.responses import ProblemDocument

WIRE_ERRORS = [
    error
    for error in vars(wire).values()
    if isinstance(error, type) and issubclass(error, wire.ParseException)
]


def assert_problem(response, status):
    """Check that a response is a problem document of a status, and return it."""
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    document = ProblemDocument().load(response.get_json(force=True))
    assert document["status"] == status
    assert document["request_id"] == response.headers["X-Request-ID"]
    assert document["type"] == "about:blank"
    assert document["title"]
    assert document["detail"]
    return document


@pytest.mark.parametrize("status", sorted(default_exceptions))
def test_every_standard_status_is_a_problem_document(app, status):
    app.get("/stop")(lambda: abort(status))

    document = assert_problem(app.test_client().get("/stop"), status)

    assert "<" not in document["detail"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_own_text_of_a_server_error_does_not_leave(app, status):
    app.get("/stop")(lambda: abort(status, description="the database is at 10.0.0.7"))

    document = assert_problem(app.test_client().get("/stop"), status)

    assert "10.0.0.7" not in str(document)


def test_unexpected_exception_is_logged_and_not_told(app, caplog):
    text = "secret of the house"

    @app.get("/break")
    def break_down():
        raise RuntimeError(text)

    document = assert_problem(app.test_client().get("/break"), 500)

    assert "secret" not in str(document)
    failed = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert failed.facts["request_id"] == document["request_id"]
    assert failed.facts["exception"].endswith("RuntimeError")
    assert "in break_down" in failed.facts["exception"]
    assert "secret" not in str(failed.facts)


def test_unexpected_exception_is_a_problem_document_under_test_settings_too(app):
    app.testing = True

    @app.get("/break")
    def break_down():
        raise RuntimeError

    assert_problem(app.test_client().get("/break"), 500)


def test_unknown_address_is_404(client):
    assert_problem(client.get("/nothing"), 404)


def test_slash_too_many_is_404_and_no_redirect(client):
    assert_problem(client.get("/health//live"), 404)
    assert_problem(client.get("/health/live/"), 404)


def test_wrong_method_is_405_and_names_the_right_one(client):
    response = client.get("/predict")

    assert_problem(response, 405)
    assert set(response.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


def test_wrong_type_is_415_and_names_the_right_one(client):
    response = client.post("/predict", data="x", content_type="text/plain")

    assert_problem(response, 415)
    assert response.headers["Accept"] == "application/json"
    assert response.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MalformedJSONError("x"), 400),
        (ValidationError({"a": ["b"]}), 422),
        (model.errors.TaskError("fraud", "tiny"), 409),
        (ClientDisconnected(), 400),
        (UnsupportedMediaType(), 415),
        (model.errors.ArtifactCorruptError("x.npz", "secret"), 500),
        (model.errors.NotFittedError("scorer"), 500),
        (ZeroDivisionError("secret"), 500),
        (RecursionError("secret"), 500),
        (MemoryError("secret"), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_exception_has_its_status(error, status):
    problem = problem_of(error)

    assert problem.status == status
    assert "secret" not in problem.detail


@pytest.mark.parametrize("error", WIRE_ERRORS, ids=lambda error: error.__name__)
def test_body_that_breaks_http_is_400_and_ends_the_connection(error):
    problem = problem_of(error.__new__(error))

    assert problem.status == 400
    assert ("Connection", "close") in problem.headers


def test_headers_of_an_error_stay_with_it():
    assert ("Allow", "GET, POST") in problem_of(MethodNotAllowed(["GET", "POST"])).headers
    assert ("Retry-After", "7") in problem_of(TooManyRequests(retry_after=7)).headers


def test_answer_to_many_problems_stays_short():
    names = {"k" * 100_000 + str(i): ["Unknown field."] for i in range(3)}
    rows = {str(row): {f"f{i}": ["No."] for i in range(500)} for row in range(500)}

    answer = problem_of(ValidationError({"transactions": rows | {"0": names}})).answer("id")

    assert len(answer.body) < 400_000
    assert b"400 more are not listed." in answer.body
