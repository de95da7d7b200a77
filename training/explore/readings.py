"""The sentences of an exploration, computed from its facts."""

from __future__ import annotations

from typing import Any

from training.explore.drift import MODERATE
from training.explore.wording import all_of
from training.report.formats import count, formatted, money, percent, quantity

Facts = dict[str, Any]

CHANCE = 0.01  # below which a change is told as one


def headline(facts: Facts) -> str:
    """Return the one sentence that a reader should take away."""
    data, classes = facts["data"], facts["classes"]
    text = " with ".join(
        f"{count(data[what])} {what if data[what] != 1 else what.removesuffix('s')}"
        for what in ("rows", "features")
    )
    if classes is None:
        return f"{text}, and no labels to compare by."
    whose = "the labelled rows" if classes["unlabelled"] else "the rows"
    text += f"; {percent(classes['fraud_share']['value'])} of {whose} are fraud"
    if not facts["has_classes"]:
        return f"{text}; there is no second class to compare by."
    best = facts["ranking"][0] if facts["ranking"] else None
    area = None if best is None else _column(facts, best)["effect"]
    if facts["suspects"]:
        n_suspects = len(facts["suspects"])
        noun = "column knows" if n_suspects == 1 else "columns know"
        return f"{text}; {count(n_suspects)} {noun} the answer suspiciously well."
    if area is None or area["alone"] is None:
        return f"{text}; too few of one class to compare features by."
    return (
        f"{text}; the feature that tells most alone is {best} "
        f"(ROC-AUC {quantity(area['alone'])}), and none gives the answer away."
    )


def remarks(facts: Facts) -> list[str]:
    """Return what a reader must know before trusting the figures."""
    found = []
    names = ", ".join(own["column"] for own in facts["suspects"])
    if names:
        found.append(f"Suspect: {names}. See the advice before a model is trained on this table.")
    classes, sample = facts["classes"], facts["sample"]
    if classes is None:
        found.append("There are no labels: nothing here compares frauds with other rows.")
    elif not facts["has_classes"]:
        found.append("All labels are of one class: nothing here compares frauds with other rows.")
    elif _columns_judged(facts) == 0:
        found.append("So few rows of one class: no column could be judged by itself.")
    if not sample["is_whole"]:
        drawn = f"{count(sample['rows'])} rows drawn with seed {count(sample['seed'])}"
        if sample["frauds"] is not None:
            which = "all {} frauds" if sample["has_all_frauds"] else "{} of the frauds"
            drawn += f" and {which.format(count(sample['frauds']))}"
        found.append(
            f"Medians, different values, correlations and the edges of bins are those of {drawn}. "
            "Counts, means, extremes and everything counted in bins are of all rows."
        )
    compared = facts["repeats"]["compared_share"]
    if compared < 1:
        found.append(
            f"Repeated rows were looked for among {percent(compared)} of all rows, drawn such that "
            "equal rows stay together, and their number scaled up."
        )
    return found


def readings(facts: Facts) -> dict[str, str]:
    """Return a sentence for each plot and table, by name."""
    found = {"columns": _missing(facts), "repeats": _repeats(facts)}
    if facts["amount"] is not None:
        found["amounts"] = _amounts(facts)
        if facts["amount"]["bands"]:
            found["amount_rates"] = _bands(facts)
    if facts["time"] is not None:
        found |= _times(facts)
    if facts["has_classes"]:
        found["alone"] = _alone(facts)
    if facts["correlations"] is not None:
        found["correlations"] = _correlations(facts)
    found["drift"] = _drift(facts)
    return found


def _column(facts: Facts, name: str) -> Facts:
    return next(column for column in facts["columns"] if column["name"] == name)


def _columns_judged(facts: Facts) -> int:
    effects = [column["effect"] for column in facts["columns"]]
    return sum(effect is not None and effect["alone"] is not None for effect in effects)


def _missing(facts: Facts) -> str:
    data = facts["data"]
    if not data["missing"]:
        return "No value is missing."
    worst = max(facts["columns"], key=lambda column: column["missing"])
    return (
        f"{percent(data['missing_share'])} of all values are missing, in "
        f"{count(data['columns_with_missing'])} of {count(data['columns'])} columns; most in "
        f"{worst['name']} ({percent(worst['missing_share'])})."
    )


def _repeats(facts: Facts) -> str:
    repeats = facts["repeats"]
    if not repeats["rows"]:
        text = "No row equals an earlier one in every column"
    else:
        text = (
            f"{count(repeats['rows'])} rows ({percent(repeats['share'])}) equal an earlier one in "
            f"every column{all_of(repeats['frauds'], repeats['rows'], 'frauds')}"
        )
    if repeats["alike"]:
        text += f"; {count(repeats['alike'])} equal one in all features"
    if repeats["contradictory"]:
        text += f", and {count(repeats['contradictory'])} have an equal in the other class"
    return f"{text}."


