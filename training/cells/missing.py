"""The words that mean missing in a column of numbers, date-times or truth values.

In a column of texts they are texts (``NA`` is Namibia there), but for those that the configuration
lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

from training.cells.tally import shown

# what pandas, R, SQL, SAS, Excel and PostgreSQL's COPY write; "" is a cell of white space only
WORDS = (
    *("", "NA", "N/A", "n/a", "na", "<NA>", "#N/A", "#N/A N/A", "#NA", "NaN", "nan", "NAN", "-NaN"),
    *("-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "None", "none", "NONE", "null", "NULL"),
    *("Null", "(null)", "nil", "NaT", "\\N", "-", "--", "---", ".", "?"),
    *("$-", "$ -", "€-", "€ -", "£-", "£ -", "-€", "- €"),  # Excel's format of accounts
)


def are_missing(texts: pyarrow.Array, words: Sequence[str] = WORDS) -> NDArray[np.bool_]:
    """Return which texts are one of some words, white space around them left out; null is not."""
    trimmed = pyarrow.compute.utf8_trim_whitespace(texts.cast(pyarrow.large_string()))
    found = pyarrow.compute.is_in(
        trimmed, value_set=pyarrow.array(words, pyarrow.large_string()), skip_nulls=True
    )
    return found.to_numpy(zero_copy_only=False)


def count_words(texts: pyarrow.Array) -> Counter[str]:
    """Return how often each text comes."""
    counted = texts.value_counts()
    pairs = zip(counted.field("values"), counted.field("counts"), strict=True)
    return Counter({word.as_py(): count.as_py() for word, count in pairs})


def note_on(counts: Mapping[str, int]) -> str | None:
    """Return a sentence that counts the words that are read as missing; None where there are none.

    >>> note_on({"NA": 1200, "": 2})
    "1,202 cells are read as missing: 1,200 'NA', 2 of white space only"
    """
    total = sum(counts.values())
    if not total:
        return None
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    each = [
        f"{n:,} {shown(word)}" if word else f"{n:,} of white space only" for word, n in ordered if n
    ]
    are = "cell is" if total == 1 else "cells are"
    return f"{total:,} {are} read as missing: {', '.join(each)}"
