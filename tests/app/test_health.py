"""Health and the model card."""

import shutil

import pytest

from app import create_app, responses, run_dir
from model.card import describe
from tests.factories import valid_row


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_health_names_the_model_that_answers(client, champion, path):
    response = client.get(path)

    assert response.status_code == 200
    responses.Health().load(response.get_json())
    assert response.get_json() == {
        "status": "ok",
        "model": {
            "name": champion.artifact.name,
            "version": champion.artifact.version,
            "sha256": champion.artifact.sha256,
            "promoted_at": champion.promoted_at,
        },
    }


def test_live_says_only_that_the_process_answers(client):
    assert client.get("/health/live").get_json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/live", "/model"])
def test_head_is_answered_like_get_without_a_body(client, path):
    head, get = client.head(path), client.get(path)

    assert head.status_code == 200
    assert head.data == b""
    assert head.content_length == get.content_length


def test_balancer_may_add_a_query(client):
    assert client.get("/health?probe=1").status_code == 200


def test_model_is_the_card_and_the_day_of_its_promotion(client, champion):
    card = client.get("/model").get_json()

    assert card.pop("promoted_at") == "2026-01-01T00:00:00+00:00"
    assert card == client.application.json.loads(
        client.application.json.dumps(describe(champion.artifact))
    )
    assert [feature["name"] for feature in card["features"]] == list(
        champion.artifact.scorer.spec.names
    )


@pytest.fixture
def degraded(model_dir, tmp_path):
    """Return a client of a service whose champion was replaced by nothing good."""
    directory = shutil.copytree(model_dir, tmp_path / "models")
    app = create_app({"MODEL_DIR": directory})
    (directory / "champion.json").write_text("{")
    app.extensions["fraudscore"].refresh()
    return app.test_client()


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_degraded_service_stays_in_the_balancer_and_says_why(degraded, path):
    response = degraded.get(path)

    assert response.status_code == 200
    responses.Health().load(response.get_json())
    assert response.get_json()["status"] == "degraded"
    assert response.get_json()["reason"] == "not a champion pointer"
    assert degraded.get("/model").status_code == 200


@pytest.mark.parametrize("method", ["get", "head"])
def test_draining_service_leaves_the_balancer_and_goes_on_answering(model_dir, tmp_path, method):
    run_dir.drain(tmp_path)
    client = create_app({"MODEL_DIR": model_dir, "RUN_DIR": tmp_path}).test_client()

    answers = [getattr(client, method)(path) for path in ("/health", "/health/ready")]

    for answer in answers:
        assert answer.status_code == 503
        assert answer.content_type == "application/problem+json"
    assert client.get("/health/live").status_code == 200
    assert client.post("/predict", json=valid_row()).status_code == 200


def test_drain_is_told_as_a_problem_and_can_be_called_off(model_dir, tmp_path):
    run_dir.drain(tmp_path)
    client = create_app({"MODEL_DIR": model_dir, "RUN_DIR": tmp_path}).test_client()
    problem = client.get("/health").get_json()

    run_dir.resume(tmp_path)

    responses.ProblemDocument().load(problem)
    assert "draining" in problem["detail"]
    assert client.get("/health").status_code == 200
