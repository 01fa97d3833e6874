"""What OpenAPI says of the operations of `sync`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from host.sync.points import SyncPoint

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """One operation."""

    summary: str
    doc: str
    document: Json


def documents(point: SyncPoint) -> Mapping[tuple[str, str], Said]:
    """By kind and method."""
    event, reason = _event(point), _object({"code": _TEXT, "detail": _TEXT}, ("code", "detail"))
    batch = {"type": "array", "items": event, "maxItems": point.node.most}
    body = {"oneOf": [batch, _object({"client_id": _CLIENT, "events": batch}, ("events",))]}
    outcome = _object(
        {
            "accepted": {"type": "array", "items": _ID, "description": "events that the stream has now"},
            "conflicts": {"type": "array", "items": _ID, "description": "events that it does not take"},
            "reasons": {"type": "object", "additionalProperties": reason, "description": "why, by id"},
        },
        ("accepted", "conflicts", "reasons"),
    )
    shown = {"type": "array", "items": {**event, "required": []}}
    page = _object(
        {
            "events": shown, "last_event_id": {**_ID, "type": ["string", "null"]}, "cursor": _TEXT, "hash": _TEXT,
            "has_more": {"type": "boolean"},
        },
        ("events", "last_event_id", "cursor", "hash", "has_more"),
    )  # fmt: skip
    digest = _object(
        {"hash": _TEXT, "event_count": {"type": "integer"}, "last_event_timestamp": {"type": ["string", "null"]}},
        ("hash", "event_count", "last_event_timestamp"),
    )  # fmt: skip
    asked = _asked(point)
    query = [{"name": name, "in": "query", "schema": schema} for name, schema in asked.items()]
    nullable = {name: {**schema, "type": [*_types(schema), "null"]} for name, schema in asked.items()}
    of_body = {
        "requestBody": _content({**_object(nullable, ()), "additionalProperties": False}, is_required=False)
    }
    pulled = {"responses": _answer("Events, in the order in which they were added.", page)}
    noun = point.model.spoken_plural
    return {
        ("push", "POST"): Said(
            f"Push {noun} of a device", "Each event is the write that it stands for, under the same rules. Sent again, it is "
            "accepted again. A malformed id or time refuses the whole batch.",
            {"requestBody": {**_content(body), "required": True}, "responses": _answer("What became of them.", outcome)},
        ),
        ("pull", "POST"): Said(f"Pull {noun}", _PULL, {**of_body, **pulled}),
        ("pull", "GET"): Said(f"Pull {noun}, by GET", _PULL, {"parameters": query, **pulled}),
        ("hash", "GET"): Said(
            f"A hash of all {noun}", "SHA-256 over id and time of each event, in the order of the times.",
            {"responses": _answer("The hash.", digest)},
        ),
        ("events", "GET"): Said(
            f"List {noun} since a time", "By the time at which the host added them, oldest first.",
            {"parameters": [it for it in query if it["name"] == "since"], "responses": _answer("The events.", shown)},
        ),
    }  # fmt: skip


_PULL = "Behind `cursor`, `last_event_id` or `since` (a time of the host), or from the beginning. Nothing is passed over."
_TEXT: Json = {"type": "string"}
_ID: Json = {"type": "string", "format": "uuid"}
_CLIENT: Json = {
    "type": ["string", "null"], "pattern": "^[ -~]{1,128}$", "description": "how the device calls itself",
}  # fmt: skip
_CURSOR: Json = {"type": "string", "pattern": "^[0-9]{1,18}$"}


def _asked(point: SyncPoint) -> Json:
    limit = {
        "type": "integer",
        "minimum": 1,
        "maximum": point.node.most,
        "default": min(1000, point.node.most),
    }
    since = {"type": "string", "format": "date-time", "description": "a time of the host"}
    return {"client_id": _CLIENT, "since": since, "last_event_id": _ID, "cursor": _CURSOR, "limit": limit}


def _types(schema: Json) -> list[str]:
    return [
        it for it in ([schema["type"]] if isinstance(schema["type"], str) else schema["type"]) if it != "null"
    ]


def _event(point: SyncPoint) -> Json:
    outer = point.outer
    time: Json = {"type": "string", "format": "date-time"}
    forms: Json = {
        "id": _ID, "type": {"description": f"one of {', '.join(point.types)}; any other is a conflict"}, "key": _ID,
        "event": {"description": f"one of {', '.join(point.log.kinds)}; any other is a conflict"},
        "data": {"description": "the object that the write takes; any other is a conflict"}, "at": time,
        "version": {"type": ["integer", "null"], "minimum": 1, "maximum": (1 << 31) - 1},
    }  # fmt: skip
    needed = [outer[role] for role in ("id", "key", "at")]
    return _object({outer[role]: form for role, form in forms.items() if role in outer}, tuple(needed))


def _object(properties: Json, required: tuple[str, ...]) -> Json:
    return {"type": "object", "properties": properties, "required": list(required)}


def _content(schema: Json, *, is_required: bool = True) -> Json:
    return {"required": is_required, "content": {"application/json": {"schema": schema}}}


def _answer(doc: str, schema: Json) -> Json:
    return {"200": {"description": doc, "content": {"application/json": {"schema": schema}}}}
