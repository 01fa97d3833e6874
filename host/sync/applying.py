"""Carrying out one event of a device: the write that it stands for, under the same rules, and then the fold.

An event that is newer than all others of its row is that write and nothing else. One that belongs before others, or takes
one back, is checked as the write and added; the row then becomes what all of its events make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import sqlalchemy as sa
from marshmallow import ValidationError

from host.errors import NotFound
from host.fields.inputs import check_document
from host.service import writing
from host.service.context import Context
from host.service.log_appending import (
    Adding,
    Head,
    Pending,
    append,
    append_pending,
    head_of,
    logging_of,
    opened,
)
from host.service.log_folding import Happened, events_of, forget_since, happened, keep, selected
from host.service.logs import CAUSE, CompiledLog, CompiledLogged, Kind, Subject
from host.service.references import check_references
from host.sync.checking import Checks
from host.sync.incoming import Incoming
from host.sync.points import SyncPoint
from host.sync.settling import Values, settle, stored_row

CAUSED_WITHIN: Final = 100_000  # keys of the log that others may have taken between two of one transaction


class Refused(Exception):
    """An event that does not get into the log. `may_follow` says that another event could make it acceptable."""

    def __init__(self, code: str, detail: str, *, may_follow: bool = False) -> None:
        super().__init__(detail)
        self.code, self.detail, self.may_follow = code, detail, may_follow


@dataclass(frozen=True)
class Applying:
    """One event on its way into the log. `ctx` has its time; rules go by the host's."""

    ctx: Context
    subject: Subject
    event: Incoming
    pending: Pending
    head: Head
    checks: Checks

    @property
    def keys(self) -> tuple[str]:
        """The row's key."""
        return (self.subject.key,)

    @property
    def is_late(self) -> bool:
        """Whether it belongs before an event that is there."""
        return (
            self.subject.log.is_by_time and self.head.at is not None and self.pending.adding.at < self.head.at
        )


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
    known -= {place for place in known if kind != "updated" or place[0] == model.name}


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
        raise _gone(it) from None
    if not it.pending.is_added:  # nothing was different, and yet it has happened
        append_pending(it.ctx, it.pending, {})
        _settle(it)


def _update_late(it: Applying, values: Values) -> None:
    model = it.subject.logged.model
    before, _ = writing.locked(it.ctx, model, it.keys, "update")
    change = writing.prepared(it.ctx, writing.Change("update", model, dict(values), before))
    check_references(it.ctx, model, change.values, before)
    append_pending(it.ctx, it.pending, change.values)
    _settle(it)
    writing.read_back(it.ctx, model, it.keys, "update", frozenset(values))


def _delete(it: Applying) -> None:
    try:
        writing.delete(it.ctx, it.subject.logged.model, it.keys)
    except NotFound:
        gone = _gone(it)
        if gone.code != "deleted":
            raise gone from None
        append_pending(it.ctx, it.pending, {})  # deleted by two devices: both have done it
        _settle(it)


def _undo(it: Applying) -> None:
    target = _target(it)
    _check_target(it, target)
    forget_since(it.ctx, it.subject, target.sequence)
    {"created": _undo_creation, "updated": _undo_update, "deleted": _undo_deletion}[target.kind](it, target)
    keep(it.ctx, it.subject)


def _undo_creation(it: Applying, _: Happened) -> None:
    try:
        writing.delete(it.ctx, it.subject.logged.model, it.keys)
    except NotFound:
        raise _gone(it) from None


def _undo_update(it: Applying, target: Happened) -> None:
    model = it.subject.logged.model
    try:
        writing.locked(it.ctx, model, it.keys, "update")
    except NotFound:
        raise _gone(it) from None
    append_pending(it.ctx, it.pending, {})
    _settle(it)
    known = it.subject.logged.outer
    names = frozenset(known[name].name for name in target.data if name in known)
    writing.read_back(it.ctx, model, it.keys, "update", names)


def _undo_deletion(it: Applying, target: Happened) -> None:
    append_pending(it.ctx, it.pending, {})
    _revive(it.ctx, it.subject, it.pending.adding)
    for subject, caused in _caused(it, target):
        ctx = opened(replace(it.ctx, moment=None), subject.logged.model, subject.owner, subject.key)
        undo = subject.log.node.undo
        assert undo is not None
        forget_since(ctx, subject, caused.sequence)
        adding = Adding(str(uuid4()), "undo", ctx.stamp, {undo.of: caused.id})
        append(ctx, subject, adding)
        _revive(ctx, subject, adding)


