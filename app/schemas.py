"""What may come in, as marshmallow schemas: the envelope and the options.

marshmallow owns the shape of a request and the wording of its errors; the values of the features
are checked for all rows at once by the artifact's own feature specification.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal
from urllib.parse import parse_qsl

import numpy as np
from marshmallow import RAISE, Schema, ValidationError, fields
from numpy.typing import NDArray

from model.errors import FeatureError
from model.features import FeatureSpec

Route = Literal["predict", "anomaly"]
RowErrors = dict[int, dict[str, list[str]]]

LONGEST_ID = 128
# Names in an envelope or a query that are looked at: the time that marshmallow takes for unknown
# ones grows with the square of their number.
MOST_NAMES = 100
LARGEST_EXACT = 2**53  # a larger float may stand for an integer other than the one that was meant


@dataclass(slots=True)
class Batch:
    """Checked transactions: the matrix to score, and the identifiers to echo by row number."""

    matrix: NDArray[np.float64]
    identifiers: dict[int, dict[str, str | int]]

    def __len__(self) -> int:
        return len(self.matrix)


class Transactions(fields.Field[Batch]):
    """A list of transactions, turned into a matrix in one step."""

    def __init__(self, spec: FeatureSpec, max_rows: int) -> None:
        super().__init__(required=True)
        self.spec = spec
        self.max_rows = max_rows

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Batch:  # noqa: ARG002
        """Load the value of the envelope's field."""
        return self.load(value)

    def load(self, value: Any) -> Batch:
        """Check every row; report all problems of all rows together."""
        if not isinstance(value, list):
            raise ValidationError("Not a valid list.")
        if not value:
            raise ValidationError("Shorter than minimum length 1.")
        if len(value) > self.max_rows:
            raise ValidationError(f"Longer than maximum length {self.max_rows}: {len(value)} rows.")
        identifiers, problems = _identifiers(value, self.spec.id_keys)
        try:
            matrix = self.spec.matrix_from_rows(value)
        except FeatureError as error:
            for row, messages in error.problems.items():
                problems.setdefault(row, {}).update(messages)
        if problems:
            raise ValidationError({str(row): problems[row] for row in sorted(problems)})
        return Batch(matrix, identifiers)


class RequestBody:
    """The three forms of a body: one transaction, a list of them, or the envelope."""

    def __init__(self, spec: FeatureSpec, max_rows: int) -> None:
        self.max_rows = max_rows
        self.row_width = len(spec.features) + len(spec.id_keys)
        self._transactions = Transactions(spec, max_rows)
        envelope = Schema.from_dict({"transactions": self._transactions}, name="Envelope")
        self.envelope = envelope(unknown=RAISE)

    def load(self, document: Any) -> tuple[Batch, bool]:
        """Return the transactions, and whether the body was a single one."""
        if isinstance(document, dict):
            if "transactions" in document:
                names = ("transactions", *islice(document, MOST_NAMES))
                some = {name: document[name] for name in names}
                return self.envelope.load(some)["transactions"], False
            return self._load_rows([document]), True
        if isinstance(document, list):
            return self._load_rows(document), False
        raise ValidationError({"_schema": ["Not a transaction, a list of them, or an envelope."]})

    def _load_rows(self, rows: list[Any]) -> Batch:
        """Load rows that came without an envelope; their errors look as if they had one."""
        try:
            return self._transactions.load(rows)
        except ValidationError as error:
            raise ValidationError({"transactions": error.messages}) from None


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may ask for in the query string."""

    explain: bool = False
    anomaly: bool = False


class Flag(fields.Boolean):
    """An option that is on or off, and off unless given."""

    def __init__(self, description: str) -> None:
        super().__init__(
            load_default=False,
            truthy={"true", "1"},
            falsy={"false", "0"},
            metadata={"description": description},
        )


class AnomalyOptions(Schema):
    """Options of /anomaly."""

    explain = Flag("Explain every transaction, also those that are in order.")


class PredictOptions(AnomalyOptions):
    """Options of /predict."""

    anomaly = Flag("Add the anomaly score.")


OPTIONS: Mapping[Route, Schema] = {
    "predict": PredictOptions(unknown=RAISE),
    "anomaly": AnomalyOptions(unknown=RAISE),
}
_NO_OPTIONS = Options()


def load_options(route: Route, query: str) -> Options:
    """Read the query string; refuse options that the route does not know or that come twice."""
    if not query:
        return _NO_OPTIONS
    pairs = parse_qsl(query, keep_blank_values=True)[:MOST_NAMES]
    given = dict(pairs)
    try:
        if len(given) < len(pairs):
            raise ValidationError({"_schema": ["Each option may be given once."]})
        return Options(**OPTIONS[route].load(given))
    except ValidationError as error:
        raise ValidationError({"query": error.messages}) from None


def _identifiers(
    rows: Sequence[Any], keys: tuple[str, ...]
) -> tuple[dict[int, dict[str, str | int]], RowErrors]:
    """Collect what identifies each row; an identifier is a string or an integer, nothing else."""
    found: dict[int, dict[str, str | int]] = {}
    problems: RowErrors = {}
    for number, row in enumerate(rows):
        if type(row) is not dict:
            continue  # the feature specification reports it
        for key in keys:
            if key not in row:
                continue
            value = row[key]
            if type(value) is float and value.is_integer() and abs(value) <= LARGEST_EXACT:
                value = int(value)  # JSON does not tell 7.0 from 7
            if type(value) is int or (type(value) is str and 0 < len(value) <= LONGEST_ID):
                found.setdefault(number, {})[key] = value
            else:
                message = f"Must be an integer, or a string of 1 to {LONGEST_ID} characters."
                problems.setdefault(number, {})[key] = [message]
    return found, problems
