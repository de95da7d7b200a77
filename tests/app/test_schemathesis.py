"""Schemathesis reads the document, makes requests of it, good and bad, and finds nothing wrong."""

from collections import Counter

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from app import create_app

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


def run(application, document, max_examples):
    """Run all phases with all checks; return cases by operation, checks made, and what failed."""
    # Loaded from its address, the document would leave its own route out of the run.
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig(seed=0))
    schema.app = application
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


@pytest.fixture
def application(model_dir):
    """Return a service that takes few rows, so that the limit is within reach of the cases."""
    return create_app({"MODEL_DIR": model_dir, "MAX_ROWS": 20, "LOG_LEVEL": "ERROR"})


@pytest.fixture
def document(application):
    """Return the document of that service."""
    return application.test_client().get("/openapi.json").get_json()


@pytest.mark.parametrize(
    ("max_examples", "at_least"),
    [(30, 300), pytest.param(2000, 2000, marks=pytest.mark.soak)],
)
def test_schemathesis_finds_no_violation(application, document, max_examples, at_least):
    cases, checks, failures = run(application, document, max_examples)

    assert not failures, "\n\n".join(failures)
    assert checks == CHECKS
    assert len(cases) == len(document["paths"])
    assert min(cases[label] for label in SCORING) >= at_least


def test_schemathesis_sees_a_status_that_the_document_does_not_name(application, document):
    del document["paths"]["/predict"]["post"]["responses"]["422"]

    _, _, failures = run(application, document, 1)

    assert any(failure.startswith("status_code_conformance") for failure in failures)
