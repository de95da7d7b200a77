"""What speaks against a model: computed from its evaluation, kept by its artifact, heeded."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.artifact import load
from model.decision import APPROVE, BLOCK, REVIEW
from model.errors import ConfigurationError
from model.features import Feature, FeatureSpec
from model.pointer import read_pointer
from tests.factories import save_tiny
from tests.training.commands import MODELS, refused, run, write
from tests.training.tables import mixed_frame
from training import evaluate as evaluation_module
from training.champions import read_history
from training.config import PolicyConfig
from training.costs import Losses, fraud_costs, is_fraud_priced, losses_of, refuse_two_prices
from training.evaluate import base_rate_weights, evaluate
from training.findings import (
    ALL_ALERTED,
    ALL_APPROVED,
    CHANCE,
    COSTLY,
    IN_SHORT,
    UNPRICED,
    Finding,
    anomaly_findings,
    classifier_findings,
    findings_in,
)
from training.promote import refuse_findings
from training.rebase import rebase
from training.thresholds import choose_policy

BY_COST = PolicyConfig()
BUDGET = PolicyConfig(choose="alert_budget", review=50, block=5)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    """Shorten the bootstrap, whose intervals no finding looks at."""
    monkeypatch.setattr(evaluation_module, "RESAMPLES", 5)


def found(y, probability, decision, *, policy=BY_COST, amounts=..., base_rate=None, part="test"):
    """Return the findings of some rows by code."""
    y, decision = np.asarray(y), np.asarray(decision)
    amounts = np.full(len(y), 50.0) if amounts is ... else amounts
    rng = np.random.default_rng(0)
    evaluation = evaluate(y, np.asarray(probability), decision, amounts, base_rate, rng)
    losses = None
    if amounts is not None or policy.cost_per_fraud is not None:
        weights = base_rate_weights(y, base_rate)
        losses = Losses.of(policy, y, decision, amounts, weights)
    findings = classifier_findings(evaluation, part, policy, losses)
    return {finding.code: finding for finding in findings}


def good_rows(n_frauds=40, n_rows=400):
    """Return labels, probabilities that tell them apart, and decisions that follow."""
    y = np.repeat([1, 0], [n_frauds, n_rows - n_frauds])
    probability = np.linspace(0.99, 0.01, n_rows)
    return y, probability, np.where(probability > 0.9, BLOCK, APPROVE)


def random_rows(seed=0, n_rows=400):
    """Return labels and probabilities that know nothing of each other."""
    rng = np.random.default_rng(seed)
    probability = rng.random(n_rows)
    return (rng.random(n_rows) < 0.1).astype(int), probability, np.digitize(probability, [0.9, 1])


def test_nothing_speaks_against_a_model_that_works():
    assert found(*good_rows()) == {}
    assert found(*good_rows(), policy=BUDGET, amounts=None) == {}


def test_model_whose_interval_holds_chance_is_named_with_its_figures():
    y, probability, decision = random_rows()

    finding = found(y, probability, decision)[CHANCE]

    auc, low, high = (float(part) for part in re.findall(r"0\.\d{3}", finding.text))
    assert low <= 0.5 <= high
    assert low < auc < high
    assert "On 400 test rows" in finding.text
    assert "explore" in finding.cure


def test_model_that_is_wrong_throughout_is_worse_than_chance():
    y, probability, decision = good_rows()

    assert "worse than chance" in found(y, 1 - probability, decision)[CHANCE].text


@pytest.mark.parametrize(("label", "missing"), [(0, "fraud"), (1, "legitimate transaction")])
def test_rows_of_one_class_show_nothing(label, missing):
    text = found([label] * 20, np.linspace(0, 1, 20), [APPROVE] * 20)[CHANCE].text

    assert text.startswith(f"There is no {missing} among the 20 test rows")


def test_rows_that_calibrated_are_called_so():
    assert "400 validation rows" in found(*random_rows(), part="validation")[CHANCE].text


def test_decisions_that_cost_more_than_approving_everything_are_named_with_both_costs():
    y, probability, _ = good_rows()
    decision = np.where(np.arange(400) < 390, REVIEW, APPROVE)

    finding = found(y, probability, decision, amounts=np.full(400, 5.0))[COSTLY]

    assert "the decisions cost 29,250 and approving everything would cost 20,000" in finding.text
    assert COSTLY not in found(y, probability, decision, amounts=np.full(400, 50.0))


def test_costs_are_those_at_the_stated_base_rate():
    y, probability, decision = good_rows()
    decision = np.where(np.arange(400) < 80, REVIEW, APPROVE)

    assert COSTLY not in found(y, probability, decision)
    assert (
        "at a base rate of 0.100%" in found(y, probability, decision, base_rate=0.001)[COSTLY].text
    )


def test_policy_by_cost_without_amounts_asks_for_the_cost_of_a_fraud():
    y, probability, decision = good_rows()
    decision = np.where(np.arange(400) < 3, BLOCK, APPROVE)

    findings = found(y, probability, decision, amounts=None)

    assert (
        "the fee of 15 alone: of 40 frauds in the test rows it alerts 3" in findings[UNPRICED].text
    )
    assert "--cost-per-fraud" in findings[UNPRICED].cure
    assert "--choose alert_budget" in findings[UNPRICED].cure
    stated = replace(BY_COST, cost_per_fraud=200.0)
    assert found(y, probability, decision, amounts=None, policy=stated) == {}
    assert found(y, probability, decision, amounts=None, policy=BUDGET) == {}


@pytest.mark.parametrize(
    ("decided", "code"), [(REVIEW, ALL_ALERTED), (BLOCK, ALL_ALERTED), (APPROVE, ALL_APPROVED)]
)
@pytest.mark.parametrize("policy", [BY_COST, BUDGET])
def test_deciding_everything_alike_is_named(decided, code, policy):
    y, probability, _ = good_rows()

    findings = found(y, probability, [decided] * 400, policy=policy)

    assert code in findings
    direction = "raise" if code == ALL_APPROVED else "lower"
    if policy is BUDGET:
        assert (
            findings[code].cure == f"{direction} --review, the alert budget that is asked for (50)"
        )


def test_target_that_falls_with_the_alerts_is_moved_the_other_way():
    policy = PolicyConfig(choose="precision", review=0.5, block=0.9)

    findings = found(*good_rows()[:2], [APPROVE] * 400, policy=policy)

    assert findings[ALL_APPROVED].cure == "lower --review, the precision that is asked for (0.5)"


def test_approving_everything_is_right_where_there_is_no_fraud():
    assert ALL_APPROVED not in found([0] * 20, np.linspace(0, 1, 20), [APPROVE] * 20)


def test_anomaly_scores_alone_are_held_against_chance_too():
    auc = {"roc_auc": 0.55, "roc_auc_low": 0.45, "roc_auc_high": 0.65}

    [finding] = anomaly_findings(auc, 300)

    assert "300 test rows" in finding.text
    assert anomaly_findings({**auc, "roc_auc_low": 0.51}, 300) == ()


def test_every_finding_has_a_short_name_and_reads_as_sentences():
    y, probability, _ = good_rows()
    everything = [
        *found(*random_rows(), amounts=None).values(),
        *found(y, probability, [BLOCK] * 400).values(),
        *found(y, probability, [APPROVE] * 400, policy=BUDGET).values(),
    ]

    assert {finding.code for finding in everything} == set(IN_SHORT)
    for finding in everything:
        assert re.fullmatch(r"[A-Z].*[^.]\. [A-Z].*[^.]\.", str(finding))
        assert Finding(**finding.to_dict()) == finding


def test_losses_are_added_up_by_hand():
    y = np.array([1, 1, 1, 0, 0, 0])
    decision = np.array([APPROVE, REVIEW, BLOCK, APPROVE, REVIEW, BLOCK])
    amounts = np.array([100.0, 1, 1, 1, 1, 1])

    assert losses_of(BY_COST, y, decision, amounts).tolist() == [115, 3, 0, 0, 3, 10]
    flat = replace(BY_COST, cost_per_fraud=70.0)
    assert losses_of(flat, y, decision, None).tolist() == [70, 3, 0, 0, 3, 10]
    losses = Losses.of(BY_COST, y, decision, amounts, np.array([2.0, 2, 2, 1, 1, 1]))
    assert losses.decisions == pytest.approx((2 * 118 + 13) / 9)
    assert losses.approving == pytest.approx(2 * (115 + 16 + 16) / 9)


@pytest.mark.parametrize("amount", [np.nan, 0.0, -139.15, 4.0])
def test_amounts_below_the_floor_and_refunds_count_as_the_floor(amount):
    policy = PolicyConfig(amount_floor=5.0)

    assert fraud_costs(policy, np.array([amount]), 1).tolist() == [20]


def test_stated_cost_of_a_fraud_decides_as_an_amount_would():
    y, probability, _ = good_rows()
    stated = choose_policy(PolicyConfig(cost_per_fraud=65.0), probability, y, np.ones(400))
    by_amount = choose_policy(BY_COST, probability, y, np.ones(400))

    decided = stated.decide(probability, None)

    assert decided.tolist() == by_amount.decide(probability, np.full(400, 50.0)).tolist()
    assert len(set(decided.tolist())) > 1


def test_price_of_a_fraud_is_known_by_its_amount_or_because_it_was_stated():
    nameless = FeatureSpec((Feature("v"),))
    named = FeatureSpec((Feature("eur"),), amount="eur")

    assert is_fraud_priced(BY_COST, named)
    assert not is_fraud_priced(BY_COST, nameless)
    assert is_fraud_priced(PolicyConfig(cost_per_fraud=10.0), nameless)
    assert is_fraud_priced(PolicyConfig(amount_floor=10.0), nameless)
    with pytest.raises(ConfigurationError, match=r"'eur' .*--cost-per-fraud .*--drop eur"):
        refuse_two_prices(PolicyConfig(cost_per_fraud=10.0), named)


def test_artifact_from_before_there_were_findings_is_promoted_as_before(tmp_path):
    artifact = save_tiny(tmp_path)

    assert findings_in(artifact.manifest) == ()
    refuse_findings(artifact)


@pytest.mark.usefixtures("working_folder")
def test_table_of_random_labels_makes_no_champion():
    rng = np.random.default_rng(0)
    frame = mixed_frame(1200).assign(is_fraud=rng.permutation(mixed_frame(1200)["is_fraud"]))
    data = write(frame.drop(columns="amount"))
    command = ("train", "--data", data, "--config", "quick.toml", "--task", "fraud")

    output = run(*command, status=3)

    assert "no column holds amounts" in output  # before the training
    assert output.index("no column holds amounts") < output.index("epoch")
    assert "What speaks against this model" in output
    assert "serve with" not in output
    [path] = MODELS.glob("*.npz")
    assert not (MODELS / "champion.json").exists()
    codes = [finding.code for finding in findings_in(load(path).manifest)]
    assert codes[:2] == [CHANCE, UNPRICED]
    short = ", ".join(IN_SHORT[code] for code in codes)
    assert f"not promoted    {short}" in output
    assert f"python -m training promote {path} --promote-anyway" in output
    check_report_and_cards(path, codes, "did not become champion: ")
    message = refused("promote", path)
    assert f"{path} has not earned to serve. On 240 test rows the model is" in message
    assert message.endswith("add --promote-anyway")
    listing = run("versions", MODELS)
    assert "! not shown to be better than chance" in listing.replace("\n", " ")
    check_rebased(path)
    run("promote", path, "--promote-anyway")
    assert read_pointer(MODELS).version == path.stem
    assert read_history(MODELS)[-1].reason == f"by hand, in spite of: {short}"


def check_report_and_cards(path, codes, became):
    """Compare report and cards with the findings in the artifact."""
    folder = Path("reports/cards") / path.stem
    facts = json.loads((folder / "report.json").read_text())
    assert [finding["code"] for finding in facts["findings"]] == codes
    assert facts["verdict"]["sentence"].startswith(f"This model {became}")
    assert facts["reproducibility"]["command"].startswith("python -m training train --data")
    assert re.fullmatch(r"\d{4}-.*\+00:00", facts["reproducibility"]["made_at"])
    page = (folder / "report.html").read_text()
    markdown = (folder / "card.md").read_text()
    card = json.loads((folder / "card.json").read_text())
    served = json.loads(path.with_suffix(".json").read_text())
    for finding in facts["findings"]:
        sentence = str(Finding(**finding))
        assert sentence in page.replace("&#39;", "'")
        assert sentence in card["limits"]
        assert sentence in markdown
        assert finding in card["findings"]
        assert finding in served["findings"]
    for text in (page, markdown):
        assert facts["verdict"]["sentence"] in text
        assert " UTC" in text


def check_rebased(path):
    """See that another base rate clears a model of nothing but what it changes."""
    rebased = rebase(load(path), 0.001)
    codes = {finding.code for finding in findings_in(rebased.manifest)}
    assert {CHANCE, UNPRICED} <= codes
    assert not codes & {COSTLY, ALL_APPROVED, ALL_ALERTED}
    rebased.path.unlink()


def test_retraining_keeps_the_champion_where_figures_speak_against_the_new_model(served):
    before = read_pointer(MODELS)
    options = ("--config", "quick.toml", "--task", "fraud", "--review-cost", "1e-9")
    command = ("retrain", "--data", write(served), *options)

    output = run(*command, status=3)

    assert f"not promoted    {IN_SHORT[ALL_ALERTED]}" in output
    assert read_pointer(MODELS) == before
    output = run(*command, "--promote-anyway")
    assert f"in the place of {before.version}, in spite of: {IN_SHORT[ALL_ALERTED]}" in output
    assert read_pointer(MODELS).previous == before.version
    figures = read_history(MODELS)[-1].figures
    assert {"n_rows", "n_frauds", "champion", "challenger", "low", "high"} <= set(figures)


@pytest.mark.usefixtures("working_folder")
def test_two_prices_of_a_fraud_are_refused_before_the_training():
    message = refused("train", "--data", write(mixed_frame(300)), "--cost-per-fraud", 100)

    assert message.startswith("a fraud costs its 'amount' and the fee")
