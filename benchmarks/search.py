"""The search for each peer's parameters, and the file that keeps what it found."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from benchmarks.peers import Parameters, Peer
from benchmarks.tables import RESULTS, markdown

try:
    import optuna
except ImportError:
    optuna = None

TRIALS = 20
FIRST_TRIALS = 5  # random ones, none of which is stopped early

# what to learn from, its labels, what to be judged on, its labels
Part = tuple[Any, Any, Any, Any]


@dataclass(frozen=True)
class Found:
    """The parameters a search settled on, and the mean average precision they had there."""

    parameters: Parameters
    average_precision: float
    trials: int


def best(peer: Peer, parts: Sequence[Part], trials: int) -> Found:
    """Return the best parameters of so many trials, by average precision over the parts.

    Optuna's tree-structured Parzen estimator; a trial that is below the median of the earlier ones
    after the same parts is not finished.
    """

    def mean_precision(trial: Any) -> float:
        parameters = peer.space(trial)
        trial.set_user_attr("parameters", parameters)
        values: list[float] = []
        for number, (X, y, X_test, y_test) in enumerate(parts):
            score = peer.build(0, parameters).fit(X, y).predict_proba(X_test)[:, 1]
            values.append(average_precision_score(y_test, score))
            trial.report(np.mean(values), number)
            if trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(values))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=0, n_startup_trials=FIRST_TRIALS),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=FIRST_TRIALS),
    )
    study.optimize(mean_precision, n_trials=trials)
    return Found(study.best_trial.user_attrs["parameters"], study.best_value, trials)


def parameters_of(
    program: str,
    peers: Mapping[str, Peer],
    parts: Callable[[], Sequence[Part]],
    trials: int | None,
) -> dict[str, Found]:
    """Return what a search found for each peer: from its file, or by searching now.

    Parameters
    ----------
    program : str
        Whose results these are.
    peers : mapping of str to Peer
    parts : callable
        Gives the parts to search on; called only if there is something to search.
    trials : int or None
        Search all anew with so many; None: search only what the file lacks.
    """
    path = RESULTS / f"{program}_parameters.json"
    known: dict[str, Found] = {}
    if path.is_file():
        kept = json.loads(path.read_text(encoding="utf-8"))
        known = {name: Found(**facts) for name, facts in kept.items()}
    wanted = [name for name in peers if trials is not None or name not in known]
    if not wanted:
        return {name: known[name] for name in peers}
    if optuna is None:
        raise SystemExit(f"optuna is not installed, and {path.name} lacks {', '.join(wanted)}.")
    places = parts()
    for name in wanted:
        known[name] = best(peers[name], places, trials or TRIALS)
        print(f"{name}: {known[name]}", file=sys.stderr, flush=True)
        facts = {name: asdict(found) for name, found in sorted(known.items())}
        path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return {name: known[name] for name in peers}


def search_table(found: Mapping[str, Found]) -> str:
    """Return the table of what was found."""
    rows = [
        (
            name,
            str(one.trials),
            f"{one.average_precision:.4f}",
            ", ".join(f"{key} {_shown(value)}" for key, value in one.parameters.items()),
        )
        for name, one in found.items()
    ]
    return markdown(("tuned peer", "trials", "average precision there", "parameters"), rows)


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
