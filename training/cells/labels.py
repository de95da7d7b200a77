"""The label of a table: which of its values means fraud.

Without being told, these pairs are known, in any case, with white space around them left out, and
as numbers in any writing (``1``, ``1.0``)::

    fraud       1   true    yes   y   t   fraud, fraudulent
    legitimate  0   false   no    n   f   legit, legitimate, genuine, normal, non-fraud, …
                −1 (beside 1)

A table may have one value of a pair only. Values of two pairs in one column are refused, and so is
a cell without a label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow
from numpy.typing import NDArray

from training.cells.masks import MaskedColumn
from training.cells.missing import WORDS
from training.cells.refusal import Refused, refuse_unread
from training.cells.tally import MOST_EXAMPLES, Example, shown

MOST_VALUES = 20  # of a label column; one with more is none

PAIRS = (
    ({"1"}, {"0"}),
    ({"1"}, {"-1"}),
    ({"true"}, {"false"}),
    ({"yes"}, {"no"}),
    ({"y"}, {"n"}),
    ({"t"}, {"f"}),
    (
        {"fraud", "fraudulent"},
        {"legit", "legitimate", "genuine", "normal", "non-fraud", "nonfraud", "non fraud"}
        | {"not fraud", "no fraud", "not_fraud", "no_fraud", "non_fraud", "non-fraudulent"},
    ),
)

FRAUDS = frozenset().union(*(frauds for frauds, _ in PAIRS))


class LabelScan:
    """The values of a label column, added up over its chunks.

    Attributes
    ----------
    values : list of Example
        Each value as it is written, with its first row; at most ``MOST_VALUES`` + 1.
    missing : list of Example
        The first cells without a label.
    n_missing : int
    """

    def __init__(self) -> None:
        self.values: list[Example] = []
        self.missing: list[Example] = []
        self.n_missing = 0
        self._known: set[str] = set()

    def add(self, texts: pyarrow.Array, first_row: int) -> None:
        """Look at the next chunk: numbers and truth values are given as texts."""
        encoded = MaskedColumn(texts).texts.dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        values = encoded.dictionary.to_pylist()
        found, places = np.unique(codes, return_index=True)
        firsts = dict(zip(found.tolist(), places.tolist(), strict=True))
        words = [code for code, value in enumerate(values) if value in WORDS]
        missing = np.flatnonzero(np.isin(codes, [-1, *words]))
        self.n_missing += len(missing)
        for place in missing[: MOST_EXAMPLES - len(self.missing)].tolist():
            value = values[codes[place]] if codes[place] >= 0 else ""
            self.missing.append(Example(first_row + place, value))
        for code, value in enumerate(values):
            if code not in words and value not in self._known and len(self.values) <= MOST_VALUES:
                self._known.add(value)
                self.values.append(Example(first_row + firsts[code], value))


@dataclass(frozen=True)
class Labels:
    """Which values of a label column mean fraud and which do not.

    Attributes
    ----------
    frauds, others : frozenset of str
        In the one writing that :func:`plain` gives.
    note : str or None
        How the labels were read, where they are not 0 and 1.
    """

    frauds: frozenset[str]
    others: frozenset[str]
    note: str | None

    def apply(self, texts: pyarrow.Array, first_row: int) -> NDArray[np.int64]:
        """Return 1 for fraud and 0 for legitimate.

        Raises
        ------
        CellError
            For the first cell that is neither.
        """
        encoded = MaskedColumn(texts).texts.dictionary_encode()
        values = [plain(value) for value in encoded.dictionary.to_pylist()]
        labels = [1 if v in self.frauds else 0 if v in self.others else -1 for v in values]
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        found = np.array([*labels, -1], np.int64)[codes]
        expected = f"a label: {' or '.join(map(repr, sorted(self.frauds | self.others)))}"
        refuse_unread(texts, found < 0, first_row, expected)
        return found


def decide_labels(scan: LabelScan, positive: str | None = None) -> Labels | Refused:
    """Return which values of a label column mean fraud, or why that has to be asked.

    Parameters
    ----------
    scan : LabelScan
        Of the whole column.
    positive : str, optional
        The value that means fraud; all others are legitimate.
    """
    if scan.n_missing:
        count = "one row has" if scan.n_missing == 1 else f"{scan.n_missing:,} rows have"
        return Refused(
            f"{count} no label", tuple(scan.missing), "label them or leave these rows out"
        )
    values = {plain(example.value) for example in scan.values}
    if len(scan.values) > MOST_VALUES:
        return Refused(
            f"more than {MOST_VALUES} different labels",
            tuple(scan.values[:MOST_EXAMPLES]),
            "expected two: name the right column with --label",
        )
    if positive is not None:
        return _as_said(scan, values, plain(positive), positive)
    for frauds, others in PAIRS:
        if values <= frauds | others:
            is_plain = values <= {"0", "1"}
            note = None if is_plain else _note(scan, frauds)
            return Labels(frozenset(frauds), frozenset(others), note)
    found = ", ".join(shown(example.value) for example in scan.values[:5])
    return Refused(
        f"labels must be 0 or 1, found {found}",
        tuple(scan.values[:MOST_EXAMPLES]),
        "say with --positive VALUE which of them means fraud",
    )


def fraud_values(positive: str | None = None) -> frozenset[str]:
    """Return what means fraud in whatever label column is read, in the writing of :func:`plain`."""
    return FRAUDS if positive is None else frozenset({plain(positive)})


def plain(value: str) -> str:
    """Return the one writing of a label: lower case, numbers without what does not count.

    >>> plain(" Fraud "), plain("1.0"), plain("−1")
    ('fraud', '1', '-1')
    """
    text = value.strip().casefold().replace("−", "-")
    try:
        return f"{float(text):.15g}"
    except ValueError:
        return text


def _as_said(scan: LabelScan, values: set[str], fraud: str, positive: str) -> Labels | Refused:
    if fraud not in values:
        found = ", ".join(shown(example.value) for example in scan.values[:5])
        return Refused(
            f"no label is {positive!r}, found {found}",
            tuple(scan.values[:MOST_EXAMPLES]),
            "name one of them with --positive VALUE",
        )
    return Labels(frozenset({fraud}), frozenset(values - {fraud}), _note(scan, {fraud}))


def _note(scan: LabelScan, frauds: set[str]) -> str:
    """Return a sentence that says which values are which."""
    are = [shown(e.value) for e in scan.values if plain(e.value) in frauds]
    are_not = [shown(e.value) for e in scan.values if plain(e.value) not in frauds]
    parts = [f"{', '.join(are)} as fraud"] if are else []
    parts += [f"{', '.join(are_not)} as legitimate"] if are_not else []
    return f"labels are read with {' and '.join(parts)}"
