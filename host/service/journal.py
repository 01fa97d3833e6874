"""What happened, noted in the transaction in which it happens: the one point through which every write passes.

`writing`, `batches` and `cascade` call `created`, `updated` and `removed`; sign-ins, and what else concerns accounts, are noted
by `identity`. Entries wait in the unit of work and are stored with one statement before it commits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from host.compiler.models import ACCOUNT, Model
from host.events.event import NOTHING
from host.events.telling import Telling
from host.service.appending import Appender
from host.service.log_appending import log_created, log_removed, log_untold, log_updated
from host.service.outbox import Entry, Outbox, key_text
from host.service.watching import Changes, Watch
from host.settings import AuditSettings

if TYPE_CHECKING:
    from host.actor import Actor
    from host.service.context import Context

ENTRY: Final = "host.audit_entry"
SIGN_IN: Final = "sign_in"
MOST_FORGOTTEN: Final = 100  # old entries that a sign-in clears away
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an operation was asked for, and by whom, even where a plugin then acts on its own account."""

    address: str = ""
    agent: str = ""
    request_id: str = ""
    actor: Actor | None = None


NOWHERE: Final = Origin()


@dataclass(frozen=True, eq=False)
class Journal:
    """The audit log and the outbox of one app, as their writers see them."""

    settings: AuditSettings
    entries: Appender
    outbox: Outbox | None  # None where events are not kept, as in a measurement
    watches: Mapping[str, Watch]  # of the resources that are watched

    @classmethod
    def make(
        cls, settings: AuditSettings, entries: Appender, outbox: Outbox | None, models: Mapping[str, Model]
    ) -> Journal:
        """The journal of these models."""
        watched = models.values() if settings.notes == "all" else ()
        watches = {
            model.name: Watch.of(model, settings.longest) for model in watched if model.declared.audit.writes
        }
        return cls(settings, entries, outbox, watches)

    def is_watching(self, model: Model) -> bool:
        """Whether writes of this resource are noted."""
        is_logged = model.declared.logged is not None
        return is_logged or model.name in self.watches or self._telling(model) is not None

    # -- writes --

    def created(
        self, ctx: Context, model: Model, keys: tuple[Any, ...], stored: Values, links: Values, beside: Values = NOTHING
    ) -> None:  # fmt: skip
        """A row has been made; `beside` holds the transient values."""
        entry = log_created(ctx, model, keys, stored, beside) if model.declared.logged is not None else None
        watch, telling = self.watches.get(model.name), self._telling(model)
        if watch is None and telling is None:
            return
        changes: Changes = {name: [None, value] for name, value in stored.items() if value is not None}
        changes |= {name: [[], list(value or ())] for name, value in links.items()}
        if telling is not None and self.outbox is not None:
            told = telling.told(changes)
            noted = Entry(entry, {}) if entry is not None else None
            self.outbox.append(ctx, model, telling.names["created"], keys, told, entry=noted)
        if watch is not None:
            self._write(ctx, model, "create", keys, changes, watch)

    def updated(
        self, ctx: Context, model: Model, keys: tuple[Any, ...], before: Values, stored: Values, links: Values,
        beside: Values = NOTHING,
    ) -> None:  # fmt: skip
        """Fields of a row have been changed; `links` holds what was linked before and is now."""
        entry = log_updated(ctx, model, keys, before, stored, beside) if model.declared.logged else None
        watch, telling = self.watches.get(model.name), self._telling(model)
        if watch is None and telling is None:
            return
        changes: Changes = {name: [before.get(name), value] for name, value in stored.items()}
        changes |= {name: list(pair) for name, pair in links.items() if set(pair[0]) != set(pair[1])}
        if telling is not None and self.outbox is not None and changes:
            told = telling.told(changes, before)
            noted = Entry(entry, log_untold(ctx, told, changes)) if entry is not None else None
            self.outbox.append(ctx, model, telling.names["updated"], keys, told, entry=noted)
        if watch is not None:
            self._write(ctx, model, "update", keys, changes, watch)

    def removed(
        self, ctx: Context, model: Model, keys: tuple[Any, ...], before: Values, beside: Values = NOTHING
    ) -> None:
        """A row has gone, or is marked so."""
        entry = log_removed(ctx, model, keys, before, beside) if model.declared.logged is not None else None
        watch, telling = self.watches.get(model.name), self._telling(model)
        if watch is None and telling is None:
            return
        stored = model.attributes
        changes: Changes = {
            name: [value, None]
            for name, value in before.items()
            if value is not None and name in stored and stored[name].is_stored
        }
        if telling is not None and self.outbox is not None:
            told = telling.told(changes)
            noted = Entry(entry, told) if entry is not None else None
            self.outbox.append(ctx, model, telling.names["deleted"], keys, told, entry=noted)
        if watch is not None:
            self._write(ctx, model, "delete", keys, changes, watch)

    def _telling(self, model: Model) -> Telling | None:
        return self.outbox.telling(model) if self.outbox is not None else None

    # -- what concerns accounts --

    def identity(self, ctx: Context, operation: str, account: str | None, **known: Any) -> None:
        """A sign-in, or anything else that happened to an account; `known` are further columns of the entry."""
        if self.settings.notes != "off":
            entry = self.entry(ctx, "identity", operation, resource=ACCOUNT, key=account, **known)
            if entry["actor"] is None and ctx.origin.request_id:  # a command is nobody
                entry["actor"] = account
            ctx.transaction.note(entry, self.entries.add)
            if operation == SIGN_IN:
                self.forget(ctx, ctx.now - timedelta(days=self.settings.days), MOST_FORGOTTEN)

    def entry(self, ctx: Context, kind: str, operation: str, **known: Any) -> dict[str, Any]:
        """The columns of an entry, of which the context knows who and from where."""
        origin, actor = ctx.origin, ctx.actor
        asked = origin.actor if actor.is_system and origin.actor is not None else actor
        return {
            "at": ctx.now, "kind": kind, "operation": operation, "resource": None, "key": None, "actor": asked.id,
            "system": actor.is_system, "api_key": asked.api_key, "session": asked.session, "address": origin.address or None,
            "agent": origin.agent or None, "request_id": ctx.request_id or origin.request_id or None, "status": None,
            "count": 1, "changes": None, **known,
        }  # fmt: skip

    def forget(self, ctx: Context, before: datetime, most: int) -> int:
        """Remove so many of the entries that are older; how many there were."""
        columns = self.entries.table.c
        old = sa.select(columns.id).where(columns.at < before).order_by(columns.at).limit(most)
        return int(ctx.execute(self.entries.table.delete().where(columns.id.in_(old))).rowcount)

    def add(self, ctx: Context, entry: dict[str, Any]) -> int:
        """Add one entry at once, and answer its number."""
        added = self.entries.table.insert().values(entry).returning(self.entries.table.c.id)
        return int(ctx.execute(added).scalar_one())

    def set_count(self, ctx: Context, entry: int, count: int) -> None:
        """How often a refusal was repeated."""
        ctx.execute(self.entries.table.update().where(self.entries.table.c.id == entry).values(count=count))

    def _write(
        self, ctx: Context, model: Model, operation: str, keys: tuple[Any, ...], changes: Changes, watch: Watch
    ) -> None:  # fmt: skip
        wanted = watch.wanted(changes)
        if operation == "update" and not wanted:
            return
        known = {"resource": model.name, "key": key_text(keys), "changes": watch.text(wanted)}
        ctx.transaction.note(self.entry(ctx, "write", operation, **known), self.entries.add)
