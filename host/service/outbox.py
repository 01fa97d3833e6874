"""The outbox: events are noted in the transaction of what they tell of, and stored with it before it commits.

`journal` appends the events of writes, `ctx.emit` those that a plugin declares. Subscribers in the transaction are called
here at once; for those after the commit, jobs are stored together with the event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from host.compiler.models import Model
from host.compiler.registry import Registry
from host.declaration.background import has_events
from host.declaration.nodes import Field
from host.declaration.problems import did_you_mean
from host.errors import Invalid
from host.events.event import Event
from host.events.forms import json_text, plain
from host.events.reading import Fields, fields_of_rules
from host.events.telling import Changes, Telling
from host.service.appending import Appender
from host.service.jobs import job_values, store_jobs
from host.service.subscriptions import NOBODY, Subscriptions
from host.service.tasks import Task
from host.tracing import traceparent

if TYPE_CHECKING:
    from host.service.context import Context

EVENT: Final = "host.event"
LONGEST_KEY: Final = 255
DEEPEST: Final = 16  # subscribers that call each other by what they write


@dataclass(frozen=True, slots=True)
class Noted:
    """An event that waits to be stored, and what is to be stored with it."""

    ctx: Context
    columns: dict[str, Any]
    jobs: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """The row of a log that tells of a write, and what of the changes it does not tell."""

    id: str
    changes: Changes


@dataclass(frozen=True, eq=False)
class Outbox:
    """The outbox of one app."""

    registry: Registry
    appender: Appender
    subscriptions: Mapping[str, Subscriptions]  # by the name of the event
    _tellings: dict[str, Telling | None] = field(default_factory=dict)

    def telling(self, model: Model) -> Telling | None:
        """What the events of a model tell; None for one that has no events."""
        try:
            return self._tellings[model.name]
        except KeyError:
            ruled = self._ruled.get(model.name, frozenset())
            found = Telling.of(model, ruled) if has_events(model.name, model.declared) else None
            return self._tellings.setdefault(model.name, found)

    @cached_property
    def _ruled(self) -> Fields:
        """What rules read; all of them are looked through when the first event is noted."""
        return fields_of_rules(self.registry.declaration)

    def append(
        self, ctx: Context, model: Model, name: str, keys: tuple[Any, ...], changes: Changes, data: Any = None,
        entry: Entry | None = None,
    ) -> None:  # fmt: skip
        """Note an event. `changes` are what it tells; `data` is of a declared one, in Python's own values.

        Where the resource has a log of its own, `entry` is its row there, and what that tells is not stored twice.
        """
        origin, actor = ctx.origin, ctx.actor
        asked = origin.actor if actor.is_system and origin.actor is not None else actor
        kept = changes if entry is None else entry.changes
        columns: dict[str, Any] = {
            "position": None, "name": name, "resource": model.name, "key": key_text(keys), "actor": asked.id,
            "request_id": ctx.request_id or origin.request_id or None, "trace": traceparent(), "at": ctx.now,
            "changes": json_text(kept) if kept else None, "data": json_text(data) if data else None,
            "entry": entry.id if entry is not None else None,
        }  # fmt: skip
        found = self.subscriptions.get(name, NOBODY)
        jobs = tuple(delivery(ctx, task, model.name, columns["key"], 0) for task in found.later)
        ctx.transaction.note(Noted(ctx, columns, jobs), self.store)
        if jobs:
            ctx.transaction.after_commit_once(ctx.runtime.waker.wake)
        if found.inside:
            event = Event(
                name, model.name, keys, ctx.now, columns["key"], asked.id, columns["request_id"], columns["trace"],
                changes, data or {},
            )  # fmt: skip
            _call(ctx, found, event)

    def emit(self, ctx: Context, name: str, row: Any, data: Mapping[str, Any] | None) -> None:
        """Note an event that a resource declares, if its data are as declared."""
        model, word = self._declared(ctx, name)
        fields = Field(type="object", fields=model.declared.events[word])
        qualified = f"{model.name}.{word}"
        schemas = self.registry.schemas
        try:
            loaded = schemas.load(schemas.value(f"event {qualified}", fields), plain(dict(data or {})))
        except Invalid as error:
            wrong = "; ".join(f"{it.pointer}: {it.detail}" for it in error.errors) or error.detail
            raise ValueError(f"the data of {qualified} are not as declared: {wrong}") from error
        self.append(ctx, model, qualified, _keys(model, row), {}, loaded)

    def _declared(self, ctx: Context, name: str) -> tuple[Model, str]:
        """The resource and the word of an event: `sent` is told as `invoice.sent` or `freelance.invoice.sent`."""
        resource, _, word = name.rpartition(".")
        qualified = resource if "." in resource else f"{ctx.plugin}.{resource}"
        model = self.registry.models.get(qualified)
        known = [f"{it.noun}.{key}" for it in self.registry.models.values() for key in it.declared.events]
        if model is None or word not in model.declared.events:
            raise LookupError(f'there is no event "{name}"{did_you_mean(name, known)}')
        if model.plugin != ctx.plugin:
            raise LookupError(f"{model.name}.{word} is an event of {model.plugin}, which alone emits it")
        return model, word

    def store(self, driver: Any, noted: list[Noted]) -> None:
        """Add what was noted, in order; events that somebody waits for get their numbers first."""
        rows = [it.columns for it in noted]
        if not any(it.jobs for it in noted):
            self.appender.add(driver, rows)
            return
        numbers = self.appender.add_numbered(driver, rows)
        jobs = [_numbered(job, number) for it, number in zip(noted, numbers, strict=True) for job in it.jobs]
        store_jobs(noted[0].ctx, jobs)


def delivery(ctx: Context, task: Task, resource: str, key: str, number: int) -> dict[str, Any]:
    """A job that carries an event to a subscriber: those about one row run in the order of the events."""
    about = sha256(f"{task.name}\0{resource}\0{key}".encode()).hexdigest()
    return _numbered(job_values(ctx, task, None, order_key=about), number)


def _numbered(job: dict[str, Any], number: int) -> dict[str, Any]:
    return {**job, "data": {"event": number}, "order_number": number}


# --- subscribers in the transaction -----------------------------------------------------------------------------------


def _call(ctx: Context, found: Subscriptions, event: Event) -> None:
    """Call the subscribers without rules: what they keep follows from what was allowed."""
    with _deeper(ctx, event):
        for it in found.inside:
            ctx.runtime.calls[it.call](replace(ctx.as_system(), plugin=it.plugin, under=()), event)


@contextmanager
def _deeper(ctx: Context, event: Event) -> Iterator[None]:
    telling = ctx.transaction.telling
    if len(telling) >= DEEPEST:
        raise RecursionError(
            f"subscribers in the transaction call each other without end: {' > '.join([*telling[-4:], event.name])}"
        )
    telling.append(event.name)
    try:
        yield
    finally:
        telling.pop()


# --- keys -------------------------------------------------------------------------------------------------------------


def key_text(keys: tuple[Any, ...]) -> str:
    """A row's key as its path has it."""
    return (str(keys[0]) if len(keys) == 1 else "/".join(map(str, keys)))[:LONGEST_KEY]


def _keys(model: Model, row: Any) -> tuple[Any, ...]:
    if isinstance(row, Mapping):
        return tuple(row[key.name] for key in model.keys)
    return row if isinstance(row, tuple) else (row,)
