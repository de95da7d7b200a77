"""One transaction, explained in a box on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text

from model.artifact import Artifact
from model.decision import DECISIONS
from model.errors import ConfigurationError, FeatureError
from model.features import FeatureSpec, Matrix
from model.scorer import Scorer, Scores

LEVELS = " ▁▂▃▄▅▆▇█"
BAR = 40  # characters
COLOURS = {"approve": "green", "review": "yellow", "block": "red"}


def parse_transaction(text: str, spec: FeatureSpec) -> dict[str, Any]:
    """Return the transaction of a text like ``Time=0,Amount=5000,V1=-1.36``.

    Raises
    ------
    ConfigurationError
        If a part is not of the form name=value, a name is there twice, or a value is not of its
        feature's kind.
    """
    kinds = {feature.name: feature.kind for feature in spec.features}
    transaction: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise ConfigurationError(f"expected name=value, got {part!r}")
        if name in transaction:
            raise ConfigurationError(f"{name} is given twice")
        transaction[name] = _value(name, value, kinds.get(name, "categorical"))
    return transaction


def _value(name: str, value: str, kind: str) -> Any:
    if value in ("", "null"):
        return None
    if kind == "boolean":
        if value.lower() not in ("true", "false"):
            raise ConfigurationError(f"{name} must be true or false, got {value!r}")
        return value.lower() == "true"
    if kind != "numeric":
        return value
    try:
        return float(value)
    except ValueError:
        raise ConfigurationError(f"{name} must be a number, got {value!r}") from None


def row_of(transaction: Mapping[str, Any], spec: FeatureSpec) -> Matrix:
    """Return the matrix of one transaction.

    Raises
    ------
    ConfigurationError
        If features are missing, listing them all.
    FeatureError
        If values are wrong.
    """
    missing = [f.name for f in spec.features if f.name not in transaction and not f.nullable]
    if missing:
        raise ConfigurationError(
            f"{len(missing)} of {len(spec.features)} features are missing: {', '.join(missing)}"
        )
    try:
        return spec.matrix_from_rows([transaction])
    except FeatureError as error:
        listing = [f"{name}: {texts[0]}" for name, texts in error.problems[0].items()]
        raise ConfigurationError("; ".join(listing)) from None


def analysis(artifact: Artifact, transaction: Mapping[str, Any]) -> RenderableType:
    """Return the boxed analysis: inputs, activations, probability, decision, reasons.

    Raises
    ------
    ConfigurationError
        See :func:`row_of`.
    TaskError
        If the artifact has no classifier.
    """
    scorer = artifact.scorer
    matrix = row_of(transaction, scorer.spec)
    scores = scorer.score(matrix)
    parts: list[RenderableType] = [_inputs(scorer.spec, transaction), Text()]
    parts += _activations(scorer, matrix)
    parts += [Text(), *_verdict(scores)]
    interval = scorer.uncertainty(scores)
    if interval is not None:
        low, high = (float(bound[0]) for bound in interval)
        parts.append(Text(f"members disagree    {low:.4%} to {high:.4%}"))
    parts += [Text(), _reasons(scorer, matrix, scores)]
    if "anomaly" in scorer.tasks:
        anomalies = scorer.anomaly(matrix)
        parts.append(
            Text(
                f"\nreconstruction error {anomalies.reconstruction_error[0]:.4g}, larger than "
                f"that of {anomalies.anomaly_score[0]:.2%} of legitimate transactions"
            )
        )
    title = Text(f"{artifact.name} {artifact.version}")
    return Panel(Group(*parts), title=title, padding=(1, 2))


def _inputs(spec: FeatureSpec, transaction: Mapping[str, Any]) -> Grid:
    grid = Grid(box=None, pad_edge=False, show_header=False)
    cells = [
        Text(f"{name} = {transaction.get(name, '–')}", overflow="ellipsis", no_wrap=True)
        for name in spec.names
    ]
    per_row = 4
    for _ in range(per_row):
        grid.add_column(ratio=1)
    for start in range(0, len(cells), per_row):
        grid.add_row(*cells[start : start + per_row])
    return grid


def _activations(scorer: Scorer, matrix: Matrix) -> Iterator[Text]:
    """Draw what each hidden unit says; of an ensemble, the first member's units."""
    mlp = scorer.fraud.mlp
    A = scorer.preprocessor.transform(matrix)
    which = f" of member 1 of {mlp.members}" if mlp.members else ""
    number = 0
    for component in mlp.hidden:
        A = component.apply(A)
        if any(leaf in mlp.layers for leaf in component.leaves()):
            number += 1
            units = A.reshape(-1, A.shape[-1])[0]
            yield Text(f"hidden layer {number}{which}: {len(units)} units, {_active(units)} active")
            yield Text(_blocks(units))


def _active(units: NDArray[Any]) -> int:
    return int((np.abs(units) > 1e-6).sum())


def _blocks(units: NDArray[Any]) -> str:
    size = np.abs(units) / max(float(np.abs(units).max()), 1e-12)
    return "".join(LEVELS[level] for level in np.rint(size * (len(LEVELS) - 1)).astype(int))


def _verdict(scores: Scores) -> list[Text]:
    probability, decision = float(scores.probability[0]), DECISIONS[int(scores.decision[0])]
    filled = round(probability * BAR)
    colour = COLOURS[decision]
    bar = Text("fraud probability  ")
    bar.append("█" * filled + "░" * (BAR - filled), style=colour)
    bar.append(f" {probability:.4%}")
    verdict = Text(f"score {int(scores.score[0])} of 1000    decision ")
    verdict.append(decision.upper(), style=f"bold {colour}")
    return [bar, verdict]


def _reasons(scorer: Scorer, matrix: Matrix, scores: Scores) -> Grid:
    grid = Grid("reason", "value", "typical", "contribution (logits)", box=None, pad_edge=False)
    for reason in scorer.reasons(matrix, scores)[0]:
        typical = reason.typical
        if isinstance(typical, tuple):
            low, high = (
                f"{bound:.4g}" if isinstance(bound, float) else bound[:10] for bound in typical
            )
            typical = f"{low} to {high}"
        value = f"{reason.value:.6g}" if isinstance(reason.value, float) else str(reason.value)
        cells = (reason.code, value, str(typical), f"{reason.contribution:+.3f}")
        grid.add_row(*map(Text, cells))  # texts of the data are no markup
    return grid
