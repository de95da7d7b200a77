"""Advice on the columns of a table: what to drop, to name, to declare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from training.categories import MOST_CATEGORIES
from training.column_names import AMOUNTS, find_column, is_answer, words_of
from training.config import RunConfig
from training.explore.correlations import SAME
from training.explore.keys import codes as codes_of
from training.explore.keys import counters, identifier, long_keys, party_keys
from training.explore.recommendation import Advice
from training.explore.wording import named
from training.report.formats import count, percent, quantity

Facts = dict[str, Any]

ALIKE = 0.99  # rank correlation from which two columns say nearly the same
AFTERWARDS = "newbalance"  # first word of what is known once a payment went through, as in PaySim


def _droppable(names: Sequence[str], facts: Facts, config: RunConfig) -> list[str]:
    """Return those of some columns that a run can do without: no label, no id, no named amount."""
    data = facts["data"]
    apart = {data["label"], data["id"], config.data.amount, identifier(facts)}
    return [name for name in names if name not in apart]


def suspects(facts: Facts, config: RunConfig) -> Iterator[Advice]:
    """Yield which columns know the answer."""
    for own in facts["suspects"]:
        name = own["column"]
        if own["role"] == "time":
            text = (
                f"Whether a row is fraud can nearly be read off {name}{_area(own)}: frauds and "
                "legitimate rows were taken from different times. A test by time compares unlike "
                "periods, and the hour or weekday of a row may tell how it was collected."
            )
            yield Advice("Frauds come from other times", text)
        else:
            dropped = _droppable([name], facts, config)
            change = {"drop": dropped} if dropped else {}
            yield Advice("Suspect column", _suspicion(own), change)


def answers(facts: Facts, config: RunConfig) -> Iterator[Advice]:
    """Yield which columns are named like the answer, or like what is known after it."""
    suspect = {own["column"] for own in facts["suspects"]}
    plain = [c["name"] for c in facts["columns"] if not c["role"] and c["name"] not in suspect]
    found = _droppable([name for name in plain if is_answer(name)], facts, config)
    if found and facts["data"]["label"] is not None:
        text = (
            f"{named(found)}: named like what was found out about a fraud. Whatever it is, it is "
            "not known at the moment when a transaction is scored."
        )
        yield Advice("Other columns of answers", text, {"drop": found})
    later = [name for name in plain if words_of(name)[:1] == [AFTERWARDS]]
    if later:
        text = (
            f"{named(later)}: the balance after the transaction. It is known once the transaction "
            "went through, too late for a decision, and frauds that were cancelled leave it as it "
            "was."
        )
        yield Advice("Known afterwards", text, {"drop": later})


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


def identifiers(facts: Facts, _config: RunConfig) -> Iterator[Advice]:
    """Yield which columns tell rows apart, no more."""
    name = identifier(facts)
    if name is not None:
        column = next(c for c in facts["columns"] if c["name"] == name)
        what = "texts" if column["kind"] == "identifier" else "numbers"
        text = (
            f"{name} has {count(column['distinct'])} different {what} and tells rows apart, no "
            "more. As the id it is no feature, and may come with every transaction."
        )
        yield Advice("Name the id", text, {"id": name})
    parties = party_keys(facts)
    if parties:
        text = (
            f"{named(parties)}: keys of customers, cards, accounts or devices, by name. The same "
            "one comes with many transactions, so that it is no id of any, and what a model learns "
            "of one says nothing of the next. Leave them out; columns with what is known of each "
            "(how often it was seen, how much it usually spends) say more."
        )
        yield Advice("Keys of customers", text, {"drop": parties})
    found = counters(facts)
    if found:
        text = (
            f"{named(found)}: another number in nearly every row, as of a counter. A network would "
            "take it for a quantity."
        )
        yield Advice("Drop counters", text, {"drop": found})


def codes(facts: Facts, _config: RunConfig) -> Iterator[Advice]:
    """Yield which numbers are categories by their names."""
    short, long = codes_of(facts), long_keys(facts)
    if short:
        text = (
            f"{named(short)}: numbers by content, but codes by name. Networks would compare them "
            "by size: declare them in a configuration file, under data.categorical."
        )
        yield Advice("Codes that look like numbers", text)
    if long:
        text = (
            f"{named(long)}: numbers by content, but keys by name, and too many to be categories. "
            "Leave them out; columns with what is known of each (how often it was seen, how much "
            "it usually spends) say more."
        )
        yield Advice("Keys that look like numbers", text, {"drop": long})


def useless(facts: Facts, config: RunConfig) -> Iterator[Advice]:
    """Yield which columns nothing can be learned from."""
    constant, empty = facts["data"]["constant"], facts["data"]["empty"]
    constant = _droppable(constant, facts, config)
    if not facts["data"]["features"]:
        yield Advice("No features", "No column is left that a model could learn from.")
    if constant:
        text = f"{named(constant)}: the same value in every row, nothing to learn from."
        yield Advice("Drop constant columns", text, {"drop": constant})
    if empty:
        text = f"{named(empty)}: no value in any row; training leaves such columns out by itself."
        yield Advice("Columns without values", text)
    for name, why in facts["data"]["left_out"].items():
        yield Advice("Columns of other types", f"{name} {why} and is left out by training.")
    running = _droppable(_running(facts), facts, config)
    if running:
        text = (
            f"{named(running)}: {'a number that runs' if len(running) == 1 else 'numbers that run'}"
            " with time. New transactions lie beyond all that was learned from."
        )
        if facts["time"]["column"] in running:
            text += f" Dropped as a feature, {facts['time']['column']} still orders the rows."
        yield Advice("Drop what runs with time", text, {"drop": running})


def _running(facts: Facts) -> list[str]:
    """Return the numbers that run with time, the time itself among them."""
    time = facts["time"]
    own = [time["column"]] if time is not None and not time["is_date"] else []
    numbers = [column["name"] for column in facts["columns"] if column["kind"] == "numeric"]
    return [*own, *(name for name in facts["clocks"] if name in numbers)]


def drift(facts: Facts, config: RunConfig) -> Iterator[Advice]:
    """Yield which features change much."""
    columns = {column["name"]: column for column in facts["columns"]}
    major = [n for n in facts["drifting"] if columns[n]["drift"]["verdict"] == "major"]
    if major:
        text = (
            f"{named(major)}: in the last fifth of the table the values lie elsewhere than in the "
            "first. "
        )
        if config.split.how == "time":
            text += "Keep the division by time, which measures what that costs; retrain often, and "
        else:
            text += "A division at random does not measure what that costs: retrain often, and "
        text += "leave out what changes for technical reasons."
        yield Advice("Drift", text)


def same(facts: Facts, config: RunConfig) -> Iterator[Advice]:
    """Yield which columns say the same, of those that nothing else says to drop."""
    pairs = [] if facts["correlations"] is None else facts["correlations"]["pairs"]
    gone = set(config.data.drop)
    for pair in pairs:
        first, second, size = pair["first"], pair["second"], abs(pair["correlation"])
        if first in gone or second in gone:
            continue
        if size >= SAME:
            text = (
                f"{first} and {second} order the rows alike (rank correlation "
                f"{quantity(pair['correlation'])}): one of them is enough, and reasons are easier "
                "to read when they are not divided between two."
            )
            plain = [name for name in (second, first) if name not in _played(facts)]
            gone.update(plain[:1])
            change = {"drop": plain[:1]} if plain else {}
            yield Advice("Two columns, one content", text, change)
        elif size >= ALIKE:
            text = (
                f"{first} and {second} nearly say the same (rank correlation "
                f"{quantity(pair['correlation'])}). If it is their difference that tells, give it "
                "a column of its own; if not, one of them is enough."
            )
            yield Advice("Two columns, nearly one content", text)


def _played(facts: Facts) -> set[str]:
    """Return the columns that have a part of their own: they are not to be dropped."""
    return {c["name"] for c in facts["columns"] if c["role"]}


def amounts(facts: Facts, _config: RunConfig) -> Iterator[Advice]:
    """Yield what is wrong with the amounts."""
    amount = facts["amount"]
    if amount is None:
        names = [column["name"] for column in facts["columns"]]
        named_so = find_column(names, None, AMOUNTS, "")
        found = (
            "No column is named like the amount at stake"
            if named_so is None
            else (f"{named_so} is named like the amount at stake, but cannot be read as numbers")
        )
        text = (
            f"{found}: without it decisions cannot weigh what "
            "mistakes cost, and no figure is in money."
        )
        yield Advice("Name the amount", text, hint="--amount COLUMN")
    elif amount["negatives"]:
        text = (
            f"{count(amount['negatives'])} amounts are negative, refunds perhaps. Decisions count "
            "them as what --amount-floor says, 0 where it is omitted; leave them out if they are "
            "no payments."
        )
        yield Advice("Negative amounts", text)


def categories(facts: Facts, _config: RunConfig) -> Iterator[Advice]:
    """Yield which categories are too many to be told apart."""
    parties = party_keys(facts)
    many = [
        column["name"]
        for column in facts["columns"]
        if column["kind"] == "categorical"
        and not column["role"]
        and column["name"] not in parties
        and column["distinct"] > MOST_CATEGORIES
    ]
    if many:
        text = (
            f"{named(many)}: more categories than the {MOST_CATEGORIES} that are told apart; the "
            "rarer ones count as one. Columns with what is known of each (its age, its share of "
            "fraud up to then) say more."
        )
        yield Advice("Many categories", text)
