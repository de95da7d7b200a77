"""What the mean of members would say, against ensembles whose noise is known."""

import numpy as np
import pytest

from model.decision import ScoreScale
from training.averaging import as_averaged


def ensemble(rng, n_rows, n_members=8, memory=0.0):
    """Return logits of members with noise that grows with the logit, folds and labels.

    What a member learned from, it remembers: its logit moves towards the label.
    """
    y = (rng.random(n_rows) < 0.1).astype(int)
    true = rng.normal(-6, 2, n_rows) + 7 * y
    noise = rng.normal(size=(n_members, n_rows)) * (1.5 + 0.2 * np.abs(true + 6))
    folds = rng.integers(0, n_members, n_rows)
    has_learned = folds != np.arange(n_members)[:, None]
    return true + noise + memory * has_learned * (2 * y - 1), folds, y


@pytest.mark.parametrize("memory", [0.0, 1.0])
def test_quantiles_are_those_of_the_mean_on_new_rows(rng, memory):
    members, folds, y = ensemble(rng, 40_000, memory=memory)
    fresh, _, fresh_y = ensemble(rng, 40_000)

    logits = as_averaged(members, folds, y)

    left_out = members[folds, np.arange(len(y))]
    levels = [0.1, 0.5, 0.9, 0.99, 0.999]
    for label in (0, 1):
        expected = np.quantile(fresh.mean(axis=0)[fresh_y == label], levels)
        before = np.abs(np.quantile(left_out[y == label], levels) - expected)
        after = np.abs(np.quantile(logits[y == label], levels) - expected)
        assert (after < 0.4 * before + 0.15).all()


def test_score_keeps_its_promise_on_new_rows_of_the_mean(rng):
    members, folds, y = ensemble(rng, 40_000, memory=1.0)
    fresh, _, fresh_y = ensemble(rng, 40_000)
    new = fresh.mean(axis=0)[fresh_y == 0]

    def share(logits, score):
        return (ScoreScale.fit(logits[y == 0]).score(new) >= score).mean()

    averaged = as_averaged(members, folds, y)
    single = members[folds, np.arange(len(y))]
    for score in (250, 500):
        promised = 10 ** (-score / 250)
        assert share(averaged, score) == pytest.approx(promised, rel=0.15)
        assert share(single, score) < 0.7 * promised


def test_each_class_keeps_its_ranks(rng):
    members, folds, y = ensemble(rng, 3000, memory=1.0)

    logits = as_averaged(members, folds, y)

    left_out = members[folds, np.arange(len(y))]
    for label in (0, 1):
        order = np.argsort(left_out[y == label])
        assert (np.diff(logits[y == label][order]) >= 0).all()


def test_members_that_agree_move_nothing(rng):
    _, folds, y = ensemble(rng, 500)
    true = rng.normal(size=500)

    logits = as_averaged(np.tile(true, (8, 1)), folds, y)

    np.testing.assert_allclose(logits, true, atol=1e-12)


def test_two_members_show_nothing_of_averaging(rng):
    members, folds, y = ensemble(rng, 500, n_members=2)

    logits = as_averaged(members, folds, y)

    np.testing.assert_array_equal(logits, members[folds, np.arange(500)])


def test_class_without_rows_is_no_obstacle(rng):
    members, folds, _ = ensemble(rng, 500)

    assert np.isfinite(as_averaged(members, folds, np.zeros(500, int))).all()
