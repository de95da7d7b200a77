"""A run that lacks something gives a report that says so."""

import json
from dataclasses import replace

import numpy as np
import pytest

from model.card import describe
from tests.training.report_runs import read, small_table, train_small
from training.evaluate import evaluate
from training.report import write_card, write_report

HOLDOUT = {"validation": "holdout"}


def of_one_class(run, label):
    """Return the run as if its test rows were all of one class."""
    rows = run.parts.test[run.table.labels[run.parts.test] == label]
    scores = run.artifact.scorer.score(run.table.matrix[rows])
    amounts = run.artifact.scorer.amounts(run.table.matrix[rows])
    y, rng = run.table.labels[rows], np.random.default_rng(0)
    evaluation = evaluate(y, scores.probability, scores.decision, amounts, 0.01, rng)
    return replace(run, parts=replace(run.parts, test=rows), evaluation=evaluation)


@pytest.mark.parametrize(
    ("dropped", "overrides", "says", "plots"),
    [
        ([], {"task": "fraud"}, "No base rate was stated", 6),
        ([], {"task": "anomaly"}, "There is no classifier: this model scores anomalies only.", 2),
        (
            ["Class"],
            {"task": "anomaly"},
            "600 transactions without labels: what is fraud among them is not known.",
            2,
        ),
        (
            [],
            {"split": {"validation": "cross_fit", "test_share": 0.0}},
            "No test rows were kept. All figures are of validation rows",
            8,
        ),
        (
            [],
            {"split": {**HOLDOUT, "test_share": 0.0}},
            "No test rows were kept. All figures are of validation rows",
            8,
        ),
        (["Class"], {"task": "anomaly", "split": {"test_share": 0.0}}, "(validation rows)", 2),
        (["Amount"], {}, "No column is the amount of a transaction", 8),
        (["Time"], {}, "by row order, for want of a time column", 8),
        ([], {"split": {"how": "random"}}, "Rows were divided at random", 8),
        (
            [],
            {"policy": {"choose": "precision", "review": 1.0, "block": 1.0}},
            "Probabilities from",
            8,
        ),
        (
            [],
            {"learning": {"epochs": 1}, "autoencoder": {"epochs": 1}, "split": HOLDOUT},
            "after the only epoch",
            8,
        ),
    ],
)
def test_report_says_what_a_run_lacks(tmp_path, dropped, overrides, says, plots):
    run = train_small(tmp_path, small_table().drop(columns=dropped), **overrides)

    page = write_report(run, tmp_path / "reports")

    _, text, _ = read(page)
    assert says in text
    assert len(list(page.parent.glob("*.png"))) == plots
    assert page.with_name("card.md").read_text().startswith("# Model card: payments ")


def test_columns_that_say_nothing_are_reported_as_well(tmp_path):
    frame = small_table().assign(channel="shop", constant=1.0, empty=np.nan)

    _, text, facts = read(write_report(train_small(tmp_path, frame), tmp_path))

    assert facts["data"]["kinds"] == {"numeric": 5, "categorical": 1}
    assert "column 'empty' has no values at all and is left out" in text


@pytest.mark.parametrize(
    ("label", "says"),
    [
        (0, "There is no fraud among the evaluated rows"),
        (1, "There is no legitimate transaction among the evaluated rows"),
    ],
)
def test_rows_of_one_class_have_no_curves(tmp_path, label, says):
    run = of_one_class(train_small(tmp_path, base_rate=0.01), label)

    page = write_report(run, tmp_path / "reports")

    _, text, facts = read(page)
    assert says in text
    assert "The curves are not defined" in text
    assert facts["evaluation"]["roc"] is None
    assert "not defined" in page.with_name("card.md").read_text()


def test_foreign_text_is_shown_and_not_run(tmp_path):
    hostile = "<script>alert(1)</script> | *x*"
    frame = small_table().rename(columns={"Amount": "<b>$x_1$</b>"}).assign(**{"<i>": np.nan})
    data = {"attribution": hostile, "amount": "<b>$x_1$</b>"}

    page = write_report(train_small(tmp_path, frame, data=data), tmp_path)

    _, text, _ = read(page)
    assert hostile in text
    assert "Amounts in units of <b>$x_1$</b>" in text
    html = page.read_text()
    card, _, _ = page.with_name("card.md").read_text().partition("```json")
    assert not any(tag in html for tag in ("<script", "<b>", "<i>"))
    assert "<script" not in card.replace(r"\<", "")


def test_card_is_what_the_service_shows_and_when_it_was_trained(tmp_path):
    artifact = train_small(tmp_path).artifact
    before = artifact.path.read_bytes()

    path = write_card(artifact, artifact.path.parent)

    card = json.loads(path.read_text())
    moment = card.pop("trained_at")
    assert path == artifact.path.with_suffix(".json")
    assert card == json.loads(json.dumps(describe(artifact)))
    assert moment.endswith("+00:00")
    assert artifact.path.read_bytes() == before
