"""The OpenAPI document: made from the schemas of the service and the features of its model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from inspect import getdoc
from typing import TYPE_CHECKING, Any, cast

import orjson
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

from app import responses
from app.answer import answer
from app.documentation import operations
from app.documentation.operations import PROBLEMS, SCORING, Operation
from app.documentation.transaction_schema import example_transactions, transaction_schema
from app.json_provider import dumps
from app.schemas import OPTIONS, Route, Transactions

if TYPE_CHECKING:
    from app.store import Champion

_JSON, _PROBLEM = "application/json", "application/problem+json"
_REQUEST_ID = {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"}

Document = dict[str, Any]


def openapi_document(
    champion: Champion, routes: Collection[str], keyed: Collection[str], mount_path: str
) -> Document:
    """Describe the routes that exist, for the transactions that this champion scores.

    ``keyed`` are the routes that nobody may use without an API key; ``mount_path`` is what comes
    before each route in its address.
    """
    artifact = champion.artifact
    plugin = MarshmallowPlugin()
    spec = APISpec(
        title=f"fraudscore: {artifact.name}",
        version=artifact.version,
        openapi_version="3.1.0",
        plugins=[plugin],
        info={"description": operations.DESCRIPTION, "license": {"name": "MIT"}},
        servers=[{"url": mount_path or "/"}],
    )
    converter = cast(OpenAPIConverter, plugin.converter)
    converter.add_attribute_function(_transactions_schema)  # type: ignore[no-untyped-call]
    spec.components.schema("Transaction", transaction_schema(artifact.scorer.spec))
    spec.components.schema("Transactions", schema=champion.requests.envelope)
    for operation in operations.all_of(artifact.scorer.tasks):
        if operation.path in routes:
            _add(spec, converter, operation, champion, operation.path in keyed)
    if keyed:
        for name, scheme in operations.SECURITY_SCHEMES.items():
            spec.components.security_scheme(name, dict(scheme))
    document = spec.to_dict()
    _describe_schemas(document["components"]["schemas"], artifact.scorer.spec.id_keys)
    return document


def _transactions_schema(_: Any, field: fields.Field[Any], **__: Any) -> Document:
    """Describe the one field that apispec does not know; apispec calls it as a method."""
    if not isinstance(field, Transactions):
        return {}
    rows = {"$ref": "#/components/schemas/Transaction"}
    return {"type": "array", "items": rows, "minItems": 1, "maxItems": field.max_rows}


def _add(
    spec: APISpec,
    converter: OpenAPIConverter,
    operation: Operation,
    champion: Champion,
    needs_key: bool,
) -> None:
    """Add an operation to the document."""
    route = SCORING.get(operation.path)
    problems = [status for status in operation.problems if status != 401 or needs_key]
    described: Document = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [_request_id_parameter()],
        "responses": {
            "200": _success(operation),
            **{str(status): _problem(spec, status) for status in problems},
        },
    }
    if needs_key:
        described["security"] = [{name: []} for name in operations.SECURITY_SCHEMES]
    if route is not None:
        described["parameters"] += converter.schema2parameters(OPTIONS[route], location="query")
        described["requestBody"] = _request_body(champion)
        content = described["responses"]["200"]["content"][_JSON]
        content["examples"] = _answers(champion, route)
    spec.path(operation.path, operations={operation.method: described})


def _request_id_parameter() -> Document:
    """Describe the header by which a client names its request."""
    return {
        "name": "X-Request-ID",
        "in": "header",
        "schema": {"type": "string"},
        "description": "Comes back with the answer and stands in the log. Up to 128 letters, "
        "digits, dots, dashes and underscores; anything else is replaced.",
    }


def _success(operation: Operation) -> Document:
    """Describe the answer with status 200."""
    texts = [answer for answer in operation.answers if isinstance(answer, str)]
    schemas = [answer for answer in operation.answers if not isinstance(answer, str)]
    content: Document = {text: {"schema": {"type": "string"}} for text in texts}
    if schemas:
        content[_JSON] = {"schema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas}}
    return {
        "description": operation.summary,
        "headers": _headers(),
        "content": content,
    }


def _problem(spec: APISpec, status: int) -> str:
    """Register what a status says, once, and return its name."""
    name = f"Problem{status}"
    if name not in spec.components.responses:
        title, extra = PROBLEMS[status]
        content = {_PROBLEM: {"schema": responses.ProblemDocument}}
        spec.components.response(
            name, {"description": title, "headers": _headers(extra), "content": content}
        )
    return name


def _headers(extra: Mapping[str, str] | None = None) -> Document:
    """Describe the headers of an answer."""
    shared = {"X-Request-ID": {"required": True, "schema": _REQUEST_ID}}
    added = {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in (extra or {}).items()
    }
    return {**shared, **added}


def _request_body(champion: Champion) -> Document:
    """Describe the three forms of a body, with examples of each that the model scores."""
    one, _, pair = _examples(champion)
    several = _transactions_schema(None, champion.requests.envelope.fields["transactions"])
    reference = "#/components/schemas/"
    return {
        "required": True,
        "content": {
            _JSON: {
                "schema": {
                    "oneOf": [
                        {"$ref": f"{reference}Transaction"},
                        several,
                        {"$ref": f"{reference}Transactions"},
                    ]
                },
                "examples": {
                    "one": {"summary": "One transaction", "value": one},
                    "list": {"summary": "A list", "value": pair},
                    "envelope": {"summary": "An envelope", "value": {"transactions": pair}},
                },
            }
        },
    }


def _examples(champion: Champion) -> tuple[Any, Any, list[Any]]:
    """Return two transactions that the model scores, and a list of as many as may come at once."""
    one, other = example_transactions(champion.artifact.scorer.spec)
    return one, other, [one, other][: champion.requests.max_rows]


def _answers(champion: Champion, route: Route) -> Document:
    """Return what the model answers to the examples."""
    one, other, pair = _examples(champion)
    asked = {
        "one": ("To one transaction", one, ""),
        "explained": ("To one transaction, with explain=true", other, "explain=true"),
        "list": ("To a list, in its order", pair, ""),
    }
    return {
        name: {
            "summary": summary,
            "value": orjson.loads(answer(champion, route, dumps(body), query).body),
        }
        for name, (summary, body, query) in asked.items()
    }


def _describe_schemas(schemas: Document, id_keys: tuple[str, ...]) -> None:
    """Give each schema the first sentence of its class, and each row all identifiers it echoes.

    apispec would take a description from the schema itself, but then forgets that it refuses
    unknown keys.
    """
    schemas["Transactions"]["description"] = "The envelope around a list of transactions."
    for name, schema in schemas.items():
        known = getattr(responses, name, None) or getattr(responses, f"{name}Schema", None)
        if known is not None:
            schema["description"] = _sentence(known)
        echoed = schema["properties"].get("transaction_id")
        if echoed is not None and name != "Transaction":
            schema["properties"] = {**dict.fromkeys(id_keys, echoed), **schema["properties"]}


def _sentence(schema: type[Schema]) -> str:
    """Return the first line of what a schema says of itself."""
    return (getdoc(schema) or schema.__name__).splitlines()[0]
