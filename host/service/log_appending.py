"""Adding events to a log, in the transaction of what they tell of, with times that strictly grow for each owner.

The first event of an owner in a transaction locks that owner's stream until the end: whoever reads up to an event has
read everything before it. `writing` and `cascade` open a row before they write it (`opened`), so that the stamps of
the row and the time of the event are the same; `journal` then adds the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import sqlalchemy as sa

from host.compiler.models import ACCOUNT, Model
from host.errors import Conflict
from host.service.log_folding import forget_after, keep_if_due, read_time
from host.service.log_waiting import store_events, store_waiting, wait
from host.service.logs import CAUSE, CompiledLog, Kind, Subject, Values, of_row

if TYPE_CHECKING:
    from host.service.context import Context
    from host.unit_of_work import UnitOfWork

STREAM: Final = "host.stream"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
RESERVED: Final = 1000  # times that a transaction takes at once


@dataclass
class Head:
    """The events of a row so far: how many, and the latest time that a device gave one."""

    count: int
    at: datetime | None


@dataclass
class Stream:
    """The times that this transaction may give to events, in microseconds since 1970."""

    next: int
    end: int
    depth: int  # savepoints that were open when it was locked


@dataclass(frozen=True, slots=True)
class Adding:
    """An event that is to be added. `digest` tells one that a device made from others."""

    id: str
    kind: Kind
    at: datetime
    data: Values
    digest: str | None = None


@dataclass
class Pending:
    """An event that a device made, while the write that it stands for is carried out."""

    subject: Subject
    adding: Adding
    natives: Values = field(default_factory=dict)  # what of its data is stored
    is_added: bool = False

    def is_about(self, model: Model, key: Any) -> bool:
        """Whether it stands for a write of this row."""
        return self.subject.logged.model is model and self.subject.key == key


@dataclass
class Logging:
    """What one unit of work knows of logs."""

    streams: dict[tuple[str, Any], Stream] = field(default_factory=dict)
    heads: dict[Subject, Head] = field(default_factory=dict)
    removing: list[str] = field(default_factory=list)  # ids of the events of rows that are being removed
    pending: Pending | None = None
    undone: int = 0  # savepoints that had been rolled back when this was known
    store: Any = None  # what writes the events that wait


def logging_of(work: UnitOfWork) -> Logging:
    """What the unit of work knows; what was found out in a savepoint that was rolled back is forgotten."""
    found: Logging | None = work.logging
    if found is None:
        found = work.logging = Logging(store=store_events)
    if found.undone != work.undone:
        found.undone = work.undone
        found.heads.clear()
        found.removing.clear()
        found.streams = {key: it for key, it in found.streams.items() if not it.depth}
    return found


# --- opening ----------------------------------------------------------------------------------------------------------


def opened(ctx: Context, model: Model, owner: Any, key: Any) -> Context:
    """The context in which a row of a logged resource is written: its stream is held, its time is that of the event."""
    state = logging_of(ctx.transaction)
    if owner is None or is_erasing(ctx) or (state.pending is not None and state.pending.is_about(model, key)):
        return ctx
    logged = ctx.runtime.logs.logged[model.name]
    moment, head = taken(ctx, logged.log, owner), head_of(ctx, Subject(logged, owner, key))
    return replace(ctx, moment=max(moment, head.at) if head.at is not None else moment)


def opened_row(ctx: Context, model: Model, keys: tuple[Any, ...]) -> Context:
    """The same for a row that is there; its owner is looked up."""
    state = logging_of(ctx.transaction)
    if state.pending is not None and state.pending.is_about(model, keys[0]):
        return ctx
    owner, key = model.owner, model.keys[0].column
    assert owner is not None and owner.column is not None and key is not None
    statement = ctx.runtime.plans.statement(
        (model, "owner of"),
        lambda: sa.select(owner.column).where(key == sa.bindparam("key_0", type_=key.type)),  # type: ignore[arg-type]
    )
    ctx.transaction.flush()
    found = statement.run(ctx.transaction.driver, {"key_0": keys[0]}).fetchone()
    return ctx if found is None else opened(ctx, model, found[0], keys[0])


def opened_removal(ctx: Context, model: Model, keys: tuple[Any, ...], before: Mapping[str, Any]) -> Context:
    """The same for a row that is about to be removed; the events of what goes with it will name that of this one."""
    if is_erasing(ctx):
        return ctx
    state = logging_of(ctx.transaction)
    pending, is_cause = state.pending, not state.removing
    is_pending = pending is not None and pending.is_about(model, keys[0])
    state.removing.append(pending.adding.id if pending is not None and is_pending else str(uuid4()))
    is_open = is_cause and ctx.moment is not None  # by `delete`, a moment ago
    return ctx if is_open else opened(replace(ctx, moment=None), model, before[_owner(model)], keys[0])


def is_erasing(ctx: Context) -> bool:
    """Whether an account is being removed, whose streams go with it."""
    return any(row[0] == ACCOUNT for row in ctx.transaction.removing)


def taken(ctx: Context, log: CompiledLog, owner: Any, reserve: int = RESERVED) -> datetime:
    """The next time of the owner's stream, which is held from now on."""
    state, key = logging_of(ctx.transaction), (log.name, owner)
    stream = state.streams.get(key)
    if stream is None or stream.next >= stream.end:
        stream = state.streams[key] = _locked(ctx, log, owner, reserve, stream)
    stream.next += 1
    return EPOCH + (stream.next - 1) * MICROSECOND


