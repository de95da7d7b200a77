"""What the commands that learn do: explore, train, retrain, tune, simulate, demo."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from model.artifact import Artifact
from model.errors import ConfigurationError
from training import promote as promotion
from training.challenge import Challenge, challenge
from training.cli import terminal
from training.cli.aftermath import Aftermath
from training.cli.console import RunConsole, heading, line, print_comparison
from training.cli.search_console import SearchConsole, print_outcome
from training.config import RunConfig
from training.data import Table
from training.demo import names_of, write_demo
from training.explore import exploration_facts, survey, write_exploration
from training.explore.console import print_exploration
from training.pipeline import Run, run
from training.program import command_line, serving_command
from training.report import write_card, write_report
from training.report.tuning import write_tuning_report
from training.simulate import simulate
from training.split import Split
from training.tune import Request, tune
from training.verdict import Verdict, settle

NOT_PROMOTED = 3  # exit status where the figures kept a model from becoming champion


def explore_table(config: RunConfig, file: str | None) -> None:
    """Look at a table before training; the configuration may be from a file."""
    with terminal.stage_counter() as on_rows:
        found = survey(config.data, config.seed, on_rows)
        facts = exploration_facts(found, config, file, on_rows)
    with terminal.CONSOLE.status("drawing"):
        page = write_exploration(facts, config)
    print_exploration(terminal.CONSOLE, facts)
    heading(terminal.CONSOLE, "Written")
    line(terminal.CONSOLE, "report", str(page))


def train_model(config: RunConfig, command: str, *, anyway: bool) -> None:
    """Train a model; the first version of a name becomes its champion if it has earned it."""
    aftermath = Aftermath(terminal.CONSOLE)
    result, _, verdict = _run(config, command, aftermath, may_replace=False, anyway=anyway)
    directory, path = result.artifact.path.parent, result.artifact.path
    if not verdict.is_champion:
        flag = " --promote-anyway" if result.findings else ""
        aftermath.say("promote with", command_line("promote", path) + flag, wraps=False)
    if verdict.is_refused:
        raise SystemExit(NOT_PROMOTED)
    aftermath.say("serve with", serving_command(directory), wraps=False)
    aftermath.finish()


def retrain_model(config: RunConfig, command: str, *, anyway: bool) -> None:
    """Train a model, compare it with the champion, promote it unless it is worse."""
    champion = promotion.champion_of(Path(config.output) / config.model_name)
    if champion is not None:
        promotion.refuse_without_classifiers(champion, config.task)
    aftermath = Aftermath(terminal.CONSOLE)
    _, rivals, verdict = _run(config, command, aftermath, champion, may_replace=True, anyway=anyway)
    if verdict.is_refused:
        raise SystemExit(NOT_PROMOTED)
    if rivals is not None:
        rivals.compared()  # raises where they could not be
    aftermath.finish()


class RetrainingConsole(RunConsole):
    """Ends a retraining that could not be compared with the champion before it has begun."""

    def __init__(self, champion: Artifact) -> None:
        super().__init__(terminal.CONSOLE)
        self._champion = champion

    def on_split(self, table: Table, parts: Split) -> None:
        """Print the parts; see whether they allow a comparison."""
        super().on_split(table, parts)
        promotion.rows_to_compare(self._champion, table, parts.test)


def _run(
    config: RunConfig,
    command: str,
    aftermath: Aftermath,
    champion: Artifact | None = None,
    *,
    may_replace: bool,
    anyway: bool,
) -> tuple[Run, Challenge | None, Verdict]:
    """Train, settle what becomes of the model, and report it, printing on the way.

    Where there is a champion that it may replace, only if it can be compared with.
    """
    console = RunConsole(terminal.CONSOLE) if champion is None else RetrainingConsole(champion)
    try:
        result = run(config, console)
    finally:
        console.close()
    artifact = result.artifact
    aftermath.attempt("the figures", lambda: console.print_result(result))
    card = aftermath.attempt("the card", lambda: write_card(artifact, artifact.path.parent))
    rivals = challenge(result)
    comparison = None if rivals is None or not may_replace else rivals.comparison
    if comparison is not None:
        aftermath.attempt(
            "the comparison",
            lambda: print_comparison(terminal.CONSOLE, comparison, "rows new to both"),
        )
    verdict = settle(result, rivals, may_replace=may_replace, anyway=anyway)
    report = aftermath.attempt(
        "the report",
        lambda: write_report(
            result,
            Path(config.reports),
            rivals,
            command,
            made_at=datetime.now(UTC),
            verdict=verdict,
        ),
    )
    aftermath.attempt("a heading", lambda: heading(terminal.CONSOLE, "Written"))
    for name, path in (("artifact", artifact.path), ("card", card), ("report", report)):
        if path is not None:
            aftermath.say(name, str(path))
    if verdict.is_champion:
        aftermath.say("champion", f"{artifact.version}, {verdict.reason}")
    else:
        aftermath.say("not promoted", verdict.reason)
    return result, rivals, verdict


def tune_settings(
    config: RunConfig,
    command: str,
    study: Path | None,
    metric: str,
    folds: int,
    trials: int,
    limit: float | None,
) -> None:
    """Search for better settings; no trial begins after the limit, in seconds."""
    console = SearchConsole(terminal.CONSOLE)
    try:
        outcome = tune(config, Request(study, metric, folds, trials, limit), console)
    finally:
        console.close()
    print_outcome(terminal.CONSOLE, outcome)
    heading(terminal.CONSOLE, "Written")
    path = outcome.write_config()
    line(terminal.CONSOLE, "configuration", str(path))
    line(terminal.CONSOLE, "report", str(write_tuning_report(outcome, command)))
    train_with = command_line("train", "--config", path)
    line(terminal.CONSOLE, "train with", train_with, wraps=False)


def write_simulated_table(rows: int, seed: int, output: Path) -> None:
    """Write simulated transactions to a file."""
    frame = simulate(rows, np.random.default_rng(seed))
    output.parent.mkdir(parents=True, exist_ok=True)
    if output.suffix == ".parquet":
        frame.to_parquet(output, index=False)
    elif output.suffix == ".csv":
        frame.to_csv(output, index=False)
    else:
        raise ConfigurationError(f"expected a file named .csv or .parquet, got {output}")
    line(terminal.CONSOLE, "simulated", f"{len(frame):,} transactions into {output}")


def write_demos(name: str, seed: int, reports: Path) -> None:
    """Write the pages of one demonstration, or of all."""
    for each in names_of(name):
        page, sentence = write_demo(each, seed, reports)
        line(terminal.CONSOLE, each, sentence)
        line(terminal.CONSOLE, "report", str(page))
