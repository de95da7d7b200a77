"""Advice on the columns of a table: what to drop, to name, to declare."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from training.categories import MOST_CATEGORIES
from training.config import RunConfig
from training.explore.correlations import SAME
from training.explore.wording import named
from training.report.formats import count, percent, quantity

Facts = dict[str, Any]
Advice = Iterator[tuple[str, str, str]]  # topic, text, option of train

# last words of names that keys have, and codes
KEYS = {"id", "key", "no", "nr", "num", "number", "uuid"}
CODES = {"code", "mcc", "zip", "postcode"}
UNIQUE = 0.9  # of the sampled values are different: a counter
ALIKE = 0.99  # rank correlation from which two columns say nearly the same


def to_drop(facts: Facts) -> list[str]:
    """Return the columns that no model should learn from."""
    suspect = [own["column"] for own in facts["suspects"] if own["role"] not in ("time", "id")]
    keys = [own["name"] for own in _codes_of(facts) if own["is_unique"] or own["is_long"]]
    found = [*suspect, *facts["data"]["constant"], *_running(facts), *keys]
    apart = {facts["data"]["label"], facts["data"]["id"], identifier(facts)}
    return [name for name in dict.fromkeys(found) if name not in apart]


def _drop(names: Sequence[str]) -> str:
    return f"--drop {shlex.quote(','.join(names))}"


def identifier(facts: Facts) -> str | None:
    """Return the column that tells transactions apart where none is named."""
    if facts["data"]["id"] is not None:
        return None
    suspect = {own["column"] for own in facts["suspects"]}
    texts = [
        column
        for column in facts["columns"]
        if column["kind"] == "identifier" and not column["role"] and column["name"] not in suspect
    ]
    return max(texts, key=lambda column: column["distinct"])["name"] if texts else None


def suspects(facts: Facts, _config: RunConfig) -> Advice:
    """Yield which columns know the answer."""
    for own in facts["suspects"]:
        name = own["column"]
        if own["role"] == "time":
            text = (
                f"Whether a row is fraud can nearly be read off {name}{_area(own)}: frauds and "
                "legitimate rows were taken from different times. A test by time compares unlike "
                "periods, and the hour or weekday of a row may tell how it was collected."
            )
            yield "Frauds come from other times", text, ""
        else:
            option = "" if own["role"] == "id" else _drop([name])
            yield "Suspect column", _suspicion(own), option


def _suspicion(own: Facts) -> str:
    name = own["column"]
    ask = (
        "Is it known at the moment when a transaction is scored? If it is filled in afterwards, "
        "a model would learn the answer instead of the question: drop it."
    )
    if own["alone"] is not None:
        return f"{name} alone tells frauds from legitimate rows{_area(own)}. {ask}"
    where = f"{own['value']} in {name}" if own["is_presence"] else f"{name} = {own['value']}"
    return (
        f"{percent(own['fraud_share'])} of the rows with {where} are frauds, and these are "
        f"{percent(own['of_frauds'])} of all frauds. {ask}"
    )


def _area(own: Facts) -> str:
    return "" if own["alone"] is None else f" (ROC-AUC {quantity(own['alone'])})"


def identifiers(facts: Facts, _config: RunConfig) -> Advice:
    """Yield which columns tell rows apart, no more."""
    name = identifier(facts)
    if name is not None:
        column = next(c for c in facts["columns"] if c["name"] == name)
        text = (
            f"{name} has {count(column['distinct'])} different texts and tells rows apart, no "
            "more. As the id it is no feature, and may come with every transaction."
        )
        yield "Name the id", text, f"--id {shlex.quote(name)}"
    keys = [own["name"] for own in _codes_of(facts) if own["is_unique"]]
    if keys:
        text = (
            f"{named(keys)}: another number in nearly every row, as of a counter. A network would "
            "take it for a quantity."
        )
        yield "Drop counters", text, _drop(keys)


def _codes_of(facts: Facts) -> list[Facts]:
    """Return the columns of numbers whose names say that they are keys or codes."""
    found = []
    for column in facts["columns"]:
        words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column["name"]).lower())
        if (
            column["kind"] == "numeric"
            and not column["role"]
            and words
            and words[-1] in KEYS | CODES
        ):
            is_unique = column["distinct"] >= UNIQUE * facts["sample"]["rows"]
            is_long = words[-1] in KEYS and column["distinct"] > MOST_CATEGORIES
            found.append({"name": column["name"], "is_unique": is_unique, "is_long": is_long})
    return found


def codes(facts: Facts, _config: RunConfig) -> Advice:
    """Yield which numbers are categories by their names."""
    found = [own for own in _codes_of(facts) if not own["is_unique"]]
    short = [own["name"] for own in found if not own["is_long"]]
    long = [own["name"] for own in found if own["is_long"]]
    if short:
        text = (
            f"{named(short)}: numbers by content, but codes by name. Networks would compare them "
            "by size: declare them in a configuration file, under data.categorical."
        )
        yield "Codes that look like numbers", text, ""
    if long:
        text = (
            f"{named(long)}: numbers by content, but keys by name, and too many to be categories. "
            "Leave them out; columns with what is known of each (how often it was seen, how much "
            "it usually spends) say more."
        )
        yield "Keys that look like numbers", text, _drop(long)


def useless(facts: Facts, _config: RunConfig) -> Advice:
    """Yield which columns nothing can be learned from."""
    constant, empty = facts["data"]["constant"], facts["data"]["empty"]
    if not facts["data"]["features"]:
        yield "No features", "No column is left that a model could learn from.", ""
    if constant:
        text = f"{named(constant)}: the same value in every row, nothing to learn from."
        yield "Drop constant columns", text, _drop(constant)
    if empty:
        text = f"{named(empty)}: no value in any row; training leaves such columns out by itself."
        yield "Columns without values", text, ""
    running = _running(facts)
    if running:
        text = (
            f"{named(running)}: a number that runs with time. New transactions lie beyond all that "
            "was learned from. Dropped as a feature, the time column still orders the rows."
        )
        yield "Drop what runs with time", text, _drop(running)


def _running(facts: Facts) -> list[str]:
    """Return the numbers that run with time, the time itself among them."""
    time = facts["time"]
    own = [time["column"]] if time is not None and not time["is_date"] else []
    return [*own, *facts["clocks"]]


def drift(facts: Facts, _config: RunConfig) -> Advice:
    """Yield which features change much."""
    columns = {column["name"]: column for column in facts["columns"]}
    major = [n for n in facts["drifting"] if columns[n]["drift"]["verdict"] == "major"]
    if major:
        text = (
            f"{named(major)}: in the last fifth of the table the values lie elsewhere than in the "
            "first. Keep the division by time, which measures what that costs; retrain often, and "
            "leave out what changes for technical reasons."
        )
        yield "Drift", text, ""


def same(facts: Facts, _config: RunConfig) -> Advice:
    """Yield which columns say the same."""
    pairs = [] if facts["correlations"] is None else facts["correlations"]["pairs"]
    dropped = to_drop(facts)
    for pair in pairs:
        first, second, size = pair["first"], pair["second"], abs(pair["correlation"])
        if first in dropped or second in dropped:
            continue
        if size >= SAME:
            text = (
                f"{first} and {second} order the rows alike (rank correlation "
                f"{quantity(pair['correlation'])}): one of them is enough, and reasons are easier "
                "to read when they are not divided between two."
            )
            yield "Two columns, one content", text, _drop([second])
        elif size >= ALIKE:
            text = (
                f"{first} and {second} nearly say the same (rank correlation "
                f"{quantity(pair['correlation'])}). If it is their difference that tells, give it "
                "a column of its own; if not, one of them is enough."
            )
            yield "Two columns, nearly one content", text, ""


def amounts(facts: Facts, _config: RunConfig) -> Advice:
    """Yield what is wrong with the amounts."""
    amount = facts["amount"]
    if amount is None:
        text = (
            "No column is named like the amount at stake: without it decisions cannot weigh what "
            "mistakes cost, and no figure is in money."
        )
        yield "Name the amount", text, "--amount COLUMN"
    elif amount["negatives"]:
        text = (
            f"{count(amount['negatives'])} amounts are negative, refunds perhaps. Decisions count "
            "them as policy.amount_floor; leave them out if they are no payments."
        )
        yield "Negative amounts", text, ""


def categories(facts: Facts, _config: RunConfig) -> Advice:
    """Yield which categories are too many to be told apart."""
    many = [
        column["name"]
        for column in facts["columns"]
        if column["kind"] == "categorical"
        and not column["role"]
        and column["distinct"] > MOST_CATEGORIES
    ]
    if many:
        text = (
            f"{named(many)}: more categories than the {MOST_CATEGORIES} that are told apart; the "
            "rarer ones count as one. Columns with what is known of each (its age, its share of "
            "fraud up to then) say more."
        )
        yield "Many categories", text, ""