def _locked(ctx: Context, log: CompiledLog, owner: Any, reserve: int, before: Stream | None) -> Stream:
    statement = ctx.runtime.plans.statement((log.model, "stream"), lambda: _locking(ctx))
    given = {"log": log.name, "owner": str(owner), "reserve": reserve, "now": 0}
    work = ctx.transaction
    work.flush()
    given["now"] = (datetime.now(UTC) - EPOCH) // MICROSECOND
    end = statement.run(work.driver, given).fetchone()[0]
    depth = work.depth if before is None else before.depth
    return Stream(end - reserve, end, depth)


def _locking(ctx: Context) -> Any:
    """One statement makes the row, locks it, and takes times from it: never earlier than now, never one twice."""
    table = ctx.runtime.registry.model(STREAM).table
    now, reserve = sa.bindparam("now", type_=sa.BigInteger()), sa.bindparam("reserve", type_=sa.BigInteger())
    if ctx.runtime.database.dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
    values = {"log": sa.bindparam("log", type_=sa.Text()), "owner": sa.bindparam("owner", type_=sa.Text())}
    adding = insert(table).values(**values, next=now + reserve)
    later = sa.case((table.c.next > now, table.c.next), else_=now) + reserve
    return adding.on_conflict_do_update(
        index_elements=[table.c.log, table.c.owner], set_={"next": later}
    ).returning(table.c.next)


# --- heads ------------------------------------------------------------------------------------------------------------


def head_of(ctx: Context, subject: Subject) -> Head:
    """The events of a row so far."""
    heads, log = logging_of(ctx.transaction).heads, subject.log
    head = heads.get(subject)
    if head is None:
        statement = ctx.runtime.plans.statement((log.model, "head"), lambda: _heading(log))
        store_waiting(ctx)
        count, at = statement.run(ctx.transaction.driver, subject.given()).fetchone()
        head = heads[subject] = Head(count, read_time(ctx, log, at) if at is not None else None)
    return head


def _heading(log: CompiledLog) -> Any:
    return sa.select(sa.func.count(), sa.func.max(log.column("at"))).where(*of_row(log))


# --- what the journal adds --------------------------------------------------------------------------------------------


def log_created(
    ctx: Context, model: Model, keys: tuple[Any, ...], stored: Mapping[str, Any], beside: Mapping[str, Any]
) -> str | None:
    """The event of a row that has been made; its id."""
    subject = _subject(ctx, model, keys, stored)
    defaults = ctx.runtime.plans.defaults(model)
    values = {name: value for name, value in stored.items() if value is not None or name in defaults}
    return _tell(ctx, subject, "created", values, subject.logged.told_beside(beside))


def log_updated(
    ctx: Context, model: Model, keys: tuple[Any, ...], before: Mapping[str, Any], stored: Mapping[str, Any],
    beside: Mapping[str, Any],
) -> str | None:  # fmt: skip
    """The event of a row that has been changed."""
    subject = _subject(ctx, model, keys, before)
    if stored.get(_owner(model), subject.owner) != subject.owner:
        raise Conflict(f"a {model.spoken} stays with its owner: its events are in that owner's log")
    previous = subject.logged.told({name: before.get(name) for name in stored})
    name = subject.log.node.previous
    noted = {**subject.logged.told_beside(beside), **({name: previous} if name and previous else {})}
    return _tell(ctx, subject, "updated", stored, noted)


