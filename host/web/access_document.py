"""What the OpenAPI document says of the operations below `/api/host/access`."""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]
_ALLOWED: Final[Json] = {"type": "string", "enum": ["yes", "no", "depends"]}
_TEXT: Final[Json] = {"type": ["string", "null"]}


def _parameter(name: str, doc: str, example: str, *, required: bool = False) -> Json:
    schema = {"type": "string", "minLength": 1, "maxLength": 600}
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": doc,
        "schema": schema,
        "example": example,
    }


def _object(properties: Json, required: tuple[str, ...] | None = None) -> Json:
    return {"type": "object", "properties": properties, "required": list(required or properties)}


def _map(values: Json) -> Json:
    return {"type": "object", "additionalProperties": values}


def _answer(doc: str, schema: Json) -> Json:
    return {"200": {"description": doc, "content": {"application/json": {"schema": schema}}}}


_OFFERED: Final = _object(
    {
        "resources": _map(_map(_ALLOWED)),
        "operations": _map(_ALLOWED),
        "resource": {"type": "string"},
        "fields": _map(_map(_ALLOWED)),
    },
    ("resources", "operations"),
)
_ROW: Final = _object({
    "row": {"type": "string"},
    "operations": _map({"type": "boolean"}),
    "fields": _map(_object({"readable": {"type": "boolean"}, "writable": {"type": "boolean"}})),
})  # fmt: skip
OVERVIEW: Final[Json] = {
    "parameters": [
        _parameter("resource", "One resource, with its fields.", "freelance.invoice"),
        _parameter("row", "One row: what is decided on it.", "freelance.invoice/6710f1e0a1b2c3d4e5f60718"),
    ],
    "responses": {
        **_answer(
            "What is open, by operationId and by resource; on a row, decided.", {"anyOf": [_OFFERED, _ROW]}
        ),
        "304": {"description": "The copy at hand is still good."},
    },
}
_CLAUSE: Final = _object(
    {
        "clause": {"type": "string"}, "depth": {"type": "integer"}, "holds": {"type": ["boolean", "null"]}, "doc": _TEXT,
        "looked_at": {"type": "object"}, "rows": {"type": "array", "items": {"type": "object"}},
    },
    ("clause", "depth", "holds", "doc", "looked_at"),
)  # fmt: skip
_FIELD: Final = _object({
    "field": {"type": "string"}, "readable": _ALLOWED, "writable": _ALLOWED, "hidden_because": _TEXT, "refused_because": _TEXT,
})  # fmt: skip
EXPLANATION: Final[Json] = {
    "parameters": [
        _parameter("as", "Who: e-mail, user name or id of an account; without it nobody in particular.", "ann@example.org"),
        _parameter("operation", "The operation or action.", "update", required=True),
        _parameter("row", "The row, or the resource alone.", "freelance.invoice/6710f1e0a1b2c3d4e5f60718", required=True),
    ],
    "responses": {
        **_answer("The verdict, the clause that decided it, and every clause with what it looked at.", _object({
            "as": {"type": "string"}, "roles": {"type": "array", "items": {"type": "string"}},
            "operation": {"type": "string"}, "subject": {"type": "string"}, "allowed": _ALLOWED,
            "outcome": {"type": "string", "enum": ["allowed", "hidden", "forbidden", "unauthenticated", "depends"]},
            "decided_by": _TEXT, "clauses": {"type": "array", "items": _CLAUSE}, "fields": {"type": "array", "items": _FIELD},
        })),
    },
}  # fmt: skip
