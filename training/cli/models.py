"""What the commands on finished models do: predict, score, evaluate, compare, promote, …"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from model.artifact import load
from model.errors import ConfigurationError
from training import promote as promotion
from training.analysis import analysis, parse_transaction
from training.batch import score_file
from training.cli import terminal
from training.cli.console import line, print_comparison, print_evaluation
from training.cli.options import chosen_artifact, table_config
from training.data import labelled
from training.evaluate import evaluate
from training.rebase import rebase
from training.report import trained_at, write_card
from training.tables.source import FileSource


def explain_transaction(
    artifact: Path | None, model: Path, transaction: str | None, json_file: Path | None
) -> None:
    """Explain the score of one transaction."""
    loaded = chosen_artifact(artifact, model)
    if transaction is not None:
        parsed = parse_transaction(transaction, loaded.scorer.spec)
        terminal.CONSOLE.print(analysis(loaded, parsed))
        return
    try:
        content = json.loads(Path(str(json_file)).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{json_file}: {error}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{json_file}: expected one JSON object")
    terminal.CONSOLE.print(analysis(loaded, content))


def score_table(
    artifact: Path | None, model: Path, data: Path, output: Path, cells: dict[str, Any]
) -> None:
    """Score a table into another, in the order of its rows."""
    loaded = chosen_artifact(artifact, model)
    with terminal.row_counter() as on_rows:
        n_rows = score_file(loaded, data, output, on_rows, table_config(data, cells))
    line(terminal.CONSOLE, "scored", f"{n_rows:,} rows into {output}")


def evaluate_model(
    artifact: Path | None, model: Path, data: Path, label: str | None, cells: dict[str, Any]
) -> None:
    """Print the metrics of a model on a labelled table."""
    loaded = chosen_artifact(artifact, model)
    config = table_config(data, {"label": label, **cells})
    labels, matrix = labelled(FileSource(data, config.encoding), loaded.scorer.spec, config)
    scores = loaded.scorer.score(matrix)
    base_rate = loaded.manifest.get("base_rate")
    rng = np.random.default_rng(0)
    at_stake = loaded.scorer.at_stake(matrix)
    result = evaluate(labels, scores.probability, scores.decision, at_stake, base_rate, rng)
    print_evaluation(terminal.CONSOLE, result, f"rows of {data.name}")


def compare_models(
    champion: Path, challenger: Path, data: Path, label: str | None, cells: dict[str, Any]
) -> None:
    """Compare two artifacts on labelled rows."""
    before, after = load(champion), load(challenger)
    config = table_config(data, {"label": label, **cells})
    labels, matrix = labelled(FileSource(data, config.encoding), after.scorer.spec, config)
    rng = np.random.default_rng(0)
    comparison = promotion.compare(before, after, matrix, labels, rng)
    print_comparison(terminal.CONSOLE, comparison)


def promote_model(artifact: Path) -> None:
    """Make an artifact the champion of its folder."""
    pointer = promotion.promote(artifact.parent, artifact.stem)
    line(terminal.CONSOLE, "champion", f"{pointer.version}, after {pointer.previous or 'none'}")


def roll_back_model(model: Path) -> None:
    """Return to the version that served before in a model's folder."""
    pointer = promotion.rollback(model)
    line(terminal.CONSOLE, "champion", f"{pointer.version}, after {pointer.previous}")


def rebase_model(artifact: Path | None, model: Path, base_rate: float) -> None:
    """Write a version of a model for another base rate, without training."""
    before = chosen_artifact(artifact, model)
    after = rebase(before, base_rate)
    card = write_card(after, after.path.parent, trained_at(before))
    line(terminal.CONSOLE, "rebased", f"{before.version} for a base rate of {base_rate:g}")
    line(terminal.CONSOLE, "policy", after.manifest["rebased"]["note"])
    line(terminal.CONSOLE, "artifact", str(after.path))
    line(terminal.CONSOLE, "card", str(card))
    line(terminal.CONSOLE, "promote with", f"python -m training promote {after.path}")
