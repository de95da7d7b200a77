"""The commands that train: train, retrain, and what they promote."""

import re
from pathlib import Path

import numpy as np
import pytest

from model.artifact import load
from model.pointer import read_pointer
from tests.training.commands import MODELS, champion_of, refused, run, write
from tests.training.tables import mixed_frame

pytestmark = pytest.mark.usefixtures("working_folder")


def test_run_needs_no_flags_for_the_well_known_table(textbook):
    folder, output = textbook

    artifact = load(next((folder / "artifacts" / "creditcard").glob("*.npz")))
    assert artifact.scorer.spec.amount == "Amount"
    assert len(artifact.scorer.spec.names) == 30
    assert "Split by time" in output


@pytest.mark.parametrize(
    "text",
    [
        "imbalance       14:1",
        "class weights   legitimate 0.536, fraud 7.500",
        "layers          30 → 16 → 16 → 1",
        "activations     relu, relu, sigmoid",
        "parameters      785",
        "sgd, learning rate 0.01 (constant), batch 64, 50 epochs",
        "! calling everything legitimate would have an accuracy of 93.33%",
        "epoch  1/50  loss ",
        "epoch 50/50  loss ",
        "On 240 test rows, 16 of them fraud",
        "alerts (review or block)",
        "recall at 0.1% false positives",
        "Business impact on these rows",
        "frauds worth",
        "Anomaly score on test rows",
    ],
)
def test_printed_run_says_what_a_data_scientist_wants_to_know(textbook, text):
    assert text in textbook[1]


def test_first_version_becomes_the_champion_and_says_how_it_is_served(textbook):
    folder, output = textbook
    models = folder / "artifacts" / "creditcard"
    version = champion_of(models)

    assert f"{version}, the first version of its name" in output
    assert f"FRAUDSCORE_MODEL_DIR={models} make serve" in output
    for path in (models / f"{version}.npz", models / f"{version}.json"):
        assert path.is_file()
        assert str(path) in output
    report = folder / "reports" / "creditcard" / version / "report.html"
    assert report.is_file()
    assert str(report) in output


def test_later_versions_are_promoted_by_hand(tmp_path):
    data = write(mixed_frame(800))
    run("train", "--data", data, "--config", "quick.toml")
    first = champion_of(MODELS)

    output = run("train", "--data", data, "--config", "quick.toml", "--seed", 1)

    [second] = {path.stem for path in (tmp_path / "artifacts/cards").glob("*.npz")} - {first}
    assert champion_of(MODELS) == first
    assert f"python -m training promote artifacts/cards/{second}.npz" in output
    assert f"{second}, after {first}" in run("promote", f"artifacts/cards/{second}.npz")
    assert champion_of(MODELS) == second
    assert f"{first}, after {second}" in run("rollback", "artifacts/cards")
    assert champion_of(MODELS) == first


def test_options_reach_the_run():
    data = write(mixed_frame(800).rename(columns={"is_fraud": "bad", "amount": "eur"}))

    output = run(
        "train",
        *("--data", data, "--config", "quick.toml", "--label", "bad", "--amount", "eur"),
        *("--time", "transaction_time", "--drop", "constant,v2", "--task", "fraud"),
        *("--layers", "6,5", "--split", "time", "--delay", "1d", "--test-share", 0.3),
        *("--validation-share", 0.1, "--base-rate", 0.01, "--name", "ours", "--output", "models"),
        *("--reports", "pages", "--attribution", "nobody's", "--seed", 4, "--promote-anyway"),
    )

    [path] = Path("models/ours").glob("*.npz")
    artifact = load(path)
    assert artifact.scorer.spec.amount == "eur"
    assert artifact.scorer.tasks == {"fraud"}
    assert not {"constant", "v2", "bad", "payment_id"} & set(artifact.scorer.spec.names)
    assert (artifact.manifest["seed"], artifact.manifest["base_rate"]) == (4, 0.01)
    assert artifact.manifest["training_data"]["attribution"] == "nobody's"
    assert "→ 6 → 5 → 1" in output
    assert "On 240 test rows" in output


def test_training_without_a_label_says_how_to_name_it():
    data = write(mixed_frame(300).drop(columns="is_fraud"))

    assert refused("train", "--data", data).endswith("name it with --label")


def test_retraining_on_newer_rows_promotes_what_is_not_worse(served):
    before = champion_of(MODELS)

    output = run("retrain", "--data", write(served), "--config", "quick.toml")

    after = champion_of(MODELS)
    assert after != before
    assert f"{after}, in the place of {before}" in output
    assert "Average precision on 600 rows new to both" in output
    assert read_pointer(MODELS).previous == before


def test_retraining_that_is_worse_is_not_promoted(served):
    before = champion_of(MODELS)
    spoilt = served.copy()
    training = spoilt.index < 2400
    rng = np.random.default_rng(0)
    spoilt.loc[training, "is_fraud"] = rng.permutation(spoilt.loc[training, "is_fraud"])

    output = run("retrain", "--data", write(spoilt), "--config", "quick.toml", status=3)

    assert f"these rows show it to be worse; {before} stays" in output
    assert champion_of(MODELS) == before
    assert len(list(MODELS.glob("*.npz"))) == 2


def test_retraining_with_other_features_is_refused_saying_which(served):
    before = champion_of(MODELS)
    other = served.drop(columns="v2").assign(age=1.5)

    message = refused("retrain", "--data", write(other), "--config", "quick.toml")

    assert message.endswith("the features differ, clients would be refused: age is new; v2 is gone")
    assert champion_of(MODELS) == before


def test_retraining_on_rows_that_the_champion_knows_is_refused(served):
    before = champion_of(MODELS)

    message = refused("retrain", "--data", write(served[:1200]), "--config", "quick.toml")

    assert "rows that neither model was trained on" in message
    assert champion_of(MODELS) == before


@pytest.mark.parametrize("alone", ["champion", "challenger"])
def test_retraining_without_a_classifier_to_compare_is_refused_before_the_training(served, alone):
    before = champion_of(MODELS)
    if alone == "champion":
        run("train", "--data", write(served), "--config", "quick.toml", "--task", "anomaly")
        [other] = [path for path in MODELS.glob("*.npz") if path.stem != before]
        run("promote", other)
        before = other.stem
    task = "fraud" if alone == "champion" else "anomaly"

    output = run(
        *("retrain", "--data", write(served), "--config", "quick.toml", "--task", task), status=1
    )

    assert "epoch" not in output
    assert re.search(r"Error: .* classifier .*promote by hand", output)
    assert champion_of(MODELS) == before


def test_retraining_a_new_name_makes_its_first_champion():
    output = run("retrain", "--data", write(mixed_frame(1500)), "--config", "quick.toml")

    assert "the first version of its name" in output
    assert champion_of(MODELS)


def test_retraining_stops_before_the_training_where_the_champion_is_damaged(served):
    path = MODELS / f"{champion_of(MODELS)}.npz"
    path.write_bytes(path.read_bytes()[:-1000])

    message = refused("retrain", "--data", write(served), "--config", "quick.toml")

    assert message.startswith(f"{path}: ")
