"""Rows made anew from their events: exactly as they are when all is well.

Each owner's rows are compared, and where wanted written, in a transaction of their own while the owner's stream is held; a
run that was ended is simply begun again. Rows without any event, older than the log, are left alone and counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from host.actor import SYSTEM
from host.service.context import Context
from host.service.log_folding import SNAPSHOT, Happened, fold, happened, row_of, selected
from host.service.log_streams import taken
from host.service.logs import CompiledLog, CompiledLogged, Subject
from host.service.runtime import Runtime
from host.sync.settling import Values, differing, write


@dataclass
class Counts:
    """What was found of one resource."""

    right: int = 0
    made: int = 0  # missing rows
    changed: int = 0
    removed: int = 0  # rows that should have gone
    older: int = 0  # rows without events

    @property
    def is_right(self) -> bool:
        """Whether everything was as it should be."""
        return not (self.made or self.changed or self.removed)


@dataclass
class Report:
    """What was found, by type."""

    types: dict[str, Counts] = field(default_factory=dict)
    owners: int = 0

    @property
    def is_right(self) -> bool:
        """Whether everything was as it should be."""
        return all(it.is_right for it in self.types.values())


def rebuild(runtime: Runtime, log: CompiledLog, *, check: bool = False, owner: Any = None) -> Report:
    """Make the rows of a log's resources anew, or only compare them; of one owner, where it is said."""
    report = Report({it.type: Counts() for it in _ordered(runtime, log)})
    for each in [owner] if owner is not None else list(_owners(runtime, log)):
        with runtime.reading(SYSTEM) if check else runtime.writing(SYSTEM) as ctx:
            _rebuild_owner(ctx, log, each, report, check=check)
        report.owners += 1
    return report


def _owners(runtime: Runtime, log: CompiledLog) -> Iterator[Any]:
    """Whoever has events, some at a time."""
    column = log.owner.column
    assert column is not None
    with runtime.reading(SYSTEM) as ctx:
        for (found,) in ctx.execute(sa.select(column).distinct().order_by(column)).fetchall():
            yield found


def _ordered(runtime: Runtime, log: CompiledLog) -> list[CompiledLogged]:
    """The resources of a log, those that others refer to first."""
    tables = runtime.registry.metadata.sorted_tables
    return sorted(runtime.logs.made_of(log), key=lambda it: tables.index(it.model.table))


def _rebuild_owner(ctx: Context, log: CompiledLog, owner: Any, report: Report, *, check: bool) -> None:
    if not check:
        taken(ctx, log, owner)
        snapshots = ctx.runtime.registry.model(SNAPSHOT).table
        ctx.execute(snapshots.delete().where(snapshots.c.log == log.name, snapshots.c.owner == str(owner)))
    plans = [(it, _differences(ctx, it, owner, report.types[it.type])) for it in _ordered(ctx.runtime, log)]
    if check:
        return
    for logged, plan in reversed(plans):
        for key, before, after in plan:
            if after is None:
                write(ctx, logged.model, key, before, None)
    for logged, plan in plans:
        for key, before, after in plan:
            if after is not None:
                write(ctx, logged.model, key, before, after)


def _differences(
    ctx: Context, logged: CompiledLogged, owner: Any, counts: Counts
) -> list[tuple[Any, Values | None, Values | None]]:
    """Key, stored and right values of the rows that are not as they should be."""
    stored = _stored(ctx, logged, owner)
    found = []
    for key, events in _events(ctx, logged, owner):
        before = stored.pop(key, None)
        after = row_of(ctx, Subject(logged, owner, key), fold(logged, events))
        if _is_right(before, after):
            counts.right += after is not None
            continue
        found.append((key, before, after))
        counts.made += before is None
        counts.removed += after is None
        counts.changed += before is not None and after is not None
    counts.older += len(stored)
    return found


def _is_right(before: Values | None, after: Values | None) -> bool:
    if before is None or after is None:
        return before is after
    return not differing(before, after)


def _stored(ctx: Context, logged: CompiledLogged, owner: Any) -> dict[Any, Values]:
    """The owner's stored rows by key, those that are marked as deleted among them."""
    model = logged.model
    assert model.owner is not None and model.owner.column is not None
    column, reader = model.owner.column, ctx.runtime.plans.reader(model, ctx.facts)
    chosen = sa.select(*reader.columns).select_from(reader.joined(model.table))
    statement = ctx.runtime.plans.statement(
        (model, "rows of"), lambda: chosen.where(column == sa.bindparam("owner", type_=column.type))
    )
    rows = statement.run(ctx.transaction.driver, {**ctx.values, "owner": owner}).fetchall()
    names, key = [it.name for it in model.stored()], model.keys[0].name
    return {row[key]: {name: row[name] for name in names} for row in reader.build(rows)}


def _events(ctx: Context, logged: CompiledLogged, owner: Any) -> Iterator[tuple[Any, list[Happened]]]:
    """The owner's events of one resource, row by row."""
    log = logged.log
    statement = ctx.runtime.plans.statement((log.model, "all events of"), lambda: _reading(log))
    rows = statement.run(ctx.transaction.driver, {"owner": owner, "type": logged.type}).fetchall()
    for found, events in groupby((happened(ctx, log, row) for row in rows), key=lambda it: it.key):
        yield found, list(events)


def _reading(log: CompiledLog) -> Any:
    owner, type_, key = log.owner.column, log.column("type"), log.model.keys[0].column
    assert owner is not None and key is not None
    is_theirs = owner == sa.bindparam("owner", type_=owner.type)
    is_one = type_ == sa.bindparam("type", type_=type_.type)
    return sa.select(*selected(log)).where(is_theirs, is_one).order_by(log.column("key"), key)
