"""Searching for better settings: resumed, shared, pruned, reproducible."""

import os
import sqlite3
import tomllib
from contextlib import closing
from dataclasses import replace

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from model.errors import ConfigurationError, TrainingError
from tests.training.searches import SMALL_AUTOENCODER_SPACE, SMALL_SPACE, config_for
from tests.training.tables import mixed_frame
from training import outcome as outcome_module
from training import sampling, search_space, tune
from training.config_file import load_config
from training.errors import DivergedError
from training.fitting import streams_of
from training.folds import cut_folds
from training.memory import UNLIMITED
from training.objective import METRICS, fold_values
from training.outcome import DIVERGED, FOLDS
from training.pipeline import read_table
from training.tune import Request, SearchListener

FRAME = mixed_frame(400)


@pytest.fixture(autouse=True)
def small_space(monkeypatch):
    """Search two settings of small networks."""
    monkeypatch.setattr(search_space, "CLASSIFIER", SMALL_SPACE)
    monkeypatch.setattr(search_space, "AUTOENCODER", SMALL_AUTOENCODER_SPACE)


@pytest.fixture
def config(tmp_path):
    """Return the configuration of short trials."""
    return config_for(FRAME, tmp_path)


def searched(config, n_trials, listener=None, **request):
    """Search on two folds."""
    return tune.tune(config, Request(n_folds=2, n_trials=n_trials, **request), listener)


def tried(outcome):
    """Return what was tried and what came of it, in the order of trials."""
    return [(trial.params, trial.state, trial.value) for trial in outcome.trials]


@pytest.fixture
def values_by_learning_rate(monkeypatch):
    """Replace training by a formula: the higher the learning rate, the better."""

    def values(config, _table, folds, _metric):
        for number, _ in enumerate(folds):
            yield config.learning.learning_rate - 0.01 * number

    monkeypatch.setattr(tune, "fold_values", values)


def test_untuned_configuration_is_the_first_trial_and_the_best_is_written(config):
    outcome = searched(config, 3)

    path = outcome.write_config()

    assert outcome.untuned is outcome.trials[0]
    assert outcome.untuned.params == outcome.start
    assert outcome.best.value == max(trial.value for trial in outcome.trials)
    assert path == outcome.study.with_suffix(".toml")
    best = load_config(path, {})
    assert best == outcome.config
    assert ",".join(map(str, best.network.layers)) == outcome.best.params["network.layers"]
    assert best.learning.learning_rate == outcome.best.params["learning.learning_rate"]


def test_written_configuration_has_the_value_of_the_best_trial(config):
    outcome = searched(config, 3)
    best = load_config(outcome.write_config(), {})

    table = read_table(best, UNLIMITED, streams_of(best.seed)["simulate"])
    folds = cut_folds(table, best.split, 2, streams_of(best.seed)["split"])
    values = list(fold_values(best, table, folds, METRICS["average_precision"]))

    assert values == outcome.best.user_attrs[FOLDS]
    assert np.mean(values) == outcome.best.value


def test_same_seed_finds_the_same(config, tmp_path):
    first = searched(config, 3, study=tmp_path / "a.db")
    second = searched(config, 3, study=tmp_path / "b.db")
    other = searched(replace(config, seed=1), 2, study=tmp_path / "c.db")

    assert tried(first) == tried(second)
    assert other.trials[1].params != first.trials[1].params


@pytest.mark.usefixtures("values_by_learning_rate")
def test_search_taken_up_again_goes_on_as_if_never_stopped(config, tmp_path):
    """Also past the random trials at the start, where the sampler begins to learn."""
    whole = searched(config, 12, study=tmp_path / "whole.db")

    for n_trials in (1, 11, 12):
        parts = searched(config, n_trials, study=tmp_path / "parts.db")

    assert tried(parts) == tried(whole)
    assert len({str(params) for params, *_ in tried(whole)}) == 12


@pytest.mark.usefixtures("values_by_learning_rate")
def test_enough_trials_are_not_exceeded(config):
    searched(config, 2)

    assert len(searched(config, 1).trials) == 2


@pytest.mark.usefixtures("values_by_learning_rate")
def test_no_trial_begins_after_the_timeout(config):
    with pytest.raises(TrainingError, match="no trial is complete yet"):
        searched(config, 5, timeout_seconds=0.0)


@pytest.mark.usefixtures("values_by_learning_rate")
def test_trials_below_the_median_are_given_up_but_never_the_untuned(config, monkeypatch):
    monkeypatch.setattr(sampling, "FEW_TRIALS", 1)

    trials = searched(config, 8).trials

    pruned = [trial for trial in trials if trial.state == TrialState.PRUNED]
    assert pruned
    for trial in pruned:
        before = [
            t.intermediate_values[1]
            for t in trials
            if t.state == TrialState.COMPLETE and t.number < trial.number
        ]
        assert trial.intermediate_values == {1: trial.value}
        assert trial.value < np.median(before)
    assert trials[0].state == TrialState.COMPLETE


