"""Every command with its options; what a command does is imported when it is called.

Reading this file, and so ``--help``, takes neither pandas nor scikit-learn nor matplotlib.
"""

from __future__ import annotations

from errno import EPIPE
from pathlib import Path
from typing import Any

import click

from model.errors import FraudscoreError
from model.printable import one_line
from training.cli.announcement import announce
from training.cli.options import (
    DEFAULT_MODEL,
    artifact_options,
    cell_options,
    config_from,
    exploration_options,
    labelled_options,
    promotion_option,
    search_options,
    training_options,
)
from training.cli.streams import printable_errors
from training.duration import seconds_of
from training.program import command_line, installing_command

FILE = click.Path(path_type=Path)


class Commands(click.Group):
    """Turns what goes wrong on purpose into one line and an exit status."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what was typed: reports show it."""
        ctx.obj = command_line(*args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except FraudscoreError as error:
            raise click.ClickException(one_line(str(error))) from None
        except MemoryError as error:
            raise click.ClickException(one_line(f"there is not enough memory: {error}")) from None
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] == __name__.partition(".")[0]:
                raise
            message = f"this needs {error.name}, which is not installed: {installing_command()}"
            raise click.ClickException(message) from None
        except OSError as error:
            if error.errno == EPIPE:  # whoever read our output has enough: click knows what to do
                raise
            raise click.ClickException(one_line(str(error))) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Train, evaluate, apply and promote fraud models."""
    context.with_resource(printable_errors())


@main.command()
@exploration_options
def explore(**options: Any) -> None:
    """Look at a table before training: a page with what it holds, and advice."""
    config = config_from(options)
    announce(config)
    from training.cli.runs import explore_table

    explore_table(config, None if options["config"] is None else str(options["config"]))


@main.command()
@training_options
@promotion_option
@click.pass_obj
def train(command: str, promote_anyway: bool, **options: Any) -> None:
    """Train a model and write its artifact, card and report.

    The first version of a name becomes its champion unless its evaluation speaks against it (exit
    status 3); later ones by promote or retrain.
    """
    config = config_from(options)
    announce(config)
    from training.cli.runs import train_model

    train_model(config, command, anyway=promote_anyway)


@main.command()
@training_options
@promotion_option
@click.pass_obj
def retrain(command: str, promote_anyway: bool, **options: Any) -> None:
    """Train, compare with the champion on rows new to both, promote unless it is worse.

    It is not promoted either if its evaluation speaks against it; exit status 3 in both cases.
    """
    config = config_from(options)
    announce(config)
    from training.cli.runs import retrain_model

    retrain_model(config, command, anyway=promote_anyway)


@main.command()
@training_options
@search_options
@click.pass_obj
def tune(
    command: str,
    metric: str,
    folds: int,
    trials: int,
    timeout: str | None,
    study: Path | None,
    **options: Any,
) -> None:
    """Search for better settings; with --task anomaly those of the autoencoder.

    The same command takes a search up again, or helps with it from another process.
    """
    config = config_from(options)
    limit = None if timeout is None else seconds_of(timeout)
    announce(config)
    from training.cli.runs import tune_settings

    tune_settings(config, command, study, metric, folds, trials, limit)


@main.command()
@artifact_options
@click.option("--transaction", help='As "Time=0,Amount=5000,V1=-1.36,…".')
@click.option("--json", "json_file", type=FILE, help="A JSON object.")
@click.option("--data", type=FILE, help="A table, of which --row is explained.")
@click.option("--row", type=click.IntRange(min=0), help="Number of a row; the first is 0.")
@click.option(
    "--rest",
    type=click.Choice(["typical"]),
    help="Value of each feature that --transaction or --json leaves out; an error without it.",
)
@cell_options
def predict(
    artifact: Path | None,
    model: Path,
    transaction: str | None,
    json_file: Path | None,
    data: Path | None,
    row: int | None,
    rest: str | None,
    **cells: Any,
) -> None:
    """Explain the score of one transaction."""
    if (data is None) != (row is None):
        raise click.UsageError("--data and --row go together")
    if sum(given is not None for given in (transaction, json_file, data)) != 1:
        raise click.UsageError(
            "give it with --transaction or with --json, or a row of a table with --data and --row"
        )
    if data is not None and rest is not None:
        raise click.UsageError("--rest is for --transaction and --json: a table has all it has")
    from training.cli import models

    if data is not None and row is not None:
        models.explain_row(artifact, model, data, row, cells)
    else:
        models.explain_transaction(artifact, model, transaction, json_file, is_filled=bool(rest))


@main.command()
@artifact_options
@click.option("--data", type=FILE, required=True)
@click.option("--output", type=FILE, required=True)
@cell_options
@click.option("--reasons", is_flag=True, help="Add the reasons of each score.")
@click.option(
    "--escape-formulas/--no-escape-formulas",
    default=True,
    show_default=True,
    help="Put ' before texts of a CSV output that a spreadsheet would run as a formula.",
)
def score(
    artifact: Path | None,
    model: Path,
    data: Path,
    output: Path,
    reasons: bool,
    escape_formulas: bool,
    **cells: Any,
) -> None:
    """Score a table into another, in the order of its rows."""
    from training.cli.models import score_table

    score_table(
        artifact, model, data, output, cells, has_reasons=reasons, escapes_formulas=escape_formulas
    )


@main.command()
@artifact_options
@click.option("--data", type=FILE, required=True)
@labelled_options
def evaluate(
    artifact: Path | None, model: Path, data: Path, label: str | None, **cells: Any
) -> None:
    """Print the metrics of a model on any labelled table."""
    from training.cli.models import evaluate_model

    evaluate_model(artifact, model, data, label, cells)


@main.command()
@click.option("--champion", type=FILE, required=True)
@click.option("--challenger", type=FILE, required=True)
@click.option("--data", type=FILE, required=True)
@labelled_options
def compare(champion: Path, challenger: Path, data: Path, label: str | None, **cells: Any) -> None:
    """Compare two artifacts on labelled rows, which should be new to both."""
    from training.cli.models import compare_models

    compare_models(champion, challenger, data, label, cells)


@main.command()
@click.argument("artifact", type=FILE)
@promotion_option
def promote(artifact: Path, promote_anyway: bool) -> None:
    """Make an artifact the champion of its folder."""
    from training.cli.models import promote_model

    promote_model(artifact, anyway=promote_anyway)


@main.command()
@click.argument("model", type=FILE)
def rollback(model: Path) -> None:
    """Return to the version that served before in a model's folder; again: further back."""
    from training.cli.models import roll_back_model

    roll_back_model(model)


@main.command()
@click.argument("model", type=FILE, default=DEFAULT_MODEL)
def versions(model: Path) -> None:
    """List the versions in a model's folder: how good they are, which one serves."""
    from training.cli.models import list_versions

    list_versions(model)


@main.command()
@artifact_options
@click.option("--base-rate", type=float, required=True, help="How common fraud really is.")
def rebase(artifact: Path | None, model: Path, base_rate: float) -> None:
    """Write a version of a model for another base rate, without training."""
    from training.cli.models import rebase_model

    rebase_model(artifact, model, base_rate)


@main.command()
@click.option("--rows", type=int, default=120_000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--output", type=FILE, required=True)
def simulate(rows: int, seed: int, output: Path) -> None:
    """Write simulated transactions to a .csv or .parquet file."""
    from training.cli.runs import write_simulated_table

    write_simulated_table(rows, seed, output)


@main.command()
@click.argument("name")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--reports", type=FILE, default="reports", show_default=True)
def demo(name: str, seed: int, reports: Path) -> None:
    """Show an idea in pictures: xor, boundary, depth, autoencoder, or all of them."""
    from training.cli.runs import write_demos

    write_demos(name, seed, reports)
