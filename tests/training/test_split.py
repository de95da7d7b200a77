"""Dividing rows: in time, without overlap, with frauds in every part."""

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.tables import numeric_table
from training.config import SplitConfig
from training.errors import SplitError
from training.split import FEW_FRAUDS, Split, split

DAY = 86_400


def divided(table, n_members=1, seed=0, needs_both_classes=True, **config):
    """Split a table."""
    rng = np.random.default_rng(seed)
    options = {"needs_both_classes": needs_both_classes}
    return split(table, SplitConfig(**config), n_members, rng, **options)


def every_tenth(n_rows=1000, times=None):
    """Return a table in which every tenth row is a fraud."""
    return numeric_table(np.arange(n_rows) % 10 == 0, times)


def all_rows(parts):
    """Return the rows of all parts, in order of their number."""
    return np.sort(np.concatenate(list(parts.parts().values())))


def test_parts_follow_each_other_in_time(rng):
    times = rng.permutation(1000)
    parts = divided(every_tenth(times=times))

    assert times[parts.train].max() < times[parts.validation_a].min()
    assert times[parts.validation_a].max() < times[parts.validation_b].min()
    assert times[parts.validation_b].max() < times[parts.test].min()
    assert parts.note == "by time"


def test_shares_are_of_all_rows():
    parts = divided(every_tenth(), test_share=0.3, validation_share=0.1)

    lengths = {name: len(rows) for name, rows in parts.parts().items()}
    assert lengths == {"train": 600, "validation_a": 50, "validation_b": 50, "test": 300}
    np.testing.assert_array_equal(all_rows(parts), np.arange(1000))


def test_without_times_the_order_of_the_rows_counts_and_is_named():
    parts = divided(every_tenth())

    assert parts.note == "by row order, for want of a time column"
    np.testing.assert_array_equal(parts.train, np.arange(600))
    np.testing.assert_array_equal(parts.test, np.arange(800, 1000))


def test_rows_of_the_same_moment_keep_their_order():
    parts = divided(every_tenth(times=np.zeros(1000)))

    np.testing.assert_array_equal(parts.train, np.arange(600))


@pytest.mark.parametrize("validation", ["holdout", "cross_fit"])
def test_delay_leaves_a_gap_before_each_later_part(rng, validation):
    times = rng.permutation(1000) * 3600.0
    table = every_tenth(times=times)

    parts = divided(table, 4, delay_seconds=DAY, validation=validation)

    development = np.concatenate([parts.train, parts.validation_a, parts.validation_b])
    assert times[development].max() < times[parts.test].min() - DAY
    assert len(parts.test) == 200
    if validation == "holdout":
        assert times[parts.train].max() < times[parts.validation_a].min() - DAY
        assert len(all_rows(parts)) == 1000 - 2 * 24
    else:
        assert len(all_rows(parts)) == 1000 - 24


def test_random_split_gives_every_part_its_share_of_frauds():
    labels = np.zeros(1000, int)
    labels[:30] = 1

    parts = divided(numeric_table(labels), how="random")

    counts = {name: int(labels[rows].sum()) for name, rows in parts.parts().items()}
    assert counts == {"train": 18, "validation_a": 3, "validation_b": 3, "test": 6}
    assert parts.note == "at random, each class alike"


def test_random_split_depends_on_the_seed_alone():
    first, again, other = (divided(every_tenth(), how="random", seed=seed) for seed in (1, 1, 2))

    np.testing.assert_array_equal(first.test, again.test)
    assert set(first.test) != set(other.test)


def test_cross_fit_gives_every_fold_its_share_of_frauds():
    parts = divided(every_tenth(), 5, validation="cross_fit")

    labels = every_tenth().labels[parts.train]
    assert [(parts.folds == fold).sum() for fold in range(5)] == [160] * 5
    assert [labels[parts.folds == fold].sum() for fold in range(5)] == [16] * 5
    assert (len(parts.validation_a), len(parts.validation_b)) == (0, 0)
    assert parts.note.endswith("5 folds")


def test_members_are_cross_fitted_where_frauds_are_few():
    n_rows = 10 * FEW_FRAUDS
    few = np.arange(n_rows) % 10 == 0
    few[:20] = False

    assert divided(numeric_table(few), 4, test_share=0).folds is not None
    assert divided(every_tenth(n_rows), 4, test_share=0).folds is None
    assert divided(numeric_table(few), 4, test_share=0, validation="holdout").folds is None
    assert divided(numeric_table(few), 1, test_share=0).folds is None


def test_a_table_without_labels_is_never_cross_fitted():
    parts = divided(numeric_table(None, times=np.arange(100)), 4)

    assert parts.folds is None
    assert len(parts.train) == 60


def test_without_a_test_share_every_row_is_developed_on():
    parts = divided(every_tenth(), test_share=0, delay_seconds=0)

    assert len(parts.test) == 0
    assert "test" not in parts.parts()
    assert len(all_rows(parts)) == 1000


