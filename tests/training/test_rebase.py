"""Another base rate: what moves, what stays, and what is no longer claimed."""

import json
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from model.artifact import load
from model.card import describe
from model.errors import ConfigurationError, TaskError
from model.pointer import load_champion
from tests.training.commands import champion_of, refused, run
from tests.training.runs import train
from tests.training.tables import mixed_frame
from training import promote
from training.evaluate import base_rate_weights
from training.rebase import rebase

FRAME = mixed_frame(1500)
SHIPPED = Path(__file__).resolve().parents[2] / "artifacts"
POLICIES = {
    "cost": {"anomaly_review": 0.95},
    "alert_budget": {"choose": "alert_budget", "review": 900.0, "block": 300.0},
    "recall": {"choose": "recall", "review": 0.9, "block": 0.6, "anomaly_review": 0.95},
    "isotonic": {"calibration": "isotonic"},
    "none": {"calibration": "none"},
}
STATED = {"cost": 0.01, "alert_budget": 0.02, "recall": None, "isotonic": None, "none": 0.05}


@pytest.fixture(scope="module", params=POLICIES)
def trained(request, tmp_path_factory):
    """Return a run of each kind of policy and calibration."""
    return train(
        FRAME,
        tmp_path_factory.mktemp(request.param),
        policy=POLICIES[request.param],
        base_rate=STATED[request.param],
        split={"validation": "holdout" if request.param == "none" else "auto"},
    )


def odds(rate):
    """Return p / (1 − p)."""
    return rate / (1 - rate)


def rate_before(run):
    """Return the base rate that a run's probabilities are for."""
    rows = run.classifier.calibration_rows
    return run.config.base_rate or run.table.labels[rows].mean()


@pytest.mark.parametrize("rate", [1e-4, 0.003, 0.4])
def test_scores_stay_and_odds_change_by_the_change_of_the_prior_odds(trained, rate):
    before, matrix = trained.artifact, trained.table.matrix

    after = rebase(before, rate)

    old, new = before.scorer.score(matrix), after.scorer.score(matrix)
    np.testing.assert_array_equal(new.score, old.score)
    np.testing.assert_array_equal(new.logits, old.logits)
    change = odds(new.probability) / odds(old.probability)
    np.testing.assert_allclose(change, odds(rate) / odds(rate_before(trained)), rtol=1e-6)
    assert after.manifest["base_rate"] == rate


def test_version_depends_on_the_trained_one_and_the_rate_alone(trained):
    once = rebase(trained.artifact, 0.003)
    content = once.path.read_bytes()

    again = rebase(trained.artifact, 0.003)
    twice = rebase(once, 0.003)
    around = rebase(rebase(trained.artifact, 0.2), 0.003)

    assert again.version == twice.version == around.version == once.version
    assert around.path.read_bytes() == content
    assert once.version != trained.artifact.version


def test_way_back_leads_to_the_old_probabilities(trained):
    matrix = trained.table.matrix

    back = rebase(rebase(trained.artifact, 0.003), rate_before(trained)).scorer.score(matrix)

    old = trained.artifact.scorer.score(matrix)
    np.testing.assert_array_equal(back.probability, old.probability)
    np.testing.assert_array_equal(back.decision, old.decision)


@pytest.mark.parametrize("rate", [1e-4, 0.4])
def test_thresholds_alert_of_the_same_transactions_and_costs_of_what_pays(trained, rate):
    matrix, policy = trained.table.matrix, trained.artifact.scorer.fraud.policy
    old = trained.artifact.scorer.score(matrix)

    new = rebase(trained.artifact, rate).scorer.score(matrix)

    if policy.kind == "threshold":
        np.testing.assert_array_equal(new.decision, old.decision)
        assert len(set(old.decision.tolist())) == 3
        return
    amount = np.fmax(trained.artifact.scorer.amounts(matrix), 0)
    costs = [
        new.probability * (amount + 15.0),
        np.full(len(matrix), 3.0),
        (1 - new.probability) * 10.0,
    ]
    expected = np.argmin(costs, axis=0)
    if policy.anomaly_review is not None:
        odd = trained.artifact.scorer.anomaly(matrix).anomaly_score >= policy.anomaly_review
        expected = np.where((expected == 0) & odd, 1, expected)
    np.testing.assert_array_equal(new.decision, expected)
    assert (new.decision != old.decision).any()


def test_score_table_counts_alerts_at_the_new_rate(trained):
    after = rebase(trained.artifact, 0.003)

    y = trained.table.labels[trained.classifier.calibration_rows]
    scores = trained.artifact.scorer.fraud.scale.score(trained.classifier.calibration_logits)
    weights = base_rate_weights(y, 0.003)
    pairs = zip(
        after.manifest["score_table"], trained.artifact.manifest["score_table"], strict=True
    )
    for row, old in pairs:
        alerts = (weights * (scores >= row["score"])).sum() / weights.sum()
        assert row["alerts_per_10000"] == pytest.approx(10_000 * alerts, abs=1e-6)
        unchanged = {name: value for name, value in row.items() if name != "alerts_per_10000"}
        assert unchanged == {name: old[name] for name in unchanged}


