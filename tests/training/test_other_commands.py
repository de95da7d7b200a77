"""The commands that apply a model, and what all commands do when something is wrong."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from model.artifact import load
from tests.factories import valid_row
from tests.precision import as_rounded
from tests.training.commands import QUICK_TOML, refused, run, write
from tests.training.tables import mixed_frame
from training import config
from training.__main__ import main
from training.analysis import typical_values
from training.cells import numbers, time_units

pytestmark = pytest.mark.usefixtures("working_folder")

TRANSACTION = ",".join(f"{name}={value}" for name, value in valid_row().items())


def test_transaction_is_explained(tiny):
    output = run("predict", "--artifact", tiny, "--transaction", TRANSACTION)

    assert "fraud probability" in output
    assert re.search("APPROVE|REVIEW|BLOCK", output)
    assert "hidden layer 1" in output
    assert {len(line) for line in output.splitlines()} == {300}


def test_row_of_a_table_is_explained_as_the_transaction_that_it_is(tiny):
    rows = [valid_row(V1=value, payment_id=number) for number, value in enumerate((0.1, 0.3, 9.0))]
    pd.DataFrame(rows).to_csv("rows.csv", index=False)

    output = run("predict", "--artifact", tiny, "--data", "rows.csv", "--row", 1)

    name, box = output.split("\n", 1)
    assert re.fullmatch(r"  model +tiny \w{12}", name)
    expected = run("predict", "--artifact", tiny, "--transaction", TRANSACTION)
    assert box.partition("hidden layer")[2] == expected.partition("hidden layer")[2]
    assert "V1 = 0.3" in box
    message = refused("predict", "--artifact", tiny, "--data", "rows.csv", "--row", 3)
    assert message == "rows.csv: there is no row 3: it has rows 0 to 2"


@pytest.mark.parametrize(
    "arguments", [["--row", 1], ["--data", "a.csv"], ["--data", "a", "--row", 1, "--json", "b"]]
)
def test_row_needs_its_table_and_nothing_else(tiny, arguments):
    assert "--data and --row" in run("predict", "--artifact", tiny, *arguments, status=2)


def test_rest_of_a_transaction_may_be_typical(tiny):
    spec = load(tiny).scorer.spec
    values = {"V1": 9.0}

    output = run("predict", "--artifact", tiny, "--transaction", "V1=9", "--rest", "typical")

    matrix = spec.central_row().copy()
    matrix[0, spec.names.index("V1")] = 9.0
    score = load(tiny).scorer.score(matrix).score[0]
    assert f"score {score} of 1000" in output
    assert typical_values(spec).keys() == set(spec.names)
    spec.matrix_from_rows([typical_values(spec) | values])  # all of them can be sent


def test_model_that_reads_a_table_is_named(tiny):
    pd.DataFrame([valid_row()] * 3).drop(columns="V1").to_csv("rows.csv", index=False)
    arguments = ("--artifact", tiny, "--data", "rows.csv")

    for message in (
        refused("score", *arguments, "--output", "scores.csv"),
        refused("predict", *arguments, "--row", 0),
    ):
        assert re.fullmatch(
            r"rows.csv: the model needs the columns \['V1'\], the table lacks them; that is tiny "
            r"\w{12}: --model takes the folder of another model",
            message,
        )


def test_scores_may_have_reasons(tiny):
    rows = [valid_row(V1=value) for value in (0.1, 0.3, 9.0)]
    pd.DataFrame(rows).to_csv("rows.csv", index=False)

    output = run(
        "score", "--artifact", tiny, "--data", "rows.csv", "--output", "s.csv", "--reasons"
    )

    scorer = load(tiny).scorer
    found = pd.read_csv("s.csv")
    assert re.search(r"model +tiny \w{12}", output)
    assert found["row"].tolist() == [0, 1, 2]
    for number, reasons in enumerate(scorer.reasons(scorer.spec.matrix_from_rows(rows))):
        told = found.iloc[number]
        codes = [told[f"reason_{place}"] for place in range(1, len(reasons) + 1)]
        assert codes == [reason.code for reason in reasons]
        assert told["contribution_1"] == as_rounded(reasons[0].contribution)
        assert all(pd.isna(told[f"reason_{place}"]) for place in range(len(reasons) + 1, 5))


def test_transaction_of_a_file_is_explained_alike(tiny, tmp_path):
    (tmp_path / "one.json").write_text(json.dumps(valid_row()))

    from_file = run("predict", "--artifact", tiny, "--json", "one.json")

    assert from_file == run("predict", "--artifact", tiny, "--transaction", TRANSACTION)


def test_missing_features_are_listed(tiny):
    message = refused("predict", "--artifact", tiny, "--transaction", "Amount=5000")

    assert message.startswith(
        "3 of 6 features are missing: V1, merchant_category, transaction_time; --rest typical"
    )


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
        (["train", "--data", "cards.txt"], "cards.txt: the file is empty"),
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
    wild = QUICK_TOML.replace("learning_rate = 0.01", 'learning_rate = 1e30\noptimizer = "sgd"')
    (tmp_path / "wild.toml").write_text(wild.replace("layers = [8]", "layers = [8, 8]"))
    (tmp_path / "blocked.toml").write_text(f'output = "cards.csv"\n{QUICK_TOML}')

    assert what in refused(*arguments)


def test_score_of_a_table_that_does_not_fit_leaves_no_output(tiny, tmp_path):
    write(mixed_frame(50))

    message = refused("score", "--artifact", tiny, "--data", "cards.csv", "--output", "scores.csv")

    assert "['Amount', 'V1', 'merchant_category']" in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cards.csv", "quick.toml"]


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_explains_itself(command):
    output = run(command, "--help")

    assert output.startswith("Usage: ")
    assert command in run("-h")


def test_every_command_takes_what_is_said_of_the_cells():
    frame = mixed_frame(900)
    plain = write(frame.replace("fuel", "Säule"), "plain.csv")
    german = frame.assign(
        amount=frame["amount"].map("{:.2f}".format).str.replace(".", ","),
        is_fraud=frame["is_fraud"].map({1: "schlecht", 0: "gut"}),
        merchant=frame["merchant"].replace("fuel", "Säule"),
        v2=frame["v2"].astype(object).where(frame["v2"].notna(), "unbekannt"),
    )
    german.to_csv("german.csv", sep=";", index=False, encoding="windows-1252")
    said = ("--decimal", ",", "--missing", "unbekannt", "--encoding", "windows-1252")
    label = ("--label", "is_fraud", "--positive", "schlecht")

    run("train", "--data", plain, "--config", "quick.toml", "--name", "a")
    printed = run(
        "train", "--data", "german.csv", "--config", "quick.toml", "--name", "b", *label, *said
    )
    [plain_model], [german_model] = (list(Path("artifacts", n).glob("*.npz")) for n in "ab")
    matrices = {}
    for name, model in {"plain": plain_model, "german": german_model}.items():
        options = said if name == "german" else ()
        data = ("--artifact", model, "--data", f"{name}.csv")
        run("score", *data, "--output", f"{name}.scores.csv", *options)
        matrices[name] = pd.read_csv(f"{name}.scores.csv")
    evaluated = run("evaluate", *data, *label, *said)

    assert "separated by semicolons" in printed
    assert "'schlecht' as fraud" in printed
    pd.testing.assert_frame_equal(matrices["plain"], matrices["german"])
    assert "900 rows" in evaluated
    assert "--encoding" in refused("score", *data, "--output", "none.csv", "--encoding", "ascii")


def test_units_and_marks_of_the_options_are_those_of_the_rules():
    assert tuple(time_units.TIME_UNITS) == config.TIME_UNITS
    assert (config.DECIMALS, config.THOUSANDS) == (numbers.DECIMALS, numbers.THOUSANDS)
