"""A run as a data scientist reads it on the terminal."""

from __future__ import annotations

from textwrap import fill

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as Grid
from rich.text import Text

from model import MLP
from model.losses import compute_class_weights
from training.config import AutoencoderConfig, RunConfig
from training.data import Table
from training.evaluate import METRICS, PER, Evaluation, View
from training.findings import findings_in
from training.fit import Figures
from training.imbalance import class_weights_of_strength, resampled_labels
from training.listener import Listener
from training.pipeline import Run
from training.promote import Comparison
from training.split import Split

WIDE = 80  # columns of a terminal that two views of the metrics fit beside each other
TOGETHER = "\u00a0"  # in the place of a space at which no line ends
FIGURES = ("loss", "accuracy", "precision", "recall", "f1", "average_precision")


class RunConsole(Listener):
    """Prints a run while it goes on.

    Parameters
    ----------
    console : Console
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._n_epochs = self._log_every = 1

    def on_table(self, table: Table) -> None:
        """Print counts and the imbalance."""
        self._heading("Data")
        self._line("source", table.source)
        kinds = [feature.kind for feature in table.spec.features]
        listing = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
        self._line("rows", f"{len(table):,} with {len(kinds)} features ({listing})")
        if table.labels is not None:
            n_frauds = int(table.labels.sum())
            n_legitimate = len(table) - n_frauds
            ratio = f"{n_legitimate / n_frauds:.0f}:1" if n_frauds else "no fraud at all"
            self._line("legitimate", f"{n_legitimate:,}")
            self._line("fraud", f"{n_frauds:,} ({n_frauds / len(table):.4%})")
            self._line("imbalance", ratio)
        for note in table.notes:
            self.on_warning(note)

    def on_split(self, table: Table, parts: Split) -> None:
        """Print the parts."""
        self._heading(f"Split {parts.note}")
        for name, rows in parts.parts().items():
            frauds = "" if table.labels is None else f", {int(table.labels[rows].sum()):,} frauds"
            self._line(name.replace("_", " "), f"{len(rows):,} rows{frauds}")

    def on_network(self, mlp: MLP, config: RunConfig, y_train: NDArray[np.int64]) -> None:
        """Print architecture and configuration of the classifier."""
        self._heading("Classifier")
        learning = config.learning
        y_learned = resampled_labels(y_train, learning.resampling, learning.resampled_share)
        weights = class_weights_of_strength(y_learned, learning.class_weight)
        balanced = compute_class_weights(y_learned)
        sizes = [mlp.layers[0].n_in, *(layer.n_out for layer in mlp.layers)]
        members = f" × {mlp.members} members" if mlp.members else ""
        self._line("layers", " → ".join(map(str, sizes)) + members)
        self._line("activations", ", ".join(layer.activation.name for layer in mlp.layers))
        self._line("parameters", f"{mlp.n_parameters:,}")
        self._line("class weights", f"{_weights(weights)}; balanced: {_weights(balanced)}")
        self._line(
            "training",
            f"{learning.optimizer}, learning rate {learning.learning_rate:g} "
            f"({learning.schedule}), batch {learning.batch_size}, {learning.epochs} epochs, "
            f"dropout {config.network.drop_probability:g}, resampling {learning.resampling}",
        )
        self._line("recipe, seed", f"{config.recipe}, {config.seed}")
        share = 1 - y_train.mean()
        self.on_warning(
            f"calling everything legitimate would have an accuracy of {share:.2%} and catch "
            "nothing: do not judge by accuracy"
        )
        self._start(learning.epochs, learning.log_every)

    def on_autoencoder(self, config: AutoencoderConfig) -> None:
        """Print the configuration of the autoencoder."""
        self._stop()
        self._heading("Autoencoder, on legitimate rows")
        hidden = [*config.hidden, config.bottleneck, *reversed(config.hidden)]
        self._line("hidden layers", f"{' → '.join(map(str, hidden))} × {config.members} members")
        self._start(config.epochs, max(1, config.epochs // 5))

    def on_epoch(self, epoch: int, figures: Figures) -> None:
        """Print an epoch above the progress bar."""
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], completed=epoch)
        if epoch % self._log_every == 0 or epoch in (1, self._n_epochs):
            parts = [
                f"{name.replace('_', ' ')} {figures[name]:.4f}".replace(" ", TOGETHER)
                for name in FIGURES
                if name in figures
            ]
            width = len(str(self._n_epochs))
            first = f"  epoch {epoch:>{width}}/{self._n_epochs}  "
            text = filled(self._console, first + "  ".join(parts), indent=len(first))
            self._console.print(text.replace(TOGETHER, " "), highlight=False, soft_wrap=True)

    def on_warning(self, text: str) -> None:
        """Print a warning with its cure."""
        print_warning(self._console, text)

    def print_result(self, run: Run) -> None:
        """Print the evaluation of a finished run."""
        artifact, evaluation = run.artifact, run.evaluation
        if evaluation is not None:
            print_evaluation(self._console, evaluation, f"{run.evaluated_part} rows")
        per_day = artifact.manifest.get("transactions_per_day")
        if per_day is not None:
            self._line("thresholds", f"for the alerts of {per_day:,.0f} transactions a day")
        anomaly = artifact.manifest.get("anomaly_metrics")
        if anomaly is not None:
            self._heading("Anomaly score on test rows (trained on legitimate rows alone)")
            auc = (anomaly[name] for name in ("roc_auc", "roc_auc_low", "roc_auc_high"))
            figures = {"roc auc": "{:.2%} [{:.1f}, {:.1f}]".format(*_in_percent(*auc))}
            for name, value in anomaly.items():
                if not name.startswith("roc_auc"):
                    figures[name.replace("_", " ")] = f"{value:.2%}"
            width = max(map(len, figures))
            for name, text in figures.items():
                self._line(f"{name:<{width}}", text)
        reviews = artifact.manifest.get("anomaly_reviews")
        if reviews is not None:
            self._line(
                "anomaly reviews",
                f"{reviews['in_10000']:,.1f} more in 10,000 transactions ({reviews['evaluated_on']}"
                " rows) that would be approved otherwise",
            )
        findings = findings_in(artifact.manifest)
        if findings:
            self._heading("What speaks against this model")
            grid = Grid.grid(padding=(0, 1, 0, 0))
            for finding in findings:
                grid.add_row("  [yellow]![/yellow]", escape(str(finding)))
            self._console.print(grid, highlight=False)

    def _start(self, n_epochs: int, log_every: int) -> None:
        self._n_epochs, self._log_every = n_epochs, log_every
        if self._console.is_terminal:
            self._progress = Progress(
                TextColumn("  training"),
                BarColumn(),
                TextColumn("{task.completed:.0f}/{task.total:.0f} epochs"),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._progress.add_task("training", total=n_epochs)
            self._progress.start()

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def close(self) -> None:
        """Give the terminal back, also after an error."""
        self._stop()

    def _heading(self, text: str) -> None:
        heading(self._console, text)

    def _line(self, name: str, value: str) -> None:
        line(self._console, name, value)


def heading(console: Console, text: str) -> None:
    """Print a section's heading."""
    console.print(f"\n[bold]{escape(text)}[/bold]", highlight=False)


