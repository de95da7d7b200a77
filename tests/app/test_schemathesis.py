"""Schemathesis reads the document, makes requests of it, good and bad, and finds nothing wrong."""

from collections import Counter

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from app import create_app
from app.access.keys import APIKey, write_keys
from tests.app.serving import serving

SCORING = ("POST /predict", "POST /anomaly")
# Every check there is; the others (max_response_time, custom ones) need settings of ours.
CHECKS = {
    "allow_header_conformance",
    "content_type_conformance",
    "ensure_resource_availability",
    "ignored_auth",
    "missing_required_header",
    "negative_data_rejection",
    "not_a_server_error",
    "object_level_authorization",
    "positive_data_acceptance",
    "response_headers_conformance",
    "response_schema_conformance",
    "status_code_conformance",
    "unsupported_method",
    "use_after_free",
}


def run(document, max_examples, application=None, **settings):
    """Run all phases with all checks; return cases by operation, checks made, and what failed."""
    # Loaded from its address, the document would leave its own route out of the run.
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig(seed=0))
    schema.app = application
    schema.config.update(**settings)
    schema.config.generation.update(max_examples=max_examples, deterministic=True, database="none")
    cases, checks, failures = Counter(), set(), []
    for event in from_schema(schema).execute():
        assert not isinstance(event, events.NonFatalError | events.FatalError), vars(event)
        if isinstance(event, events.ScenarioFinished):
            cases[event.recorder.label] += len(event.recorder.interactions)
            for result in (r for found in event.recorder.checks.values() for r in found):
                checks.add(result.name)
                if result.status == Status.FAILURE:
                    info = result.failure_info
                    failures.append(f"{result.name}: {info.failure.message}\n{info.code_sample}")
    return cases, checks, failures


def only(document, *paths):
    """Return the document of some of the routes."""
    return {**document, "paths": {path: document["paths"][path] for path in paths}}


@pytest.fixture
def application(model_dir):
    """Return a service that takes few rows, so that the limit is within reach of the cases."""
    return create_app({"MODEL_DIR": model_dir, "MAX_ROWS": 20, "LOG_LEVEL": "ERROR"})


@pytest.fixture
def document(application):
    """Return the document of that service."""
    return application.test_client().get("/openapi.json").get_json()


def test_schemathesis_finds_no_violation(application, document):
    cases, checks, failures = run(document, 30, application)

    assert not failures, "\n\n".join(failures)
    assert checks == CHECKS
    assert len(cases) == len(document["paths"])
    assert min(cases[label] for label in SCORING) >= 300


@pytest.mark.soak
def test_schemathesis_finds_no_violation_in_thousands_of_scoring_requests(application, document):
    cases, checks, failures = run(only(document, "/predict", "/anomaly"), 2000, application)

    assert not failures, "\n\n".join(failures)
    assert checks == CHECKS
    assert min(cases[label] for label in SCORING) >= 2000


def test_schemathesis_sees_a_status_that_the_document_does_not_name(application, document):
    del document["paths"]["/predict"]["post"]["responses"]["422"]

    _, _, failures = run(only(document, "/predict"), 1, application)

    assert any(failure.startswith("status_code_conformance") for failure in failures)


def test_schemathesis_gets_nowhere_without_a_key_and_finds_no_violation_with_one(
    model_dir, tmp_path
):
    key, secret = APIKey.generate("checkout")
    write_keys(tmp_path / "keys.json", (key,))
    settings = {"MODEL_DIR": model_dir, "MAX_ROWS": 20, "LOG_LEVEL": "ERROR"}
    application = create_app({**settings, "KEYS_FILE": tmp_path / "keys.json"})
    headers = {"Authorization": f"Bearer {secret}"}
    document = application.test_client().get("/openapi.json", headers=headers).get_json()

    # Within the process, Schemathesis cannot ask again without the key, as it does here.
    with serving(application) as url:
        cases, checks, failures = run(
            only(document, "/predict", "/model"), 1, base_url=url, headers=headers
        )

    assert not failures, "\n\n".join(failures)
    assert checks == CHECKS
    assert len(cases) == 2
