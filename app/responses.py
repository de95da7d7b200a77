"""What goes out, as marshmallow schemas: the contract that clients may rely on.

Answers are written from plain lists, because dumping a batch field by field costs more than scoring
it; ``app.documentation`` makes its document from these schemas, and the tests hold real answers
against them.
"""

from __future__ import annotations

from typing import Any, get_args

from marshmallow import INCLUDE, RAISE, Schema, ValidationError, fields, validate

from model.decision import DECISIONS
from model.features import Kind
from model.reasons import MOST_REASONS

_SCALAR = ["string", "number", "boolean"]
_SHA256 = r"^[0-9a-f]{64}$"
_RARITY = "Share of legitimate transactions that are less unusual."


def _described(text: str) -> dict[str, str]:
    """Return the metadata that puts a sentence about a field into the document."""
    return {"description": text}


class Identifier(fields.Field[str | int]):
    """An identifier that came with the transaction and goes back under the same name."""

    def __init__(self) -> None:
        super().__init__(metadata={"type": ["string", "integer"]})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | int:  # noqa: ARG002
        """Accept what a request accepts."""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValidationError("Not a valid identifier.")
        return value


class Strict(Schema):
    """A part of an answer that holds what is declared and nothing else."""

    class Meta:
        unknown = RAISE


class _Range(fields.List[float]):
    """A lowest and a highest value; null where nothing was measured."""

    def __init__(self, metadata: dict[str, str]) -> None:
        super().__init__(
            fields.Float(),
            required=True,
            allow_none=True,
            validate=validate.Length(equal=2),
            metadata=metadata,
        )


class ModelLabel(Strict):
    """Which model answered."""

    name = fields.String(required=True)
    version = fields.String(required=True)


class ReasonSchema(Strict):
    """One feature's part in a score."""

    code = fields.String(required=True)
    feature = fields.String(required=True)
    value = fields.Raw(
        required=True,
        allow_none=True,
        metadata={
            "type": _SCALAR,
            "description": 'As it was sent; "other" for an unseen or a rare category.',
        },
    )
    typical = fields.Raw(
        required=True,
        allow_none=True,
        metadata={
            "type": [*_SCALAR, "array"],
            "description": "The range, or the most frequent value, of legitimate transactions.",
        },
    )
    contribution = fields.Float(
        required=True,
        metadata=_described("To the logit; in /anomaly a share of the reconstruction error."),
    )


class PredictionRow(Strict):
    """What /predict says about one transaction."""

    transaction_id = Identifier()
    probability = fields.Float(
        required=True,
        validate=validate.Range(0, 1),
        metadata=_described("Of fraud, calibrated to the model's base rate."),
    )
    score = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(0, 1000),
        metadata=_described("250: one legitimate transaction in 10 scores as high; 500: in 100."),
    )
    decision = fields.String(required=True, validate=validate.OneOf(DECISIONS))
    uncertainty = fields.List(
        fields.Float(validate=validate.Range(0, 1)),
        validate=validate.Length(equal=2),
        metadata=_described("Probabilities one deviation below and above; of an ensemble only."),
    )
    anomaly_score = fields.Float(validate=validate.Range(0, 1), metadata=_described(_RARITY))
    reasons = fields.List(fields.Nested(ReasonSchema), validate=validate.Length(max=MOST_REASONS))
    contributions = fields.List(
        fields.Nested(ReasonSchema), validate=validate.Length(max=MOST_REASONS)
    )


class Prediction(PredictionRow):
    """The answer of /predict to a single transaction."""

    model = fields.Nested(ModelLabel, required=True)


class Predictions(Strict):
    """The answer of /predict to several transactions, in their order."""

    predictions = fields.List(fields.Nested(PredictionRow), required=True)
    model = fields.Nested(ModelLabel, required=True)


class AnomalyRow(Strict):
    """What /anomaly says about one transaction."""

    transaction_id = Identifier()
    reconstruction_error = fields.Float(required=True, validate=validate.Range(0))
    anomaly_score = fields.Float(
        required=True, validate=validate.Range(0, 1), metadata=_described(_RARITY)
    )
    is_anomaly = fields.Boolean(
        required=True, metadata=_described("Whether the error lies above the threshold.")
    )
    contributions = fields.List(
        fields.Nested(ReasonSchema), validate=validate.Length(max=MOST_REASONS)
    )


class Anomaly(AnomalyRow):
    """The answer of /anomaly to a single transaction."""

    threshold = fields.Float(required=True)
    model = fields.Nested(ModelLabel, required=True)


class Anomalies(Strict):
    """The answer of /anomaly to several transactions, in their order."""

    predictions = fields.List(fields.Nested(AnomalyRow), required=True)
    threshold = fields.Float(required=True)
    model = fields.Nested(ModelLabel, required=True)


class ModelStatus(ModelLabel):
    """Which model is held, and since when it is the champion."""

    sha256 = fields.String(required=True, validate=validate.Regexp(_SHA256))
    promoted_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        format="iso",
        metadata=_described("Null while it serves in place of a champion that was refused."),
    )


class Health(Strict):
    """The answer of /health and /health/ready while the service does not drain."""

    status = fields.String(required=True, validate=validate.OneOf(["ok", "degraded"]))
    reason = fields.String(metadata=_described("Why the champion that is named does not serve."))
    refused_version = fields.String(
        allow_none=True, metadata=_described("Its version; null where the pointer is unreadable.")
    )
    model = fields.Nested(ModelStatus, required=True)


class Live(Strict):
    """The answer of /health/live."""

    status = fields.String(required=True, validate=validate.OneOf(["ok"]))


class FeatureFacts(Strict):
    """What the card says of one feature."""

    name = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(get_args(Kind)))
    unit = fields.String(required=True, allow_none=True)
    nullable = fields.Boolean(required=True)
    minimum = fields.Float(required=True, allow_none=True)
    maximum = fields.Float(required=True, allow_none=True)
    seen = _Range(metadata=_described("In training; other values are accepted and counted."))
    typical = _Range(metadata=_described("5 % and 95 % quantile of legitimate transactions."))
    central = fields.Float(required=True)
    categories = fields.List(fields.String(), required=True)
    rare = fields.Integer(
        metadata=_described("Categories that training saw too rarely; scored as unseen ones are.")
    )
    typical_days = fields.List(
        fields.Float(),
        allow_none=True,
        metadata=_described(
            "Of a date: days up to the transaction's time, 5 % and 95 % quantile of legitimate "
            "transactions."
        ),
    )


class Card(ModelStatus):
    """The answer of /model: what is fixed of it; training adds metrics, score table and more."""

    class Meta:
        unknown = INCLUDE

    tasks = fields.List(fields.String(validate=validate.OneOf(["anomaly", "fraud"])), required=True)
    features = fields.List(fields.Nested(FeatureFacts), required=True)
    id_keys = fields.List(fields.String(), required=True)
    amount = fields.String(required=True, allow_none=True)
    time = fields.String(
        allow_none=True, metadata=_described("The feature that is the transaction's time.")
    )
    dates = fields.List(
        fields.String(),
        metadata=_described("Features that are other dates: read as the days up to that time."),
    )


class OpenAPI(Schema):
    """The answer of /openapi.json: an OpenAPI 3.1 document."""

    class Meta:
        unknown = INCLUDE

    openapi = fields.String(required=True)
    info = fields.Dict(required=True)
    paths = fields.Dict(required=True)


class ProblemDocument(Strict):
    """Every answer that is not a success (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True, strict=True)
    detail = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.Dict(
        metadata=_described(
            "By row number and feature below transactions, or by option below query."
        )
    )