def _amounts(facts: Facts) -> str:
    amount = facts["amount"]
    groups = {group["name"]: group for group in amount["groups"]}
    if "all" in groups:
        median, high, largest = (
            formatted(groups["all"][key], "money") for key in ("median", "high", "largest")
        )
        return (
            f"The median amount is {median}; one in twenty is above {high}, the largest is "
            f"{largest}."
        )
    fraud, legitimate = groups["fraud"], groups["legitimate"]
    text = (
        f"The median fraud is {formatted(fraud['median'], 'money')}, the median legitimate amount "
        f"{formatted(legitimate['median'], 'money')}"
    )
    if amount["fraud_total_share"] is not None:
        text += f"; frauds make up {percent(amount['fraud_total_share'])} of all money"
    return f"{text}."


def _bands(facts: Facts) -> str:
    bands = [band for band in facts["amount"]["bands"] if band["fraud_share"]["value"] is not None]
    most = max(bands, key=lambda band: band["fraud_share"]["value"])
    return (
        f"Fraud is most common between {money(most['from'])} and {money(most['to'])}: "
        f"{percent(most['fraud_share']['value'])} of {count(most['rows'])} rows."
    )


def _times(facts: Facts) -> dict[str, str]:
    time, change = facts["time"], facts["change"]
    if time["is_date"]:
        text = f"The rows run from {time['first']} to {time['last']}."
    else:
        text = f"{time['column']} runs from {quantity(time['low'])} to {quantity(time['high'])}."
    found = {"times": text}
    if change is not None:
        found["fraud_shares"] = _change(change)
    for name, noun in (("hours", "hour"), ("weekdays", "day")):
        if time[name] is not None:
            found[name] = _calendar(time[name], noun)
    return found


def _change(change: Facts) -> str:
    if change["p_value"] is None:
        return "There are too few rows in the first and last fifth to compare their fraud."
    first, last = (percent(change[era]["fraud_share"]["value"]) for era in ("first", "last"))
    is_change = change["p_value"] < CHANCE
    return (
        f"{first} of the first fifth are fraud and {last} of the last, "
        f"{'more' if is_change else 'no more'} of a difference than chance explains."
    )


def _calendar(calendar: Facts, noun: str) -> str:
    shares = calendar["shares"]
    parts = []
    for group, words in (("fraud", "frauds"), ("legitimate", "legitimate rows"), ("all", "rows")):
        if group in shares:
            most = max(range(len(shares[group])), key=shares[group].__getitem__)
            parts.append(f"{percent(shares[group][most])} of {words} fall {_on(noun, most)}")
    return f"At the busiest {noun} of each, {' and '.join(parts)}."


def _on(noun: str, position: int) -> str:
    days = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
    return f"on {days[position]}" if noun == "day" else f"from {position}:00 on"


def _alone(facts: Facts) -> str:
    judged = [
        (column["name"], column["effect"]["alone"])
        for column in facts["columns"]
        if column["effect"] is not None
        and column["effect"]["alone"] is not None
        and column["name"] in facts["ranking"]
    ]
    if not judged:
        return "There are too few rows of one class to judge a column by itself."
    name, best = max(judged, key=lambda pair: pair[1])
    n_useful = sum(area >= 0.6 for _, area in judged)
    return (
        f"{name} tells most by itself (ROC-AUC {quantity(best)}); {count(n_useful)} of "
        f"{count(len(judged))} features reach 0.6, where 0.5 is chance."
    )


def _correlations(facts: Facts) -> str:
    found = facts["correlations"]
    if not found["n_strong"]:
        return "No two of these features are strongly correlated (all below 0.8 in size)."
    most = found["pairs"][0]
    verb = "pair is" if found["n_strong"] == 1 else "pairs are"
    return (
        f"{count(found['n_strong'])} {verb} strongly correlated (0.8 or more in size), most of all "
        f"{most['first']} and {most['second']} ({quantity(most['correlation'])})."
    )


def _drift(facts: Facts) -> str:
    tested = [column for column in facts["columns"] if column["drift"] is not None]
    if not tested:
        return "There are too few rows in the first and last fifth to look for drift."
    drifting = facts["drifting"]
    if not drifting:
        worst = max(tested, key=lambda column: column["drift"]["psi"])
        return (
            f"None of {count(len(tested))} features changes between the first and the last fifth "
            f"by more than chance and an index of {quantity(MODERATE)}; most of all "
            f"{worst['name']} ({quantity(worst['drift']['psi'])})."
        )
    worst = _column(facts, drifting[0])
    return (
        f"{count(len(drifting))} of {count(len(tested))} features change between the first and the "
        f"last fifth; most of all {worst['name']} (index {quantity(worst['drift']['psi'])}, where "
        f"chance alone stays below {quantity(worst['drift']['critical'])})."
    )
