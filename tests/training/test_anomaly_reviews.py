"""What reviewing anomalies costs is told: in the card, in the report and on the terminal."""

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from app import create_app
from model.decision import APPROVE, DECISIONS
from model.pointer import Pointer, write_pointer
from tests.training.runs import train
from tests.training.tables import mixed_frame
from training.cli.console import RunConsole
from training.report import write_card, write_report

FROM = 0.9


@pytest.fixture(scope="module")
def reviewing(tmp_path_factory):
    """Return a run whose policy reviews every tenth legitimate transaction, and its output."""
    text = io.StringIO()
    run = train(
        mixed_frame(1500),
        tmp_path_factory.mktemp("run"),
        RunConsole(Console(file=text, width=100)),
        policy={"anomaly_review": FROM},
        base_rate=0.01,
    )
    return run, text.getvalue()


def added_reviews(run):
    """Return which test rows are reviewed for their anomaly score alone, worked out by hand."""
    scorer, rows = run.artifact.scorer, run.table.matrix[run.parts.test]
    p, amount = scorer.score(rows).probability, scorer.amounts(rows)
    policy = scorer.fraud.policy
    costs = [p * (np.fmax(amount, 0) + policy.fee), np.full(len(p), policy.review_cost)]
    is_approved = np.argmin([*costs, (1 - p) * policy.friction], axis=0) == 0
    return is_approved & (scorer.anomaly(rows).anomaly_score >= FROM)


def test_card_counts_the_reviews_that_anomalies_add(reviewing, tmp_path):
    run, _ = reviewing
    added, y = added_reviews(run), run.table.labels[run.parts.test]

    card = write_card(run.artifact, tmp_path).read_text()

    assert '"anomaly_reviews"' in card
    told = run.artifact.manifest["anomaly_reviews"]
    assert told["evaluated_on"] == "test"
    assert told["share_of_legitimate"] == pytest.approx(added[y == 0].mean())
    assert 0.03 < told["share_of_legitimate"] < 0.2
    assert told["share_of_frauds"] == pytest.approx(added[y == 1].mean())
    expected = 0.99 * added[y == 0].mean() + 0.01 * added[y == 1].mean()
    assert told["in_10000"] == pytest.approx(10_000 * expected)


def test_report_and_terminal_tell_them_too(reviewing, tmp_path):
    run, printed = reviewing

    page = write_report(run, tmp_path).read_text()

    assert "Reviewing anomalies adds" in page
    assert f"{run.artifact.manifest['anomaly_reviews']['in_10000']:,.1f} more in 10,000" in printed


def test_service_reviews_them_and_says_why(reviewing):
    run, _ = reviewing
    models = run.artifact.path.parent
    pointer = Pointer(run.artifact.version, run.artifact.sha256, None, "2026-01-01T00:00:00+00:00")
    write_pointer(models, pointer)
    client = create_app({"MODEL_DIR": str(models)}).test_client()
    added = added_reviews(run)
    spec, rows = run.artifact.scorer.spec, run.table.matrix[run.parts.test]
    texts = [feature.categories for feature in spec.features]

    def cell(column, value):
        kind = spec.features[column].kind
        if np.isnan(value) or (kind == "categorical" and int(value) >= len(texts[column])):
            return None
        if kind == "categorical":
            return texts[column][int(value)]
        if kind == "datetime":
            return str(np.datetime64(int(value), "s"))
        return bool(value) if kind == "boolean" else value

    sent = [{n: cell(c, row[c]) for c, n in enumerate(spec.names)} for row in rows.tolist()]
    answers = client.post("/predict", json=sent).get_json()["predictions"]

    assert added.any()
    scorer = run.artifact.scorer
    expected = scorer.anomaly_reasons(rows, scorer.anomaly(rows))
    for answer, is_added, reasons in zip(answers, added, expected, strict=True):
        assert "anomaly_score" in answer
        if is_added:
            assert answer["decision"] == "review"
            assert answer["anomaly_score"] >= FROM
            blamed = [part["feature"] for part in answer["contributions"]]
            assert blamed == [reason.feature for reason in reasons]
            shares = [part["contribution"] for part in answer["contributions"]]
            assert 0 < sum(shares) <= 1 + 1e-9
        else:
            assert ("contributions" in answer) == (
                answer["decision"] == "review" and answer["anomaly_score"] >= FROM
            )
    decisions = [DECISIONS[code] for code in run.artifact.scorer.score(rows).decision]
    assert [answer["decision"] for answer in answers] == decisions


def test_validation_rows_tell_where_no_test_rows_are_kept(tmp_path):
    run = train(
        mixed_frame(900),
        tmp_path,
        policy={"anomaly_review": FROM},
        split={"test_share": 0.0},
    )

    told, scorer = run.artifact.manifest["anomaly_reviews"], run.artifact.scorer
    assert told["evaluated_on"] == "validation"
    # by rows that the autoencoder has not learned from, and the member that left them out
    is_new = run.parts.folds == 0
    rows = run.table.matrix[run.parts.train[is_new]]
    y = run.table.labels[run.parts.train[is_new]]
    p = scorer.fraud.calibration.probability(run.classifier.held_out_logits[is_new])
    alone = replace(scorer.fraud.policy, anomaly_review=None).decide(p, scorer.amounts(rows))
    added = (alone == APPROVE) & (scorer.anomaly(rows).anomaly_score >= FROM)
    assert added.any()
    assert told["share_of_legitimate"] == pytest.approx(added[y == 0].mean())
    assert told["share_of_frauds"] == pytest.approx(added[y == 1].mean())
