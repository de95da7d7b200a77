"""Health and the model card."""

import pytest

from app import responses
from model.card import describe


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
