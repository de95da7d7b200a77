"""Advice on the rows of a table: labels, repeats, times, imbalance, size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from training.column_names import LABELS
from training.config import RunConfig
from training.explore.eras import FIFTH
from training.explore.labels import fraud_among, label_candidates
from training.explore.recommendation import Advice
from training.explore.wording import all_of, named
from training.report.formats import as_bytes, count, duration, percent

Facts = dict[str, Any]

FEW_FRAUDS, VERY_FEW_FRAUDS = 1000, 30
COMMON = 0.01  # share of fraud above which a table was probably enriched
FEWEST_FRAUDS = 10  # in the last fifth and before it, for a division by time
UNEVEN = 0.5  # of the frauds that a division at random would give a part
SURE = 0.01  # chance below which a change of the fraud rate is told
LONG = 30 * 86_400  # seconds, after which late labels matter
LARGE = 2 * 10**9  # bytes of encoded rows


def labels(facts: Facts, _config: RunConfig) -> Iterator[Advice]:
    """Yield what is wrong with the labels."""
    classes, label = facts["classes"], facts["data"]["label"]
    if label is None:
        yield _label_to_name(facts)
        return
    refusal = facts["label_refusal"]
    if classes is None:
        fraud = fraud_among(facts["label_values"])
        if fraud is None:
            yield Advice("Mend the labels", f"{label}: {refusal}.")
        else:
            text = f"{label}: {refusal}. {fraud!r} is named like it."
            yield Advice("Say which label means fraud", text, {"positive": fraud})
        return
    if classes["unlabelled"]:
        text = f"{count(classes['unlabelled'])} rows have no label that can be read: {refusal}."
        yield Advice("Remove rows without a label", text)
    if not facts["has_classes"]:
        text = "All labelled rows are {}: there is nothing to tell apart."
        if classes["fraud"]:
            text += " The autoencoder would need legitimate rows."
            yield Advice("Only one class", text.format("fraud"))
        else:
            yield Advice("Only one class", text.format("legitimate"), {"task": "anomaly"})


def _label_to_name(facts: Facts) -> Advice:
    missing = f"No column has a usual name of a label, such as {LABELS[0]} or {LABELS[1]}."
    candidates = label_candidates(facts)
    if len(candidates) == 1:
        [(name, value, has_to_be_told)] = candidates
        text = (
            f"{missing} {name} could be it: it has two values, and {value!r} is the rarer one. "
            f"Explore again with that option, to see what tells its classes apart."
        )
        change = {"label": name} | ({"positive": value} if has_to_be_told else {})
        return Advice("Name the label", text, change)
    pairs = [name for name, *_ in candidates] or [
        column["name"] for column in facts["columns"] if column["distinct"] == 2
    ]
    hint = f" Columns with two values: {named(pairs)}." if pairs else ""
    text = (
        f"{missing}{hint} Name the one that is 1 for fraud; until then only the autoencoder, which "
        "needs no label, can be trained."
    )
    return Advice("Name the label", text, {"task": "anomaly"})


def repeats(facts: Facts, _config: RunConfig) -> Iterator[Advice]:
    """Yield what to do about rows that are there more than once."""
    found = facts["repeats"]
    if found["rows"]:
        of_fraud = all_of(found["frauds"], found["rows"], "frauds")
        text = (
            f"{count(found['rows'])} rows equal an earlier one in every column{of_fraud}. A row "
            "that is learned from and tested on flatters the model: remove them from the file, "
            "for example with drop_duplicates of pandas."
        )
        yield Advice("Remove repeated rows", text)
    if found["contradictory"]:
        text = (
            f"{count(found['contradictory'])} rows have an equal in the other class, in all "
            "features: no model can tell them apart. Look for labels that were corrected later."
        )
        yield Advice("Contradictory labels", text)


def unreadable(facts: Facts, _config: RunConfig) -> Iterator[Advice]:
    """Yield which columns training would refuse."""
    for column in facts["columns"]:
        name = column["name"]
        if column["role"] in ("label", "dropped"):
            continue
        if column["refusal"] is not None:
            text = f"Training refuses {name}: {column['refusal']}."
            if name in facts["parts"]:
                yield Advice("Unreadable values", text)
            else:
                text += " Until then, leave it out."
                yield Advice("Unreadable values", text, {"drop": [name]})
        elif column["unreadable"]:
            text = (
                f"{count(column['unreadable'])} values of {name} are no finite numbers. Training "
                "refuses such a column: correct them, or leave their cells empty."
            )
            yield Advice("Unreadable values", text)


def is_learnable(facts: Facts) -> bool:
    """Return whether there are enough frauds to learn from."""
    return bool(facts["has_classes"]) and facts["classes"]["fraud"] >= VERY_FEW_FRAUDS


def times(facts: Facts, _config: RunConfig) -> Iterator[Advice]:
    """Yield how to divide the rows by time."""
    time = facts["time"]
    if time is None:
        dates = [c["name"] for c in facts["columns"] if c["kind"] == "datetime"]
        hint = f" Date-times: {named(dates)}." if dates else ""
        text = (
            "Without a time column the order of the file divides older rows from newer ones. "
            f"Fraud changes: name the column that says when.{hint}"
        )
        yield Advice("Name the time", text, hint="--time COLUMN")
    n_early, n_late = _frauds_by_time(facts)
    if is_learnable(facts) and _are_few(n_late, n_early + n_late, FIFTH):
        which = f"Only {count(n_late)} of the frauds lie" if n_late else "No fraud lies"
        text = (
            f"{which} in the last fifth, which a division by time keeps for the test: "
            f"{'little' if n_late else 'nothing'} could be measured there. Divide at random, and "
            "trust the result less."
        )
        yield Advice("No fraud to test on", text, {"split": "random"})
    elif is_learnable(facts) and _are_few(n_early, n_early + n_late, 1 - FIFTH):
        which = f"All but {count(n_early)} of the frauds" if n_early else "All frauds"
        text = (
            f"{which} lie in the last fifth, which a division by time keeps for the test: "
            f"{'hardly anything' if n_early else 'nothing'} could be learned before it. Divide at "
            "random, and trust the result less."
        )
        yield Advice("No fraud to learn from", text, {"split": "random"})
    elif time is not None and time["is_date"] and time["span_seconds"] >= LONG:
        text = (
            f"The table spans {duration(time['span_seconds'])}. If frauds are reported late, the "
            "newest rows look more legitimate than they are: a gap before the test helps "
            "then, the option delay of train."
        )
        yield Advice("Labels that come late", text)


def _frauds_by_time(facts: Facts) -> tuple[int, int]:
    """Return how many frauds lie before the last fifth, and in it."""
    if not facts["has_classes"]:
        return 0, 0
    n_late = facts["change"]["last"]["frauds"]
    return facts["classes"]["fraud"] - n_late, n_late


def _are_few(n_frauds: int, of: int, share: float) -> bool:
    """Return whether a part has few frauds, and would have far more of them at random."""
    return n_frauds < min(FEWEST_FRAUDS, UNEVEN * share * of)


def imbalance(facts: Facts, config: RunConfig) -> Iterator[Advice]:
    """Yield what it means that frauds are few, and how many they are."""
    if not facts["has_classes"]:
        return
    classes = facts["classes"]
    text = (
        f"Calling every row legitimate would be right in {percent(classes['legitimate_share'])} of "
        "cases and find nothing: judge by average precision and by recall at few false alarms, "
        "not by accuracy. No resampling is needed; it would only distort the probabilities."
    )
    yield Advice("Imbalance", text)
    share = classes["fraud_share"]["value"]
    if share > COMMON and config.base_rate is None:
        text = (
            f"{percent(share)} of the rows are fraud, more than in most payment traffic. If frauds "
            "were kept and others thinned out, say how common fraud really is: probabilities are "
            "calibrated to that, and figures are shown for both."
        )
        yield Advice("State the base rate", text, hint="--base-rate SHARE")
    if classes["fraud"] < VERY_FEW_FRAUDS:
        text = (
            f"{count(classes['fraud'])} frauds are too few to learn from or to measure with. "
            "Until there are more, train the autoencoder alone, which learns from legitimate rows."
        )
        yield Advice("Hardly any fraud", text, {"task": "anomaly"})
    elif classes["fraud"] < FEW_FRAUDS:
        text = (
            f"With {count(classes['fraud'])} frauds every figure has a wide interval. Training "
            "cross-fits its members by itself, so that all rows before the test count."
        )
        yield Advice("Few frauds", text)
    yield from _changing_rate(facts)


def _changing_rate(facts: Facts) -> Iterator[Advice]:
    change = facts["change"]
    is_by_draw = any(own["role"] == "time" for own in facts["suspects"])
    if is_by_draw or change["p_value"] is None or change["p_value"] >= SURE:
        return
    first, last = (percent(change[era]["fraud_share"]["value"]) for era in ("first", "last"))
    text = (
        f"{first} of the first fifth are fraud and {last} of the last, more of a difference than "
        "chance explains. The test on the newest rows measures the later rate; state what you "
        "expect of the time to come."
    )
    yield Advice("The fraud rate changes", text, hint="--base-rate SHARE")


def size(facts: Facts, _config: RunConfig) -> Iterator[Advice]:
    """Yield how to train on a table that may not fit into memory."""
    n_bytes = facts["data"]["encoded_bytes"]
    if n_bytes > LARGE:
        text = (
            f"Encoded for the networks, the rows take about {as_bytes(n_bytes)}: limit the memory, "
            "and the rest goes to disk."
        )
        yield Advice("A large table", text, {"memory": "2GB"})
