"""What declared webhooks are sent: the `webhooks` of the document, for those who write a receiver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from host.compiler.registry import Registry
from host.compiler.schemas import camel
from host.declaration.nodes import Field, Key, Name, Webhook
from host.fields.forms import STANDARD
from host.web.openapi.components import Json
from host.web.openapi.styles import Style
from host.web.openapi.values import ValueSchemas

HEADERS = {
    "webhook-id": "the same in every try: what has been taken with this id is not to be done again",
    "webhook-timestamp": "when it was sent, in seconds since 1970",
    "webhook-signature": "`v1,` and the HMAC-SHA256 of id, timestamp and body, in base64; one for each secret",
}


def webhooks(registry: Registry, values: ValueSchemas) -> Json:
    """Each event that some webhook is sent, with the message."""
    found: Json = {}
    for event, webhook in _declared(registry):
        if event not in found:  # several webhooks of one event are described once
            found[event] = {"post": _operation(registry, values, event, webhook)}
    return found


def _declared(registry: Registry) -> Iterator[tuple[str, Webhook]]:
    for event, subscribers in registry.declaration.subscribers.items():
        for it in subscribers:
            if it.webhook is not None:
                yield event, it.webhook


def _operation(registry: Registry, values: ValueSchemas, event: str, webhook: Webhook) -> Json:
    resource, _, word = event.rpartition(".")
    model = registry.model(resource)
    data: Json = {"resource": {"const": resource}, "key": {"type": "string", "description": "the row's key"}}
    if word in model.declared.events:
        fields = model.declared.events[Name(word)]
        named = {key: it for key, it in fields.items() if not webhook.fields or key in webhook.fields}
        data["data"] = _data(values, event, named)
    else:
        pair: Json = {"type": "array", "minItems": 2, "maxItems": 2, "description": "before and after"}
        data["changes"] = {"type": "object", "additionalProperties": pair}
    message = {
        "type": {"const": event},
        "timestamp": {"type": "string", "format": "date-time"},
        "data": _all(data),
    }
    return {
        "operationId": f"webhook{camel(event)}", "tags": [event.partition(".")[0]], "security": [],
        "summary": f"{model.spoken.capitalize()} {word.replace('_', ' ')}",
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": doc, "schema": {"type": "string"}}
            for name, doc in HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _all(message)}}},
        "responses": {
            "2XX": {"description": "The message has been taken."},
            "410": {"description": "No more of them: the webhook is disabled."},
            "default": {"description": "It is sent again later."},
        },
    }  # fmt: skip


def _data(values: ValueSchemas, event: str, fields: dict[Key, Field]) -> Json:
    node = Field(type="object", fields=fields)
    return values.of(node, Style.answered(STANDARD), f"{camel(event)}Data", nullable=False)


def _all(properties: dict[str, Any]) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}
