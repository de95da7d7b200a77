"""What the report of a search shows, as JSON types, and the sentences computed from it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from optuna.trial import FrozenTrial, TrialState

from training.outcome import ENOUGH_FOR_IMPORTANCE, FOLDS, Outcome
from training.report.formats import count, number, of_any_kind, percent, signed
from training.report.page import Facts
from training.study import UNTUNED

STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "given up",
    TrialState.FAIL: "interrupted or failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}
MOST_TRIALS = 10  # in the table of the best
LEADERS = 5  # trials whose settings are read


def tuning_facts(outcome: Outcome, command: str | None = None) -> Facts:
    """Return every figure of a search's report.

    Returns
    -------
    dict
        ``name``, ``metric``, ``counts`` of trials by state, ``trials``, ``leaders`` (numbers of
        the best trials, best first), ``best`` and ``untuned`` (places in ``trials``, None if there
        is none), ``settings`` (the weightiest first), ``searched`` (the table, its folds, by which
        command and when), and the sentences.
    """
    trials = [_trial(trial) for trial in outcome.trials]
    complete = [place for place, trial in enumerate(trials) if trial["state"] == "complete"]
    sign = -1 if outcome.metric.is_maximized else 1
    complete.sort(key=lambda place: sign * trials[place]["value"])
    keys = sorted(outcome.best.params, key=lambda key: -outcome.importances.get(key, 0))
    facts: Facts = {
        "name": outcome.study.stem,
        "metric": {
            "name": outcome.metric.name,
            "title": outcome.metric.title,
            "is_maximized": outcome.metric.is_maximized,
        },
        "n_folds": len(outcome.best.user_attrs[FOLDS]),
        "counts": {
            state: sum(trial["state"] == state for trial in trials) for state in STATES.values()
        },
        "trials": trials,
        "leaders": complete[:MOST_TRIALS],
        "best": complete[0],
        "untuned": next((p for p in complete if trials[p]["is_untuned"]), None),
        "settings": [
            {
                "name": key,
                "untuned": outcome.start[key],
                "best": outcome.best.params[key],
                "is_logarithmic": getattr(outcome.best.distributions[key], "log", False),
                "importance": outcome.importances.get(key),
            }
            for key in keys
        ],
    }
    facts["searched"] = _searched(outcome, command)
    return facts | {
        "headline": _headline(facts),
        "remarks": _remarks(facts),
        "readings": _readings(facts),
    }


def _searched(outcome: Outcome, command: str | None) -> Facts:
    searched = outcome.searched
    ends = [trial.datetime_complete for trial in outcome.trials if trial.datetime_complete]
    return {
        "command": command,
        "began_at": _moment(min(t.datetime_start for t in outcome.trials if t.datetime_start)),
        "ended_at": _moment(max(ends)),
        "study": str(outcome.study),
        "seed": outcome.config.seed,
        "source": searched.source,
        "data_sha256": searched.data_sha256,
        "rows": searched.n_rows,
        "frauds": searched.n_frauds,
        "note": searched.note,
        "folds": [
            {"number": number, **asdict(fold)} for number, fold in enumerate(searched.folds, 1)
        ],
    }


def _moment(time: datetime) -> str:
    """Return a moment of a study, which notes the time of the machine, in words."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _trial(trial: FrozenTrial) -> Facts:
    return {
        "number": trial.number,
        "state": STATES[trial.state],
        "value": trial.value,
        "folds": trial.user_attrs.get(FOLDS, []),
        "is_untuned": UNTUNED in trial.user_attrs,
        "settings": dict(trial.params),
    }


def _headline(facts: Facts) -> str:
    best = facts["trials"][facts["best"]]
    text = (
        f"The best of {count(len(facts['trials']))} trials, number {count(best['number'])}, "
        f"reaches {number(best['value'])} in {facts['metric']['title']}"
    )
    if best["is_untuned"]:
        return f"{text}: it is the configuration as it was given, which nothing beat."
    if facts["untuned"] is None:
        return f"{text}; the configuration as it was given was not judged on every fold."
    before = facts["trials"][facts["untuned"]]["value"]
    return f"{text}, where the configuration as it was given reaches {number(before)}."


def _remarks(facts: Facts) -> list[str]:
    found = [
        "The best of many trials looks better on these folds than on new rows: the test rows of a "
        "training run tell."
    ]
    if facts["counts"]["complete"] < ENOUGH_FOR_IMPORTANCE:
        found.append(
            f"Only {count(facts['counts']['complete'])} trials are complete: which settings "
            "matter is not told from so few."
        )
    return found


def _readings(facts: Facts) -> dict[str, str]:
    found = {"history": _history(facts), "trials": _spread(facts)}
    weighed = [s for s in facts["settings"] if s["importance"] is not None]
    if weighed:
        first = weighed[0]
        found["importance"] = (
            f"{first['name']} explains {percent(first['importance'])} of what the values of the "
            "trials differ by."
        )
    for setting in facts["settings"]:
        found[f"setting_{setting['name'].partition('.')[2]}"] = _setting(facts, setting["name"])
    return found


def _history(facts: Facts) -> str:
    best, counts = facts["trials"][facts["best"]], facts["counts"]
    text = (
        f"{count(counts['complete'])} trials are complete and {count(counts['given up'])} were "
        f"given up on the way; the best came as number {count(best['number'])}"
    )
    if facts["untuned"] is None or best["is_untuned"]:
        return f"{text}."
    change = best["value"] - facts["trials"][facts["untuned"]]["value"]
    return f"{text} and changes the value by {signed(change)} against the untuned configuration."


def _spread(facts: Facts) -> str:
    values = [facts["trials"][place]["value"] for place in facts["leaders"]]
    low, high = number(min(values)), number(max(values))
    if len(values) == 1:
        return f"One trial is complete; its value is {high}."
    shown = count(len(values))
    if low == high:
        return f"The {shown} best trials all have the value {low}."
    return f"The values of the {shown} best trials lie between {low} and {high}."


def _setting(facts: Facts, key: str) -> str:
    leaders = [facts["trials"][place]["settings"] for place in facts["leaders"][:LEADERS]]
    values = [settings[key] for settings in leaders if key in settings]
    if all(isinstance(value, int | float) for value in values):
        low, high = of_any_kind(min(values)), of_any_kind(max(values))
        span = low if low == high else f"between {low} and {high}"
    else:
        span = " or ".join(dict.fromkeys(map(str, values)))
    name = key.partition(".")[2]
    return f"The {count(len(values))} best trials have {name} {span}."
