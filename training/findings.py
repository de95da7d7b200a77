"""Why a model should not serve: what its evaluation shows, in words made of the figures.

A model with a finding does not become champion by itself. Terminal, report, card and the commands
that promote all say what stands here; the artifact's manifest keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from training.config import PolicyConfig
from training.costs import Losses
from training.evaluate import Evaluation, Figure
from training.thresholds import PER

CHANCE = "no_better_than_chance"
COSTLY = "costs_more_than_approving"
UNPRICED = "cost_of_fraud_unknown"
ALL_ALERTED = "everything_alerted"
ALL_APPROVED = "everything_approved"

OF_RANKING = (CHANCE, UNPRICED)  # hold whatever is decided, and at every base rate
OF_ALERTS = (ALL_ALERTED, ALL_APPROVED)  # hold at every base rate as long as alerts are the same

BUDGET = "--choose alert_budget --review 50 --block 5 (in 10,000 transactions)"

IN_SHORT = {
    CHANCE: "not shown to be better than chance",
    COSTLY: "decisions cost more than approving everything",
    UNPRICED: "nobody said what a fraud costs",
    ALL_ALERTED: "everything is reviewed or blocked",
    ALL_APPROVED: "everything is approved",
}

PARTS = {"test": "test rows", "validation": "validation rows"}  # what evaluated rows are called


@dataclass(frozen=True)
class Finding:
    """One reason why a model should not serve.

    Attributes
    ----------
    code : str
        Stable.
    text : str
        What was found, with its figures.
    cure : str
        What can be done.
    """

    code: str
    text: str
    cure: str

    def to_dict(self) -> dict[str, str]:
        """Return the finding as JSON types."""
        return asdict(self)

    def __str__(self) -> str:
        """Return the finding and its cure as sentences."""
        return f"{self.text}. {self.cure[0].upper()}{self.cure[1:]}."


def findings_in(manifest: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Return the findings that an artifact keeps; none where it was written before there were."""
    return tuple(Finding(**facts) for facts in manifest.get("findings", ()))


def classifier_findings(
    evaluation: Evaluation, part: str, policy: PolicyConfig, losses: Losses | None
) -> tuple[Finding, ...]:
    """Return what the evaluation of a classifier and of its decisions shows.

    Parameters
    ----------
    evaluation : Evaluation
    part : str
        "test" or "validation": which rows were evaluated.
    policy : PolicyConfig
    losses : Losses or None
        None where nobody said what a fraud costs.
    """
    rows = PARTS[part]
    found = [
        *_no_better_than_chance(evaluation.as_table.figures["roc_auc"], evaluation, rows),
        *_unpriced(evaluation, policy, rows, losses),
        *_everything_alike(evaluation, policy, rows),
        *_costly(evaluation, policy, rows, losses),
    ]
    return tuple(found)


def anomaly_findings(figures: Mapping[str, float], n_rows: int) -> tuple[Finding, ...]:
    """Return what labelled test rows show of a model that scores anomalies alone.

    Parameters
    ----------
    figures : mapping
        As :func:`training.facts.anomaly_figures` returns them.
    n_rows : int
    """
    auc = Figure(figures["roc_auc"], figures["roc_auc_low"], figures["roc_auc_high"])
    return tuple(_chance(auc, f"{n_rows:,} {PARTS['test']}", "frauds are not unusual in it"))


def _no_better_than_chance(auc: Figure, evaluation: Evaluation, rows: str) -> Iterator[Finding]:
    where = f"{evaluation.n_rows:,} {rows}"
    if auc.value is None:
        missing = "legitimate transaction" if evaluation.n_frauds else "fraud"
        yield Finding(
            CHANCE,
            f"There is no {missing} among the {where}, so nothing shows that the model is better "
            "than chance",
            "evaluate it on rows of both classes: a larger --test-share, or --split random",
        )
    else:
        yield from _chance(auc, where, "the columns do not tell fraud")


