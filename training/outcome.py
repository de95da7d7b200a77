"""What a search has found so far, in all processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from model.errors import TrainingError
from model.files import write_atomically
from training.config import RunConfig
from training.config_file import to_toml
from training.data import Table
from training.objective import Metric
from training.search_space import Values, applied
from training.split import Cut
from training.study import UNTUNED

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
FOLDS, DIVERGED = "folds", "diverged"  # attributes of a trial
ENOUGH_FOR_IMPORTANCE = 10  # complete trials


@dataclass(frozen=True)
class FoldSize:
    """How many rows and frauds a fold learns from, and how many it is judged by."""

    learned_rows: int
    learned_frauds: int
    judged_rows: int
    judged_frauds: int


@dataclass(frozen=True)
class Searched:
    """What the trials of a search were learned from and judged by.

    Attributes
    ----------
    source : str
    data_sha256 : str
    n_rows, n_frauds : int
        Of the whole table, the rows that are kept for the test included.
    note : str
        How the rows before the test were cut, in words.
    folds : tuple of FoldSize
    """

    source: str
    data_sha256: str
    n_rows: int
    n_frauds: int
    note: str
    folds: tuple[FoldSize, ...]

    @classmethod
    def of(cls, table: Table, cuts: Sequence[Cut]) -> Searched:
        """Describe a table and its folds."""
        folds = tuple(
            FoldSize(
                len(cut.earlier),
                int(table.labels[cut.earlier].sum()),
                len(cut.later),
                int(table.labels[cut.later].sum()),
            )
            for cut in cuts
        )
        n_frauds = int(table.labels.sum())
        return cls(table.source, table.digest, len(table), n_frauds, cuts[0].note, folds)


@dataclass(frozen=True)
class Outcome:
    """What a search has found so far, in all processes.

    Attributes
    ----------
    study : Path
    searched : Searched
    metric : Metric
    trials : list of FrozenTrial
    best : FrozenTrial
    untuned : FrozenTrial or None
        The trial of the configuration as it was given, if it is complete.
    start : dict
        Its values.
    importances : dict of str to float
        Share of each setting in what the values differ by; empty with few complete trials.
    config : RunConfig
        The best configuration.
    """

    study: Path
    searched: Searched
    metric: Metric
    trials: list[FrozenTrial]
    best: FrozenTrial
    untuned: FrozenTrial | None
    start: Values
    importances: dict[str, float]
    config: RunConfig

    def write_config(self) -> Path:
        """Write the best configuration beside the study, and return the file."""
        path = self.study.with_suffix(".toml")
        write_atomically(path, to_toml(self.config).encode())
        return path


def outcome_of(
    study: optuna.Study,
    path: Path,
    searched: Searched,
    config: RunConfig,
    metric: Metric,
    start: Values,
) -> Outcome:
    """Return what a study holds by now.

    Raises
    ------
    TrainingError
        If no trial is complete.
    """
    trials = study.get_trials(deepcopy=False)
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    if not complete:
        raise TrainingError(f"{path}: no trial is complete yet, so there is nothing to choose from")
    untuned = next((trial for trial in complete if UNTUNED in trial.user_attrs), None)
    importances = {}
    if len(complete) >= ENOUGH_FOR_IMPORTANCE:
        evaluator = FanovaImportanceEvaluator(seed=config.seed)
        importances = get_param_importances(study, evaluator=evaluator)
    best = study.best_trial
    tuned = applied(config, best.params)
    return Outcome(path, searched, metric, trials, best, untuned, start, importances, tuned)
