"""The same rows, scored as a file and over HTTP: one scorer, one answer."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from app import create_app
from model.decision import DECISIONS
from model.pointer import load_champion
from tests.precision import rounding
from tests.training.runs import train
from tests.training.tables import mixed_frame
from training.__main__ import main
from training.promote import promote

N_SINGLE = 40
MODELS = {
    "default recipe": {"network": {"members": 8, "n_bins": 16, "layers": [32]}},
    "default recipe, other policy": {
        "network": {"batch_norm": True, "scaling": "robust", "activation": "leaky_relu"},
        "policy": {"choose": "recall", "review": 0.9, "block": 0.6, "calibration": "isotonic"},
        "base_rate": 0.005,
        "seed": 1,  # with 0 the recall asked for puts the threshold where most rows are tied
    },
    "textbook": {
        "recipe": "textbook",
        "network": {"layers": [16, 16], "members": 1, "n_bins": 0},
        "learning": {"epochs": 5},
    },
}


def new_rows():
    """Return rows the models have not seen: gaps, unseen categories, extremes, odd date-times."""
    frame = mixed_frame(400, seed=21).astype({"v1": object})
    frame.loc[::7, "merchant"] = "a new one"
    frame.loc[::31, "amount"] = 0.0
    frame.loc[1::31, "amount"] = 1e9
    frame.loc[2::31, "v1"] = -1e300
    frame["v1"] = frame["v1"].astype(float)
    frame.loc[3::31, "transaction_time"] = "1999-12-31T23:59:59.5+02:00"
    frame.loc[4::31, "transaction_time"] = "2026-03-01 12:30"
    frame.loc[5::31, "is_new_device"] = None
    frame.loc[6::31, "constant"] = 3.0
    return frame


def as_transactions(frame):
    """Return rows as a client sends them: JSON types, null for what is missing."""
    rows = frame.drop(columns="is_fraud").to_dict("records")
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()} for row in rows
    ]


@pytest.fixture(scope="module", params=MODELS.values(), ids=MODELS)
def served(request, tmp_path_factory):
    """Return a model's folder, the rows, their scores from the file, and a client."""
    folder = tmp_path_factory.mktemp("parity")
    bounds = {"amount": {"minimum": 0}}
    artifact = train(mixed_frame(1200), folder, data={"bounds": bounds}, **request.param).artifact
    models = artifact.path.parent
    promote(models, artifact.version)
    frame = new_rows()
    frame.to_csv(folder / "new.csv", index=False)
    command = ["score", "--model", models, "--data", folder / "new.csv"]
    command += ["--output", folder / "scores.csv"]
    result = CliRunner().invoke(main, list(map(str, command)), catch_exceptions=False)
    assert result.exit_code == 0
    scores = pd.read_csv(folder / "scores.csv")
    return models, as_transactions(frame), scores, create_app({"MODEL_DIR": models}).test_client()


def answers(client, route, rows, one_by_one):
    """Return what the service says of rows, sent together or one by one, as a frame."""
    if one_by_one:
        replies = [client.post(route, json=row) for row in rows]
        assert {reply.status_code for reply in replies} == {200}
        return pd.DataFrame([reply.get_json() for reply in replies])
    reply = client.post(route, json=rows)
    assert reply.status_code == 200, reply.get_json()
    return pd.DataFrame(reply.get_json()["predictions"])


@pytest.mark.parametrize("one_by_one", [False, True], ids=["together", "one by one"])
def test_probabilities_scores_and_decisions_are_those_of_the_file(served, one_by_one):
    models, rows, scores, client = served
    if one_by_one:
        rows, scores = rows[:N_SINGLE], scores[:N_SINGLE]

    found = answers(client, "/predict", rows, one_by_one)

    assert found["payment_id"].tolist() == scores["payment_id"].tolist()
    np.testing.assert_allclose(found["probability"], scores["probability"], **rounding(np.float32))
    assert np.abs(found["score"] - scores["score"]).max() <= 1  # of 1000 ranks
    is_safe = far_from_a_threshold(models, rows, scores["probability"].to_numpy())
    assert is_safe.mean() > 0.9
    assert (found["decision"] == scores["decision"])[is_safe].all()


def far_from_a_threshold(models, rows, probability):
    """Return for which rows a probability a little higher or lower means the same decision."""
    scorer = load_champion(models)[0].scorer
    amounts = scorer.amounts(scorer.spec.matrix_from_rows(rows))
    low, high = (
        scorer.fraud.policy.decide(np.clip(probability + change, 0, 1), amounts)
        for change in (-2e-5, 2e-5)
    )
    return low == high


@pytest.mark.parametrize("one_by_one", [False, True], ids=["together", "one by one"])
def test_reconstruction_errors_and_anomalies_are_those_of_the_file(served, one_by_one):
    _, rows, scores, client = served
    if one_by_one:
        rows, scores = rows[:N_SINGLE], scores[:N_SINGLE]

    found = answers(client, "/anomaly", rows, one_by_one)

    errors = scores["reconstruction_error"]
    np.testing.assert_allclose(found["reconstruction_error"], errors, **rounding(np.float32))
    np.testing.assert_allclose(found["anomaly_score"], scores["anomaly_score"], atol=1e-3, rtol=0)
    threshold = client.get("/model").get_json()["anomaly_threshold"]
    is_safe = np.abs(errors - threshold) > 1e-4 * threshold
    assert is_safe.mean() > 0.9
    assert (found["is_anomaly"] == scores["is_anomaly"])[is_safe].all()


def test_anomaly_score_beside_a_prediction_is_the_same(served):
    _, rows, scores, client = served

    found = answers(client, "/predict?anomaly=true", rows, one_by_one=False)

    np.testing.assert_allclose(found["anomaly_score"], scores["anomaly_score"], atol=1e-3, rtol=0)


def test_rows_are_varied_enough_to_tell(served):
    _, rows, scores, _ = served

    assert scores["probability"].between(1e-4, 1 - 1e-4).sum() > 50
    assert scores["score"].nunique() > 50
    assert len(set(scores["decision"])) > 1
    assert set(scores["decision"]) <= set(DECISIONS)
    assert set(scores["is_anomaly"]) == {True, False}
    assert sum(row["v2"] is None for row in rows) > 20
    assert {type(row["is_new_device"]) for row in rows} == {bool, type(None)}


@pytest.mark.parametrize(("name", "value"), [("v1", np.nan), ("amount", -1.0)])
def test_what_one_way_refuses_the_other_refuses_too(served, name, value, tmp_path):
    """A gap in a column that had none in training, and a value below the declared minimum."""
    models, _, _, client = served
    frame = new_rows()
    frame.loc[3, name] = value
    frame.to_csv(tmp_path / "new.csv", index=False)

    reply = client.post("/predict", json=as_transactions(frame))
    command = ["score", "--model", models, "--data", tmp_path / "new.csv"]
    command += ["--output", tmp_path / "scores.csv"]
    result = CliRunner().invoke(main, list(map(str, command)))

    assert reply.status_code == 422
    assert list(reply.get_json()["errors"]["transactions"]) == ["3"]
    assert name in reply.get_json()["errors"]["transactions"]["3"]
    assert result.exit_code == 1
    assert f"column '{name}': row 3 " in result.output
    assert not (tmp_path / "scores.csv").exists()
