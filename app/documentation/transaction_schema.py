"""A transaction of the loaded model, as JSON Schema and as examples."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from app.schemas import LONGEST_ID
from model.cells import EPOCH
from model.features import Feature, FeatureSpec

_TYPES: Mapping[str, Mapping[str, str]] = {
    "numeric": {"type": "number"},
    "boolean": {"type": "boolean"},
    "categorical": {"type": "string"},
    "datetime": {"type": "string", "format": "date-time"},
}
# orjson reads integers beyond 64 bits as floats, and a float is no identifier.
_SMALLEST_ID, _LARGEST_ID = -(2**63), 2**64 - 1

# Dates outside of it count as null: see model.cells.are_never.
_NO_SENTINEL = "^(?!0001-01-01|2099-12-31)([01][0-9]{3}|2[01][0-9]{2})-"

JSONSchema = dict[str, Any]


def transaction_schema(spec: FeatureSpec) -> JSONSchema:
    """Describe a transaction that the model accepts, and nothing that it does not."""
    identifiers = {key: _identifier(key) for key in spec.id_keys}
    return {
        "type": "object",
        "description": "One transaction: the features of the model by name.",
        "properties": {
            **identifiers,
            **{feature.name: feature_schema(feature, spec.missing) for feature in spec.features},
        },
        "required": [f.name for f in spec.features if not f.nullable],
        "additionalProperties": False,
    }


def feature_schema(feature: Feature, missing: Collection[str] = ()) -> JSONSchema:
    """Describe one feature; what people read is in the description, programs find it in ``x-``."""
    schema: JSONSchema = {**_TYPES[feature.kind], "description": _description(feature)}
    if feature.nullable:
        schema["type"] = [schema["type"], "null"]
    elif feature.kind == "categorical":
        schema["not"] = {"enum": sorted({"", *missing})}  # these count as null
    elif feature.kind == "datetime":
        schema["pattern"] = _NO_SENTINEL
    for key in ("minimum", "maximum"):
        bound = getattr(feature, key)
        if bound is not None and feature.kind == "numeric":
            schema[key] = bound
    schema["examples"] = [_value(feature, feature.central)]
    facts = {
        "x-kind": feature.kind,
        "x-unit": feature.unit,
        "x-seen": _range(feature, feature.seen),
        "x-typical": _range(feature, feature.typical),
        "x-categories": list(feature.categories),
    }
    return schema | {key: fact for key, fact in facts.items() if fact}


def example_transactions(spec: FeatureSpec) -> list[dict[str, Any]]:
    """Return a typical transaction and an unusual one, both made from the specification."""
    typical: dict[str, Any] = {spec.id_keys[0]: "t-1"}
    unusual: dict[str, Any] = {spec.id_keys[0]: "t-2"}
    for feature in spec.features:
        typical[feature.name] = _value(feature, feature.central)
        if feature.nullable:
            unusual[feature.name] = None
        else:
            unusual[feature.name] = _value(feature, (feature.seen or (0, feature.central))[1])
    return [typical, unusual]


def _identifier(key: str) -> JSONSchema:
    """Describe a key that is echoed and never scored."""
    return {
        "type": ["string", "integer"],
        "minLength": 1,
        "maxLength": LONGEST_ID,
        "minimum": _SMALLEST_ID,
        "maximum": _LARGEST_ID,
        "description": f"Comes back as {key} with the answer; never scored.",
        "examples": ["t-1"],
    }


def _description(feature: Feature) -> str:
    """Say in sentences what is known of a feature."""
    sentences = []
    if feature.unit:
        sentences.append(f"In {feature.unit}.")
    if feature.kind == "datetime":
        sentences.append("ISO 8601; UTC where no offset is given.")
        sentences.append("9999-12-31 and the like, which stand for never, count as null.")
    seen, typical = _range(feature, feature.seen), _range(feature, feature.typical)
    if seen:
        sentences.append(f"Seen in training: {_shown(seen[0])} to {_shown(seen[1])}.")
    if typical:
        sentences.append(f"Typical: {_shown(typical[0])} to {_shown(typical[1])}.")
    if feature.typical_days is not None:
        low, high = feature.typical_days
        sentences.append(
            "Read as the days from it to the transaction's time, "
            f"typically {low:,.0f} to {high:,.0f}."
        )
    if feature.categories:
        known = ", ".join(feature.categories)
        rare = len(feature.rare_texts)
        others = f"Any other, {rare:,} rare ones among them," if rare else "Any other"
        sentences.append(f'Known values: {known}. {others} is scored as "other".')
    if feature.nullable:
        sentences.append("May be null or left out.")
    return " ".join(sentences) or "Nothing was measured."


def _range(feature: Feature, bounds: tuple[float, float] | None) -> list[Any]:
    """Return a lowest and a highest value as they would be sent; empty where none was measured."""
    return [] if bounds is None else [_value(feature, bound) for bound in bounds]


def _shown(value: float | str) -> str:
    """Write a value for people."""
    return value if isinstance(value, str) else f"{value:.6g}"


def _value(feature: Feature, cell: float) -> Any:
    """Return the JSON value of a cell, within the declared bounds."""
    if feature.kind == "boolean":
        return bool(cell)
    if feature.kind == "categorical":
        code = int(cell)
        return feature.categories[code] if code < feature.other else "other"
    if feature.kind == "datetime":
        moment = EPOCH + timedelta(seconds=round(cell))
        return moment.isoformat().replace("+00:00", "Z")
    low = cell if feature.minimum is None else max(cell, feature.minimum)
    return low if feature.maximum is None else min(low, feature.maximum)
