"""The OpenAPI document says what the service does, for the model that it holds."""

from html import unescape
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from app import create_app, responses
from app.access.keys import APIKey, write_keys
from app.documentation.docs import DocumentationCache
from model.decision import Policy
from tests.factories import TINY_FEATURES, renamed, valid_row, write_tiny_artifact

ROOT = Path(__file__).resolve().parents[2]
ROW_SCHEMAS = {"one": responses.Prediction, "list": responses.Predictions}


@pytest.fixture
def document(client):
    """Return the document of the service over the small champion."""
    return client.get("/openapi.json").get_json()


@pytest.fixture(params=["both", "fraud", "anomaly"])
def client_of_tasks(request, tmp_path):
    """Return a client of a service over an artifact with some of the tasks."""
    write_tiny_artifact(tmp_path, tasks=request.param)
    return create_app({"MODEL_DIR": tmp_path}).test_client()


def transaction_of(document):
    """Return the schema of a transaction."""
    return document["components"]["schemas"]["Transaction"]


def examples_of(document):
    """Yield route and example of every request in the document."""
    for path, methods in document["paths"].items():
        for operation in methods.values():
            content = operation.get("requestBody", {}).get("content", {})
            for media_type, description in content.items():
                for example in description["examples"].values():
                    yield path, media_type, example["value"]


def test_document_is_valid_whatever_the_artifact_can_do(client_of_tasks):
    document = client_of_tasks.get("/openapi.json").get_json()

    validate(document)
    assert document["openapi"] == "3.1.0"


@pytest.mark.parametrize("name", ["creditcard", "simulated"])
def test_documents_of_the_shipped_models_are_valid_and_their_examples_work(name):
    client = create_app({"MODEL_DIR": ROOT / "artifacts" / name}).test_client()

    document = client.get("/openapi.json").get_json()

    validate(document)
    for path, _, value in examples_of(document):
        assert client.post(path, json=value).status_code == 200


def test_every_example_is_accepted(client_of_tasks):
    document = client_of_tasks.get("/openapi.json").get_json()

    examples = list(examples_of(document))

    assert len(examples) == 3 * sum("post" in methods for methods in document["paths"].values())
    for path, media_type, value in examples:
        response = client_of_tasks.post(path, json=value)
        assert (response.status_code, response.content_type) == (200, media_type)


def test_example_of_an_answer_is_the_answer_to_the_example(client, document):
    operation = document["paths"]["/predict"]["post"]
    asked = operation["requestBody"]["content"]["application/json"]["examples"]
    shown = operation["responses"]["200"]["content"]["application/json"]["examples"]

    for name, schema in ROW_SCHEMAS.items():
        found = client.post("/predict", json=asked[name]["value"]).get_json()
        assert shown[name]["value"] == found
        schema().load(found)
    assert shown["explained"]["value"]["reasons"]


def test_routes_and_methods_are_those_that_exist(app, document):
    found = {rule.rule: rule.methods - {"HEAD", "OPTIONS"} for rule in app.url_map.iter_rules()}
    del found["/"]  # leads people to the page, and is nothing that a program asks for

    told = {path: {m.upper() for m in methods} for path, methods in document["paths"].items()}

    assert told == found


def test_route_of_a_task_that_the_artifact_lacks_is_left_out(tmp_path):
    write_tiny_artifact(tmp_path, tasks="anomaly")
    document = create_app({"MODEL_DIR": tmp_path}).test_client().get("/openapi.json").get_json()

    assert "/predict" not in document["paths"]
    assert "/anomaly" in document["paths"]
    assert "Prediction" not in document["components"]["schemas"]


def test_transaction_has_the_features_of_the_model(document, champion):
    transaction = transaction_of(document)
    spec = champion.artifact.scorer.spec

    assert list(transaction["properties"]) == [*spec.id_keys, *spec.names]
    assert transaction["required"] == [f.name for f in spec.features if not f.nullable]
    assert transaction["additionalProperties"] is False
    assert transaction["properties"]["transaction_time"]["format"] == "date-time"
    assert transaction["properties"]["V2"]["type"] == ["number", "null"]