def test_card_claims_nothing_of_the_old_rate(trained):
    after = rebase(trained.artifact, 0.003)

    card = describe(after)

    metrics, old = card["metrics"], trained.artifact.manifest["metrics"]
    assert "at_base_rate" not in metrics
    assert "brier_score" not in metrics["as_table"]["figures"]
    for name, figure in metrics["as_table"]["figures"].items():
        assert figure == old["as_table"]["figures"][name]
    has_thresholds = card["policy"]["kind"] == "threshold"
    for name in ("confusion", "block_confusion", "impact"):
        assert metrics.get(name) == (old[name] if has_thresholds else None)
    assert ("recall" in metrics["as_table"]["figures"]) == has_thresholds
    assert metrics["as_table"]["figures"]["roc_auc"] == old["as_table"]["figures"]["roc_auc"]
    assert "average_precision_at_base_rate" not in card["anomaly_metrics"]
    assert card["rebased"]["from"] == trained.artifact.version
    choose = trained.config.policy.choose
    assert ("follow the new probabilities" in card["rebased"]["note"]) == (not has_thresholds)
    assert (f"The {choose} they were chosen for" in card["rebased"]["note"]) == (
        choose == "alert_budget"
    )


def test_reviews_of_anomalies_are_counted_anew_where_they_are_known(trained):
    told = trained.artifact.manifest.get("anomaly_reviews")

    found = rebase(trained.artifact, 0.3).manifest.get("anomaly_reviews")

    if told is None or trained.artifact.scorer.fraud.policy.kind == "cost":
        assert found is None
    else:
        expected = 0.7 * told["share_of_legitimate"] + 0.3 * told["share_of_frauds"]
        assert found == {**told, "in_10000": pytest.approx(10_000 * expected)}


def test_threshold_that_nothing_reaches_stays_out_of_reach(tmp_path):
    # one alert among 600 rows is more than any budget below 16 in 10,000
    policy = {"choose": "alert_budget", "review": 0.2, "block": 0.1}
    artifact = train(mixed_frame(600), tmp_path, policy=policy, task="fraud").artifact

    assert rebase(artifact, 0.9).scorer.fraud.policy.block == artifact.scorer.fraud.policy.block > 1


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, float("nan")])
def test_rate_that_is_none_is_refused(rate):
    artifact, _ = load_champion(SHIPPED / "creditcard")

    with pytest.raises(ConfigurationError, match="base_rate lies between 0 and 1"):
        rebase(artifact, rate)


def test_artifact_that_cannot_tell_is_refused(tiny, tmp_path):
    with pytest.raises(ConfigurationError, match="does not say how common fraud was"):
        rebase(load(tiny), 0.1)
    anomalies = train(mixed_frame(400), tmp_path, task="anomaly").artifact
    with pytest.raises(TaskError):
        rebase(anomalies, 0.1)


@pytest.mark.parametrize("name", ["creditcard", "simulated"])
def test_shipped_models_can_be_rebased(name, tmp_path):
    copytree(SHIPPED / name, tmp_path / name)
    before, _ = load_champion(tmp_path / name)

    after = rebase(before, 0.01)

    rate = before.manifest["base_rate"]
    rows = np.random.default_rng(0).normal(size=(5, len(before.scorer.spec.features)))
    rows = np.abs(rows) if name == "simulated" else rows
    old, new = (artifact.scorer.score(rows).probability for artifact in (before, after))
    if rate is not None:
        np.testing.assert_allclose(odds(new) / odds(old), odds(0.01) / odds(rate), rtol=1e-6)


@pytest.mark.usefixtures("served")
def test_command_writes_artifact_and_card_and_leaves_the_champion():
    models = Path("artifacts/cards")
    champion = champion_of(models)
    before = load(models / f"{champion}.npz")

    output = run("rebase", "--base-rate", "0.004", "--model", models)

    after = rebase(before, 0.004)
    assert champion_of(models) == champion
    assert f"promote artifacts/cards/{after.version}.npz" in output
    assert before.version in output
    card = json.loads((models / f"{after.version}.json").read_text())
    assert card["base_rate"] == 0.004
    run("promote", models / f"{after.version}.npz")
    assert champion_of(models) == after.version
    assert run("rollback", models)
    assert champion_of(models) == champion
    assert promote.champion_of(models).version == champion


@pytest.mark.usefixtures("served")
def test_card_of_a_rebased_model_keeps_the_day_it_was_trained():
    models = Path("artifacts/cards")
    card = models / f"{champion_of(models)}.json"
    card.write_text('{"trained_at": "2026-01-02T03:04:05+00:00"}')

    run("rebase", "--base-rate", "0.004", "--artifact", card.with_suffix(".npz"))

    [rebased] = [
        path for path in models.glob("*.json") if path.name not in (card.name, "champion.json")
    ]
    assert json.loads(rebased.read_text())["trained_at"] == "2026-01-02T03:04:05+00:00"


@pytest.mark.usefixtures("served")
def test_command_refuses_a_rate_that_is_none_in_one_line():
    message = refused("rebase", "--base-rate", "1.5", "--model", "artifacts/cards")

    assert message == "base_rate lies between 0 and 1, got 1.5"
