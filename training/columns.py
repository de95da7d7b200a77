"""Table columns: which kind of feature each is."""

from __future__ import annotations

from collections.abc import Sequence

from model.features import Feature
from training.cells import Refused
from training.column_names import is_key, is_party_key
from training.column_scan import ColumnScan
from training.config import DataConfig
from training.errors import DataError

MOST_TEXTS = 100_000  # of a column, the most frequent: others are never known again
IDENTIFIER_SHARE = 0.5  # a text column with more distinct values per row tells rows apart, no more
FEWEST_TEXTS = 64  # that can tell rows apart


def infer_features(
    columns: Sequence[ColumnScan], config: DataConfig, source: str
) -> tuple[list[Feature], list[str]]:
    """Return the features of a table, and notes on the columns that are left out.

    Raises
    ------
    DataError
        If a column can be no feature, none is left, or the configuration names unknown ones.
    """
    features, notes = [], []
    for column in columns:
        name, kind = column.name, column.kind
        if isinstance(column.reading, Refused):
            raise DataError(source, str(column.reading), name)
        if kind is None:
            notes.append(f"column {name!r} {left_out(column)} and is left out")
            continue
        if column.note is not None:
            notes.append(f"column {name!r}: {column.note}")
        categories: tuple[str, ...] = ()
        if kind == "categorical":
            texts = column.texts
            is_declared = name in config.categorical
            if is_identifier(column) or (is_key_of_party(column) and not is_declared):
                notes.append(_key_note(column))
                continue
            categories = tuple(sorted(texts.most_frequent(MOST_TEXTS, 1)))
        elif kind == "numeric" and is_party_key(name):
            notes.append(
                f"column {name!r} is named like the key of a customer, a card or a device, and is "
                f"read as a quantity: leave it out with --drop {name}"
            )
        elif kind == "numeric" and is_key(name):
            notes.append(
                f"column {name!r} is named like a key and is read as a quantity: name it with --id "
                f"if it identifies the transaction, or leave it out with --drop {name}"
            )
        bounds = config.bounds.get(name, {})
        features.append(
            Feature(
                name=name,
                kind=kind,
                unit=config.units.get(name),
                nullable=bool(column.n_missing) or name in config.nullable,
                minimum=bounds.get("minimum"),
                maximum=bounds.get("maximum"),
                categories=categories,
            )
        )
    names = {feature.name for feature in features}
    for key in ("categorical", "nullable", "bounds", "units"):
        unknown = sorted(set(getattr(config, key)) - names)
        if unknown:
            raise DataError(source, f"data.{key} names {unknown}, which are no features")
    if not features:
        raise DataError(source, "no column is left to learn from")
    return features, notes


def left_out(column: ColumnScan) -> str:
    """Return why a column can be no feature."""
    if column.is_binary or column.look == "other":
        return f"holds values of the type {column.type_name}, which are no texts and no numbers,"
    return "has no values at all"


def is_key_of_party(column: ColumnScan) -> bool:
    """Return whether a column of texts holds keys of customers, cards or devices, by its name."""
    return is_party_key(column.name) and len(column.texts) > FEWEST_TEXTS


def _key_note(column: ColumnScan) -> str:
    """Return why a column that holds keys is left out, and what it may be good for."""
    n_texts = len(column.texts)
    text = (
        f"column {column.name!r} has {n_texts:,} different texts in {column.n_rows:,} rows and is "
        "left out: "
    )
    if is_party_key(column.name):
        return text + "it holds keys of customers, cards or devices, of which others will come"
    if n_texts < column.n_rows - column.n_missing:
        return text + "they tell hardly more than which row it is, and are no id: some come again"
    return text + "name it with --id if it identifies the transaction"


def is_identifier(column: ColumnScan) -> bool:
    """Return whether the texts of a column tell its rows apart, no more."""
    n_present = column.n_rows - column.n_missing
    return len(column.texts) > max(IDENTIFIER_SHARE * n_present, FEWEST_TEXTS)
