"""A search as a data scientist reads it on the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid

from training.cli.console import RunConsole, heading, line, print_warning
from training.data import Table
from training.duration import about
from training.objective import METRICS
from training.outcome import DIVERGED, ENOUGH_FOR_IMPORTANCE, FINISHED, FOLDS, Outcome
from training.split import Cut
from training.study import UNTUNED
from training.tune import Request, SearchListener

FEW_FRAUDS = 20  # in the rows that a fold is judged by


class SearchConsole(RunConsole, SearchListener):
    """Prints a search while it goes on.

    Parameters
    ----------
    console : Console
    clock : callable
        Seconds from some moment on.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(console)
        self._clock = clock
        self._n_folds = self._n_done = 0
        self._left = TimeLeft(0, 0, None, 0.0)

    def on_folds(self, table: Table, folds: Sequence[Cut]) -> None:
        """Print the folds."""
        self._n_folds = len(folds)
        self._heading(f"Folds {folds[0].note}; the test rows are in none of them")
        for number, fold in enumerate(folds, start=1):
            counts = [
                f"{len(rows):,} rows ({int(table.labels[rows].sum()):,} frauds)"
                for rows in (fold.earlier, fold.later)
            ]
            self._line(f"fold {number}", f"learns from {counts[0]}, is judged by {counts[1]}")
        fewest = min(int(table.labels[fold.later].sum()) for fold in folds)
        if fewest < FEW_FRAUDS:
            self.on_warning(
                f"a fold is judged by {fewest} frauds: most of what trials differ by is chance; "
                "use a table with more frauds, or fewer --folds"
            )

    def on_study(self, path: Path, study: optuna.Study, request: Request) -> None:
        """Print where the search stands, and begin to show its progress."""
        n_done = len(study.get_trials(deepcopy=False, states=FINISHED))
        self._heading(f"Search by {METRICS[request.metric].title}")
        self._line("study", str(path))
        self._line("trials", f"{n_done} done, {max(0, request.n_trials - n_done)} to go")
        self._n_done = n_done
        self._left = TimeLeft(n_done, request.n_trials, request.timeout_seconds, self._clock())
        if self._console.is_terminal:
            self._progress = Progress(
                TextColumn("  searching"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("trials"),
                TextColumn("{task.description}"),
                TimeElapsedColumn(),
                TextColumn("{task.fields[left]}"),
                console=self._console,
                transient=True,
            )
            self._progress.add_task("", total=request.n_trials, completed=n_done, left="")
            self._progress.start()

    def on_fold(self, trial: int, fold: int) -> None:
        """Show how far the trial is."""
        left = self._left.after(self._n_done + fold / self._n_folds, self._clock())
        self._show(description=f"trial {trial}: fold {fold} of {self._n_folds}", left=left)

    def on_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Print a trial above the progress bar."""
        n_done = len(study.get_trials(deepcopy=False, states=FINISHED))
        self._n_done = n_done
        left = self._left.after(n_done, self._clock())
        self._show(completed=n_done, description="", left=left)
        values = trial.user_attrs.get(FOLDS, [])
        if DIVERGED in trial.user_attrs:
            text = "diverged"
        elif trial.state == TrialState.COMPLETE:
            is_best = study.best_trial.number == trial.number
            text = f"{trial.value:.4f}{'  the best so far' if is_best else ''}"
        else:
            text = f"given up after {len(values)} of {self._n_folds} folds"
        if self._progress is None and left:  # the progress bar tells it where there is one
            text += f"; {left}"
        self._line(f"trial {trial.number}", text)

    def _show(self, **changes: Any) -> None:
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], **changes)


@dataclass(frozen=True)
class TimeLeft:
    """How long a search will go on, by how fast its trials have ended, in whatever process.

    Attributes
    ----------
    n_before : int
        Trials that had ended when this process began.
    n_trials : int
        That the study is to have.
    limit : float or None
        Seconds after which this process begins no trial.
    began : float
        On the clock of :meth:`after`.
    """

    n_before: int
    n_trials: int
    limit: float | None
    began: float

    def after(self, n_done: float, now: float) -> str:
        """Return the time left in words; empty where nothing is left or known."""
        n_left, n_new, elapsed = self.n_trials - n_done, n_done - self.n_before, now - self.began
        if n_left <= 0 or n_new <= 0:
            return ""
        left = elapsed / n_new * n_left
        if self.limit is not None:
            left = min(left, max(self.limit - elapsed, 0.0))
        return f"about {about(left)} left"


def print_outcome(console: Console, outcome: Outcome) -> None:
    """Print the best trial against the untuned one, on every fold and in every setting."""
    n_complete, n_pruned, n_failed = (
        sum(trial.state == state for trial in outcome.trials)
        for state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    )
    counts = f"{n_complete} complete, {n_pruned} given up, {n_failed} interrupted or failed"
    heading(console, f"Best of {len(outcome.trials)} trials ({counts})")
    rows = {"untuned": outcome.untuned}
    if UNTUNED in outcome.best.user_attrs:
        rows = {"untuned, still the best": outcome.best}
    else:
        rows[f"trial {outcome.best.number}"] = outcome.best
    n_folds = len(outcome.best.user_attrs[FOLDS])
    direction = "higher" if outcome.metric.is_maximized else "lower"
    titles = [f"fold {number}" for number in range(1, n_folds + 1)]
    line(console, "judged by", f"{outcome.metric.title}, {direction} is better")
    grid = _grid("", "mean", *titles)
    for title, trial in rows.items():
        values = [] if trial is None else [trial.value, *trial.user_attrs[FOLDS]]
        cells = [f"{value:.4f}" for value in values] or ["not complete yet"]
        grid.add_row(f"  {title}", *cells)
    console.print(grid, highlight=False)
    console.print()
    grid = _grid("  setting", "untuned", "best", "importance")
    for key in sorted(outcome.best.params, key=lambda key: -outcome.importances.get(key, 0)):
        importance = outcome.importances.get(key)
        grid.add_row(
            f"  {key}",
            _setting(outcome.start[key]),
            _setting(outcome.best.params[key]),
            "" if importance is None else f"{importance:.0%}",
        )
    console.print(grid, highlight=False)
    if not outcome.importances:
        n = ENOUGH_FOR_IMPORTANCE
        line(console, "importance", f"is told once {n} trials are complete")
    print_warning(
        console,
        "the best of many trials looks better on these folds than on new rows: the test rows of a "
        "training run tell",
    )


def _grid(*titles: str) -> Grid:
    grid = Grid(box=None, pad_edge=False)
    for number, title in enumerate(titles):
        grid.add_column(title, justify="right" if number else "left", no_wrap=True)
    return grid


def _setting(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
