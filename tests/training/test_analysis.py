"""One transaction in a box."""

import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from model.decision import Policy
from model.errors import ConfigurationError, TaskError
from model.features import Feature, FeatureSpec
from tests.factories import TINY_FEATURES, save_tiny, valid_row
from tests.training.runs import train
from tests.training.tables import mixed_frame
from training.analysis import analysis, parse_transaction, row_of

SPEC = FeatureSpec(TINY_FEATURES, id_column="payment_id", amount="Amount")
TEXT = (
    "Amount=25.5, V1=0.3,V2=-1.2,is_new_device=false,"
    "merchant_category=grocery,transaction_time=2026-03-01T12:30:00"
)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    """Return a tiny artifact with both networks."""
    return save_tiny(tmp_path_factory.mktemp("tiny"))


def printed(artifact, transaction, width=100):
    """Return what the analysis prints."""
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(analysis(artifact, transaction))
    return console.file.getvalue()


def test_transaction_is_read_from_a_text():
    assert parse_transaction(TEXT, SPEC) == valid_row()


@pytest.mark.parametrize("text", ["V2=", "V2=null", " V2 = , "])
def test_nothing_after_the_sign_is_a_missing_value(text):
    assert parse_transaction(text, SPEC) == {"V2": None}


def test_texts_may_hold_the_sign_themselves():
    assert parse_transaction("merchant_category=a=b", SPEC) == {"merchant_category": "a=b"}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Amount", "expected name=value, got 'Amount'"),
        ("Amount=ten", "Amount must be a number, got 'ten'"),
        ("is_new_device=1", "is_new_device must be true or false, got '1'"),
        ("Amount=1,V1=2,Amount=3", "Amount is given twice"),
    ],
)
def test_text_that_is_no_transaction_is_refused(text, what):
    with pytest.raises(ConfigurationError) as caught:
        parse_transaction(text, SPEC)

    assert str(caught.value) == what


def test_missing_features_are_listed():
    with pytest.raises(ConfigurationError) as caught:
        row_of({"Amount": 1.0}, SPEC)

    expected = (
        "3 of 6 features are missing: V1, merchant_category, transaction_time; "
        "--rest typical gives them typical values"
    )
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"Amount": float("nan")}, "Amount: Special numeric values"),
        ({"Amount": -1.0}, "Amount: Must be greater than or equal to 0"),
        ({"V3": 1.0}, "V3: Unknown field"),
        ({"Amount": "1"}, "Amount: Not a valid number"),
        ({"V1": None}, "V1: Field may not be null"),
    ],
)
def test_wrong_values_are_refused_by_name(changes, what):
    with pytest.raises(ConfigurationError, match=what):
        row_of(valid_row(**changes), SPEC)


def test_all_wrong_values_are_told_at_once():
    with pytest.raises(ConfigurationError, match=r"Amount: .*; V1: "):
        row_of(valid_row(Amount="x", V1="y"), SPEC)


def test_row_is_what_the_service_makes_of_the_transaction(artifact):
    spec = artifact.scorer.spec

    matrix = row_of(parse_transaction(TEXT, spec), spec)

    sent = json.loads(json.dumps(valid_row()))
    np.testing.assert_array_equal(matrix, spec.matrix_from_rows([sent]))


def test_box_holds_inputs_activations_probability_decision_and_reasons(artifact):
    scores = artifact.scorer.score(row_of(valid_row(), artifact.scorer.spec))
    reasons = artifact.scorer.reasons(row_of(valid_row(), artifact.scorer.spec))[0]

    text = printed(artifact, valid_row())

    lines = text.splitlines()
    assert lines[0].startswith("╭─")
    assert f" tiny {artifact.version} " in lines[0]
    assert lines[-1].startswith("╰─")
    assert {len(line) for line in lines} == {100}
    for name in artifact.scorer.spec.names:
        assert f"{name} = " in text
    assert "hidden layer 1 of member 1 of 2: 8 units" in text
    assert f"{scores.probability[0]:.4%}" in text
    low, high = artifact.scorer.uncertainty(scores)
    assert f"members disagree    {low[0]:.4%} to {high[0]:.4%}" in text
    assert f"score {scores.score[0]} of 1000" in text
    assert ["APPROVE", "REVIEW", "BLOCK"][scores.decision[0]] in text
    for reason in reasons:
        assert reason.code in text
        assert f"{reason.contribution:+.3f}" in text
    assert "reconstruction error" in text


def scored(artifact, **changes):
    """Return the artifact's policy, and what it says of a row."""
    scorer = artifact.scorer
    matrix = row_of(valid_row(**changes), scorer.spec)
    return scorer.fraud.policy, scorer.score(matrix), scorer.amounts(matrix)


def with_policy(artifact, **changes):
    """Return an artifact whose policy is another one."""
    fraud = artifact.scorer.fraud
    policy = Policy(**changes)
    scorer = replace(artifact.scorer, fraud=replace(fraud, policy=policy))
    return replace(artifact, scorer=scorer)


