"""Table columns: which kind of feature each is."""

from __future__ import annotations

from collections.abc import Sequence

from model.features import Feature
from training.cells import Refused
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
        if kind == "datetime" and not config.time_features:
            continue
        categories: tuple[str, ...] = ()
        if kind == "categorical":
            texts = column.texts
            n_texts = len(texts)
            if is_identifier(column):
                notes.append(
                    f"column {name!r} has {n_texts:,} different texts in {column.n_rows:,} rows "
                    "and is left out: name it with --id if it identifies the transaction"
                )
                continue
            categories = tuple(sorted(texts.most_frequent(MOST_TEXTS, 1)))
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


def is_identifier(column: ColumnScan) -> bool:
    """Return whether the texts of a column tell its rows apart, no more."""
    n_present = column.n_rows - column.n_missing
    return len(column.texts) > max(IDENTIFIER_SHARE * n_present, FEWEST_TEXTS)
