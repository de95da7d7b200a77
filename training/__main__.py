"""The command line: ``python -m training COMMAND``; the only file that prints."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EPIPE
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from model.artifact import Artifact, load
from model.errors import ConfigurationError, FraudscoreError
from training import promote as promotion
from training.analysis import analysis, parse_transaction
from training.batch import score_file
from training.challenge import Challenge, challenge
from training.config import RunConfig
from training.console import RunConsole, heading, line, print_comparison, print_evaluation
from training.data import Table, find_label, labels_of, matrix_of, text_columns
from training.demo import names_of, write_demo
from training.duration import seconds_of
from training.evaluate import evaluate as evaluate_scores
from training.explore import exploration_facts, survey, write_exploration
from training.explore.console import print_exploration
from training.options import (
    artifact_options,
    chosen_artifact,
    config_from,
    exploration_options,
    search_options,
    training_options,
)
from training.pipeline import Run, run
from training.rebase import rebase as rebase_artifact
from training.report import trained_at, write_card, write_report
from training.report.tuning import write_tuning_report
from training.search_console import SearchConsole, print_outcome
from training.simulate import simulate as simulate_rows
from training.split import Split
from training.table_files import read_frame
from training.tune import Request
from training.tune import tune as search

CONSOLE = Console()
NOT_PROMOTED = 3  # exit status of a retraining whose model was shown to be worse


class Commands(click.Group):
    """Turns what goes wrong on purpose into one line and an exit status."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what was typed: reports tell it."""
        ctx.obj = shlex.join(["python", "-m", "training", *args])
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except FraudscoreError as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:
            if error.errno == EPIPE:  # whoever read our output has enough: click knows what to do
                raise
            raise click.ClickException(str(error)) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Train, evaluate, apply and promote fraud models."""


@main.command()
@exploration_options
def explore(**options: Any) -> None:
    """Look at a table before training: a page with what it holds, and advice."""
    config = config_from(options)
    file = None if options["config"] is None else str(options["config"])
    with stage_counter() as on_rows:
        found = survey(config.data, config.seed, on_rows)
        facts = exploration_facts(found, config, file, on_rows)
    with CONSOLE.status("drawing"):
        page = write_exploration(facts, config)
    print_exploration(CONSOLE, facts)
    heading(CONSOLE, "Written")
    line(CONSOLE, "report", str(page))


@contextmanager
def stage_counter() -> Iterator[Callable[[str, int], None]]:
    """Show what is being done and to how many rows; a stage that follows another has as many."""
    columns = (
        TextColumn("  {task.description:<9}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=CONSOLE, transient=True) as progress:

        def on_rows(stage: str, n_rows: int) -> None:
            if stage not in tasks:
                done = [task for task in progress.tasks if task.completed]
                for task in done:
                    progress.update(task.id, total=task.completed)
                total = done[-1].completed if done else None
                tasks[stage] = progress.add_task(stage, total=total)
            progress.advance(tasks[stage], n_rows)

        yield on_rows


@main.command()
@training_options
def train(**options: Any) -> None:
    """Train a model and write its artifact, card and report.

    The first version of a name becomes its champion; later ones by promote or retrain.
    """
    config = config_from(options)
    result, _ = run_with_console(config)
    directory = result.artifact.path.parent
    if promotion.champion_of(directory) is None:
        promotion.promote(directory, result.artifact.version)
        line(CONSOLE, "champion", f"{result.artifact.version}, the first version of its name")
    else:
        line(CONSOLE, "promote with", f"python -m training promote {result.artifact.path}")
    line(CONSOLE, "serve with", f"FRAUDSCORE_MODEL_DIR={directory} make serve")


@main.command()
@training_options
def retrain(**options: Any) -> None:
    """Train, compare with the champion on rows new to both, promote unless it is worse."""
    config = config_from(options)
    directory = Path(config.output) / config.model_name
    champion = promotion.champion_of(directory)
    if champion is not None:
        promotion.refuse_without_classifiers(champion, config.task)
    result, rivals = run_with_console(config, champion)
    challenger = result.artifact
    if champion is None or rivals is None:
        promotion.promote(directory, challenger.version)
        line(CONSOLE, "champion", f"{challenger.version}, the first version of its name")
        return
    comparison = rivals.compared()
    print_comparison(CONSOLE, comparison)
    if comparison.is_worse:
        line(CONSOLE, "not promoted", f"these rows show it to be worse; {champion.version} stays")
        raise SystemExit(NOT_PROMOTED)
    promotion.promote(directory, challenger.version)
    line(CONSOLE, "champion", f"{challenger.version}, in the place of {champion.version}")


class RetrainingConsole(RunConsole):
    """Ends a retraining that could not be compared with the champion before it has begun."""

    def __init__(self, console: Console, champion: Artifact) -> None:
        super().__init__(console)
        self._champion = champion

    def on_split(self, table: Table, parts: Split) -> None:
        """Print the parts; see whether they allow a comparison."""
        super().on_split(table, parts)
        promotion.rows_to_compare(self._champion, table, parts.test)


def run_with_console(
    config: RunConfig, champion: Artifact | None = None
) -> tuple[Run, Challenge | None]:
    """Train and report, printing on the way; with a champion only if it can be compared with."""
    console = RunConsole(CONSOLE) if champion is None else RetrainingConsole(CONSOLE, champion)
    try:
        result = run(config, console)
    finally:
        console.close()
    card = write_card(result.artifact, result.artifact.path.parent)
    rivals = challenge(result)
    command = click.get_current_context().obj
    report = write_report(result, Path(config.reports), rivals, command)
    heading(CONSOLE, "Written")
    for name, path in (("artifact", result.artifact.path), ("card", card), ("report", report)):
        line(CONSOLE, name, str(path))
    return result, rivals


@main.command()
@training_options
@search_options
def tune(
    metric: str, folds: int, trials: int, timeout: str | None, study: Path | None, **options: Any
) -> None:
    """Search for better settings; with --task anomaly those of the autoencoder.

    The same command takes a search up again, or helps with it from another process.
    """
    config = config_from(options)
    limit = None if timeout is None else seconds_of(timeout)
    console = SearchConsole(CONSOLE)
    try:
        outcome = search(config, Request(study, metric, folds, trials, limit), console)
    finally:
        console.close()
    print_outcome(CONSOLE, outcome)
    heading(CONSOLE, "Written")
    path = outcome.write_config()
    line(CONSOLE, "configuration", str(path))
    line(CONSOLE, "report", str(write_tuning_report(outcome)))
    line(CONSOLE, "train with", f"python -m training train --config {path}")


@main.command()
@artifact_options
@click.option("--transaction", help='As "Time=0,Amount=5000,V1=-1.36,…".')
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="A JSON object.")
def predict(
    artifact: Path | None, model: Path, transaction: str | None, json_file: Path | None
) -> None:
    """Explain the score of one transaction."""
    if (transaction is None) == (json_file is None):
        raise click.UsageError("give the transaction with --transaction or with --json")
    loaded = chosen_artifact(artifact, model)
    if transaction is not None:
        CONSOLE.print(analysis(loaded, parse_transaction(transaction, loaded.scorer.spec)))
        return
    try:
        content = json.loads(Path(str(json_file)).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{json_file}: {error}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{json_file}: expected one JSON object")
    CONSOLE.print(analysis(loaded, content))


@main.command()
@artifact_options
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--output", type=click.Path(path_type=Path), required=True)
def score(artifact: Path | None, model: Path, data: Path, output: Path) -> None:
    """Score a table into another, in the order of its rows."""
    loaded = chosen_artifact(artifact, model)
    with row_counter() as on_rows:
        n_rows = score_file(loaded, data, output, on_rows)
    line(CONSOLE, "scored", f"{n_rows:,} rows into {output}")


@contextmanager
def row_counter() -> Iterator[Callable[[int], None]]:
    """Show how many rows are done; their number is not known beforehand."""
    columns = (TextColumn("  {task.completed:,.0f} rows"), TimeElapsedColumn())
    with Progress(*columns, console=CONSOLE, transient=True) as progress:
        task = progress.add_task("rows", total=None)
        yield lambda n_rows: progress.advance(task, n_rows)


@main.command()
@artifact_options
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--label", help="Column that is 1 for fraud.")
def evaluate(artifact: Path | None, model: Path, data: Path, label: str | None) -> None:
    """Print the metrics of a model on any labelled table."""
    loaded = chosen_artifact(artifact, model)
    frame = read_frame(data, text_columns(loaded.scorer.spec))
    labels = labels_of(frame, find_label(frame, label, str(data)), str(data))
    matrix = matrix_of(frame, loaded.scorer.spec, str(data))
    scores = loaded.scorer.score(matrix)
    base_rate = loaded.manifest.get("base_rate")
    rng = np.random.default_rng(0)
    amounts = loaded.scorer.amounts(matrix)
    result = evaluate_scores(labels, scores.probability, scores.decision, amounts, base_rate, rng)
    print_evaluation(CONSOLE, result, f"rows of {data.name}")


@main.command()
@click.option("--champion", type=click.Path(path_type=Path), required=True)
@click.option("--challenger", type=click.Path(path_type=Path), required=True)
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--label", help="Column that is 1 for fraud.")
def compare(champion: Path, challenger: Path, data: Path, label: str | None) -> None:
    """Compare two artifacts on labelled rows, which should be new to both."""
    before, after = load(champion), load(challenger)
    frame = read_frame(data, text_columns(after.scorer.spec))
    labels = labels_of(frame, find_label(frame, label, str(data)), str(data))
    matrix = matrix_of(frame, after.scorer.spec, str(data))
    rng = np.random.default_rng(0)
    print_comparison(CONSOLE, promotion.compare(before, after, matrix, labels, rng))


@main.command()
@click.argument("artifact", type=click.Path(path_type=Path))
def promote(artifact: Path) -> None:
    """Make an artifact the champion of its folder."""
    pointer = promotion.promote(artifact.parent, artifact.stem)
    line(CONSOLE, "champion", f"{pointer.version}, after {pointer.previous or 'none'}")


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
def rollback(model: Path) -> None:
    """Return to the version that served before in a model's folder."""
    pointer = promotion.rollback(model)
    line(CONSOLE, "champion", f"{pointer.version}, after {pointer.previous}")