def test_feature_tells_bounds_unit_and_range(document, champion):
    amount = transaction_of(document)["properties"]["Amount"]
    feature = champion.artifact.scorer.spec.features[0]

    assert amount["minimum"] == 0
    assert "maximum" not in amount
    assert amount["x-unit"] == "EUR"
    assert amount["x-seen"] == list(feature.seen)
    assert amount["examples"] == [feature.central]
    assert (
        f"Seen in training: {feature.seen[0]:.6g} to {feature.seen[1]:.6g}."
        in (amount["description"])
    )


def test_known_categories_are_told_and_others_not_excluded(client, document):
    category = transaction_of(document)["properties"]["merchant_category"]

    response = client.post("/predict", json=valid_row(merchant_category="never seen"))

    assert response.status_code == 200
    assert "enum" not in category
    assert category["x-categories"] == ["grocery", "travel", "games"]
    assert "grocery, travel, games" in category["description"]


def test_rows_of_answers_have_the_identifiers_of_the_model(document):
    schemas = document["components"]["schemas"]

    for name in ("Prediction", "PredictionRow", "Anomaly", "AnomalyRow"):
        assert list(schemas[name]["properties"])[:2] == ["transaction_id", "payment_id"]
        assert schemas[name]["additionalProperties"] is False


def test_limit_of_rows_is_the_one_that_is_set(model_dir):
    client = create_app({"MODEL_DIR": model_dir, "MAX_ROWS": 7}).test_client()

    schemas = client.get("/openapi.json").get_json()["components"]["schemas"]

    assert schemas["Transactions"]["properties"]["transactions"]["maxItems"] == 7


def test_every_problem_is_a_problem_document(document):
    for description in document["components"]["responses"].values():
        assert list(description["content"]) == ["application/problem+json"]
        schema = description["content"]["application/problem+json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ProblemDocument"}


def test_without_keys_the_document_asks_for_none(document):
    assert "securitySchemes" not in document["components"]
    assert "Problem401" not in document["components"]["responses"]
    operations = [o for methods in document["paths"].values() for o in methods.values()]
    assert not any("security" in operation for operation in operations)


def test_with_keys_the_document_asks_for_one_wherever_it_is_needed(model_dir, tmp_path):
    key, secret = APIKey.generate("checkout")
    write_keys(tmp_path / "keys.json", (key,))
    settings = {"KEYS_FILE": tmp_path / "keys.json", "OPEN_ROUTES": "/docs"}
    client = create_app({"MODEL_DIR": model_dir, **settings}).test_client()

    document = client.get("/openapi.json", headers={"X-API-Key": secret}).get_json()

    validate(document)
    schemes = document["components"]["securitySchemes"]
    assert set(schemes) == {"bearer", "header"}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            needs_key = client.open(path, method=method).status_code == 401
            assert operation.get("security", []) == [{name: []} for name in schemes] * needs_key
            assert ("401" in operation["responses"]) == needs_key
    assert '-H "Authorization: Bearer $KEY"' in unescape(client.get("/docs").text)


def test_document_follows_the_champion(tmp_path):
    write_tiny_artifact(tmp_path)
    app = create_app({"MODEL_DIR": tmp_path})
    client = app.test_client()

    before = client.get("/openapi.json").get_json()
    write_tiny_artifact(tmp_path, name="newer", features=renamed(TINY_FEATURES, V1="velocity"))
    app.extensions["fraudscore"].refresh()
    after = client.get("/openapi.json").get_json()

    assert before["info"]["title"] == "fraudscore: tiny"
    assert after["info"]["title"] == "fraudscore: newer"
    assert "velocity" in transaction_of(after)["properties"]
    assert "velocity" in client.get("/docs").text


def test_document_is_written_once_a_champion(app, champion):
    cache = DocumentationCache()

    with app.app_context():
        first, second = (cache.of(champion, {"/predict"}, ()) for _ in range(2))

    assert first is second


def test_policy_that_reviews_anomalies_is_within_the_document(tmp_path):
    policy = Policy(review=0.3, block=0.6, anomaly_review=0.5)
    write_tiny_artifact(tmp_path, policy=policy)
    client = create_app({"MODEL_DIR": tmp_path}).test_client()

    document = client.get("/openapi.json").get_json()

    content = document["paths"]["/predict"]["post"]["responses"]["200"]["content"]
    example = content["application/json"]["examples"]["one"]["value"]
    assert "anomaly_score" in example
    responses.Prediction().load(example)
