"""What becomes of a new model, case by case."""

from types import SimpleNamespace

import pytest

from model.pointer import read_pointer
from tests.factories import save_tiny
from training.challenge import Challenge
from training.champions import read_history
from training.findings import ALL_APPROVED, CHANCE, Finding
from training.promote import Comparison, promote
from training.verdict import settle

NOTHING = ()
CHANCY = (Finding(CHANCE, "It guesses", "stop"),)
BETTER = Comparison(100, 20, 0.5, 0.6, 0.01, 0.2)
WORSE = Comparison(100, 20, 0.6, 0.5, -0.2, -0.01)


@pytest.fixture
def new(tmp_path):
    """Return a run that left a model behind."""

    def run(findings=NOTHING):
        return SimpleNamespace(artifact=save_tiny(tmp_path, seed=1), findings=findings)

    return run


def champion(folder):
    """Promote another version, and return its name."""
    version = save_tiny(folder, seed=2).version
    promote(folder, version)
    return version


def is_served(run):
    """Return whether the model of a run is the champion."""
    folder = run.artifact.path.parent
    return (folder / "champion.json").exists() and (
        read_pointer(folder).version == run.artifact.version
    )


@pytest.mark.parametrize("may_replace", [False, True])
def test_first_of_its_name_becomes_champion(new, may_replace):
    run = new()

    verdict = settle(run, None, may_replace=may_replace)

    assert is_served(run)
    assert str(verdict) == "This model is champion, the first version of its name."
    assert read_history(run.artifact.path.parent)[0].reason == "the first version of its name"


def test_first_of_its_name_with_findings_does_not(new):
    run = new(CHANCY)

    verdict = settle(run, None, may_replace=True)

    assert not is_served(run)
    assert verdict.is_refused
    assert str(verdict) == (
        "This model did not become champion: not shown to be better than chance."
    )


def test_findings_can_be_overruled_and_the_history_says_so(new):
    run = new((*CHANCY, Finding(ALL_APPROVED, "It sleeps", "wake it")))

    verdict = settle(run, None, may_replace=False, anyway=True)

    assert is_served(run)
    expected = (
        "the first version of its name, in spite of: not shown to be better than chance, "
        "everything is approved"
    )
    assert verdict.reason == read_history(run.artifact.path.parent)[0].reason == expected


def test_training_replaces_no_champion_whatever_is_asked(new, tmp_path):
    before, run = champion(tmp_path), new()

    verdict = settle(run, Challenge(before, BETTER, None), may_replace=False, anyway=True)

    assert not is_served(run)
    assert not verdict.is_refused
    assert before in verdict.reason


def test_model_that_is_the_champion_already_stays_it(new):
    run = new()
    version = run.artifact.version
    promote(run.artifact.path.parent, version)

    verdict = settle(run, Challenge(version, None, "no new rows"), may_replace=False)

    assert verdict.is_champion
    assert len(read_history(run.artifact.path.parent)) == 1


def test_model_that_is_not_worse_takes_the_place_and_the_figures_are_kept(new, tmp_path):
    before, run = champion(tmp_path), new()

    verdict = settle(run, Challenge(before, BETTER, None), may_replace=True)

    assert is_served(run)
    assert verdict.reason == f"in the place of {before}"
    figures = read_history(tmp_path)[-1].figures
    assert (figures["champion"], figures["challenger"], figures["n_frauds"]) == (0.5, 0.6, 20)


@pytest.mark.parametrize(
    ("comparison", "findings", "says"),
    [
        (WORSE, NOTHING, "these rows show it to be worse"),
        (BETTER, CHANCY, "not shown to be better than chance"),
        (WORSE, CHANCY, "stays; not shown"),
    ],
)
def test_evidence_against_it_keeps_the_champion_unless_overruled(
    new, tmp_path, comparison, findings, says
):
    before, run = champion(tmp_path), new(findings)
    rivals = Challenge(before, comparison, None)

    verdict = settle(run, rivals, may_replace=True)

    assert verdict.is_refused
    assert says in verdict.reason
    assert read_pointer(tmp_path).version == before
    assert says in settle(run, rivals, may_replace=True, anyway=True).reason
    assert is_served(run)


@pytest.mark.parametrize("version", [None, "0123456789ab"])
def test_without_a_comparison_nothing_is_promoted(new, tmp_path, version):
    before, run = champion(tmp_path), new()
    rivals = Challenge(version, None, "the champion cannot be read: gone")

    verdict = settle(run, rivals, may_replace=True, anyway=True)

    assert not verdict.is_refused
    assert verdict.reason == "the champion cannot be read: gone"
    assert read_pointer(tmp_path).version == before
