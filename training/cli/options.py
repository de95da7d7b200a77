"""Options that several commands share, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click

from model.artifact import Artifact, load
from model.errors import ConfigurationError
from model.pointer import load_champion
from model.shipped import DEFAULT_MODEL
from training.column_lists import names_in
from training.config import (
    DECIMALS,
    THOUSANDS,
    TIME_UNITS,
    DataConfig,
    PolicyConfig,
    RunConfig,
)
from training.config_file import load_config
from training.duration import seconds_of

CELLS = ("missing", "decimal", "thousands", "time_format", "encoding")
# Names of training.objective.METRICS, which imports scikit-learn: --help must answer at once.
SEARCH_METRICS = (
    "average_precision",
    "roc_auc",
    "best_f1",
    "log_loss",
    "brier_score",
    "cost",
)


def with_options(
    command: Callable[..., Any], options: Sequence[Callable[..., Any]]
) -> Callable[..., Any]:
    """Add options to a command, which lists them in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def column_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what the columns of a table are."""
    options = [
        click.option("--label", help="Column that tells frauds from the rest."),
        click.option("--positive", help="Label that means fraud, where it is not 1, yes or true."),
        click.option("--time", help="Column that orders the rows."),
        click.option("--amount", help="Column with the amount at stake."),
        click.option("--id", help="Column that identifies a transaction; no feature."),
        click.option("--drop", help='Columns that are no features, as a,"b, c".'),
        click.option(
            "--time-unit", type=click.Choice(TIME_UNITS), help="What a time in numbers counts."
        ),
        cell_options,
    ]
    return with_options(command, options)


def cell_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how the cells of a table are written."""
    options = [
        click.option("--decimal", type=click.Choice(DECIMALS), help="Decimal mark of numbers."),
        click.option("--thousands", type=click.Choice(THOUSANDS), help="Separates thousands."),
        click.option("--missing", help="Words that mean missing, separated by commas."),
        click.option("--time-format", help="How dates are written, as %d.%m.%Y %H:%M."),
        click.option("--encoding", help="Of a CSV file that is not UTF-8, as windows-1252."),
    ]
    return with_options(command, options)


def labelled_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how a table that has labels is read by a model."""
    options = [
        click.option("--label", help="Column that tells frauds from the rest."),
        click.option("--positive", help="Label that means fraud, where it is not 1, yes or true."),
        cell_options,
    ]
    return with_options(command, options)


def exploration_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of an exploration: those of a run that say what is known of the table."""
    options = [
        click.option(
            "--data", required=True, help="CSV or Parquet: a file, a folder or a pattern."
        ),
        column_options,
        click.option("--base-rate", type=float, help="How common fraud really is."),
        click.option("--name", help="Name of the report; the file's stem where omitted."),
        click.option("--reports", help="Folder of the reports. [reports]"),
        click.option("--config", type=click.Path(path_type=Path), help="TOML file."),
        click.option("--seed", type=int, help="Seed of every random draw. [0]"),
    ]
    return with_options(command, options)


