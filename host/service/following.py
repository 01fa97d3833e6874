"""Reading the outbox: one event by its number, or what comes behind a position.

Whoever follows the outbox follows positions, which the relay gives after the commit. Behind a number, `id`, a transaction
that commits late would be missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from host.compiler.models import Model
from host.compiler.registry import Registry
from host.declaration.nodes import Name
from host.events.event import NOTHING, Event
from host.events.forms import native_changes, natives, natives_of
from host.service.context import Context
from host.service.log_changes import changes_of_entry
from host.service.outbox import EVENT

MOST = 1000
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Form:
    """How the events of one name become Python's own values."""

    model: Model
    changes: Mapping[str, Any]
    data: Mapping[str, Any]


def event_by_id(ctx: Context, number: int) -> Event | None:
    """The event with this number, or None when it has been removed."""
    row = ctx.as_system().records(EVENT).find(number)
    return event_of(ctx, row) if row is not None else None


def events_behind(ctx: Context, position: int, most: int = MOST) -> list[Event]:
    """The events behind a position, in the order in which their transactions became visible."""
    table = ctx.table(EVENT)
    found = ctx.as_system().records(EVENT).find_all(table.c.position > position, sort="position", limit=most)
    return [event_of(ctx, row) for row in found]


def event_of(ctx: Context, row: Row) -> Event:
    """A stored event as subscribers get it. What nobody declares any more stays as it was stored."""
    form = _form(ctx, row["name"], row["resource"])
    data = row["data"] or NOTHING
    if form is not None and data:
        data = {name: form.data[name](it) if name in form.data else it for name, it in data.items()}
    return Event(
        row["name"], row["resource"], _keys(ctx.runtime.registry, form, row["key"]), row["at"], row["key"], row["actor"],
        row["request_id"], row["trace"], _changes(ctx, form, row), data, row["entry"], row["id"], row["position"],
    )  # fmt: skip


def _changes(ctx: Context, form: _Form | None, row: Row) -> Mapping[str, Any]:
    """What has changed, and what else was told; where a log has the changes, out of the log."""
    changes: Mapping[str, Any] = row["changes"] or NOTHING
    if form is None:
        return changes
    stored = native_changes(changes, form.changes) if changes else changes
    if row["entry"] is None or row["name"].endswith(".deleted"):
        return stored
    return {**changes_of_entry(ctx, form.model, row["entry"]), **stored}


def _form(ctx: Context, name: str, resource: str) -> _Form | None:
    registry = ctx.runtime.registry
    model = registry.models.get(resource)
    if model is None:
        return None

    def make() -> _Form:
        fields = model.declared.events.get(Name(name.rpartition(".")[2]), {})
        return _Form(model, natives_of(model, registry.kinds), natives(fields, registry.kinds))

    return ctx.runtime.plans.kept(("event", name), model, make)


def _keys(registry: Registry, form: _Form | None, text: str) -> tuple[Any, ...]:
    if form is None:
        return (text,)
    keys = form.model.keys
    parts = text.split("/") if len(keys) > 1 else [text]
    try:
        return tuple(
            registry.kinds[key.field.type].parse(part, key.field)
            for key, part in zip(keys, parts, strict=True)
        )
    except ValueError:  # the key has another form by now
        return (text,)
