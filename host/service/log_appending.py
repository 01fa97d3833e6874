"""Adding events to a log, in the transaction of what they tell of, with times that strictly grow for each owner.

`writing` and `cascade` open a row before they write it (`opened`), so that its stream is held before the row is, and the
stamps of the row and the time of the event are the same; `journal` then adds the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import sqlalchemy as sa

from host.compiler.models import ACCOUNT, Model
from host.errors import Conflict
from host.service.keys import new_key
from host.service.log_folding import forget_after, keep_if_due
from host.service.log_streams import Adding, Head, Pending, head_of, logging_of, taken
from host.service.log_waiting import wait
from host.service.logs import CAUSE, Kind, Subject, Values

if TYPE_CHECKING:
    from host.service.context import Context

# --- opening ----------------------------------------------------------------------------------------------------------


def opened(ctx: Context, model: Model, owner: Any, key: Any) -> Context:
    """The context in which a row of a logged resource is written: its stream is held, its time is that of the event."""
    state = logging_of(ctx.transaction)
    if owner is None or is_erasing(ctx) or (state.pending is not None and state.pending.is_about(model, key)):
        return ctx
    logged = ctx.runtime.logs.logged[model.name]
    moment, head = taken(ctx, logged.log, owner), head_of(ctx, Subject(logged, owner, key))
    return replace(ctx, moment=max(moment, head.at) if head.at is not None else moment)


def opened_new(ctx: Context, model: Model, values: Mapping[str, Any]) -> tuple[Context, Values]:
    """The same for a new row; its values get owner and key now, which its event will name."""
    mixin, key = model.declared.mixins.owned, model.keys[0].name
    assert mixin is not None and isinstance(model.declared.key, str)
    whole = {key: new_key(model.declared.key), mixin.name: ctx.actor.key(mixin.by), **values}
    return opened(ctx, model, whole[mixin.name], whole[key]), whole


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
