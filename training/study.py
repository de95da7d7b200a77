"""The file that a search is kept in: complete or not there, and only ever of one search."""

from __future__ import annotations

import json
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.trial import TrialState
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from model.errors import ConfigurationError, TrainingError
from model.files import temporary_beside
from training.sampling import MedianOfFolds, SamplerByTrial
from training.search_space import Values

STUDY = "fraudscore"
FACTS, UNTUNED = "facts", "untuned"  # attributes of the study, and of its first trial
HEARTBEAT, GRACE = 5, 60  # seconds; a process silent for longer is dead, its trial runs again
PATIENCE = 60  # seconds to wait for another process to finish writing
MOST_DIFFERENCES = 3  # that are named


@contextmanager
def opened(
    path: Path, facts: dict[str, Any], start: Values, *, is_maximized: bool, seed: int
) -> Iterator[optuna.Study]:
    """Open a study, begun where there is none; several processes may have it open at once.

    Parameters
    ----------
    path : Path
        SQLite file.
    facts : dict
        What the values of its trials depend on, as JSON types.
    start : dict
        Values of the first trial, to compare with.
    is_maximized : bool
    seed : int
        Of the sampler.

    Raises
    ------
    ConfigurationError
        If the file is something else, or the study was begun with other facts.
    TrainingError
        If the file cannot be read or written.
    """
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # what goes wrong is told by our errors
    try:
        if not path.exists():
            _begin(path, facts, start, is_maximized)
        _refuse_other_files(path)
        with _storage(path) as storage:
            study = optuna.load_study(
                study_name=STUDY,
                storage=storage,
                sampler=SamplerByTrial(seed),
                pruner=MedianOfFolds(),
            )
            _refuse_other_facts(path, study.user_attrs.get(FACTS, {}), facts)
            _make_sure_of_untuned(study, start)
            yield study
    except (SQLAlchemyError, StorageInternalError) as error:
        raise TrainingError(f"{path}: {error.__cause__ or error}") from None
    finally:
        optuna.logging.set_verbosity(verbosity)


@contextmanager
def _storage(path: Path) -> Iterator[RDBStorage]:
    url = URL.create("sqlite", database=str(path)).render_as_string()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # heartbeats, since 2.9
        try:
            storage = RDBStorage(
                url,
                engine_kwargs={"connect_args": {"timeout": PATIENCE}},
                heartbeat_interval=HEARTBEAT,
                grace_period=GRACE,
                heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=1),
            )
        except RuntimeError as error:
            raise ConfigurationError(f"{path}: {error}") from None
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _begin(path: Path, facts: dict[str, Any], start: Values, is_maximized: bool) -> None:
    """Write a new study under a name of its own, then give it the name that others look for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        with closing(sqlite3.connect(temporary)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")  # waits less for disk and others
        with _storage(temporary) as storage:
            direction = "maximize" if is_maximized else "minimize"
            study = optuna.create_study(storage=storage, study_name=STUDY, direction=direction)
            study.set_user_attr(FACTS, facts)
            study.enqueue_trial(start, user_attrs={UNTUNED: True})
        with suppress(FileExistsError):  # another process was faster: its study is joined
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _refuse_other_files(path: Path) -> None:
    """Raise unless a file holds a study of ours; other files are left as they are."""
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE)) as connection:
            names = [name for (name,) in connection.execute("SELECT study_name FROM studies")]
    except sqlite3.Error:
        names = []
    if names != [STUDY]:
        raise ConfigurationError(f"{path} holds no search of ours: give another file with --study")


def _refuse_other_facts(path: Path, then: dict[str, Any], now: dict[str, Any]) -> None:
    now = json.loads(json.dumps(now))
    different = [key for key in {**now, **then} if then.get(key) != now.get(key)]
    if different:
        listing = "; ".join(
            f"{key} was {json.dumps(then.get(key))}, now {json.dumps(now.get(key))}"
            for key in different[:MOST_DIFFERENCES]
        )
        more = f"; and {len(different) - MOST_DIFFERENCES} more"
        raise ConfigurationError(
            f"{path} was begun as another search ({listing}"
            f"{more if len(different) > MOST_DIFFERENCES else ''}), and their values cannot be "
            "compared: give another file with --study, or the settings it was begun with"
        )


def _make_sure_of_untuned(study: optuna.Study, start: Values) -> None:
    """Queue the first trial again if it was interrupted for good."""
    alive = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING, TrialState.WAITING)
    if not any(UNTUNED in trial.user_attrs for trial in study.get_trials(states=alive)):
        study.enqueue_trial(start, user_attrs={UNTUNED: True})