@pytest.mark.parametrize("how", ["time", "random"])
def test_too_few_frauds_are_listed_part_by_part(how):
    labels = np.zeros(100, int)
    labels[[0, 1, 70]] = 1

    with pytest.raises(SplitError) as caught:
        divided(numeric_table(labels), how=how)

    message = str(caught.value)
    assert "frauds by part: train" in message
    counts = {name: int(n) for name, n in re.findall(r"(\w+) (\d+)[,)]", message)}
    assert sum(counts.values()) == 3
    assert set(counts) == {"train", "validation_a", "validation_b", "test"}
    assert "0 fraudulent rows, at least 1" in message


def test_cross_fit_needs_two_frauds():
    labels = np.zeros(100, int)
    labels[[5, 95]] = 1

    with pytest.raises(SplitError, match="1 fraudulent rows, at least 2 of each are needed"):
        divided(numeric_table(labels), 4)


def test_part_without_legitimate_rows_is_refused():
    labels = np.ones(100, int)
    labels[:50] = 0

    with pytest.raises(SplitError, match="validation_a has 0 legitimate"):
        divided(numeric_table(labels))


def test_classes_are_of_no_concern_to_the_autoencoder_alone():
    parts = divided(numeric_table(np.zeros(100)), needs_both_classes=False)

    assert len(parts.train) == 60


def test_holdout_without_validation_rows_is_refused():
    with pytest.raises(SplitError, match="validation_share"):
        divided(every_tenth(), validation_share=0)


def test_cross_fit_needs_no_validation_share():
    parts = divided(every_tenth(), 4, validation_share=0, validation="cross_fit")

    assert len(parts.train) == 800


def test_single_network_cannot_be_cross_fitted():
    with pytest.raises(SplitError, match=r"network\.members"):
        divided(every_tenth(), 1, validation="cross_fit")


@pytest.mark.parametrize("validation", ["holdout", "cross_fit"])
@pytest.mark.parametrize("needs_both_classes", [True, False])
def test_delay_that_leaves_no_rows_is_refused(validation, needs_both_classes):
    table = every_tenth(times=np.arange(1000))

    with pytest.raises(SplitError, match="no rows are left for train: lower the delay"):
        divided(
            table,
            4,
            delay_seconds=2000,
            validation=validation,
            needs_both_classes=needs_both_classes,
        )


@pytest.mark.parametrize("how", ["time", "random"])
def test_delay_without_an_order_in_time_is_refused(how):
    table = every_tenth(times=np.arange(1000) if how == "random" else None)

    with pytest.raises(SplitError, match="--time"):
        divided(table, how=how, delay_seconds=DAY)


def test_parts_that_overlap_are_refused():
    rows = np.arange(10)

    with pytest.raises(SplitError, match="overlap"):
        Split(rows[:5], rows[4:6], rows[6:8], rows[8:], None, "")


@st.composite
def tables_and_configs(draw):
    """Draw a table with many frauds and a split of it."""
    n_rows = draw(st.integers(40, 200))
    labels = np.arange(n_rows) % 2
    times = draw(st.lists(st.integers(0, 50), min_size=n_rows, max_size=n_rows))
    config = SplitConfig(
        how=draw(st.sampled_from(["time", "random"])),
        test_share=draw(st.sampled_from([0.0, 0.1, 0.25, 0.5])),
        validation_share=draw(st.sampled_from([0.1, 0.2, 0.4])),
        validation=draw(st.sampled_from(["auto", "holdout", "cross_fit"])),
    )
    if config.how == "time" and draw(st.booleans()):
        config = SplitConfig(**{**config.__dict__, "delay_seconds": 3.0})
    return numeric_table(labels, times), config, draw(st.integers(2, 5)), draw(st.integers(0, 99))


@settings(max_examples=60)
@given(tables_and_configs())
def test_whatever_is_asked_for_rows_are_in_one_part_and_time_runs_forward(drawn):
    table, config, n_members, seed = drawn
    try:
        parts = split(table, config, n_members, np.random.default_rng(seed))
    except SplitError:
        return  # too few rows of a class in a part; what that says is tested above

    rows = all_rows(parts)
    assert len(np.unique(rows)) == len(rows)
    assert len(rows) <= len(table)
    if not config.delay_seconds:
        assert len(rows) == len(table)
    assert len(parts.test) == len(table) - (len(table) - round(config.test_share * len(table)))
    if parts.folds is not None:
        assert len(parts.folds) == len(parts.train)
        assert set(parts.folds.tolist()) == set(range(n_members))
    if config.how == "time":
        ordered = [table.times[part] for part in parts.parts().values()]
        for earlier, later in pairwise(ordered):
            assert earlier.max() <= later.min()
    for part in parts.parts().values():
        assert set(table.labels[part]) == {0, 1}