def print_warning(console: Console, text: str) -> None:
    """Print a text with a sign of warning before it."""
    warning = Text(filled(console, f"  ! {text}", indent=4))
    warning.stylize("yellow", 2, 3)
    console.print(warning, highlight=False, soft_wrap=True)


def line(console: Console, name: str, value: str, *, wraps: bool = True) -> None:
    """Print a name and its value, which wraps beside the name unless it is to be copied."""
    text = f"  {name:<15} {value}"
    if wraps:
        text = filled(console, text, indent=18)
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def filled(console: Console, text: str, indent: int) -> str:
    """Return a text in lines as wide as the console, broken between words and never within one."""
    return fill(
        text,
        console.width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _in_percent(value: float, low: float, high: float) -> tuple[float, float, float]:
    """Return a share as it is, and the ends of its interval in percent, as the metrics have it."""
    return value, 100 * low, 100 * high


def _weights(weights: dict[int, float]) -> str:
    names = ("legitimate", "fraud")
    return ", ".join(f"{names[label]} {weight:.3f}" for label, weight in weights.items())


def print_evaluation(console: Console, evaluation: Evaluation, rows: str) -> None:
    """Print confusion matrix, metrics and business impact.

    Percentages are computed from the matrix that is printed.
    """
    heading(console, f"On {evaluation.n_rows:,} {rows}, {evaluation.n_frauds:,} of them fraud")
    grid = Grid(box=None, pad_edge=False)
    for title in ("", "approved", "alerts (review or block)", "of them blocked"):
        grid.add_column(title, justify="right" if title else "left")
    (tn, fp), (fn, tp) = evaluation.confusion
    (_, blocked_fp), (_, blocked_tp) = evaluation.block_confusion
    grid.add_row("  legitimate", f"{tn:,}", f"{fp:,}", f"{blocked_fp:,}")
    grid.add_row("  fraud", f"{fn:,}", f"{tp:,}", f"{blocked_tp:,}")
    console.print(grid, highlight=False)
    _print_views(console, evaluation)
    _print_impact(console, evaluation)


def _print_views(console: Console, evaluation: Evaluation) -> None:
    views = {f"at {evaluation.as_table.prevalence:.3%} (table)": evaluation.as_table}
    if evaluation.at_base_rate is not None:
        rate = evaluation.at_base_rate.prevalence
        views[f"at {rate:.3%} (base rate)"] = evaluation.at_base_rate
    is_wide = console.width >= WIDE
    for shown in [views] if is_wide else [{title: view} for title, view in views.items()]:
        grid = Grid(box=None, pad_edge=False)
        grid.add_column("\n  metric", no_wrap=True)
        for title in shown:
            grid.add_column(f"\n{title}", justify="right", no_wrap=True)
        for name in METRICS:
            cells = [_figure(view, name) for view in shown.values()]
            grid.add_row(f"  {name.replace('_', ' ')}", *cells)
        console.print(grid, highlight=False)


def _figure(view: View, name: str) -> str:
    figure = view.figures[name]
    if figure.value is None:
        return "not defined"
    if name == "brier_score":  # as narrow as the percentages: two columns fit into 80
        bounds = ", ".join(f"{bound:.4f}".lstrip("0") for bound in (figure.low, figure.high))
        return escape(f"{figure.value:.5f} [{bounds}]")
    if figure.low is None or figure.high is None:
        return f"{figure.value:.2%}"
    return escape(f"{figure.value:.2%} [{100 * figure.low:.1f}, {100 * figure.high:.1f}]")


def _print_impact(console: Console, evaluation: Evaluation) -> None:
    impact = evaluation.impact
    heading(console, "Business impact on these rows")
    caught, missed = f"{impact.frauds_caught:,}", f"{impact.frauds_missed:,}"
    if impact.amount_caught is not None and impact.amount_missed is not None:
        total = impact.amount_caught + impact.amount_missed
        share = f" ({impact.amount_caught / total:.2%} of the amount)" if total > 0 else ""
        caught += f" frauds worth {impact.amount_caught:,.2f}{share}"
        missed += f" frauds worth {impact.amount_missed:,.2f}"
    line(console, "caught", caught)
    line(console, "missed", missed)
    line(
        console,
        "false alarms",
        f"{impact.false_alarms:,}, of them {impact.false_blocks:,} legitimate customers blocked",
    )
    if evaluation.at_base_rate is None:
        return
    (tn, fp), _ = evaluation.confusion
    rate = evaluation.at_base_rate.prevalence
    recall = evaluation.at_base_rate.figures["recall"].value or 0.0
    line(
        console,
        "at base rate",
        f"in {PER:,} transactions {PER * rate:,.0f} frauds, {PER * rate * recall:,.0f} caught, "
        f"{PER * (1 - rate) * fp / max(tn + fp, 1):,.0f} false alarms",
    )


def print_comparison(console: Console, comparison: Comparison, rows: str) -> None:
    """Print champion against challenger on rows that are named, as ``rows new to both``."""
    heading(
        console,
        f"Average precision on {comparison.n_rows:,} {rows}, {comparison.n_frauds:,} of them fraud",
    )
    line(console, "champion", f"{comparison.champion:.4f}")
    line(console, "challenger", f"{comparison.challenger:.4f}")
    line(console, "difference", f"95 % interval [{comparison.low:+.4f}, {comparison.high:+.4f}]")
