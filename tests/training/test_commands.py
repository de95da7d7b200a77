"""The command line."""

import json
import re
from pathlib import Path
from shutil import copytree

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from model.artifact import load
from model.pointer import read_pointer
from tests.factories import save_tiny, valid_row
from tests.training.runs import train
from tests.training.tables import mixed_frame
from training import __main__ as command_line
from training import evaluate, promote

MODELS = Path("artifacts/cards")
QUICK = """
[data]
id = "payment_id"
[network]
layers = [8]
members = 3
n_bins = 4
[learning]
epochs = 4
batch_size = 64
learning_rate = 0.01
[autoencoder]
hidden = [8]
bottleneck = 3
members = 2
epochs = 2
batch_size = 64
"""


@pytest.fixture(autouse=True)
def _short_bootstrap(monkeypatch):
    """Intervals are not the point here."""
    monkeypatch.setattr(evaluate, "RESAMPLES", 10)
    monkeypatch.setattr(promote, "RESAMPLES", 60)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    """Run every command where nothing else lies."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quick.toml").write_text(QUICK)


def run(*arguments, status=0):
    """Run a command; return what it printed on standard output and standard error."""
    result = CliRunner().invoke(command_line.main, [str(part) for part in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result.output


def refused(*arguments):
    """Run a command that fails; return its one line."""
    output = run(*arguments, status=1)
    *_, last = output.strip().splitlines()
    assert last.startswith("Error: ")
    assert "Traceback" not in output
    return last.removeprefix("Error: ")


def write(frame, name="cards.csv"):
    """Write a frame into the working folder."""
    frame.to_csv(name, index=False)
    return name


def champion_of(folder):
    """Return the version that serves."""
    return read_pointer(folder).version


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Return the path of an artifact whose features are a request's."""
    return save_tiny(tmp_path_factory.mktemp("tiny")).path


