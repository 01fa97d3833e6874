"""Jobs that carry an event to a subscriber: a function of a plugin, or a webhook. `running` calls `deliver`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from host.events.event import Event
from host.jobs.failures import JobRefused
from host.jobs.webhooks import send
from host.service.context import Context
from host.service.following import event_by_id
from host.service.tasks import Task


def deliver(ctx: Context, task: Task, data: Mapping[str, Any]) -> Any:
    """Hand the event to the subscriber, once more if need be; what a webhook answered is the result."""
    event = _event(ctx, int(data["event"]))
    if task.call is None:
        return send(ctx, task, event)
    ctx.runtime.calls[task.call](ctx, event)
    return None


def _event(ctx: Context, number: int) -> Event:
    if ctx.work is None:
        with ctx.reading() as short:
            found = event_by_id(short, number)
    else:
        found = event_by_id(ctx, number)
    if found is None:
        raise JobRefused("event_gone", f"event {number} has been removed since; see HOSTWRIGHT_EVENT_DAYS")
    return found