@main.command()
@artifact_options
@click.option("--base-rate", type=float, required=True, help="How common fraud really is.")
def rebase(artifact: Path | None, model: Path, base_rate: float) -> None:
    """Write a version of a model for another base rate, without training."""
    before = chosen_artifact(artifact, model)
    after = rebase_artifact(before, base_rate)
    card = write_card(after, after.path.parent, trained_at(before))
    line(CONSOLE, "rebased", f"{before.version} for a base rate of {base_rate:g}")
    line(CONSOLE, "policy", after.manifest["rebased"]["note"])
    line(CONSOLE, "artifact", str(after.path))
    line(CONSOLE, "card", str(card))
    line(CONSOLE, "promote with", f"python -m training promote {after.path}")


@main.command()
@click.option("--rows", type=int, default=120_000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--output", type=click.Path(path_type=Path), required=True)
def simulate(rows: int, seed: int, output: Path) -> None:
    """Write simulated transactions to a .csv or .parquet file."""
    frame = simulate_rows(rows, np.random.default_rng(seed))
    output.parent.mkdir(parents=True, exist_ok=True)
    if output.suffix == ".parquet":
        frame.to_parquet(output, index=False)
    elif output.suffix == ".csv":
        frame.to_csv(output, index=False)
    else:
        raise ConfigurationError(f"expected a file named .csv or .parquet, got {output}")
    line(CONSOLE, "simulated", f"{len(frame):,} transactions into {output}")


@main.command()
@click.argument("name")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--reports", type=click.Path(path_type=Path), default="reports", show_default=True)
def demo(name: str, seed: int, reports: Path) -> None:
    """Show an idea in pictures: xor, boundary, depth, autoencoder, or all of them."""
    for each in names_of(name):
        page, sentence = write_demo(each, seed, reports)
        line(CONSOLE, each, sentence)
        line(CONSOLE, "report", str(page))


if __name__ == "__main__":
    main(prog_name="python -m training")
