"""What the commands on finished models do: predict, score, evaluate, compare, promote, …"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from model.artifact import Artifact, load
from model.errors import ConfigurationError
from model.pointer import read_pointer
from training import promote as promotion
from training.analysis import analysis, parse_transaction, typical_values
from training.batch import read_row, score_file
from training.cli import terminal
from training.cli.console import line, print_comparison, print_evaluation, print_warning
from training.cli.options import chosen_artifact, table_config
from training.cli.versions import print_versions
from training.data import labelled
from training.errors import MissingColumnsError
from training.evaluate import evaluate
from training.findings import findings_in, in_short
from training.program import command_line
from training.rebase import rebase
from training.report import trained_at, write_card
from training.tables.source import FileSource
from training.versions import versions_in


@contextmanager
def reading_by(artifact: Artifact) -> Iterator[None]:
    """Name the model that reads a table; say so too where the table is not one for it."""
    line(terminal.CONSOLE, "model", f"{artifact.name} {artifact.version}")
    try:
        yield
    except MissingColumnsError as error:
        raise ConfigurationError(
            f"{error}; that is {artifact.name} {artifact.version}: --model takes the folder of "
            "another model"
        ) from None


def explain_row(
    artifact: Path | None, model: Path, data: Path, row: int, cells: dict[str, Any]
) -> None:
    """Explain the score of one row of a table."""
    loaded, config = chosen_artifact(artifact, model), table_config(data, cells)
    with reading_by(loaded):
        values, matrix = read_row(data, row, loaded.scorer.spec, config)
    terminal.CONSOLE.print(analysis(loaded, values, matrix))


def explain_transaction(
    artifact: Path | None,
    model: Path,
    transaction: str | None,
    json_file: Path | None,
    *,
    is_filled: bool,
) -> None:
    """Explain the score of one transaction, filled with typical values where asked for."""
    loaded = chosen_artifact(artifact, model)
    spec = loaded.scorer.spec
    if transaction is not None:
        given = parse_transaction(transaction, spec)
    else:
        given = _json_object(json_file)
    rest = typical_values(spec) if is_filled else {}
    terminal.CONSOLE.print(analysis(loaded, rest | given))


def _json_object(json_file: Path | None) -> dict[str, Any]:
    try:
        content = json.loads(Path(str(json_file)).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{json_file}: {error}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{json_file}: expected one JSON object")
    return content


def score_table(
    artifact: Path | None,
    model: Path,
    data: Path,
    output: Path,
    cells: dict[str, Any],
    *,
    has_reasons: bool,
    escapes_formulas: bool,
) -> None:
    """Score a table into another, in the order of its rows."""
    loaded, config = chosen_artifact(artifact, model), table_config(data, cells)
    with reading_by(loaded), terminal.row_counter() as on_rows:
        n_rows = score_file(
            loaded,
            data,
            output,
            on_rows,
            config,
            lambda note: print_warning(terminal.CONSOLE, note),
            has_reasons=has_reasons,
            escapes_formulas=escapes_formulas,
        )
    line(terminal.CONSOLE, "scored", f"{n_rows:,} rows into {output}")


def evaluate_model(
    artifact: Path | None, model: Path, data: Path, label: str | None, cells: dict[str, Any]
) -> None:
    """Print the metrics of a model on a labelled table."""
    loaded = chosen_artifact(artifact, model)
    config = table_config(data, {"label": label, **cells})
    with reading_by(loaded):
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
    print_comparison(terminal.CONSOLE, comparison, f"rows of {data.name}")


def promote_model(artifact: Path, *, anyway: bool) -> None:
    """Make an artifact the champion of its folder."""
    loaded = load(artifact)
    if not anyway:
        promotion.refuse_findings(loaded)
    against = findings_in(loaded.manifest)
    reason = f"by hand, in spite of: {in_short(against)}" if against else "by hand"
    pointer = promotion.promote(artifact.parent, artifact.stem, reason)
    line(terminal.CONSOLE, "champion", f"{pointer.version}, after {pointer.previous or 'none'}")


def roll_back_model(model: Path) -> None:
    """Return to the version that served before in a model's folder."""
    current = read_pointer(model).version
    pointer = promotion.rollback(model)
    line(terminal.CONSOLE, "champion", f"{pointer.version}, after {current}")
    if pointer.previous is None:
        line(terminal.CONSOLE, "before it", "no version: this is as far as a rollback goes")
    else:
        line(terminal.CONSOLE, "before it", pointer.previous)


def list_versions(model: Path) -> None:
    """Print the versions in a model's folder."""
    print_versions(terminal.CONSOLE, versions_in(model))


def rebase_model(artifact: Path | None, model: Path, base_rate: float) -> None:
    """Write a version of a model for another base rate, without training."""
    before = chosen_artifact(artifact, model)
    after = rebase(before, base_rate)
    card = write_card(after, after.path.parent, trained_at(before))
    line(terminal.CONSOLE, "rebased", f"{before.version} for a base rate of {base_rate:g}")
    line(terminal.CONSOLE, "policy", after.manifest["rebased"]["note"])
    line(terminal.CONSOLE, "artifact", str(after.path))
    line(terminal.CONSOLE, "card", str(card))
    line(terminal.CONSOLE, "promote with", command_line("promote", after.path), wraps=False)