def policy_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the policy, one for each setting of ``[policy]``."""
    options = [
        click.option(
            "--choose",
            type=click.Choice(get_args(get_type_hints(PolicyConfig)["choose"])),
            help="What thresholds are chosen by. [cost]",
        ),
        click.option("--review", type=float, help="Target of --choose for all alerts."),
        click.option("--block", type=float, help="Target of --choose for blocks alone."),
        click.option("--transactions-per-day", type=float, help="For --choose daily_alerts."),
        click.option("--fee", type=float, help="What a fraud costs besides its amount. [15]"),
        click.option("--friction", type=float, help="Cost of blocking a legitimate one. [10]"),
        click.option("--review-cost", type=float, help="Cost of a review. [3]"),
        click.option("--amount-floor", type=float, help="What smaller amounts count as. [0]"),
        click.option("--cost-per-fraud", type=float, help="For tables without amounts."),
        click.option(
            "--calibration",
            type=click.Choice(get_args(get_type_hints(PolicyConfig)["calibration"])),
            help="How probabilities are made true. [platt]",
        ),
        click.option(
            "--anomaly-review",
            type=float,
            help="Anomaly score from which approved transactions are reviewed.",
        ),
    ]
    return with_options(command, options)


promotion_option = click.option(
    "--promote-anyway",
    is_flag=True,
    help="Make it champion whatever its evaluation says against it.",
)


def training_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a training run; an option that is given overrides file and recipe."""
    options = [
        click.option(
            "--data", help="CSV or Parquet: a file, a folder or a pattern; simulated where omitted."
        ),
        column_options,
        click.option(
            "--task",
            type=click.Choice(["both", "fraud", "anomaly"]),
            help="The classifier (fraud), the autoencoder (anomaly), or both. [both]",
        ),
        click.option(
            "--recipe",
            type=click.Choice(["default", "textbook"]),
            help="Where settings start from. [default]",
        ),
        click.option("--layers", help="Hidden layers, as 16,16."),
        click.option(
            "--split",
            type=click.Choice(["time", "random"]),
            help="How rows are divided; by time the newest are the test. [time]",
        ),
        click.option("--delay", help="Gap before validation and test, as 7d or 12h."),
        click.option("--test-share", type=float, help="Share of the rows for the test. [0.2]"),
        click.option(
            "--validation-share", type=float, help="Share of the rows for validation. [0.2]"
        ),
        click.option("--base-rate", type=float, help="How common fraud really is."),
        policy_options,
        click.option("--memory", help="Most memory to use, as 2GB; the rest goes to disk."),
        click.option("--attribution", help="Whose data it is, for the card."),
        click.option("--name", help="Name of the model; the file's stem where omitted."),
        click.option("--output", help="Folder of the models. [artifacts]"),
        click.option("--reports", help="Folder of the reports. [reports]"),
        click.option("--config", type=click.Path(path_type=Path), help="TOML file."),
        click.option("--seed", type=int, help="Seed of every random draw. [0]"),
    ]
    return with_options(command, options)


def search_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a search for settings."""
    options = [
        click.option(
            "--metric",
            type=click.Choice(SEARCH_METRICS),
            default="average_precision",
            show_default=True,
            help="What trials are judged by.",
        ),
        click.option(
            "--folds", type=int, default=3, show_default=True, help="How many judge each trial."
        ),
        click.option(
            "--trials",
            type=click.IntRange(min=1),
            default=50,
            show_default=True,
            help="Trials of the study in all; those of earlier and other processes count.",
        ),
        click.option("--timeout", help="Begin no trial after so long, as 30m or 8h."),
        click.option(
            "--study",
            type=click.Path(path_type=Path),
            help="SQLite file. [reports/tune/<name>.db]",
        ),
    ]
    return with_options(command, options)


def config_from(options: dict[str, Any]) -> RunConfig:
    """Return the configuration of a command's options."""
    given = {name: value for name, value in options.items() if value is not None}
    path = given.pop("config", None)
    overrides: dict[str, Any] = {}

    def move(section: str, **names: str) -> None:
        values = {key: given.pop(name) for name, key in names.items() if name in given}
        if values:
            overrides[section] = values

    for name in ("drop", "missing"):
        if name in given:
            given[name] = names_in(given[name])
    if "layers" in given:
        try:
            given["layers"] = [int(width) for width in given["layers"].split(",")]
        except ValueError:
            layers = given["layers"]
            raise ConfigurationError(f"--layers are numbers, as 16,16; got {layers!r}") from None
    if "delay" in given:
        given["delay"] = seconds_of(given["delay"])
    columns = ("label", "time", "amount", "id", "drop", "positive", "time_unit", "attribution")
    move("data", data="path", **{name: name for name in (*columns, *CELLS)})
    shares = {name: name for name in ("test_share", "validation_share")}
    move("split", split="how", delay="delay_seconds", **shares)
    move("network", layers="layers")
    move("policy", **{field.name: field.name for field in fields(PolicyConfig)})
    return load_config(path, {**overrides, **given})


def table_config(data: Path, cells: dict[str, Any]) -> DataConfig:
    """Return what the options of a command say of the table that a model is to read."""
    known = {name: value for name, value in cells.items() if value is not None}
    if "missing" in known:
        known["missing"] = tuple(names_in(known["missing"]))
    return DataConfig(path=str(data), **known)


def artifact_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the choice of an artifact."""
    options = [
        click.option("--artifact", type=click.Path(path_type=Path), help="An .npz file."),
        click.option(
            "--model",
            type=click.Path(path_type=Path),
            default=DEFAULT_MODEL,
            show_default="the creditcard model that comes with this program",
            help="Folder of a model: its champion, unless --artifact is given.",
        ),
    ]
    return with_options(command, options)


def chosen_artifact(artifact: Path | None, model: Path) -> Artifact:
    """Return the artifact that the options choose."""
    return load_champion(model)[0] if artifact is None else load(artifact)
