"""What a champion will be asked is asked once before it serves, and nothing of it is counted."""

import logging
import math

import pytest

from app import create_app, rehearsal
from app.rehearsal import rehearse
from app.store import ModelStore, Swaps
from model.errors import ArtifactFormatError
from tests.app.champions import copied, point_to
from tests.factories import save_tiny, write_tiny_artifact


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return two small models."""
    directory = tmp_path_factory.mktemp("trained") / "tiny"
    return [save_tiny(directory, seed=seed) for seed in (0, 1)]


@pytest.fixture
def artifacts(trained, tmp_path):
    """Return the two in a folder of their own, the first being the champion."""
    found = [copied(artifact, tmp_path) for artifact in trained]
    point_to(found[0])
    return found


def unsendable(*_):
    """Return what no JSON can hold."""
    return {"metrics": {"auc": math.nan}}


FAULTS = {
    "card": ("describe", unsendable, "a number that is not finite"),
    "description": ("openapi_document", unsendable, "a number that is not finite"),
    "metrics": ("generate_latest", lambda _: 1 / 0, "division by zero"),
    "answer": ("answer", lambda *_: [][0], "list index out of range"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_champion_that_cannot_be_asked_is_refused(name, artifacts, monkeypatch, caplog):
    function, fault, reason = FAULTS[name]
    store = ModelStore(artifacts[0].path.parent, 100)
    before = store.current()
    point_to(artifacts[1])
    monkeypatch.setattr(rehearsal, function, fault)

    for _ in range(3):
        store.refresh()

    status = store.status()
    assert store.current() is before
    assert (status["status"], status["refused_version"]) == ("degraded", artifacts[1].version)
    assert status["reason"].startswith(f"what it says cannot be sent: {reason}")
    assert store.swaps == Swaps(swapped=0, refused=1)
    (logged,) = [record for record in caplog.records if record.message == "champion refused"]
    assert logged.levelno == logging.ERROR


def test_champion_that_cannot_be_asked_ends_the_start_in_one_line(artifacts, monkeypatch):
    monkeypatch.setattr(rehearsal, "describe", unsendable)

    with pytest.raises(ArtifactFormatError, match="cannot be sent") as caught:
        ModelStore(artifacts[0].path.parent, 100)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("tasks", ["both", "fraud", "anomaly"])
@pytest.mark.parametrize("max_rows", [1, 100])
def test_every_route_of_the_model_is_asked_for_every_golden_row(
    tasks, max_rows, tmp_path, monkeypatch
):
    artifact = save_tiny(tmp_path, tasks=tasks)
    point_to(artifact)
    champion = ModelStore(tmp_path, max_rows).current()
    asked, real = [], rehearsal.answer

    def answer(champion, route, body, query):
        result = real(champion, route, body, query)
        asked.append((route, query, result.facts["rows"]))
        return result

    monkeypatch.setattr(rehearsal, "answer", answer)

    rehearse(champion)

    queries = {
        "both": {("predict", "explain=true&anomaly=true"), ("anomaly", "explain=true")},
        "fraud": {("predict", "explain=true")},
        "anomaly": {("anomaly", "explain=true")},
    }[tasks]
    assert {(route, query) for route, query, _ in asked} == queries
    assert max(n_rows for *_, n_rows in asked) == min(max_rows, rehearsal.MOST_ROWS)
    assert sum(n_rows for *_, n_rows in asked) == 64 * len(queries)


def test_rehearsal_is_not_counted(tmp_path):
    write_tiny_artifact(tmp_path)
    client = create_app({"MODEL_DIR": tmp_path}).test_client()

    text = client.get("/metrics").text

    counted = [line for line in text.splitlines() if line.startswith("fraud_predictions_total")]
    assert len(counted) == 3
    assert all(line.endswith(" 0.0") for line in counted)


def test_description_needs_no_more_rows_than_one(tmp_path):
    write_tiny_artifact(tmp_path)
    client = create_app({"MODEL_DIR": tmp_path, "MAX_ROWS": 1}).test_client()

    document = client.get("/openapi.json").get_json()

    body = document["paths"]["/predict"]["post"]["requestBody"]
    examples = body["content"]["application/json"]["examples"]
    assert [len(examples[name]["value"]) for name in ("list", "envelope")] == [1, 1]
    for example in examples.values():
        assert client.post("/predict", json=example["value"]).status_code == 200
