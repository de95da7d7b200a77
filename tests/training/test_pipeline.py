"""Whole runs, from a table to an artifact."""

import json

import numpy as np
import pytest

from app import create_app
from model.artifact import load
from tests.training.runs import figures_of, train
from tests.training.tables import mixed_frame
from training.data import matrix_of
from training.errors import DataError
from training.evaluate import base_rate_weights
from training.listener import Listener
from training.promote import promote

FRAME = mixed_frame(3000)


@pytest.fixture(scope="module", params=["holdout", "cross_fit"])
def both(request, tmp_path_factory):
    """Return a run of both networks."""
    folder = tmp_path_factory.mktemp(request.param)
    return train(FRAME, folder, split={"validation": request.param}, base_rate=0.01)


def test_run_learns_what_there_is_to_learn(both):
    figures = figures_of(both)

    assert both.evaluated_part == "test"
    assert (both.evaluation.n_rows, both.artifact.scorer.tasks) == (600, {"fraud", "anomaly"})
    assert figures["roc_auc"] > 0.93
    assert figures["average_precision"] > 0.6
    assert figures["brier_score"] < 0.05


def test_probabilities_are_true_at_the_base_rate(both):
    fresh = mixed_frame(20_000, seed=9)
    y = fresh["is_fraud"].to_numpy()
    scorer = both.artifact.scorer
    probability = scorer.score(matrix_of(fresh, scorer.spec, "fresh")).probability

    weights = base_rate_weights(y, 0.01)

    assert np.average(probability, weights=weights) == pytest.approx(0.01, rel=0.3)
    assert both.evaluation.at_base_rate.prevalence == pytest.approx(0.01)
    assert both.evaluation.as_table.prevalence == both.table.labels[both.parts.test].mean()


def test_evaluation_is_what_the_saved_artifact_says_of_the_test_rows(both):
    rows = both.parts.test
    y = both.table.labels[rows]
    scores = load(both.artifact.path).scorer.score(both.table.matrix[rows])
    alert = scores.decision > 0

    (tn, fp), (fn, tp) = both.evaluation.confusion
    assert (tp, fp) == (int((alert & (y == 1)).sum()), int((alert & (y == 0)).sum()))
    assert (tn + fp, fn + tp) == (int((y == 0).sum()), int(y.sum()))
    money = both.table.matrix[rows, both.table.spec.names.index("amount")]
    assert both.evaluation.impact.amount_caught == pytest.approx(money[alert & (y == 1)].sum())


def test_artifact_says_what_it_was_made_of(both):
    manifest = both.artifact.manifest
    data = manifest["training_data"]

    assert (manifest["seed"], manifest["recipe"], manifest["base_rate"]) == (0, "default", 0.01)
    assert (data["source"], data["rows"]) == ("cards.csv", 3000)
    assert data["frauds"] == FRAME["is_fraud"].sum()
    assert data["sha256"] == both.table.digest
    assert sum(part["rows"] for part in data["parts"].values()) == 3000
    assert sum(part["frauds"] for part in data["parts"].values()) == data["frauds"]
    used = np.setdiff1d(np.arange(3000), both.parts.test)
    assert data["latest_time"] == both.table.times[used].max()
    assert manifest["configuration"]["data"]["path"] == "cards.csv"
    assert manifest["metrics"]["evaluated_on"] == "test"
    assert [entry["score"] for entry in manifest["score_table"]] == list(range(100, 1001, 50))
    assert 0.5 < manifest["anomaly_metrics"]["roc_auc"] <= 1


def test_artifact_holds_neither_path_nor_clock(both):
    text = json.dumps(dict(both.artifact.manifest))

    assert str(both.artifact.path.parent.parent) not in text
    for word in ("promoted_at", "created", "/tmp", "output", "reports"):  # noqa: S108
        assert word not in text


def test_run_keeps_what_it_said_of_rows_it_had_not_learned_from(both):
    rows = both.classifier.calibration_rows

    assert len(rows) == len(both.classifier.calibration_logits)
    assert not set(rows) & set(both.parts.test)
    assert len(both.history.epochs) <= 6
    assert len(both.anomaly_history.epochs) == 4


def test_classifier_alone_serves_no_anomalies(tmp_path):
    run = train(FRAME, tmp_path, task="fraud")

    assert run.artifact.scorer.tasks == {"fraud"}
    assert run.anomaly_history is None
    assert "anomaly_metrics" not in run.artifact.manifest
    assert statuses(run) == {"/predict": 200, "/anomaly": 409}