@pytest.mark.parametrize("v1", [-3.0, 0.8, 6.0])
def test_box_shows_the_expected_costs_that_decided(artifact, v1):
    artifact = with_policy(artifact, kind="cost", fee=15.0, friction=10.0, review_cost=3.0)
    _, scores, _ = scored(artifact, V1=v1)
    p = scores.probability[0]
    costs = {"approve": p * (25.5 + 15), "review": 3.0, "block": (1 - p) * 10}

    text = printed(artifact, valid_row(V1=v1))

    for name, cost in costs.items():
        assert f"{name} {cost:,.2f}" in text
    assert "a fraud costs      its amount, 25.50 EUR, and a fee of 15.00 EUR" in text
    assert min(costs, key=costs.get).upper() in text


def test_box_says_what_a_missing_or_tiny_amount_counts_as(artifact):
    artifact = with_policy(artifact, kind="cost", fee=1.0, friction=1.0, amount_floor=40.0)

    text = printed(artifact, valid_row(), width=80)

    assert "its amount, 40.00 EUR, and a fee of 1.00 EUR" in text
    assert "counts as 40.00 EUR, the least that the policy takes" in text


def test_box_shows_the_thresholds_that_decided(artifact):
    text = printed(with_policy(artifact, review=0.25, block=1.5), valid_row())

    assert "reviewed from 25.0000% on, blocked never" in text


def test_box_says_that_the_anomaly_score_decided(artifact):
    artifact = with_policy(artifact, review=0.9999, block=0.9999, anomaly_review=0.0)

    text = printed(artifact, valid_row(V1=-3.0))

    assert "approve by the probability alone; an anomaly score from 0 on is reviewed" in text


@pytest.mark.parametrize("width", [60, 80])
def test_nothing_is_cut_in_a_narrow_terminal(artifact, width):
    text = printed(artifact, valid_row(V1=6.0), width)

    assert {len(line) for line in text.splitlines()} == {width}
    assert "…" not in text
    for name in artifact.scorer.spec.names:
        assert f"{name} = " in text
    for reason in artifact.scorer.reasons(row_of(valid_row(V1=6.0), artifact.scorer.spec))[0]:
        assert f"{reason.contribution:+.3f}  {reason.code}" in text


@pytest.mark.parametrize("v1", [-3.0, 0.8, 6.0])
def test_bar_is_as_long_as_fraud_is_probable(artifact, v1):
    row = valid_row(V1=v1)
    probability = artifact.scorer.score(row_of(row, artifact.scorer.spec)).probability[0]

    [line] = [line for line in printed(artifact, row).splitlines() if "fraud probability" in line]

    assert line.count("█") == round(40 * probability)
    assert line.count("█") + line.count("░") == 40


def test_decision_is_that_of_the_policy(artifact):
    words = [
        next(word for word in ("APPROVE", "REVIEW", "BLOCK") if word in printed(artifact, row))
        for row in (valid_row(V1=-3.0), valid_row(V1=6.0))
    ]

    assert words == ["APPROVE", "BLOCK"]


def test_activations_are_those_of_the_first_member(artifact):
    matrix = row_of(valid_row(), artifact.scorer.spec)
    scorer = artifact.scorer
    layer = scorer.fraud.mlp.layers[0]
    units = layer.apply(scorer.preprocessor.transform(matrix))[0, 0]

    text = printed(artifact, valid_row())

    assert f"8 units, {(np.abs(units) > 1e-6).sum()} active" in text


def test_layers_are_counted_without_what_stands_between_them(tmp_path):
    frame = mixed_frame(400)
    run = train(
        frame,
        tmp_path,
        network={"layers": [6, 5, 5], "batch_norm": True, "residual": True, "members": 1},
        learning={"epochs": 1},
    )
    row = frame.drop(columns=["is_fraud", "payment_id"]).iloc[1].to_dict()
    row = {name: None if pd.isna(value) else value for name, value in row.items()}

    lines = [line for line in printed(run.artifact, row).splitlines() if "hidden" in line]

    for number, (line, units) in enumerate(zip(lines, (6, 5, 5), strict=True), start=1):
        assert f"hidden layer {number}: {units} units" in line


def test_texts_of_the_data_are_no_markup(tmp_path):
    features = (*TINY_FEATURES[:4], Feature("[b]shop[/i]", "categorical", categories=("[red]",)))
    artifact = save_tiny(tmp_path, features=(*features, TINY_FEATURES[5]), name="[x]")
    row = valid_row(merchant_category=...) | {"[b]shop[/i]": "[red]"}

    text = printed(artifact, row)

    assert "[b]shop[/i] = [red]" in text
    assert f" [x] {artifact.version}" in text


def test_narrow_terminal_breaks_nothing(artifact):
    lines = printed(artifact, valid_row(), width=60).splitlines()

    assert {len(line) for line in lines} == {60}


def test_classifier_alone_has_no_reconstruction_error(tmp_path):
    assert "reconstruction" not in printed(save_tiny(tmp_path, tasks="fraud"), valid_row())


def test_autoencoder_alone_cannot_be_analysed(tmp_path):
    with pytest.raises(TaskError, match="fraud"):
        analysis(save_tiny(tmp_path, tasks="anomaly"), valid_row())