def _chance(auc: Figure, where: str, reason: str) -> Iterator[Finding]:
    low, high = auc.low or 0.0, auc.high or 0.0
    if low > 0.5:
        return
    verdict = "worse than chance" if high < 0.5 else "not shown to be better than chance"
    yield Finding(
        CHANCE,
        f"On {where} the model is {verdict}: its ROC-AUC is {auc.value:.3f} with a 95 % interval "
        f"of {low:.3f} to {high:.3f}, and chance has 0.5",
        f"either there are too few labelled frauds to tell, or {reason}, or the labels are wrong: "
        "see what explore says of the table",
    )


def _unpriced(
    evaluation: Evaluation, policy: PolicyConfig, rows: str, losses: Losses | None
) -> Iterator[Finding]:
    if policy.choose != "cost" or losses is not None:
        return
    fn, tp = evaluation.confusion[1]
    yield Finding(
        UNPRICED,
        f"No column holds amounts, so the policy takes a fraud to cost the fee of {policy.fee:g} "
        f"alone: of {fn + tp:,} frauds in the {rows} it alerts {tp:,}",
        f"say what a fraud costs with --cost-per-fraud, or how many alerts can be looked at, as "
        f"{BUDGET}, or name the column with --amount",
    )


def _everything_alike(evaluation: Evaluation, policy: PolicyConfig, rows: str) -> Iterator[Finding]:
    (tn, fp), (fn, tp) = evaluation.confusion
    if fp and not tn:
        yield Finding(
            ALL_ALERTED,
            f"Everything is reviewed or blocked: of {fp:,} legitimate transactions in the {rows} "
            "none is approved",
            _prices(policy) if policy.choose == "cost" else _ask_for(policy, "less"),
        )
    if fn and not tp and not fp:
        yield Finding(
            ALL_APPROVED,
            f"Everything is approved: of {fn:,} frauds in the {rows} none is alerted",
            _prices(policy) if policy.choose == "cost" else _ask_for(policy, "more"),
        )


def _prices(policy: PolicyConfig) -> str:
    """Return what was said of the costs, and what can be said instead of costs."""
    of_fraud = f"{policy.fee:g} (--fee) besides its amount, if that is known"
    if policy.cost_per_fraud is not None:
        of_fraud = f"{policy.cost_per_fraud:g} (--cost-per-fraud)"
    return (
        f"check what mistakes cost: a fraud {of_fraud}, a review {policy.review_cost:g} "
        f"(--review-cost), blocking a legitimate transaction {policy.friction:g} (--friction); or "
        f"say how many alerts can be looked at, as {BUDGET}"
    )


def _ask_for(policy: PolicyConfig, wanted: str) -> str:
    """Return how the targets of a threshold policy give more alerts, or less."""
    is_reverse = policy.choose == "precision"  # more of it is fewer alerts
    direction = "raise" if (wanted == "more") != is_reverse else "lower"
    return (
        f"{direction} --review, the {policy.choose.replace('_', ' ')} that is asked for "
        f"({policy.review:g})"
    )


def _costly(
    evaluation: Evaluation, policy: PolicyConfig, rows: str, losses: Losses | None
) -> Iterator[Finding]:
    if losses is None or not losses.decisions > losses.approving:
        return
    rate = evaluation.at_base_rate
    whose = f"{PER:,} transactions like the {rows}"
    if rate is not None:
        whose += f", at a base rate of {rate.prevalence:.3%},"
    yield Finding(
        COSTLY,
        f"In {whose} the decisions cost {PER * losses.decisions:,.0f} and approving everything "
        f"would cost {PER * losses.approving:,.0f}",
        _prices(policy) if policy.choose == "cost" else _ask_for(policy, "less"),
    )


def in_short(findings: Sequence[Finding]) -> str:
    """Return findings in a few words each, for a line of a list."""
    return ", ".join(IN_SHORT.get(finding.code, finding.code) for finding in findings)