@pytest.mark.parametrize("labels", ["none", "all legitimate", "both classes"])
def test_autoencoder_alone_needs_no_label_and_answers_predict_with_a_conflict(tmp_path, labels):
    frame = FRAME.drop(columns="is_fraud") if labels == "none" else FRAME.copy()
    if labels == "all legitimate":
        frame["is_fraud"] = 0

    run = train(frame, tmp_path, task="anomaly")

    assert run.artifact.scorer.tasks == {"anomaly"}
    assert (run.evaluation, run.evaluated_part, run.history) == (None, "none", None)
    assert ("anomaly_metrics" in run.artifact.manifest) == (labels == "both classes")
    assert statuses(run) == {"/predict": 409, "/anomaly": 200}


def test_autoencoder_alone_leaves_frauds_out_of_its_training(tmp_path):
    """A third of the rows are frauds that are all alike: whoever learns from them knows them."""
    frame = FRAME.copy()
    is_fraud = np.arange(3000) % 3 == 0
    frame["is_fraud"] = is_fraud.astype(int)
    frame.loc[is_fraud, ["v1", "v2", "amount"]] = [6.0, -6.0, 1.0]

    informed = train(frame, tmp_path / "one", task="anomaly")
    unaware = train(frame.drop(columns="is_fraud"), tmp_path / "other", task="anomaly")

    ratios = []
    for run in (informed, unaware):
        errors = run.artifact.scorer.anomaly(run.table.matrix).reconstruction_error
        ratios.append(errors[is_fraud].mean() / errors[~is_fraud].mean())
    assert ratios[0] > 2.5
    assert ratios[1] < 1.5


def statuses(run):
    """Return the status of both routes when an artifact is served."""
    promote(run.artifact.path.parent, run.artifact.version)
    client = create_app({"MODEL_DIR": run.artifact.path.parent}).test_client()
    row = {
        "transaction_time": "2026-01-06T12:00:00",
        "amount": 10.0,
        "v1": 0.5,
        "v2": None,
        "merchant": "travel",
        "is_new_device": True,
        "constant": 1.0,
    }
    return {route: client.post(route, json=row).status_code for route in ("/predict", "/anomaly")}


def test_table_without_labels_cannot_train_a_classifier(tmp_path):
    with pytest.raises(DataError, match="--label"):
        train(FRAME.drop(columns="is_fraud"), tmp_path)


@pytest.mark.parametrize("recipe", ["default", "textbook"])
def test_the_same_seed_and_data_give_the_same_bytes_wherever_they_lie(tmp_path, recipe):
    first = train(FRAME, tmp_path / "here", recipe=recipe)
    again = train(FRAME, tmp_path / "some" / "where", recipe=recipe)

    assert first.artifact.path.read_bytes() == again.artifact.path.read_bytes()
    assert first.artifact.path.name == again.artifact.path.name


def test_another_seed_gives_another_artifact(tmp_path):
    first = train(FRAME, tmp_path, seed=0)
    other = train(FRAME, tmp_path, seed=1)

    assert first.artifact.version != other.artifact.version
    assert not np.array_equal(
        first.artifact.scorer.fraud.mlp.parameters, other.artifact.scorer.fraud.mlp.parameters
    )


def test_ranges_are_those_of_training_rows(both):
    spec = both.artifact.scorer.spec
    column = spec.names.index("amount")
    train_rows = FRAME["amount"].to_numpy()[both.parts.train]

    assert spec.features[column].seen == (train_rows.min(), train_rows.max())


class Recorder(Listener):
    """Writes down what it hears."""

    def __init__(self):
        self.heard = []

    def on_table(self, table):
        self.heard.append(("table", len(table)))

    def on_split(self, _table, parts):
        self.heard.append(("split", len(parts.train)))

    def on_network(self, mlp, config, y_train):
        self.heard.append(("network", mlp.members, config.seed, len(y_train)))

    def on_autoencoder(self, config):
        self.heard.append(("autoencoder", config.epochs))

    def on_epoch(self, epoch, _figures):
        self.heard.append(("epoch", epoch))

    def on_warning(self, text):
        self.heard.append(("warning", text.split(":")[0]))


def test_listener_hears_everything_in_order(tmp_path):
    recorder = Recorder()

    train(
        FRAME,
        tmp_path,
        recorder,
        network={"initializer": "zeros", "activation": "tanh"},
        learning={"epochs": 2},
        autoencoder={"epochs": 1},
    )

    names = [name for name, *_ in recorder.heard]
    assert [fact for fact in recorder.heard if fact[0] not in ("epoch", "warning")] == [
        ("table", 3000),
        ("split", 2400),
        ("network", 3, 0, 2400),
        ("autoencoder", 1),
    ]
    assert names.count("epoch") == 3
    assert ("warning", "two units of a layer are identical and learn the same") in recorder.heard
    assert names.index("warning") < names.index("autoencoder")
