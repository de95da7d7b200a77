"""The plots of a search: how it went, and which settings mattered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator
from optuna.trial import TrialState

from model.files import write_atomically
from training.outcome import Outcome
from training.report.drawing import ACCENT, INK, MUTED, Plot, legend, new_axes, percent_axis


def write_plots(outcome: Outcome) -> list[Path]:
    """Write a PNG for each plot that a search allows beside its study, and return the files."""
    plots = [_history(outcome)]
    if outcome.importances:
        plots.append(_importance(outcome))
    paths = []
    for plot in plots:
        path = outcome.study.with_name(f"{outcome.study.stem}-{plot.name}.png")
        write_atomically(path, plot.png())
        paths.append(path)
    return paths


def _history(outcome: Outcome) -> Plot:
    name = outcome.metric.title
    figure, axes = new_axes("trial (each the mean over its folds)", name)
    by_state = {
        state: [t for t in outcome.trials if t.state == state and t.value is not None]
        for state in (TrialState.COMPLETE, TrialState.PRUNED)
    }
    complete, pruned = by_state[TrialState.COMPLETE], by_state[TrialState.PRUNED]
    numbers, values = [t.number for t in complete], [t.value for t in complete]
    axes.plot(numbers, values, "o", color=ACCENT, markersize=4.5, label="complete")
    if pruned:
        axes.plot(
            [t.number for t in pruned],
            [t.value for t in pruned],
            "x",
            color=MUTED,
            markersize=4.5,
            label="given up (fewer folds)",
        )
    best = np.maximum.accumulate if outcome.metric.is_maximized else np.minimum.accumulate
    last = len(outcome.trials) - 1
    axes.plot(
        [*numbers, last],
        [*best(values), outcome.best.value],
        color=INK,
        linewidth=1.4,
        drawstyle="steps-post",
        label="best so far",
    )
    if outcome.untuned is not None:
        axes.axhline(
            outcome.untuned.value, color=MUTED, linewidth=1.2, linestyle="--", label="untuned"
        )
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    legend(figure)
    alt = f"Scatter plot: {name} of each trial, and the best so far."
    return Plot("history", "The search", alt, figure)


def _importance(outcome: Outcome) -> Plot:
    figure, axes = new_axes("share in what the values differ by (fANOVA)", "")
    names, shares = zip(*reversed(outcome.importances.items()), strict=True)
    bars = axes.barh([name.partition(".")[2] for name in names], shares, color=ACCENT)
    labels = [f"{100 * share:.0f} %" for share in shares]
    axes.bar_label(bars, labels, color=INK, fontsize=8, padding=3)
    axes.set_xlim(0, 1.15 * max(shares))
    axes.grid(visible=False)
    percent_axis(axes, "x")
    return Plot("importance", "Settings that mattered", "Bar chart: importance by setting.", figure)
