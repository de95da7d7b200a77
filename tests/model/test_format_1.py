"""An artifact written before rare categories and times between dates were known: as it was."""

import json
from pathlib import Path

import numpy as np
import pytest

from model.artifact import load, save
from model.card import describe

FOLDER = Path(__file__).parent / "format_1"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def artifact():
    """Return the artifact: every kind of feature, a second date, both networks."""
    (path,) = FOLDER.glob("*.npz")
    return load(path)


@pytest.fixture
def matrix(artifact):
    """Return the transactions of which it was recorded what the artifact says."""
    return artifact.scorer.spec.matrix_from_rows(EXPECTED["transactions"])


def test_scores_are_those_of_the_day_it_was_written(artifact, matrix):
    scores = artifact.scorer.score(matrix)
    errors = artifact.scorer.anomaly(matrix).reconstruction_error

    np.testing.assert_allclose(scores.logits, EXPECTED["logits"], rtol=1e-5)
    np.testing.assert_allclose(scores.probability, EXPECTED["probability"], rtol=1e-5)
    np.testing.assert_allclose(errors, EXPECTED["reconstruction_error"], rtol=1e-5)


def test_reasons_are_those_of_the_day_it_was_written(artifact, matrix):
    reasons = artifact.scorer.reasons(matrix)

    assert [[reason.feature for reason in row] for row in reasons] == EXPECTED["features"]
    for row, contributions in zip(reasons, EXPECTED["contributions"], strict=True):
        np.testing.assert_allclose([r.contribution for r in row], contributions, rtol=1e-5)


def test_what_it_does_not_know_is_unseen(artifact, matrix):
    novelty = artifact.scorer.spec.count_novel(matrix)

    assert (novelty.unseen_categories, novelty.rare_categories) == (1, 0)


def test_card_says_no_more_than_it_did(artifact):
    assert "rare" not in describe(artifact)["features"][4]


def test_it_can_be_written_again(artifact, matrix, tmp_path):
    rows = artifact.scorer.spec.central_row()
    again = save(tmp_path, artifact.scorer, rows, {"base_rate": 0.2, "seed": 0})

    np.testing.assert_array_equal(again.scorer.logits(matrix), artifact.scorer.logits(matrix))