def _revive(ctx: Context, subject: Subject, adding: Adding) -> None:
    """Bring a row back by an event, if nothing else has deleted it, under the rule of making one."""
    model = subject.logged.model
    _, after = settle(ctx, subject)
    if after is None or (model.deleted is not None and after[model.deleted.name] is not None):
        return
    check_references(ctx, model, after)
    logging = logging_of(ctx.transaction)
    pending, logging.pending = logging.pending, Pending(subject, adding, is_added=True)
    try:
        ctx.runtime.journal.created(ctx, model, (subject.key,), after, {})
    finally:
        logging.pending = pending
    writing.read_back(ctx, model, (subject.key,), "create", frozenset())


_WAYS: Mapping[Kind, Callable[[Applying], None]] = {
    "created": _create,
    "updated": _update,
    "deleted": _delete,
    "undo": _undo,
}


# --- shared -----------------------------------------------------------------------------------------------------------


def _settle(it: Applying) -> None:
    """Make the row what its events say, and tell the journal what has changed by that."""
    model = it.subject.logged.model
    before, after = settle(it.ctx, it.subject)
    if before is None or after is None:
        return
    told = it.subject.logged.values.keys()
    changed = {name: value for name, value in after.items() if name in told and before[name] != value}
    if changed:
        it.ctx.runtime.journal.updated(it.ctx, model, it.keys, before, changed, {})


def _gone(it: Applying) -> Refused:
    """Why the row is not there: deleted, or hidden from the actor by a rule."""
    model = it.subject.logged.model
    row = stored_row(it.ctx, model, it.subject.key)
    if row is None or (model.deleted is not None and row[model.deleted.name] is not None):
        return Refused("deleted", f"this {model.spoken} has been deleted")
    return Refused("not_found", f"there is no such {model.spoken}")


def _target(it: Applying) -> Happened:
    undo = it.subject.log.node.undo
    assert undo is not None
    wanted = it.event.data.get(undo.of)
    found = [one for one in events_of(it.ctx, it.subject) if one.id == wanted]
    if not found or found[0].kind == "undo":
        raise Refused("unknown_target", f"there is no such event to take back: {undo.of}", may_follow=True)
    return found[0]


def _check_target(it: Applying, target: Happened) -> None:
    undo = it.subject.log.node.undo
    assert undo is not None
    past: datetime = target.at
    if not timedelta(0) <= it.pending.adding.at - past <= timedelta(seconds=undo.within):
        raise Refused("too_late", f"an event can be taken back within {undo.within} seconds")
    for one in events_of(it.ctx, it.subject):
        if one.kind == "undo" and one.data.get(undo.of) == target.id:
            raise Refused("undone", "it has been taken back already")


def _caused(it: Applying, target: Happened) -> list[tuple[Subject, Happened]]:
    """The deletions that followed from one: they were added in the same transaction."""
    log, ctx, types = it.subject.log, it.ctx, it.ctx.runtime.logs.types
    statement = ctx.runtime.plans.statement((log.model, "caused"), lambda: _causing(log))
    given = {
        "owner": it.subject.owner,
        "word": log.node.words.deleted,
        "first": target.sequence - CAUSED_WITHIN,
    }
    rows = statement.run(ctx.transaction.driver, given | {"last": target.sequence + CAUSED_WITHIN}).fetchall()
    found = [(row[-1], happened(ctx, log, row[:-1])) for row in rows]
    return [
        (Subject(types[log.name, type_], it.subject.owner, one.key), one)
        for type_, one in found
        if one.data.get(CAUSE) == target.id and (log.name, type_) in types
    ]


def _causing(log: CompiledLog) -> Any:
    key, owner, word = log.model.keys[0].column, log.owner.column, log.column("event")
    assert key is not None and owner is not None
    first, last = (sa.bindparam(name, type_=key.type) for name in ("first", "last"))
    is_one = [owner == sa.bindparam("owner", type_=owner.type), word == sa.bindparam("word", type_=word.type)]
    return sa.select(*selected(log), log.column("type")).where(*is_one, key.between(first, last))
