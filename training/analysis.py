"""One transaction, explained in a box on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from model.artifact import Artifact
from model.decision import DECISIONS
from model.errors import ConfigurationError, FeatureError
from model.features import FeatureSpec, Matrix
from model.reasons import describe
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


def typical_values(spec: FeatureSpec) -> dict[str, Any]:
    """Return a typical value of each feature, as a transaction has it, within its bounds."""
    found: dict[str, Any] = {}
    for feature in spec.features:
        value = describe(feature, feature.central, 0.0).value
        if feature.kind == "numeric":
            low, high = feature.minimum, feature.maximum
            value = feature.central if low is None else max(feature.central, low)
            value = value if high is None else min(value, high)
        found[feature.name] = value
    return found


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
            f"{len(missing)} of {len(spec.features)} features are missing: {', '.join(missing)}; "
            "--rest typical gives them typical values"
        )
    try:
        return spec.matrix_from_rows([transaction])
    except FeatureError as error:
        listing = [f"{name}: {texts[0]}" for name, texts in error.problems[0].items()]
        raise ConfigurationError("; ".join(listing)) from None


def analysis(
    artifact: Artifact, transaction: Mapping[str, Any], matrix: Matrix | None = None
) -> RenderableType:
    """Return the boxed analysis: inputs, activations, probability, decision, reasons.

    Parameters
    ----------
    artifact : Artifact
    transaction : mapping
    matrix : ndarray (1, F), optional
        The transaction as it was read from a table.

    Raises
    ------
    ConfigurationError
        See :func:`row_of`.
    TaskError
        If the artifact has no classifier.
    """
    scorer = artifact.scorer
    if matrix is None:
        matrix = row_of(transaction, scorer.spec)
    scores = scorer.score(matrix)
    parts: list[RenderableType] = [_inputs(scorer.spec, transaction), Text()]
    parts += _activations(scorer, matrix)
    parts += [Text(), *_verdict(scores), *_grounds(scorer, matrix, scores)]
    interval = scorer.uncertainty(scores)
    if interval is not None:
        low, high = (float(bound[0]) for bound in interval)
        parts.append(Text(f"members disagree    {low:.4%} to {high:.4%}"))
    parts += [Text(), *_reasons(scorer, matrix, scores)]
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


def _inputs(spec: FeatureSpec, transaction: Mapping[str, Any]) -> Columns:
    """Return the inputs beside each other, as many as the width has room for."""
    values = {name: transaction.get(name) for name in spec.names}
    cells = [f"{name} = {'–' if value is None else value}" for name, value in values.items()]
    return Columns([Text(cell, overflow="fold") for cell in cells], padding=(0, 2), equal=True)


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


def _grounds(scorer: Scorer, matrix: Matrix, scores: Scores) -> Iterator[Text]:
    """Say what decided: expected costs, or thresholds, and the anomaly score if it did."""
    policy = scorer.fraud.policy
    amounts = scorer.amounts(matrix)
    decision = int(scores.decision[0])
    alone = replace(policy, anomaly_review=None).decide(scores.probability, amounts)
    if policy.kind == "threshold":
        bounds = (("reviewed", policy.review), ("blocked", policy.block))
        yield Text(", ".join(f"{name} {_from(bound)}" for name, bound in bounds))
    else:
        costs = [float(cost.flat[0]) for cost in policy.expected_costs(scores.probability, amounts)]
        feature = scorer.spec.features[scorer.spec.amount_column or 0]
        unit = f" {feature.unit}" if amounts is not None and feature.unit else ""
        line = Text("expected costs     ")
        for number, (name, cost) in enumerate(zip(DECISIONS, costs, strict=True)):
            style = f"bold {COLOURS[name]}" if number == int(alone[0]) else ""
            line.append(f"{name} {cost:,.2f}{unit}", style=style)
            line.append("   ")
        line.rstrip()
        yield line
        yield from (Text(part) for part in _at_stake(scorer, amounts, unit))
    if decision != int(alone[0]):
        yield Text(
            f"{DECISIONS[int(alone[0])]} by the probability alone; an anomaly score from "
            f"{policy.anomaly_review:g} on is reviewed"
        )


def _from(threshold: float) -> str:
    """Return from which probability on something is done."""
    return "never" if threshold > 1 else f"from {threshold:.4%} on"


def _at_stake(scorer: Scorer, amounts: NDArray[Any] | None, unit: str) -> Iterator[str]:
    """Say what a fraud is taken to cost here, in lines that fit into a box of 80 columns."""
    policy = scorer.fraud.policy
    if amounts is None:
        yield f"a fraud costs      {policy.amount_floor + policy.fee:,.2f}"
        return
    counted, given = float(policy.amounts(amounts, 1)[0]), float(amounts[0])
    fee = f"a fee of {policy.fee:,.2f}{unit}"
    yield f"a fraud costs      its amount, {counted:,.2f}{unit}, and {fee}"
    if counted != given:
        yield f"the amount         counts as {counted:,.2f}{unit}, the least that the policy takes"


def _reasons(scorer: Scorer, matrix: Matrix, scores: Scores) -> Iterator[Text]:
    """Write each reason on lines of its own, which no width of the terminal cuts."""
    reasons = scorer.reasons(matrix, scores)[0]
    yield Text("reasons, and what each adds to the logit" if reasons else "no reasons")
    for reason in reasons:
        value, typical = reason.value, reason.typical
        shown = f"{value:.6g}" if isinstance(value, float) else str(value)
        if isinstance(typical, tuple):
            low, high = (
                f"{bound:.4g}" if isinstance(bound, float) else bound[:10] for bound in typical
            )
            typical = f"{low} to {high}"
        if typical is not None:
            shown = f"{shown}, typical is {typical}"
        yield Text(f"{reason.contribution:+.3f}  {reason.code}", overflow="fold")
        yield Text(f"        {shown}", overflow="fold")  # texts of the data are no markup