@pytest.mark.usefixtures("values_by_learning_rate")
def test_smaller_is_better_where_the_metric_says_so(config):
    outcome = searched(config, 4, metric="log_loss")

    assert outcome.best.value == min(trial.value for trial in outcome.trials)


def test_diverging_trial_is_given_up_and_the_search_goes_on(config, monkeypatch):
    def values(config, _table, _folds, _metric):
        if config.learning.learning_rate != 0.01:
            raise DivergedError(1, float("nan"))
        yield 0.5
        yield 0.7

    monkeypatch.setattr(tune, "fold_values", values)

    outcome = searched(config, 3)

    assert outcome.best.value == pytest.approx(0.6)
    assert [trial.user_attrs.get(DIVERGED) for trial in outcome.trials] == [None, True, True]


class Interrupting(SearchListener):
    """Presses Ctrl-C in the middle of a trial."""

    def __init__(self, trial):
        self._trial = trial
        self.warnings = []

    def on_fold(self, trial, fold):
        """Interrupt after the first fold of one trial."""
        if (trial, fold) == (self._trial, 1):
            raise KeyboardInterrupt

    def on_warning(self, text):
        """Keep the warning."""
        self.warnings.append(text)


@pytest.mark.usefixtures("values_by_learning_rate")
def test_interrupted_search_tells_what_it_has(config):
    listener = Interrupting(2)

    outcome = searched(config, 5, listener)

    assert [trial.state for trial in outcome.trials] == [
        TrialState.COMPLETE,
        TrialState.COMPLETE,
        TrialState.FAIL,
    ]
    assert listener.warnings == ["interrupted; the same command goes on from here"]


@pytest.mark.usefixtures("values_by_learning_rate")
def test_interrupted_untuned_trial_is_run_again(config):
    with pytest.raises(TrainingError, match="no trial is complete yet"):
        searched(config, 3, Interrupting(0))

    outcome = searched(config, 3)

    assert outcome.trials[0].state == TrialState.FAIL
    assert outcome.untuned.params == outcome.start
    assert outcome.untuned.number == 1


