"""How good a classifier is on the evaluated rows, as a training report shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.evaluate import PER, Evaluation, View
from training.pipeline import Run
from training.report.curves import precision_recall_points, roc_points
from training.report.probabilities import calibration_facts, score_facts
from training.report.trade_offs import alert_facts, cost_facts

Facts = dict[str, Any]

# What each metric is called, what it says in words, and how it is written.
METRICS: Mapping[str, tuple[str, str, str]] = {
    "recall_at_0.1%_false_positives": (
        "Recall at 0.1 % false positives",
        "frauds found when one legitimate transaction in 1,000 may be alerted",
        "percent",
    ),
    "average_precision": (
        "Average precision",
        "precision averaged over all recalls: one number for the ranking of rare fraud",
        "number",
    ),
    "roc_auc": (
        "ROC-AUC",
        "chance that a fraud ranks above a legitimate transaction",
        "number",
    ),
    "recall": ("Recall", "frauds that the policy alerts (review or block)", "percent"),
    "precision": ("Precision", "alerts that are fraud", "percent"),
    "f1": ("F1", "harmonic mean of precision and recall", "number"),
    "brier_score": (
        "Brier score",
        "mean squared error of the probability; lower is better",
        "number",
    ),
    "accuracy": (
        "Accuracy",
        "decisions that are right; says little where fraud is rare",
        "percent",
    ),
    "always_legitimate_accuracy": (
        "Accuracy without a model",
        "of calling every transaction legitimate",
        "percent",
    ),
}


def evaluation_facts(run: Run) -> Facts | None:
    """Return the figures, curves and impact of the evaluated rows; None without a classifier."""
    seen, evaluation = run.judged, run.evaluation
    if seen is None or evaluation is None:
        return None
    (tn, fp), (fn, tp) = evaluation.confusion
    (_, blocked_fp), (_, blocked_tp) = evaluation.block_confusion
    n_legitimate, n_frauds = tn + fp, fn + tp
    views = [("As the table has it", evaluation.as_table)]
    if evaluation.at_base_rate is not None:
        views.append(("At the stated base rate", evaluation.at_base_rate))
    prevalences = [view.prevalence for _, view in views]
    found = {
        "part": seen.part,
        "rows": evaluation.n_rows,
        "frauds": n_frauds,
        "legitimate": n_legitimate,
        "views": [{"label": label, "prevalence": view.prevalence} for label, view in views],
        "metrics": _metrics([view for _, view in views]),
        "decisions": [
            _decisions("legitimate", tn, fp, blocked_fp),
            _decisions("fraud", fn, tp, blocked_tp),
        ],
        "operating_points": {
            "alert": _operating_point(fp, tp, n_legitimate, n_frauds, prevalences),
            "block": _operating_point(blocked_fp, blocked_tp, n_legitimate, n_frauds, prevalences),
        },
        "impact": _impact(evaluation),
        "roc": roc_points(seen.y, seen.logits),
        "precision_recall": [
            precision_recall_points(seen.y, seen.logits, prevalence) for prevalence in prevalences
        ],
        "calibration": calibration_facts(seen, run.config.base_rate),
        "scores": score_facts(seen),
        "costs": cost_facts(run, seen),
    }
    return {**found, "alerts": alert_facts(run, found)}


def _metrics(views: list[View]) -> list[Facts]:
    return [
        {
            "name": name,
            "label": label,
            "meaning": meaning,
            "form": form,
            "views": [vars(view.figures[name]) for view in views],
        }
        for name, (label, meaning, form) in METRICS.items()
    ]


def _decisions(actual: str, approved: int, alerted: int, blocked: int) -> Facts:
    total = approved + alerted
    counts = {"approved": approved, "reviewed": alerted - blocked, "blocked": blocked}
    shares = {name: n / total if total else None for name, n in counts.items()}
    return {
        "actual": actual,
        "total": total,
        "alerted": alerted,
        "counts": counts,
        "shares": shares,
    }


def _operating_point(
    fp: int, tp: int, n_legitimate: int, n_frauds: int, prevalences: list[float]
) -> Facts:
    """Return where a decision lies on the curves; precision and alerts for each prevalence."""
    false_positive_rate = fp / n_legitimate if n_legitimate else None
    recall = tp / n_frauds if n_frauds else None
    alerts = [
        prevalence * (recall or 0.0) + (1 - prevalence) * (false_positive_rate or 0.0)
        for prevalence in prevalences
    ]
    return {
        "false_positive_rate": false_positive_rate,
        "recall": recall,
        "precision": [
            prevalence * (recall or 0.0) / share if share else None
            for prevalence, share in zip(prevalences, alerts, strict=True)
        ],
        "alerts_per_10000": [10_000 * share for share in alerts],
    }


def _impact(evaluation: Evaluation) -> Facts:
    """Return counts and money, of these rows and per so many transactions at the base rate."""
    impact = evaluation.impact
    n_frauds, n_legitimate = evaluation.n_frauds, evaluation.n_rows - evaluation.n_frauds
    # what a row of each class stands for
    scales = {"On these rows": {"fraud": 1.0, "legitimate": 1.0}}
    if evaluation.at_base_rate is not None and n_frauds and n_legitimate:
        rate = evaluation.at_base_rate.prevalence
        scales[f"In {PER:,} transactions at the stated base rate"] = {
            "fraud": PER * rate / n_frauds,
            "legitimate": PER * (1 - rate) / n_legitimate,
        }
    entries: list[tuple[str, str, str, float]] = [
        ("Frauds caught", "count", "fraud", impact.frauds_caught),
        ("Frauds missed", "count", "fraud", impact.frauds_missed),
        ("False alarms", "count", "legitimate", impact.false_alarms),
        ("False alarms that blocked", "count", "legitimate", impact.false_blocks),
    ]
    share = None
    if impact.amount_caught is not None and impact.amount_missed is not None:
        entries.append(("Amount of fraud caught", "money", "fraud", impact.amount_caught))
        entries.append(("Amount of fraud missed", "money", "fraud", impact.amount_missed))
        amount = impact.amount_caught + impact.amount_missed
        share = impact.amount_caught / amount if amount > 0 else None
    return {
        "views": list(scales),
        "rows": [
            {
                "label": label,
                "form": form,
                "values": [value * scale[actual] for scale in scales.values()],
            }
            for label, form, actual, value in entries
        ],
        "amount_caught_share": share,
    }
