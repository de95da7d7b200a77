"""The shipped models load, prove themselves and are what their cards say."""

import json
from pathlib import Path

import pytest

from model.card import describe
from model.pointer import load_champion

ARTIFACTS = Path(__file__).resolve().parent.parent / "artifacts"


@pytest.mark.parametrize("name", ["creditcard", "simulated"])
def test_shipped_champion_is_what_its_card_says(name):
    artifact, pointer = load_champion(ARTIFACTS / name)

    card = json.loads((ARTIFACTS / name / f"{artifact.version}.json").read_text())

    assert artifact.name == name
    assert pointer.version == artifact.version
    assert {**card, "trained_at": None} == {**describe(artifact), "trained_at": None}


def test_shipped_model_of_real_transactions_says_whose_they_are():
    artifact, _ = load_champion(ARTIFACTS / "creditcard")

    data = artifact.manifest["training_data"]
    assert "Université Libre de Bruxelles" in data["attribution"]
    assert artifact.manifest["base_rate"] == 0.001727
    assert artifact.manifest["metrics"]["evaluated_on"] == "test"
