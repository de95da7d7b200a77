"""Which values a trial tries, and when it is given up."""

from __future__ import annotations

from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

FEW_TRIALS = 5  # complete ones; with fewer none is given up


class SamplerByTrial(BaseSampler):
    """Optuna's TPE, its randomness drawn from the study's seed and the number of the trial.

    A process that joins a study or takes it up again would otherwise draw once more what the first
    one drew.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._sampler = TPESampler(seed=seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Begin the trial's own random numbers."""
        rng = np.random.default_rng((self._seed, trial.number + 1))
        self._sampler = TPESampler(seed=int(rng.integers(2**32)))
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the settings that are drawn together."""
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw them."""
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Draw a setting by itself."""
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)


class MedianOfFolds(BasePruner):
    """Gives up a trial whose mean over its folds is worse than the median over the same folds.

    Optuna's ``MedianPruner`` takes the best value that a trial has reported: where one fold is
    easier than the rest, that says nothing. Here the latest counts, the mean so far, which is what
    a trial has to report after each fold.
    """

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Return whether the trial is not worth its remaining folds."""
        step = trial.last_step
        complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        others = [t.intermediate_values[step] for t in complete if step in t.intermediate_values]
        if step is None or len(others) < FEW_TRIALS:
            return False
        value, median = trial.intermediate_values[step], float(np.median(others))
        return value < median if study.direction == StudyDirection.MAXIMIZE else value > median
