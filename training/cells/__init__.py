"""What a cell of a table means: one rule a column, found over all its cells and then applied.

A column of texts is looked at in chunks, decided on, and read in chunks again; whatever the chunks
are, the outcome is the same::

    scan = TextScan(missing_words=())
    for texts, first_row in chunks:          # pyarrow arrays of strings, null for empty cells
        scan.add(texts, first_row)
    reading = decide(scan, name="Amount", decimal=None, thousands=None, time_format=None)

    Numbers(rule, note, n_missing)   .apply(texts, first_row) → float64, NaN for missing
    Dates(form, note, n_missing)     .apply → seconds since 1970 UTC
    Booleans(note, n_missing)        .apply → 1, 0
    Texts(note, examples)            the column stays as it is
    Refused(reason, examples, cure)  str() of it is the message

``apply`` raises :class:`CellError` (row, value, expected) for a cell that the rule does not read.

======================  ==========================================================================
``masks``               cells that are written alike, as matrices of bytes
``missing``             the words that mean missing
``units``, ``numbers``  currencies and units; nearly numbers and the rule that reads them
``zones``, ``dates``    time zones; the forms of date-times
``strptime``            date-times by a format that is given
``plain``               chunks of plain numbers, read at once
``booleans``            true and false
``tally``, ``scan``     what a column holds, counted
``refusal``, ``decide`` why a column cannot be read; which rule it is
``time_units``          columns of numbers that are times: seconds, milliseconds, days, steps, …
``labels``              the words for fraud and legitimate
======================  ==========================================================================

Nothing here reads files or knows features: it stands on NumPy, pandas and pyarrow, and imports
nothing of ``training`` but its errors.
"""

from training.cells.decide import Booleans, Dates, Numbers, Reading, Texts, decide
from training.cells.refusal import CellError, Refused
from training.cells.scan import TextScan
from training.cells.tally import Example

__all__ = [
    "Booleans",
    "CellError",
    "Dates",
    "Example",
    "Numbers",
    "Reading",
    "Refused",
    "TextScan",
    "Texts",
    "decide",
]
