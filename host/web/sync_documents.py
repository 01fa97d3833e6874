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
    return {
        ("push", "POST"): _push(point),
        ("pull", "POST"): _pull(point),
        ("pull", "GET"): _pull_by_get(point),
        ("hash", "GET"): _hash(point),
        ("events", "GET"): _events(point),
    }


def _push(point: SyncPoint) -> Said:
    batch = {"type": "array", "items": _event(point), "maxItems": point.node.most}
    body = {"oneOf": [batch, _object({"client_id": _CLIENT, "events": batch}, ("events",))]}
    return Said(
        f"Push {point.model.spoken_plural} of a device",
        "Each event is the write that it stands for, under the same rules. Sent again, it is accepted again. "
        "A malformed id or time refuses the whole batch.",
        {"requestBody": _content(body), "responses": _answer("What became of them.", _outcome())},
    )


def _outcome() -> Json:
    reason = _object({"code": _TEXT, "detail": _TEXT}, ("code", "detail"))
    return _object(
        {
            "accepted": {"type": "array", "items": _ID, "description": "events that the stream has now"},
            "conflicts": {"type": "array", "items": _ID, "description": "events that it does not take"},
            "reasons": {"type": "object", "additionalProperties": reason, "description": "why, by id"},
        },
        ("accepted", "conflicts", "reasons"),
    )


def _pull(point: SyncPoint) -> Said:
    nullable = {name: {**schema, "type": [*_types(schema), "null"]} for name, schema in _asked(point).items()}
    asked = {**_object(nullable, ()), "additionalProperties": False}
    return Said(
        f"Pull {point.model.spoken_plural}",
        _PULL,
        {"requestBody": _content(asked, is_required=False), "responses": _pulled(point)},
    )


def _pull_by_get(point: SyncPoint) -> Said:
    parameters = [_parameter(name, schema) for name, schema in _asked(point).items()]
    return Said(
        f"Pull {point.model.spoken_plural}, by GET",
        _PULL,
        {"parameters": parameters, "responses": _pulled(point)},
    )


def _pulled(point: SyncPoint) -> Json:
    page = _object(
        {
            "events": _shown(point), "last_event_id": {**_ID, "type": ["string", "null"]}, "cursor": _TEXT,
            "hash": _TEXT, "has_more": {"type": "boolean"},
        },
        ("events", "last_event_id", "cursor", "hash", "has_more"),
    )  # fmt: skip
    return _answer("Events, in the order in which they were added.", page)


def _hash(point: SyncPoint) -> Said:
    digest = _object(
        {"hash": _TEXT, "event_count": {"type": "integer"}, "last_event_timestamp": {"type": ["string", "null"]}},
        ("hash", "event_count", "last_event_timestamp"),
    )  # fmt: skip
    return Said(
        f"A hash of all {point.model.spoken_plural}",
        "SHA-256 over id and time of each event, in the order of the times.",
        {"responses": _answer("The hash.", digest)},
    )


def _events(point: SyncPoint) -> Said:
    return Said(
        f"List {point.model.spoken_plural} since a time",
        "By the time at which the host added them, oldest first.",
        {"parameters": [_parameter("since", _SINCE)], "responses": _answer("The events.", _shown(point))},
    )


_PULL = "Behind `cursor`, `last_event_id` or `since` (a time of the host), or from the beginning. Nothing is passed over."
_TEXT: Json = {"type": "string"}
_ID: Json = {"type": "string", "format": "uuid"}
_CLIENT: Json = {
    "type": ["string", "null"], "pattern": "^[ -~]{1,128}$", "description": "how the device calls itself",
}  # fmt: skip
_CURSOR: Json = {"type": "string", "pattern": "^[0-9]{1,18}$"}
_SINCE: Json = {"type": "string", "format": "date-time", "description": "a time of the host"}


def _asked(point: SyncPoint) -> Json:
    limit = {
        "type": "integer",
        "minimum": 1,
        "maximum": point.node.most,
        "default": point.standard,
    }
    return {"client_id": _CLIENT, "since": _SINCE, "last_event_id": _ID, "cursor": _CURSOR, "limit": limit}


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


def _shown(point: SyncPoint) -> Json:
    return {"type": "array", "items": {**_event(point), "required": []}}


def _parameter(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "schema": schema}


def _object(properties: Json, required: tuple[str, ...]) -> Json:
    return {"type": "object", "properties": properties, "required": list(required)}


def _content(schema: Json, *, is_required: bool = True) -> Json:
    return {"required": is_required, "content": {"application/json": {"schema": schema}}}


def _answer(doc: str, schema: Json) -> Json:
    return {"200": {"description": doc, "content": {"application/json": {"schema": schema}}}}
