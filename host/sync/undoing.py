"""Taking an event back: of a row that was made, changed or deleted, and then of what was deleted along with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import sqlalchemy as sa

from host.errors import NotFound
from host.service import writing
from host.service.context import Context
from host.service.log_appending import append, append_pending, opened
from host.service.log_folding import Happened, events_of, forget_since, happened, keep, selected
from host.service.log_streams import Adding, Pending, logging_of
from host.service.logs import CAUSE, CompiledLog, Subject
from host.service.references import check_references
from host.sync.settling import settle
from host.sync.steps import Applying, Refused, gone, settle_told

CAUSED_WITHIN: Final = 100_000  # keys of the log that others may have taken between two of one transaction


def undo(it: Applying) -> None:
    target = _target(it)
    _check_target(it, target)
    forget_since(it.ctx, it.subject, target.sequence)
    {"created": _undo_creation, "updated": _undo_update, "deleted": _undo_deletion}[target.kind](it, target)
    keep(it.ctx, it.subject)


def _undo_creation(it: Applying, _: Happened) -> None:
    try:
        writing.delete(it.ctx, it.subject.logged.model, it.keys)
    except NotFound:
        raise gone(it) from None


def _undo_update(it: Applying, target: Happened) -> None:
    model = it.subject.logged.model
    try:
        writing.locked(it.ctx, model, it.keys, "update")
    except NotFound:
        raise gone(it) from None
    append_pending(it.ctx, it.pending, {})
    settle_told(it)
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
