"""Sending events to webhooks as Standard Webhooks has it: signed, repeated under the same id, disabled when they keep failing.

Every try is a try of a job: its result, and the failures of its earlier tries, are the log of deliveries. What is told is
what everyone reads who sees the row, unless the declaration names the fields.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from host.compiler.models import Model
from host.declaration.nodes import Field, Name, Webhook
from host.errors import UpstreamError
from host.events.event import Event
from host.events.forms import json_text
from host.jobs.failures import JobRefused
from host.jobs.streaks import disable, note_failure, note_missed, note_success
from host.outbound import Outbound
from host.service.context import Context
from host.service.tasks import Task

PREFIX: Final = "whsec_"
SHORTEST_SECRET: Final = 24  # bytes, as the specification has it
LARGEST_ANSWER: Final = 1 << 16
GONE: Final = 410


def send(ctx: Context, task: Task, event: Event) -> dict[str, Any]:
    """Send an event; answers the status and how long it took. Raises UpstreamError where it was not taken."""
    assert task.subscriber is not None and task.subscriber.webhook is not None  # made of one
    webhook = task.subscriber.webhook
    settings = ctx.runtime.settings[task.plugin]
    if note_missed(ctx.runtime, task.name, event):
        return {"skipped": "the webhook is disabled"}
    if not settings[webhook.url]:
        return {"skipped": f"the setting {webhook.url} is empty"}
    body = payload(ctx.runtime.registry.models.get(event.resource), webhook, event)
    if body is None:
        return {"skipped": "nothing that is told has changed"}
    headers = signed(f"evt_{event.id}", int(time.time()), body, keys_of(settings[webhook.secret], webhook))
    return _sent(ctx, task, event, settings[webhook.url], headers, body)


def _sent(
    ctx: Context, task: Task, event: Event, url: str, headers: Mapping[str, str], body: bytes
) -> dict[str, Any]:  # fmt: skip
    begun, rules = time.monotonic(), ctx.runtime.events
    outbound = Outbound(
        rules.webhooks_private, float(rules.webhook_seconds), LARGEST_ANSWER, is_cut=True
    )  # a redirect is a failure: the declared address is the receiver's
    try:
        status = outbound.fetch("POST", url, headers=headers, body=body).status
    except UpstreamError as error:
        note_failure(ctx.runtime, task.name, event, None, error.detail)
        # Whoever has caused the event may see its job, and is not told where this webhook leads.
        raise UpstreamError(
            "the receiver cannot be reached; `hostwright events webhooks` says why"
        ) from error
    spent = round((time.monotonic() - begun) * 1000)
    if 200 <= status < 300:
        note_success(ctx.runtime, task.name)
        return {"status": status, "milliseconds": spent}
    said = f"the receiver answered {status} after {spent} ms"
    if status == GONE:
        disable(ctx.runtime, task.name, event, status, said)
        raise JobRefused("webhook_gone", f"{said}: it wants no more, and the webhook is disabled")
    note_failure(ctx.runtime, task.name, event, status, said)
    raise UpstreamError(said)


# --- what is told -----------------------------------------------------------------------------------------------------


def payload(model: Model | None, webhook: Webhook, event: Event) -> bytes | None:
    """The body; None where only what is not told has changed."""
    data: dict[str, Any] = {"resource": event.resource, "key": event.key}
    if event.data or not event.changes:
        data["data"] = {name: it for name, it in event.data.items() if _is_told(name, model, webhook, event)}
    else:
        changes = {name: it for name, it in event.changes.items() if _is_told(name, model, webhook, event)}
        if event.word == "updated" and not any(before != after for before, after in changes.values()):
            return None
        data["changes"] = changes
    return json_text({"type": event.name, "timestamp": event.at, "data": data}).encode()


def _is_told(name: str, model: Model | None, webhook: Webhook, event: Event) -> bool:
    """Named by the declaration, else read by everyone who sees the row."""
    if webhook.fields:
        return name in webhook.fields
    if model is None:
        return False
    if event.data:
        node: Any = model.declared.events.get(Name(event.word), {}).get(name)
    else:
        node = model.declared.relations.get(Name(name)) or model.attributes.get(name)
        node = getattr(node, "field", node)
    is_secret = isinstance(node, Field) and node.secret
    return node is not None and not node.read and not is_secret


# --- the signature ----------------------------------------------------------------------------------------------------


def keys_of(text: str, webhook: Webhook) -> list[bytes]:
    """The keys out of the setting, which may hold several. Raises JobRefused for what is no secret."""
    try:
        found = [base64.b64decode(part.removeprefix(PREFIX), validate=True) for part in text.split()]
    except (binascii.Error, ValueError):
        found = []
    if not found or any(len(key) < SHORTEST_SECRET for key in found):
        wanted = (
            f"{PREFIX} and {SHORTEST_SECRET} bytes or more in base64; `hostwright events secret` makes one"
        )
        raise JobRefused("webhook_secret", f"the setting {webhook.secret} has to be {wanted}")
    return found


def signed(number: str, at: int, body: bytes, keys: list[bytes]) -> dict[str, str]:
    """The headers of a message, with a signature by each key."""
    content = f"{number}.{at}.".encode() + body
    signatures = [base64.b64encode(hmac.new(key, content, sha256).digest()).decode() for key in keys]
    return {
        "webhook-id": number, "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{it}" for it in signatures), "Content-Type": "application/json",
    }  # fmt: skip
