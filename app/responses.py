"""What goes out, as marshmallow schemas: the contract that clients may rely on.

Answers are written from plain lists, because dumping a batch field by field costs more than scoring
it; the tests hold real answers against these schemas.
"""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from model.decision import DECISIONS


class Identifier(fields.Field[str | int]):
    """An identifier that came with the transaction and goes back under the same name."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | int:  # noqa: ARG002
        """Accept what a request accepts."""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValidationError("Not a valid identifier.")
        return value


class Strict(Schema):
    """A part of an answer that holds what is declared and nothing else."""

    class Meta:
        unknown = RAISE


class ModelLabel(Strict):
    """Which model answered."""

    name = fields.String(required=True)
    version = fields.String(required=True)


class ReasonSchema(Strict):
    """One feature's part in a score."""

    code = fields.String(required=True)
    feature = fields.String(required=True)
    value = fields.Raw(required=True, allow_none=True)
    typical = fields.Raw(required=True, allow_none=True)
    contribution = fields.Float(required=True)


class PredictionRow(Strict):
    """What /predict says about one transaction."""

    transaction_id = Identifier()
    probability = fields.Float(required=True, validate=validate.Range(0, 1))
    score = fields.Integer(required=True, strict=True, validate=validate.Range(0, 1000))
    decision = fields.String(required=True, validate=validate.OneOf(DECISIONS))
    uncertainty = fields.List(  # [low, high] around the probability; of an ensemble only
        fields.Float(validate=validate.Range(0, 1)), validate=validate.Length(equal=2)
    )
    anomaly_score = fields.Float(validate=validate.Range(0, 1))
    reasons = fields.List(fields.Nested(ReasonSchema), validate=validate.Length(max=4))
    contributions = fields.List(fields.Nested(ReasonSchema), validate=validate.Length(max=4))


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
    anomaly_score = fields.Float(required=True, validate=validate.Range(0, 1))
    is_anomaly = fields.Boolean(required=True)
    contributions = fields.List(fields.Nested(ReasonSchema), validate=validate.Length(max=4))


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

    sha256 = fields.String(required=True, validate=validate.Regexp(r"[0-9a-f]{64}$"))
    promoted_at = fields.AwareDateTime(required=True, allow_none=True, format="iso")


class Health(Strict):
    """The answer of /health and /health/ready while the service does not drain."""

    status = fields.String(required=True, validate=validate.OneOf(["ok", "degraded"]))
    reason = fields.String()
    refused_version = fields.String(allow_none=True)
    model = fields.Nested(ModelStatus, required=True)


class ProblemDocument(Strict):
    """Every answer that is not a success (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True, strict=True)
    detail = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.Dict()
