"""A run that lacks something gives a report that says so."""

import numpy as np
import pytest

from tests.training.pages import assert_is_a_good_page
from tests.training.report_runs import read, small_table, train_small
from training.report import drawing, write_report

LEARNING = {"gradients"}
CLASSIFIER = {
    *("learning_loss", "learning_quality", "calibration", "scores", "costs", "features"),
    *("precision_recall", "roc", "alerts", "slices_recall", "slices_false_alarms"),
}
AUTOENCODER = {"autoencoder_errors", "autoencoder_features", "autoencoder_loss"}


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """Draw small pictures: nobody looks at these."""
    monkeypatch.setattr(drawing, "RESOLUTION", 30)


def drawn(page):
    """Return the names of the plots beside a page."""
    return {path.stem.removeprefix("report-") for path in page.parent.glob("*.png")}


@pytest.mark.parametrize(
    ("dropped", "overrides", "says", "plots"),
    [
        (
            [],
            {"task": "anomaly"},
            ["There is no classifier: this model scores anomalies only."],
            AUTOENCODER,
        ),
        (
            ["Class"],
            {"task": "anomaly", "split": {"test_share": 0.0}, "autoencoder": {"epochs": 1}},
            [
                "600 transactions without labels: what is fraud among them is not known.",
                "(validation rows)",
            ],
            AUTOENCODER,
        ),
        (
            ["Amount", "Time"],
            {"split": {"validation": "cross_fit", "test_share": 0.0}},
            [
                "No test rows were kept. All figures are of validation rows",
                "No column is the amount of a transaction",
                "by row order, for want of a time column",
                "alerts in 10,000 transactions",
            ],
            CLASSIFIER | AUTOENCODER,
        ),
        (
            [],
            {
                "task": "fraud",
                "learning": {"epochs": 1},
                "split": {"how": "random", "validation": "holdout"},
                "policy": {"choose": "precision", "review": 1.0, "block": 1.0},
            },
            [
                "No base rate was stated",
                "after the only epoch",
                "Rows were divided at random",
                "Probabilities from",
            ],
            CLASSIFIER,
        ),
    ],
    ids=["no classifier", "no labels", "no test", "no autoencoder"],
)
def test_report_says_what_a_run_lacks(tmp_path, dropped, overrides, says, plots):
    run = train_small(tmp_path, small_table().drop(columns=dropped), **overrides)

    page = write_report(run, tmp_path / "reports")

    _, text, _ = read(page)
    assert [said for said in says if said not in text] == []
    assert drawn(page) == LEARNING | plots
    assert page.with_name("card.md").read_text().startswith("# Model card: payments ")
    assert_is_a_good_page(page)


def test_foreign_text_is_shown_and_not_run_and_columns_that_say_nothing_are_told(tmp_path):
    hostile = "<script>alert(1)</script> | *x*"
    frame = small_table().rename(columns={"Amount": "<b>$x_1$</b>"})
    frame = frame.assign(channel="shop", constant=1.0, **{"<i>": np.nan})
    data = {"attribution": hostile, "amount": "<b>$x_1$</b>"}

    page = write_report(train_small(tmp_path, frame, data=data), tmp_path)

    _, text, facts = read(page)
    assert facts["data"]["kinds"] == {"numeric": 5, "categorical": 1}
    assert "column '<i>' has no values at all and is left out" in text
    assert "channel" not in {group["by"] for group in facts["slices"]}
    assert hostile in text
    assert "Amounts in units of <b>$x_1$</b>" in text
    html = page.read_text()
    card, _, _ = page.with_name("card.md").read_text().partition("```json")
    assert not any(tag in html for tag in ("<script", "<b>", "<i>"))
    assert "<script" not in card.replace(r"\<", "")
    assert_is_a_good_page(page)