def log_removed(
    ctx: Context, model: Model, keys: tuple[Any, ...], before: Mapping[str, Any], beside: Mapping[str, Any]
) -> str | None:
    """The event of a row that has been deleted; where another one's deletion was the cause, it says so."""
    subject, state = _subject(ctx, model, keys, before), logging_of(ctx.transaction)
    own = state.removing.pop() if state.removing else str(uuid4())
    cause = {CAUSE: state.removing[0]} if state.removing else {}
    return _tell(ctx, subject, "deleted", {}, {**subject.logged.told_beside(beside), **cause}, own)


def log_untold(ctx: Context, told: Mapping[str, Any], changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """What of an update its event does not tell: all that an event of a device has changed, and what else rules read."""
    if logging_of(ctx.transaction).pending is not None:
        return told
    return {name: pair for name, pair in told.items() if name not in changes}


def _subject(ctx: Context, model: Model, keys: tuple[Any, ...], row: Mapping[str, Any]) -> Subject:
    return Subject(ctx.runtime.logs.logged[model.name], row[_owner(model)], keys[0])


def _tell(
    ctx: Context, subject: Subject, kind: Kind, values: Mapping[str, Any], noted: Mapping[str, Any], own: str = ""
) -> str | None:  # fmt: skip
    if is_erasing(ctx):
        return None
    pending = logging_of(ctx.transaction).pending
    if pending is not None and pending.is_about(subject.logged.model, subject.key):
        if not pending.is_added:
            append_pending(ctx, pending, values)
        return pending.adding.id
    data = {**subject.logged.told(values), **noted, **_notes(ctx, subject)}
    adding = Adding(own or str(uuid4()), kind, ctx.stamp, data)
    append(ctx, subject, adding)
    return adding.id


def _notes(ctx: Context, subject: Subject) -> Values:
    """What the plugin's code has to add, which works on its own account."""
    model = subject.logged.model
    node = model.declared.logged
    if node is None or node.notes is None:
        return {}
    call = ctx.runtime.calls[f"{model.plugin}:{node.notes}"]
    ctx.transaction.flush()
    noted: Values = call(ctx.as_system().within(model.plugin), {"owner": subject.owner, "id": subject.key})
    return {name: value for name, value in noted.items() if name not in subject.logged.outer}


def append_pending(ctx: Context, pending: Pending, values: Mapping[str, Any]) -> None:
    """Add the event of a device: its data, and what the host has completed them by."""
    missing = object()
    completed = {name: it for name, it in values.items() if pending.natives.get(name, missing) != it}
    adding = pending.adding
    if completed:
        adding = replace(adding, data={**adding.data, **pending.subject.logged.told(completed)})
    pending.is_added = True
    append(ctx, pending.subject, adding)


def append(ctx: Context, subject: Subject, adding: Adding) -> None:
    """Add one event. It waits with others to be stored; see `log_waiting`."""
    log, head = subject.log, head_of(ctx, subject)
    row = {**ctx.runtime.plans.defaults(log.model), **_row(ctx, subject, adding, head)}
    wait(ctx, log, row)
    is_late = log.is_by_time and head.at is not None and adding.at < head.at
    head.count += 1
    head.at = adding.at if head.at is None or adding.at > head.at else head.at
    if is_late:
        forget_after(ctx, subject, adding.at)
    elif adding.kind != "undo":
        keep_if_due(ctx, subject, head.count)


def _row(ctx: Context, subject: Subject, adding: Adding, head: Head) -> Values:
    log = subject.log
    node = log.node
    row = {
        log.owner.name: subject.owner, node.id: adding.id, node.type: subject.logged.type, node.key: subject.key,
        node.event: getattr(node.words, adding.kind), node.data: adding.data, node.at: adding.at,
        node.received: taken(ctx, log, subject.owner), node.digest: adding.digest,
    }  # fmt: skip
    return row if node.version is None else {**row, node.version: head.count + 1}


def _owner(model: Model) -> str:
    assert model.owner is not None
    return model.owner.name
