"""Searching for better settings, from a table to a configuration that ``train`` takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from time import monotonic
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial
from threadpoolctl import threadpool_limits

from model.errors import ConfigurationError
from training.config import RunConfig
from training.data import Table
from training.errors import DivergedError
from training.fitting import streams_of
from training.folds import cut_folds
from training.listener import Listener
from training.memory import UNLIMITED
from training.objective import Metric, fold_values, judged_alone, metric_named, refuse_thin_folds
from training.outcome import DIVERGED, FINISHED, FOLDS, Outcome, Searched, outcome_of
from training.pipeline import read_table
from training.search_space import (
    Space,
    applied,
    described,
    search_space,
    start_values,
    suggested,
)
from training.split import Cut
from training.study import UNTUNED, opened

# What says where things lie and what they are called, and changes no value.
INDIFFERENT = ("name", "output", "reports", "recipe")
INDIFFERENT_DATA = ("path", "attribution", "units")


@dataclass(frozen=True)
class Request:
    """What is asked of a search.

    Attributes
    ----------
    study : Path or None
        File of the search; ``<reports>/tune/<name>.db`` where omitted.
    metric : str
    n_folds : int
    n_trials : int
        That the study is to have, those of earlier and other processes included.
    timeout_seconds : float or None
        After which this process begins no further trial.
    """

    study: Path | None = None
    metric: str = "average_precision"
    n_folds: int = 3
    n_trials: int = 50
    timeout_seconds: float | None = None


class SearchListener(Listener):
    """Callbacks of :func:`tune`; override those of interest."""

    def on_folds(self, table: Table, folds: Sequence[Cut]) -> None:
        """Hear how the rows before the test were cut."""

    def on_study(self, path: Path, study: optuna.Study, request: Request) -> None:
        """Hear that the search goes on."""

    def on_fold(self, trial: int, fold: int) -> None:
        """Hear that a trial has been judged on a fold, from 1."""

    def on_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Hear that a trial is over."""


def tune(config: RunConfig, request: Request, listener: SearchListener | None = None) -> Outcome:
    """Search for the settings of the classifier, or of the autoencoder for task 'anomaly'.

    Nothing is chosen on test rows: those of a run with the same configuration are set aside first.
    A study is taken up where it stands, and several processes may work at the same one.

    Parameters
    ----------
    config : RunConfig
        Where the search starts: its first trial, and what it leaves as it is.
    request : Request
    listener : SearchListener, optional

    Raises
    ------
    ConfigurationError
        If what was asked for cannot work, or the study is another one.
    TrainingError
        If the table cannot be searched on, or no trial is complete.
    """
    listener = listener or SearchListener()
    metric = metric_named(request.metric, config.task)
    streams = streams_of(config.seed)
    if config.memory is not None:
        raise ConfigurationError("a search keeps its rows in memory: leave memory out")
    table = read_table(config, UNLIMITED, streams["simulate"])
    listener.on_table(table)
    needs_both = config.task != "anomaly"
    folds = cut_folds(
        table, config.split, request.n_folds, streams["split"], needs_both_classes=needs_both
    )
    refuse_thin_folds(config, table, folds)
    listener.on_folds(table, folds)
    space = search_space(config)
    start = start_values(config, space)
    path = request.study or default_study(config)
    if path.suffix != ".db":  # what is written beside it has other endings
        raise ConfigurationError(f"--study names a file that ends in .db, got {path}")
    facts = _facts(config, request, table, space)
    search = _Search(config, table, folds, metric, space, listener)
    with opened(path, facts, start, is_maximized=metric.is_maximized, seed=config.seed) as study:
        listener.on_study(path, study, request)
        try:
            with threadpool_limits(1):  # small networks: processes are worth more than threads
                search.run(study, request)
        except KeyboardInterrupt:
            listener.on_warning("interrupted; the same command goes on from here")
        return outcome_of(study, path, Searched.of(table, folds), config, metric, start)


def default_study(config: RunConfig) -> Path:
    """Return the file of a search that names none."""
    network = "-anomaly" if config.task == "anomaly" else ""
    return Path(config.reports) / "tune" / f"{config.model_name}{network}.db"


class _Search:
    """Runs trials, and tells the study and the listener of them."""

    def __init__(
        self,
        config: RunConfig,
        table: Table,
        folds: Sequence[Cut],
        metric: Metric,
        space: Space,
        listener: SearchListener,
    ) -> None:
        self._config, self._table, self._folds = config, table, folds
        self._metric, self._space, self._listener = metric, space, listener
        self._is_lost = False

    def run(self, study: optuna.Study, request: Request) -> None:
        """Run trials until the study has enough, or the time is over."""
        begin = monotonic()
        limit = request.timeout_seconds
        while len(study.get_trials(deepcopy=False, states=FINISHED)) < request.n_trials:
            if limit is not None and monotonic() - begin >= limit:
                return
            try:
                study.optimize(self._value, n_trials=1, callbacks=[self._listener.on_trial])
            except ValueError:
                if not self._is_lost:
                    raise
                self._is_lost = False

    def _value(self, trial: optuna.Trial) -> float:
        """Return the mean over the folds, or give up on the way."""
        config = applied(self._config, suggested(trial, self._space))
        values: list[float] = []
        try:
            for value in fold_values(config, self._table, self._folds, self._metric):
                values.append(value)
                trial.set_user_attr(FOLDS, values)
                trial.report(fmean(values), len(values))
                self._listener.on_fold(trial.number, len(values))
                is_last = len(values) == len(self._folds)
                if not is_last and UNTUNED not in trial.user_attrs and trial.should_prune():
                    raise optuna.TrialPruned
        except DivergedError:
            trial.set_user_attr(DIVERGED, True)
            raise optuna.TrialPruned from None  # without a value it counts as the worst
        except UpdateFinishedTrialError:
            # this process was asleep for so long that another one has taken the trial over
            self._is_lost = True
            raise optuna.TrialPruned from None
        return fmean(values)


def _facts(config: RunConfig, request: Request, table: Table, space: Space) -> dict[str, Any]:
    """Return what the values of trials depend on, flat and as JSON types."""
    settings = judged_alone(config).to_dict()
    for key in INDIFFERENT:
        del settings[key]
    for key in INDIFFERENT_DATA:
        del settings["data"][key]
    facts: dict[str, Any] = {
        "metric": request.metric,
        "folds": request.n_folds,
        "SHA-256 of the table": table.digest,
    }
    for key, value in settings.items():
        if isinstance(value, dict):
            facts |= {f"{key}.{name}": setting for name, setting in value.items()}
        else:
            facts[key] = value
    return facts | {f"search of {key}": kind for key, kind in described(space).items()}
