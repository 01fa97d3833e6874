"""Carrying out one event of a device: the write that it stands for, under the same rules, and then the fold.

An event that is newer than all others of its row is that write and nothing else. One that belongs before others, or takes
one back, is checked as the write and added; the row then becomes what all of its events make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from marshmallow import ValidationError

from host.errors import NotFound
from host.fields.inputs import check_document
from host.service import writing
from host.service.context import Context
from host.service.log_appending import append_pending
from host.service.log_folding import events_of
from host.service.log_streams import Adding, Pending, head_of, logging_of
from host.service.logs import CompiledLogged, Kind, Subject
from host.service.references import check_references
from host.sync.checking import Checks
from host.sync.incoming import Incoming
from host.sync.points import SyncPoint
from host.sync.settling import Values
from host.sync.steps import Applying, Refused, gone, settle_told
from host.sync.undoing import undo


def apply(ctx: Context, point: SyncPoint, owner: Any, event: Incoming, checks: Checks) -> None:
    """Carry out one event. Raises Refused, or what the write raises; undo to a savepoint then.

    What the rules say of the rows that it writes may be asked only when `checks` are settled.
    """
    logged, kind = _named(point, event)
    subject = Subject(logged, owner, event.key)
    latest = ctx.now + timedelta(seconds=point.log.node.ahead)
    at = event.at if event.at <= latest else ctx.now
    data = point.types[logged.type].wire.renamed(event.data)
    if kind == "created":
        data = {**logged.absent(at), **data}
    pending = Pending(subject, Adding(event.id, kind, at, data, event.digest))
    applying = Applying(replace(ctx, moment=at), subject, event, pending, head_of(ctx, subject), checks)
    _forget(applying, kind)
    _check_there(applying, kind)
    _check_version(applying, kind)
    with _told(ctx, pending):
        _WAYS[kind](applying)


def _named(point: SyncPoint, event: Incoming) -> tuple[CompiledLogged, Kind]:
    logged = point.types.get(event.type) if isinstance(event.type, str) else None
    if logged is None:
        raise Refused("unknown_type", f"there is no type like that, only {', '.join(point.types)}")
    kind = point.log.kinds.get(event.word) if isinstance(event.word, str) else None
    if kind is None:
        raise Refused("unknown_event", f"there is no event like that, only {', '.join(point.log.kinds)}")
    if not isinstance(event.data, dict):
        raise Refused("invalid", "the data of an event are an object")
    try:
        check_document(event.data)
    except ValidationError as error:
        raise Refused("invalid", str(error.messages[0])) from None
    return logged, kind


@contextmanager
def _told(ctx: Context, pending: Pending) -> Iterator[None]:
    """The write in the block is told by this event."""
    state = logging_of(ctx.transaction)
    state.pending = pending
    try:
        yield
    finally:
        state.pending = None


def _check_there(it: Applying, kind: Kind) -> None:
    if kind == "created" and it.head.count:
        raise Refused("exists", f"there is such a {it.subject.logged.model.spoken} already")
    if kind != "created" and not it.head.count:
        raise Refused("not_found", f"there is no such {it.subject.logged.model.spoken}", may_follow=True)


def _check_version(it: Applying, kind: Kind) -> None:
    policy, said, next_one = it.subject.log.node.conflict, it.event.version, it.head.count + 1
    if policy == "last_writer" or kind in ("created", "undo") or said == next_one:
        return
    if said is None or said > next_one:
        raise Refused("version", f"the next version is {next_one}: say the one that the change makes")
    if policy == "merge_fields" and kind == "updated":
        since = sorted(events_of(it.ctx, it.subject), key=lambda one: one.sequence)[said - 1 :]
        known = it.subject.logged.outer.keys()
        others = {name for one in since for name in known & one.data.keys()}
        if all(one.kind == "updated" for one in since) and not others & it.event.data.keys():
            return
    raise Refused("changed", f"it was changed since, to version {it.head.count}")


def _forget(it: Applying, kind: Kind) -> None:
    """What was found out about the row, or about others that go with it, may be another thing now."""
    model, known = it.subject.logged.model, it.ctx.transaction.known
    if kind == "created" or known is None:
        return
    it.checks.before(model, it.subject.key, is_far=kind != "updated")
    if kind == "updated":
        known.pop(model.name, None)
    else:
        known.clear()


# --- each kind of event -----------------------------------------------------------------------------------------------


def _create(it: Applying) -> None:
    logged = it.subject.logged
    schemas = it.ctx.runtime.registry.schemas
    values = schemas.load(schemas.create(logged.wire), it.pending.adding.data)
    it.pending.natives = values
    writing.store(it.ctx, logged.model, {**values, logged.model.keys[0].name: it.subject.key})
    it.checks.add(logged.model, "create", it.subject.key, frozenset(values))


def _update(it: Applying) -> None:
    schemas, model = it.ctx.runtime.registry.schemas, it.subject.logged.model
    values = schemas.load(schemas.patch(it.subject.logged.wire), it.pending.adding.data)
    it.pending.natives = values
    try:
        if it.is_late:
            _update_late(it, values)
        else:
            given = writing.change(it.ctx, model, it.keys, values)
            it.checks.add(model, "update", it.subject.key, given)
    except NotFound:
        raise gone(it) from None
    if not it.pending.is_added:  # nothing was different, and yet it has happened
        append_pending(it.ctx, it.pending, {})
        settle_told(it)


def _update_late(it: Applying, values: Values) -> None:
    model = it.subject.logged.model
    before, _ = writing.locked(it.ctx, model, it.keys, "update")
    change = writing.prepared(it.ctx, writing.Change("update", model, dict(values), before))
    check_references(it.ctx, model, change.values, before)
    append_pending(it.ctx, it.pending, change.values)
    settle_told(it)
    writing.read_back(it.ctx, model, it.keys, "update", frozenset(values))


def _delete(it: Applying) -> None:
    try:
        writing.delete(it.ctx, it.subject.logged.model, it.keys)
    except NotFound:
        why = gone(it)
        if why.code != "deleted":
            raise why from None
        append_pending(it.ctx, it.pending, {})  # deleted by two devices: both have done it
        settle_told(it)


_WAYS: Mapping[Kind, Callable[[Applying], None]] = {
    "created": _create,
    "updated": _update,
    "deleted": _delete,
    "undo": undo,
}
