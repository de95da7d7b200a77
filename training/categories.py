"""Which categories of a text column are told apart: decided once, on the training rows.

A network remembers of a rare category which of its rows were frauds, rather than how likely fraud
is there. So categories that come too rarely count together as "other". Those are known all the
same: a transaction with a rare category is no news, one with a category that no training row shows
is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from model.features import Feature
from model.rare import encode
from training.data import Table

MOST_CATEGORIES = 64
FEWEST_ROWS_PER_CATEGORY = 10
ENOUGH_ROWS_PER_CATEGORY = 100  # in training; of a small table this share of the rows is enough:
ENOUGH_SHARE = 0.02
MOST_NAMED = 5  # rare categories that a note names


def with_categories_of(table: Table, rows: NDArray[np.intp]) -> Table:
    """Return the table as the model reads it, whose categories some rows decide: the training rows.

    The categories that are frequent there keep a code of their own, the others that these rows
    show are rare, and what only later rows show is unseen, there as in service. What was decided
    is among the notes. The matrix is changed in place: a large one is there once.
    """
    features, notes = list(table.spec.features), list(table.notes)
    for column, feature in enumerate(features):
        if feature.kind == "categorical":
            cells = table.matrix[:, column]
            is_present = ~np.isnan(cells)
            codes = cells[rows][is_present[rows]].astype(np.intp)
            counts = np.bincount(codes, minlength=feature.other + 1)
            kept = frequent_codes(counts[: feature.other], len(rows))
            is_rare = counts > 0
            is_rare[kept] = is_rare[feature.other] = False  # the last: texts nobody remembers
            texts = np.array(feature.categories, object)
            found = replace(
                feature,
                categories=tuple(texts[kept]),
                rare=encode(texts[is_rare[:-1]]),
            )
            code_of = np.where(is_rare, float(found.pooled), float(found.other))
            code_of[kept] = np.arange(len(kept))
            cells[is_present] = code_of[cells[is_present].astype(np.intp)]
            table.matrix[:, column] = cells
            features[column] = found
            notes += _notes(feature, kept, is_rare, counts, len(rows))
    spec = replace(table.spec, features=tuple(features))
    return replace(table, spec=spec, notes=tuple(notes))


def frequent_codes(counts: NDArray[np.intp], n_rows: int) -> NDArray[np.intp]:
    """Return the codes of the categories that come often enough, ascending; at least one.

    Parameters
    ----------
    counts : ndarray (n,) of int
        How often each category comes.
    n_rows : int
        In how many rows.
    """
    order = np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]
    return np.sort(order[: max(int((counts[order] >= enough_rows(n_rows)).sum()), 1)])


def enough_rows(n_rows: int) -> int:
    """Return how often a category must come to be told apart, in so many rows."""
    share = min(ENOUGH_ROWS_PER_CATEGORY, ENOUGH_SHARE * n_rows)
    return int(np.ceil(max(FEWEST_ROWS_PER_CATEGORY, share)))


def _notes(
    feature: Feature,
    kept: NDArray[np.intp],
    is_rare: NDArray[np.bool_],
    counts: NDArray[np.intp],
    n_rows: int,
) -> list[str]:
    """Say what was decided of a column; nothing where all categories are told apart."""
    rare = np.flatnonzero(is_rare)
    if not len(rare):
        return []
    names = ""
    if len(rare) <= MOST_NAMED:
        names = f" ({', '.join(feature.categories[code] for code in rare)})"
    fewest = int(counts[kept].min())
    enough = enough_rows(n_rows)
    why = f"fewer than {enough:,} training rows each"
    if len(kept) == MOST_CATEGORIES and fewest >= enough:
        why = f"all but the {MOST_CATEGORIES} most frequent"
    kept_ones = f"{len(kept):,} of {len(kept) + len(rare):,} categories"
    told_apart = f"{kept_ones} {'is' if len(kept) == 1 else 'are'} told apart"
    rare_ones = (
        f"1 rare one{names} counts" if len(rare) == 1 else f"{len(rare):,} rare{names} count"
    )
    return [
        f"column {feature.name!r}: {told_apart}; {rare_ones} as 'other' in "
        f"{int(counts[rare].sum()):,} of {n_rows:,} training rows: {why}"
    ]