def make_silent(path):
    """Let the last sign of life of every trial be two hours old."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE trial_heartbeats SET heartbeat = datetime('now', '-2 hours')")


@pytest.mark.usefixtures("values_by_learning_rate")
def test_trial_of_a_dead_process_is_run_again(config):
    outcome = searched(config, 3)
    with closing(sqlite3.connect(outcome.study)) as connection, connection:
        connection.execute(
            "UPDATE trials SET state = 'RUNNING', datetime_complete = NULL WHERE number = 2"
        )
        connection.execute("DELETE FROM trial_values WHERE trial_id = 3")
    make_silent(outcome.study)

    again = searched(config, 3)

    assert [trial.state.name for trial in again.trials] == ["COMPLETE"] * 2 + ["FAIL", "COMPLETE"]
    assert again.trials[3].params == outcome.trials[2].params
    assert again.trials[3].value == outcome.trials[2].value


class Overslept(SearchListener):
    """Lets another process take over one trial, as if this one had been asleep."""

    def on_study(self, _path, study, _request):
        """Keep the study."""
        self._study = study

    def on_fold(self, trial, fold):
        """Lose trial 1 after its first fold."""
        if (trial, fold) == (1, 1):
            self._study.tell(1, state=TrialState.FAIL)


@pytest.mark.usefixtures("values_by_learning_rate")
def test_process_that_slept_leaves_its_trial_to_the_other(config):
    outcome = searched(config, 3, Overslept())

    states = [trial.state.name for trial in outcome.trials]
    assert states == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"metric": "roc_auc"}, 'metric was "average_precision", now "roc_auc"'),
        ({"seed": 1}, "seed was 0, now 1"),
        ({"split": {"delay_seconds": 60.0}}, "split.delay_seconds was 0.0, now 60.0"),
        ({"network": {"activation": "tanh"}}, 'network.activation was "relu", now "tanh"'),
        ({"base_rate": 0.01}, "base_rate was null, now 0.01"),
    ],
)
@pytest.mark.usefixtures("values_by_learning_rate")
def test_study_of_another_search_is_refused(change, told, config, tmp_path):
    path = tmp_path / "one.db"
    searched(config, 1, study=path)
    metric = change.pop("metric", "average_precision")
    other = config_for(FRAME, tmp_path, **change)

    with pytest.raises(ConfigurationError, match="was begun as another search") as caught:
        searched(other, 2, study=path, metric=metric)

    assert told in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.usefixtures("values_by_learning_rate")
def test_study_of_another_table_or_space_is_refused(config, tmp_path, monkeypatch):
    path = tmp_path / "one.db"
    searched(config, 1, study=path)
    monkeypatch.setattr(
        search_space, "CLASSIFIER", {k: SMALL_SPACE[k] for k in ["learning.learning_rate"]}
    )

    with pytest.raises(ConfigurationError, match=r"search of network\.layers was .* now null"):
        searched(config, 2, study=path)
    with pytest.raises(ConfigurationError, match="SHA-256 of the table"):
        searched(config_for(mixed_frame(401), tmp_path), 2, study=path)


@pytest.mark.usefixtures("values_by_learning_rate")
def test_name_and_place_make_no_other_search(config, tmp_path):
    path = tmp_path / "one.db"
    searched(config, 1, study=path)

    moved = replace(config, name="renamed", output="elsewhere", reports="there")

    assert len(searched(moved, 2, study=path).trials) == 2


def test_other_files_are_refused_and_left_as_they_are(config, tmp_path):
    text, database = tmp_path / "text.db", tmp_path / "other.db"
    text.write_text("not a database, but long enough to be mistaken for one" * 9)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE payments (id INTEGER)")

    for path in (text, database):
        before = path.read_bytes()
        with pytest.raises(ConfigurationError, match="holds no search of ours"):
            searched(config, 1, study=path)
        assert path.read_bytes() == before


@pytest.mark.usefixtures("values_by_learning_rate")
def test_storage_that_fails_is_told_in_one_line(config, tmp_path):
    class Spoiling(SearchListener):
        def on_study(self, path, _study, _request):
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute("DROP TABLE trial_user_attributes")

    with pytest.raises(TrainingError, match=r"one\.db: .*no such table"):
        searched(config, 2, Spoiling(), study=tmp_path / "one.db")


def test_autoencoder_is_searched_by_its_own_settings(tmp_path):
    config = config_for(FRAME, tmp_path, task="anomaly")

    outcome = searched(config, 2, metric="roc_auc")

    assert outcome.study.name == "cards-anomaly.db"
    assert set(outcome.best.params) == set(SMALL_AUTOENCODER_SPACE)
    assert outcome.config.task == "anomaly"
    assert outcome.config.network == config.network


def test_autoencoder_needs_labels_to_be_judged_by(tmp_path):
    config = config_for(FRAME.drop(columns="is_fraud"), tmp_path, task="anomaly")

    with pytest.raises(ConfigurationError, match="tuning needs labels to judge by"):
        searched(config, 2)


@pytest.mark.usefixtures("values_by_learning_rate")
def test_importance_is_told_once_there_are_enough_trials(config, monkeypatch):
    few = searched(config, 3)
    monkeypatch.setattr(outcome_module, "ENOUGH_FOR_IMPORTANCE", 5)
    enough = searched(config, 6)

    assert few.importances == {}
    assert sum(enough.importances.values()) == pytest.approx(1)
    assert enough.importances["learning.learning_rate"] > 0.5


def test_optuna_stays_as_loud_as_it_was(config):
    before = optuna.logging.get_verbosity()

    searched(config, 1)

    assert optuna.logging.get_verbosity() == before


def test_written_configuration_says_where_the_table_lies(config):
    path = searched(config, 1).write_config()

    assert tomllib.loads(path.read_text())["data"]["path"] == config.data.path


@pytest.mark.usefixtures("values_by_learning_rate")
def test_nothing_is_left_beside_a_study(config, tmp_path):
    folder = tmp_path / "new" / "folder"

    searched(config, 1, study=folder / "one.db")

    assert [path.name for path in folder.iterdir()] == ["one.db"]


@pytest.mark.usefixtures("values_by_learning_rate")
def test_process_that_begins_a_study_too_late_joins_it(config, tmp_path, monkeypatch):
    """Between its look for the file and its own beginning another one began."""
    path = tmp_path / "one.db"
    link = os.link

    def overtaken(source, target):
        with monkeypatch.context() as patch:
            patch.setattr(os, "link", link)
            searched(config, 2, study=path)
        link(source, target)

    monkeypatch.setattr(os, "link", overtaken)

    outcome = searched(config, 3, study=path)

    assert len(outcome.trials) == 3
    assert [path.name for path in tmp_path.glob("*.db")] == ["one.db"]


def test_study_must_not_be_a_name_of_what_is_written_beside_it(config, tmp_path):
    with pytest.raises(ConfigurationError, match=r"ends in \.db"):
        searched(config, 1, study=tmp_path / "best.toml")
