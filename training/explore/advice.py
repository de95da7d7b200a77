"""What to do with a table, in plain words and in options of ``train``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from training.column_names import LABELS
from training.columns import MOST_CATEGORIES
from training.config import RunConfig
from training.explore.correlations import SAME
from training.report.formats import as_bytes, count, duration, number, percent

Facts = dict[str, Any]

FEW_FRAUDS, VERY_FEW_FRAUDS = 1000, 30
COMMON = 0.01  # share of fraud above which a table was probably enriched
FEWEST_LATE_FRAUDS = 10  # in the last fifth, for a division by time
LONG = 30 * 86_400  # seconds, after which late labels matter
LARGE = 2 * 10**9  # bytes of encoded rows
CODES = {"id", "key", "no", "nr", "code", "mcc", "zip", "postcode", "uuid", "num", "number"}
MOST_NAMED = 6


def advice(facts: Facts, config: RunConfig) -> list[Facts]:
    """Return what to do, the most urgent first.

    Returns
    -------
    list of dict
        ``topic``, ``text`` and ``option`` (of ``train``; empty where there is none).
    """
    rules = (
        _labels,
        _suspects,
        _repeats,
        _unreadable,
        _identifiers,
        _useless,
        _times,
        _imbalance,
        _drift,
        _codes,
        _same,
        _amounts,
        _categories,
        _size,
    )
    return [
        {"topic": topic, "text": text, "option": option}
        for rule in rules
        for topic, text, option in rule(facts, config)
    ]


def command(facts: Facts, config: RunConfig) -> str:
    """Return the training command that follows the advice."""
    data = config.data
    parts = ["python -m training train --data", shlex.quote(str(data.path))]
    for option, named in (
        ("--label", data.label),
        ("--time", data.time),
        ("--amount", data.amount),
        ("--id", data.id or _identifier(facts)),
    ):
        if named is not None:
            parts += [option, shlex.quote(named)]
    dropped = [*data.drop, *(name for name in to_drop(facts) if name not in data.drop)]
    if dropped:
        parts += ["--drop", shlex.quote(",".join(dropped))]
    if not facts["has_classes"] or facts["classes"]["fraud"] < 2:
        parts += ["--task anomaly"]
    elif _is_late_fraud_missing(facts):
        parts += ["--split random"]
    if facts["data"]["encoded_bytes"] > LARGE:
        parts += ["--memory 2GB"]
    if config.name:
        parts += ["--name", shlex.quote(config.name)]
    return " ".join(parts)


def to_drop(facts: Facts) -> list[str]:
    """Return the columns that no model should learn from."""
    suspect = [own["column"] for own in facts["suspects"] if own["role"] not in ("time", "id")]
    identifier = _identifier(facts)
    keys = [own["name"] for own in _integer_codes(facts) if own["is_unique"]]
    found = [*suspect, *facts["data"]["constant"], *facts["clocks"], *keys]
    apart = {facts["data"][role] for role in ("label", "id")} | {identifier}
    return [name for name in dict.fromkeys(found) if name not in apart]


def named(names: Sequence[str]) -> str:
    """Return some names as a sentence has them."""
    shown = list(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        shown[-1:] = ["others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


Advice = Iterator[tuple[str, str, str]]


def _labels(facts: Facts, _config: RunConfig) -> Advice:
    classes, label = facts["classes"], facts["data"]["label"]
    if label is None:
        pairs = [c["name"] for c in facts["columns"] if c["distinct"] == 2 or c["kind"] == "boolean"]
        hint = f" Columns with two values: {named(pairs)}." if pairs else ""
        text = (
            f"No column is named like a label ({', '.join(LABELS)}).{hint} Name the one that is 1 "
            "for fraud; or train the autoencoder alone, which needs none."
        )
        yield "Name the label", text, "--label COLUMN, or --task anomaly"
        return
    if classes is None:
        text = f"No row of {label} holds 0 or 1: write 1 for fraud and 0 for all else."
        yield "Mend the labels", text, ""
        return
    if classes["unlabelled"]:
        text = (
            f"{count(classes['unlabelled'])} rows have neither 0 nor 1 in {label}: training "
            "refuses them. Leave them out of the file."
        )
        yield "Remove rows without a label", text, ""
    if not facts["has_classes"]:
        only = "fraud" if classes["fraud"] else "legitimate"
        text = f"All labelled rows are {only}: there is nothing to tell apart."
        yield "Only one class", text, "--task anomaly"


def _suspects(facts: Facts, _config: RunConfig) -> Advice:
    for own in facts["suspects"]:
        name = own["column"]
        if own["role"] == "time":
            text = (
                f"{name} alone tells frauds from legitimate rows (ROC-AUC {number(own['alone'])}): "
                "they were taken from different times. A model that sees the time learns how the "
                "table was put together, and a test by time compares unlike periods."
                if own["alone"] is not None
                else f"Whether a row is fraud can be read off {name}."
            )
            yield "Frauds come from other times", text, ""
            continue
        option = "" if own["role"] == "id" else f"--drop {name}"
        yield f"Suspect: {name}", suspicion(own), option


def suspicion(own: Facts) -> str:
    """Return what speaks against a suspect column."""
    name = own["column"]
    ask = "Is it known at the moment when a transaction is scored? If it is filled in afterwards, "
    if own["alone"] is not None:
        return (
            f"{name} alone tells frauds from legitimate rows (ROC-AUC {number(own['alone'])}). "
            f"{ask}the model would learn the answer instead of the question: drop it."
        )
    where = f"{own['value']} in {name}" if own["value"].startswith(("no", "any")) else (
        f"{name} = {own['value']}"
    )
    return (
        f"Rows with {where} are frauds ({percent(own['fraud_share'])} of them), and "
        f"{percent(own['of_frauds'])} of all frauds are among them. {ask}drop it."
    )


def _repeats(facts: Facts, _config: RunConfig) -> Advice:
    repeats = facts["repeats"]
    if repeats["rows"]:
        of_fraud = ""
        if repeats["frauds"]:
            of_fraud = f", {count(repeats['frauds'])} of them frauds"
        text = (
            f"{count(repeats['rows'])} rows equal an earlier one in every column{of_fraud}. A row "
            "that is learned from and tested on flatters the model: remove them from the file, "
            "for example with pandas' drop_duplicates()."
        )
        yield "Remove repeated rows", text, ""
    if repeats["contradictory"]:
        text = (
            f"{count(repeats['contradictory'])} rows are equal in all features but belong to both "
            "classes: no model can tell them apart. Look for labels that were corrected later."
        )
        yield "Contradictory labels", text, ""


def _unreadable(facts: Facts, _config: RunConfig) -> Advice:
    for column in facts["columns"]:
        if column["unreadable"]:
            examples = f", such as {', '.join(map(repr, column['junk']))}" if column["junk"] else ""
            text = (
                f"{count(column['unreadable'])} values of {column['name']} are no "
                f"{'moment' if column['kind'] == 'datetime' else 'finite number'}{examples}. "
                "Training refuses them: correct them, or leave the cells empty."
            )
            yield f"Correct {column['name']}", text, ""


def _identifier(facts: Facts) -> str | None:
    """Return the column that tells transactions apart where none is named."""
    if facts["data"]["id"] is not None:
        return None
    texts = [c for c in facts["columns"] if c["kind"] == "identifier" and c["role"] == ""]
    return max(texts, key=lambda column: column["distinct"])["name"] if texts else None


def _identifiers(facts: Facts, _config: RunConfig) -> Advice:
    name = _identifier(facts)
    if name is not None:
        column = next(c for c in facts["columns"] if c["name"] == name)
        text = (
            f"{name} has {count(column['distinct'])} different texts and tells rows apart, no "
            "more. As the id it is left out of the features and may come with a transaction."
        )
        yield "Name the id", text, f"--id {name}"
    keys = [own["name"] for own in _integer_codes(facts) if own["is_unique"]]
    if keys:
        text = (
            f"{named(keys)}: a different number in every row, as of a counter. A network would "
            "take it for a quantity."
        )
        yield "Drop counters", text, f"--drop {','.join(keys)}"


def _integer_codes(facts: Facts) -> list[Facts]:
    """Return the columns of numbers whose name says that they are keys or codes."""
    found = []
    for column in facts["columns"]:
        words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column["name"]).lower())
        if column["kind"] != "numeric" or column["role"] or not words or words[-1] not in CODES:
            continue
        rows = facts["sample"]["rows"]
        found.append({"name": column["name"], "is_unique": column["distinct"] >= 0.9 * rows})
    return found


def _codes(facts: Facts, _config: RunConfig) -> Advice:
    codes = [own["name"] for own in _integer_codes(facts) if not own["is_unique"]]
    if codes:
        text = (
            f"{named(codes)}: numbers by their content, but codes by their name. Networks would "
            "compare them by size: declare them as categories in a configuration file, under "
            "data.categorical, or leave them out."
        )
        yield "Codes that look like numbers", text, f"--drop {','.join(codes)}"


def _useless(facts: Facts, _config: RunConfig) -> Advice:
    constant, empty = facts["data"]["constant"], facts["data"]["empty"]
    if constant:
        text = f"{named(constant)}: the same value in every row, nothing to learn from."
        yield "Drop constant columns", text, f"--drop {','.join(constant)}"
    if empty:
        yield "Columns without values", f"{named(empty)}: left out by training.", ""
    if facts["clocks"]:
        text = (
            f"{named(facts['clocks'])}: rises or falls with {facts['data']['time']} in every row. "
            "New transactions lie beyond all that was learned from."
        )
        yield "Drop what runs with time", text, f"--drop {','.join(facts['clocks'])}"


def _is_late_fraud_missing(facts: Facts) -> bool:
    change = facts["change"]
    return change is not None and change["last"]["frauds"] < FEWEST_LATE_FRAUDS


def _times(facts: Facts, _config: RunConfig) -> Advice:
    time = facts["time"]
    if time is None:
        dates = [c["name"] for c in facts["columns"] if c["kind"] == "datetime"]
        hint = f" Date-times: {named(dates)}." if dates else ""
        text = (
            "Without a time column the order of the file divides older rows from newer ones. "
            f"Fraud changes: name the column that says when.{hint}"
        )
        yield "Name the time", text, "--time COLUMN"
    if _is_late_fraud_missing(facts):
        text = (
            f"Only {count(facts['change']['last']['frauds'])} frauds lie in the last fifth, which "
            "a division by time keeps for the test: nothing could be measured there. Divide at "
            "random, and trust the result less."
        )
        yield "No fraud to test on", text, "--split random"
    elif time is not None and time["is_date"] and time["span_seconds"] >= LONG:
        text = (
            f"The table spans {duration(time['span_seconds'])}. If frauds are reported late, the "
            "newest rows look more legitimate than they are: leave a gap before the test."
        )
        yield "Labels that come late", text, "--delay 7d"


def _imbalance(facts: Facts, config: RunConfig) -> Advice:
    if not facts["has_classes"]:
        return
    classes = facts["classes"]
    share = classes["fraud_share"]["value"]
    text = (
        f"Calling every row legitimate would be right in {percent(classes['legitimate_share'])} of "
        "cases and find nothing: judge by average precision and by recall at few false alarms, "
        "not by accuracy. No resampling is needed; it would only distort the probabilities."
    )
    yield "Imbalance", text, ""
    if share > COMMON and config.base_rate is None:
        text = (
            f"{percent(share)} of the rows are fraud, more than in most payment traffic. If frauds "
            "were kept and others thinned out, say how common fraud really is, and "
            "probabilities are calibrated to that."
        )
        yield "State the base rate", text, "--base-rate SHARE"
    if classes["fraud"] < VERY_FEW_FRAUDS:
        text = (
            f"{count(classes['fraud'])} frauds are too few to learn from or to measure with. "
            "Collect more, or train the autoencoder, which learns from legitimate rows."
        )
        yield "Hardly any fraud", text, "--task anomaly"
    elif classes["fraud"] < FEW_FRAUDS:
        text = (
            f"With {count(classes['fraud'])} frauds every figure has a wide interval. Training "
            "cross-fits its members by itself, so that all rows before the test count."
        )
        yield "Few frauds", text, ""


def _drift(facts: Facts, _config: RunConfig) -> Advice:
    columns = {column["name"]: column for column in facts["columns"]}
    major = [n for n in facts["drifting"] if columns[n]["drift"]["verdict"] == "major"]
    major = [name for name in major if name not in facts["clocks"]]
    if major:
        text = (
            f"{named(major)}: in the last fifth of the table the values lie elsewhere than in the "
            "first. Keep the division by time, which measures what that costs; retrain often, and "
            "leave out what changes for technical reasons."
        )
        yield "Drift", text, ""
    change = facts["change"]
    if change is not None and change["p_value"] is not None and change["p_value"] < 0.01:
        text = (
            f"The share of fraud goes from {percent(change['first']['fraud_share']['value'])} in "
            f"the first fifth to {percent(change['last']['fraud_share']['value'])} in the last, "
            "more than chance explains: say with --base-rate what to expect."
        )
        yield "Fraud rate changes", text, "--base-rate SHARE"


def _same(facts: Facts, _config: RunConfig) -> Advice:
    found = facts["correlations"]
    pairs = [] if found is None else [p for p in found["pairs"] if abs(p["correlation"]) >= SAME]
    for pair in pairs:
        text = (
            f"{pair['first']} and {pair['second']} order the rows alike (rank correlation "
            f"{number(pair['correlation'])}): one of them is enough, and reasons are easier to "
            "read when they are not divided between two."
        )
        yield "Two columns, one content", text, f"--drop {pair['second']}"


def _amounts(facts: Facts, _config: RunConfig) -> Advice:
    amount = facts["amount"]
    if amount is None:
        text = (
            "No column is named like the amount at stake: without it decisions cannot weigh what "
            "mistakes cost, and no figure is in money."
        )
        yield "Name the amount", text, "--amount COLUMN"
    elif amount["negatives"]:
        text = (
            f"{count(amount['negatives'])} amounts of {amount['column']} are negative, refunds "
            "perhaps. The policy counts them as amount_floor; leave them out if they are no "
            "payments."
        )
        yield "Negative amounts", text, ""


def _categories(facts: Facts, _config: RunConfig) -> Advice:
    many = [
        c["name"]
        for c in facts["columns"]
        if c["kind"] == "categorical" and c["role"] == "" and c["distinct"] > MOST_CATEGORIES
    ]
    if many:
        text = (
            f"{named(many)}: more categories than the {MOST_CATEGORIES} that are told apart; the "
            "others count as one. A column with what is known of each (its age, its fraud rate up "
            "to then) says more."
        )
        yield "Many categories", text, ""


def _size(facts: Facts, _config: RunConfig) -> Advice:
    size = facts["data"]["encoded_bytes"]
    if size > LARGE:
        text = f"Encoded, the rows take about {as_bytes(size)}: limit the memory, the rest goes to disk."
        yield "A large table", text, "--memory 2GB"
