"""The examples run, and print what they are there to show."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from app import create_app
from model.pointer import load_champion
from tests.app.serving import serving

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.fixture
def printed(monkeypatch, capsys):
    """Return a function that runs an example and returns what it prints."""
    monkeypatch.chdir(ROOT)

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        capsys.readouterr()
        runpy.run_path(f"examples/{name}.py", run_name="__main__")
        return capsys.readouterr().out

    return run


def test_xor_is_learned_by_two_layers_and_not_by_one(printed):
    tables = re.split(r"^MLP", printed("xor"), flags=re.MULTILINE)[1:]

    one, two = ([float(p) for p in re.findall(r": (\d\.\d+)$", t, re.MULTILINE)] for t in tables)
    assert [probability > 0.5 for probability in two] == [False, True, True, False]
    assert [probability > 0.5 for probability in one] != [False, True, True, False]


def test_own_network_learns_and_comes_back_from_its_file(printed):
    text = printed("own_network")

    found, guess = re.search(r"median error (\S+); of the same guess for all (\S+)", text).groups()
    assert float(found) < float(guess) / 4
    assert "the same from its file: True" in text


def test_model_is_trained_promoted_and_scores(printed, tmp_path):
    text = printed("train_and_score", tmp_path)

    artifact, _ = load_champion(tmp_path / "example")
    assert f"version '{artifact.version}'" in text
    assert float(re.search(r"roc_auc of the newest rows: (\S+)", text)[1]) > 0.7
    assert re.search(r"^decision +approve", text, re.MULTILINE)


def test_frame_is_scored_and_the_odd_row_found(printed):
    text = printed("score_frame")

    assert re.search(r"^7 .* (review|block)$", text, re.MULTILINE)
    assert "V14_LOW" in text
    assert "row 2, V1: Special numeric values" in text


def test_service_is_called(printed):
    application = create_app({"MODEL_DIR": str(ROOT / "artifacts/creditcard")})
    with serving(application) as address:
        text = printed("call_service", address)

    assert "block, score 1000 of 1000" in text
    assert "refused: {1: {'Amount': ['Not a valid number.']}}" in text


def test_walk_through_simulated_transactions(printed):
    text = printed("walkthrough")

    line, networks = (
        float(re.search(rf"average precision of {name}: (\S+)", text)[1])
        for name in ("a line", "networks")
    )
    assert networks > line
    worst = float(re.search(r"fraud scores (\d+), the rest", text)[1])
    assert worst > 500


def test_every_example_is_in_the_table_and_says_how_to_run_it():
    table = (ROOT / "examples/README.md").read_text(encoding="utf-8")

    assert re.findall(r"\[(\w+\.py)\]\(\1\)", table) == [
        "xor.py",
        "own_network.py",
        "train_and_score.py",
        "score_frame.py",
        "call_service.py",
        "walkthrough.py",
    ]
    assert {path.name for path in EXAMPLES} == set(re.findall(r"\((\w+\.py)\)", table))
    for path in EXAMPLES:
        assert f"python -m examples.{path.stem}" in path.read_text(encoding="utf-8")