@pytest.fixture(scope="module")
def textbook(tmp_path_factory):
    """Return what the textbook recipe prints on a table of 30 features, and its folder."""
    folder = tmp_path_factory.mktemp("textbook")
    rng = np.random.default_rng(0)
    n_rows = 1200
    is_fraud = (np.arange(n_rows) % 15 == 0).astype(int)
    frame = pd.DataFrame({"Time": np.arange(n_rows)})
    for number in range(1, 29):
        frame[f"V{number}"] = rng.normal(size=n_rows) + (number < 4) * 1.5 * is_fraud
    frame["Amount"] = rng.lognormal(3, 1, n_rows)
    frame["Class"] = is_fraud
    frame.to_csv(folder / "creditcard.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "RESAMPLES", 10)
        output = run(
            "train",
            *("--data", folder / "creditcard.csv", "--recipe", "textbook"),
            *("--output", folder / "artifacts", "--reports", folder / "reports"),
        )
    return folder, output


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
        "class weights   0: 0.536, 1: 7.500",
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
        *("--reports", "pages", "--attribution", "nobody's", "--seed", 4),
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


FRAME = mixed_frame(3000)


@pytest.fixture(scope="module")
def first_models(tmp_path_factory):
    """Return a folder with a champion that was trained on the first half of the table."""
    trained = train(FRAME[:1500], tmp_path_factory.mktemp("first"))
    promote.promote(trained.artifact.path.parent, trained.artifact.version)
    return trained.artifact.path.parent


@pytest.fixture
def served(first_models, tmp_path):
    """Put the champion into the working folder; return the whole table."""
    copytree(first_models, tmp_path / MODELS)
    return FRAME


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

    output = run("retrain", "--data", write(spoilt), "--config", "quick.toml", status=1)

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


def test_retraining_a_new_name_makes_its_first_champion():
    output = run("retrain", "--data", write(mixed_frame(600)), "--config", "quick.toml")

    assert "the first version of its name" in output
    assert champion_of(MODELS)


def test_retraining_stops_before_the_training_where_the_champion_is_damaged(served):
    path = MODELS / f"{champion_of(MODELS)}.npz"
    path.write_bytes(path.read_bytes()[:-1000])

    message = refused("retrain", "--data", write(served), "--config", "quick.toml")

    assert message.startswith(f"{path}: ")


TRANSACTION = ",".join(f"{name}={value}" for name, value in valid_row().items())


def test_transaction_is_explained(tiny):
    output = run("predict", "--artifact", tiny, "--transaction", TRANSACTION)

    assert "fraud probability" in output
    assert re.search("APPROVE|REVIEW|BLOCK", output)
    assert "hidden layer 1" in output
    assert {len(line) for line in output.splitlines()} == {80}


def test_transaction_of_a_file_is_explained_alike(tiny, tmp_path):
    (tmp_path / "one.json").write_text(json.dumps(valid_row()))

    from_file = run("predict", "--artifact", tiny, "--json", "one.json")

    assert from_file == run("predict", "--artifact", tiny, "--transaction", TRANSACTION)


def test_missing_features_are_listed(tiny):
    message = refused("predict", "--artifact", tiny, "--transaction", "Amount=5000")

    assert message == "3 of 6 features are missing: V1, merchant_category, transaction_time"


@pytest.mark.parametrize(
    "content", ["[1]", "{", "NaN", '{"Amount": NaN}', "[" * 100_000, "\ud800", '"text"']
)
def test_file_that_holds_no_transaction_is_refused_by_name(tiny, tmp_path, content):
    (tmp_path / "one.json").write_bytes(content.encode("utf-8", "surrogatepass"))

    message = refused("predict", "--artifact", tiny, "--json", "one.json")

    assert "one.json" in message or "Amount" in message or "missing" in message


@pytest.mark.parametrize("arguments", [[], ["--transaction", "a=1", "--json", "one.json"]])
def test_transaction_is_given_in_one_way(tiny, arguments):
    output = run("predict", "--artifact", tiny, *arguments, status=2)

    assert "--transaction or with --json" in output


def test_table_is_scored_by_the_champion_of_a_folder(served):
    new = served[1500:]
    write(new, "new.csv")

    output = run(
        "score", "--model", "artifacts/cards", "--data", "new.csv", "--output", "scores.csv"
    )

    assert "1,500 rows into scores.csv" in output
    scores = pd.read_csv("scores.csv")
    assert scores["payment_id"].tolist() == new["payment_id"].tolist()
    assert scores["probability"].between(0, 1).all()


def test_table_with_labels_is_evaluated(textbook):
    folder, printed = textbook
    models = folder / "artifacts" / "creditcard"
    frame = pd.read_csv(folder / "creditcard.csv")
    write(frame[-240:], "newest.csv")

    output = run("evaluate", "--model", models, "--data", "newest.csv")

    assert "On 240 rows of newest.csv, 16 of them fraud" in output
    for name in ("precision", "recall", "f1", "roc auc"):
        pattern = rf"^  {name} +([\d.]+%)"
        assert re.findall(pattern, output, re.M)[:1] == re.findall(pattern, printed, re.M)[:1]


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_table_to_evaluate_on_needs_labels_and_rows(textbook, command):
    folder, _ = textbook
    frame = pd.read_csv(folder / "creditcard.csv")
    [path] = (folder / "artifacts" / "creditcard").glob("*.npz")
    models = ["--artifact", path] if command == "evaluate" else []
    models += ["--champion", path, "--challenger", path] if command == "compare" else []
    write(frame.drop(columns="Class"), "unlabelled.csv")
    write(frame[:0], "empty.csv")

    assert "no label column found" in refused(command, *models, "--data", "unlabelled.csv")
    assert refused(command, *models, "--data", "empty.csv") == "empty.csv: the table has no rows"
    other = frame.rename(columns={"Class": "outcome"})
    assert run(command, *models, "--data", write(other), "--label", "outcome")


def test_two_artifacts_are_compared(textbook):
    folder, _ = textbook
    [path] = (folder / "artifacts" / "creditcard").glob("*.npz")

    output = run(
        "compare",
        *("--champion", path, "--challenger", path, "--data", folder / "creditcard.csv"),
    )

    assert "95 % interval [+0.0000, +0.0000]" in output
    assert "Average precision on 1,200 rows" in output


@pytest.mark.parametrize("name", ["rows.csv", "new/folder/rows.parquet"])
def test_transactions_are_simulated_into_a_file(name):
    output = run("simulate", "--rows", 1000, "--seed", 3, "--output", name)

    frame = pd.read_csv(name) if name.endswith(".csv") else pd.read_parquet(name)
    assert len(frame) == 1000
    assert frame["is_fraud"].sum() == 5
    assert f"1,000 transactions into {name}" in output


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["train", "--data", "none.csv"], "none.csv: no such file"),
        (["train", "--data", "cards.txt"], "expected a .csv"),
        (["train", "--data", "cards.csv", "--label", "x"], "column 'x'"),
        (["train", "--data", "cards.csv", "--drop", "x"], "column 'x'"),
        (["train", "--config", "none.toml"], "none.toml"),
        (["train", "--layers", "a"], "--layers"),
        (["train", "--delay", "soon"], "expected a duration such as 7d"),
        (["train", "--seed", "-1"], "seed must be at least 0"),
        (["train", "--test-share", "nan"], "split: test_share"),
        (["train", "--base-rate", "2"], "base_rate lies between 0 and 1"),
        (["train", "--name", "../up"], "name is the name of a folder"),
        (["train", "--data", "cards.csv", "--config", "wild.toml"], "training diverged in epoch"),
        (["train", "--data", "cards.csv", "--config", "blocked.toml"], "cards.csv"),
        (["predict", "--artifact", "none.npz", "--transaction", "a=1"], "no such artifact"),
        (["predict", "--model", "nowhere", "--transaction", "a=1"], "no model has been promoted"),
        (["score", "--model", "nowhere", "--data", "cards.csv", "--output", "o.csv"], "promoted"),
        (["evaluate", "--artifact", "cards.csv", "--data", "cards.csv"], "not a readable .npz"),
        (["promote", "nowhere/0123456789ab.npz"], "no such artifact"),
        (["rollback", "nowhere"], "no model has been promoted"),
        (["simulate", "--rows", "10", "--output", "o.csv"], "at least 200"),
        (["simulate", "--rows", "500", "--output", "o.txt"], ".csv or .parquet"),
        (["simulate", "--rows", "500", "--output", "cards.csv/o.csv"], "cards.csv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_goes_wrong_is_told_in_one_line(tmp_path, arguments, what):
    write(mixed_frame(400))
    (tmp_path / "cards.txt").write_text("")
    wild = QUICK.replace("learning_rate = 0.01", 'learning_rate = 1e30\noptimizer = "sgd"')
    (tmp_path / "wild.toml").write_text(wild.replace("layers = [8]", "layers = [8, 8]"))
    (tmp_path / "blocked.toml").write_text(f'output = "cards.csv"\n{QUICK}')

    assert what in refused(*arguments)


def test_score_of_a_table_that_does_not_fit_leaves_no_output(tiny, tmp_path):
    write(mixed_frame(50))

    message = refused("score", "--artifact", tiny, "--data", "cards.csv", "--output", "scores.csv")

    assert "['Amount', 'V1', 'merchant_category']" in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cards.csv", "quick.toml"]


@pytest.mark.parametrize(
    "command",
    [
        "train",
        "retrain",
        "predict",
        "score",
        "evaluate",
        "compare",
        "promote",
        "rollback",
        "simulate",
    ],
)
def test_every_command_explains_itself(command):
    output = run(command, "--help")

    assert output.startswith("Usage: ")
    assert command in run("-h")
