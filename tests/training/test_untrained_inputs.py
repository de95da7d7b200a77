"""Inputs that no training row let vary must not score by their random initial weights."""

import numpy as np
import pytest

from model import MLP
from tests.training.runs import train
from tests.training.tables import mixed_frame
from training.classifier import settle_untrained_inputs


@pytest.fixture
def X():
    """Return rows with a varying, a constant and two one-hot columns, and an idle "other"."""
    rng = np.random.default_rng(0)
    category = rng.integers(0, 2, 200)
    columns = (rng.normal(size=200), np.full(200, 3.0), category == 0, category == 1, np.zeros(200))
    return np.column_stack(columns).astype(np.float32)


@pytest.mark.parametrize("members", [None, 3])
def test_training_rows_score_as_before(X, members):
    network = MLP([5, 8, 1], members=members, rng=np.random.default_rng(1), dtype=np.float32)
    before = network.logits(X)

    settle_untrained_inputs(network, X, [np.array([2, 3, 4])])

    np.testing.assert_allclose(network.logits(X), before, atol=1e-5)


@pytest.mark.parametrize("members", [None, 3])
def test_change_of_a_constant_input_changes_no_score(X, members):
    network = MLP([5, 8, 1], members=members, rng=np.random.default_rng(1), dtype=np.float32)
    settle_untrained_inputs(network, X, [np.array([2, 3, 4])])
    changed = X.copy()
    changed[:, 1] = -50

    np.testing.assert_array_equal(network.logits(changed), network.logits(X))


def test_unseen_category_counts_as_the_mean_of_the_known(X):
    network = MLP([5, 8, 1], rng=np.random.default_rng(1), dtype=np.float32)

    settle_untrained_inputs(network, X, [np.array([2, 3, 4])])

    weights, shares = network.layers[0].weights, X[:, 2:4].mean(axis=0)
    np.testing.assert_allclose(weights[4], shares @ weights[2:4], rtol=1e-5)


@pytest.mark.parametrize("recipe", ["default", "textbook"])
def test_column_that_was_constant_in_training_moves_no_score_in_service(recipe, tmp_path):
    frame = mixed_frame(1500).assign(constant=7.0)
    scorer = train(frame, tmp_path, recipe=recipe).artifact.scorer
    row = scorer.spec.central_row()
    changed = row.copy()
    changed[0, scorer.spec.names.index("constant")] = 1e6

    assert scorer.score(changed).logits == pytest.approx(scorer.score(row).logits, abs=1e-6)
