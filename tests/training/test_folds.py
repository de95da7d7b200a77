"""Folds for choosing settings: in time, without a leak, never the test rows."""

import re

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from model.errors import ConfigurationError
from tests.training.tables import numeric_table
from training.config import SplitConfig
from training.errors import SplitError
from training.folds import cut_folds
from training.split import split

DELAY = 5.0


def a_table(n_rows, seed, *, with_times=True):
    """Return a table with every seventh row fraud, in no order of time, times with ties."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n_rows) % 7 == 0)
    times = rng.integers(0, n_rows, n_rows) if with_times else None
    return numeric_table(labels, times)


def test_rows_that_a_run_tests_on_are_in_no_fold():
    """By time as at random, with the same seed."""
    for how in ("time", "random"):
        config = SplitConfig(how=how)
        table = a_table(700, 3)
        test = split(table, config, 4, np.random.default_rng(5)).test

        folds = cut_folds(table, config, 3, np.random.default_rng(5))

        used = np.concatenate([rows for fold in folds for rows in (fold.earlier, fold.later)])
        assert len(test)
        assert not set(used) & set(test)


@settings(max_examples=50)
@given(
    n_rows=st.integers(200, 600),
    n_folds=st.integers(2, 5),
    seed=st.integers(0, 99),
    delay=st.sampled_from([0.0, DELAY]),
    test_share=st.sampled_from([0.0, 0.2]),
)
def test_folds_in_time_do_not_leak(n_rows, n_folds, seed, delay, test_share):
    table = a_table(n_rows, seed)
    config = SplitConfig(delay_seconds=delay, test_share=test_share)
    rng = np.random.default_rng(seed)
    try:
        folds = cut_folds(table, config, n_folds, rng)
    except SplitError:  # a fold without fraud
        reject()

    assert len(folds) == n_folds
    n_development = n_rows - round(test_share * n_rows)
    oldest_test = np.sort(table.times)[n_development:].min(initial=np.inf)
    latest = -np.inf
    for fold in folds:
        assert table.times[fold.earlier].max() + delay < table.times[fold.later].min()
        assert table.times[fold.later].max() <= oldest_test
        assert table.times[fold.later].min() >= latest
        assert set(np.unique(table.labels[fold.earlier])) == {0, 1}
        assert set(np.unique(table.labels[fold.later])) == {0, 1}
        latest = table.times[fold.later].max()
    judged = np.concatenate([fold.later for fold in folds])
    assert len(np.unique(judged)) == len(judged)
    sizes = [len(fold.earlier) for fold in folds]
    assert sizes == sorted(sizes)


@settings(max_examples=50)
@given(
    n_rows=st.integers(100, 400),
    n_folds=st.integers(2, 5),
    seed=st.integers(0, 99),
    how=st.sampled_from(["time", "random"]),
)
def test_folds_without_time_are_stratified_and_judge_each_row_once(n_rows, n_folds, seed, how):
    table = a_table(n_rows, seed, with_times=False)

    folds = cut_folds(table, SplitConfig(how=how), n_folds, np.random.default_rng(seed))

    n_development = n_rows - round(0.2 * n_rows)
    judged = np.concatenate([fold.later for fold in folds])
    assert len(judged) == len(np.unique(judged)) == n_development
    n_frauds = [int(table.labels[fold.later].sum()) for fold in folds]
    assert max(n_frauds) - min(n_frauds) <= 1
    for fold in folds:
        assert set(fold.earlier) == set(judged) - set(fold.later)


def test_share_of_validation_in_a_fold_is_that_of_the_run(rng):
    """A run keeps 20 % of all rows for validation: a quarter of those before the test."""
    folds = cut_folds(a_table(700, 1), SplitConfig(), 3, rng)

    for fold in folds:
        assert 0.2 * fold.n_rows == pytest.approx(len(fold.earlier) / 4, abs=0.2)


def test_fold_without_fraud_is_refused_with_the_counts(rng):
    labels = np.zeros(100, int)
    labels[[3, 5, 70]] = 1
    table = numeric_table(labels, np.arange(100))

    with pytest.raises(SplitError, match=re.escape("fold 1 of 2 has 20 legitimate and 0 fraud")):
        cut_folds(table, SplitConfig(), 2, rng)


def test_fold_that_learns_from_no_fraud_is_refused_only_where_it_matters(rng):
    labels = np.zeros(100, int)
    labels[[50, 70]] = 1
    table = numeric_table(labels, np.arange(100))

    with pytest.raises(SplitError, match="0 fraudulent rows to learn from"):
        cut_folds(table, SplitConfig(), 2, rng)
    assert cut_folds(table, SplitConfig(), 2, rng, needs_both_classes=False)


def test_delay_longer_than_the_table_is_refused(rng):
    with pytest.raises(SplitError, match="a lower --delay"):
        cut_folds(a_table(300, 0), SplitConfig(delay_seconds=200.0), 3, rng)


def test_delay_without_times_is_refused(rng):
    table = a_table(300, 0, with_times=False)

    with pytest.raises(SplitError, match="a delay needs"):
        cut_folds(table, SplitConfig(delay_seconds=1.0, test_share=0.0), 3, rng)


def test_one_fold_and_a_table_without_labels_are_refused(rng):
    with pytest.raises(ConfigurationError, match="at least 2 folds, got 1"):
        cut_folds(a_table(300, 0), SplitConfig(), 1, rng)
    with pytest.raises(ConfigurationError, match="--label"):
        cut_folds(numeric_table(None, np.arange(9)), SplitConfig(), 3, rng)
