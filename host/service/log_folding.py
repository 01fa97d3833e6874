"""What the events of a row make of it: the fold, and the snapshots that save reading all of them again.

The first event of a row is its creation. The others count in the order of the devices' clocks (`last_writer`), or in that
in which they came. A deletion is final: it holds whatever comes before or after it, unless it is taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson
import sqlalchemy as sa

from host.service.log_waiting import store_waiting
from host.service.logs import CompiledLog, CompiledLogged, Kind, Subject, Values, native, of_row

if TYPE_CHECKING:
    from host.service.context import Context

SNAPSHOT: Final = "host.snapshot"
KEPT: Final = (SNAPSHOT, "host.stream", "host.device")


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a row, as it is folded."""

    sequence: int
    id: str
    kind: Kind
    at: datetime
    data: Mapping[str, Any]
    key: str = ""


@dataclass
class State:
    """What events have made of a row. `data` are the values by outer names, as events hold them."""

    data: Values = field(default_factory=dict)
    created: datetime | None = None
    updated: datetime | None = None
    deleted: datetime | None = None
    version: int = 0

    def text(self) -> dict[str, Any]:
        """As a snapshot holds it."""
        times = {"created": self.created, "updated": self.updated, "deleted": self.deleted}
        told = {name: it.isoformat() if it is not None else None for name, it in times.items()}
        return {"data": self.data, "version": self.version, **told}

    @classmethod
    def of_text(cls, text: Mapping[str, Any]) -> State:
        """Out of a snapshot."""
        times = {
            name: datetime.fromisoformat(text[name]) if text[name] else None
            for name in ("created", "updated", "deleted")
        }
        return cls(dict(text["data"]), version=text["version"], **times)


def fold(logged: CompiledLogged, events: Iterable[Happened], start: State | None = None) -> State:
    """The state after these events, which are all that there are behind `start`."""
    state, found = start or State(), sorted(events, key=lambda it: it.sequence)
    undo = logged.log.node.undo
    targets = {it.data.get(undo.of): it for it in found if it.kind == "undo"} if undo is not None else {}
    kinds = {it.id: it.kind for it in found}
    first = found[:1] if start is None else []
    rest = found[len(first) :]
    if logged.log.is_by_time:
        rest.sort(key=lambda it: (it.at, it.sequence))
    for it in (*first, *rest):
        kind: Kind = it.kind
        if kind == "undo" and undo is not None and kinds.get(it.data.get(undo.of, "")) == "created":
            kind = "deleted"  # what was never made is as good as deleted
        elif it.id in targets and kind != "created":
            state.version += kind != "deleted"
            continue
        _apply(state, logged, it, kind)
    return state


def _apply(state: State, logged: CompiledLogged, it: Happened, kind: Kind) -> None:
    if kind == "deleted":
        state.deleted = state.deleted or it.at
        return
    state.version += 1
    state.updated = it.at if state.updated is None or it.at > state.updated else state.updated
    if kind == "undo":
        return
    known = {name: value for name, value in it.data.items() if name in logged.outer}
    if kind == "created":
        state.data, state.created, state.deleted = known, it.at, None
    else:
        state.data.update(known)


def row_of(ctx: Context, subject: Subject, state: State) -> Values | None:
    """The native values of the stored row; None where there is none."""
    logged = subject.logged
    model, mixins = logged.model, logged.model.declared.mixins
    if state.created is None or (state.deleted is not None and mixins.soft_delete is None):
        return None
    defaults = ctx.runtime.plans.defaults(model)
    row = {
        name: it.read(state.data[it.outer]) if it.outer in state.data else defaults.get(name)
        for name, it in logged.values.items()
    }
    row[model.keys[0].name] = subject.key
    assert mixins.owned is not None
    row[mixins.owned.name] = subject.owner
    if mixins.stamped is not None:
        row[mixins.stamped.created] = state.created
        if mixins.stamped.updated is not None:
            row[mixins.stamped.updated] = state.updated
    if mixins.soft_delete is not None:
        row[mixins.soft_delete.name] = state.deleted
    if mixins.versioned is not None:
        row[mixins.versioned.name] = state.version
    return row


# --- reading events ---------------------------------------------------------------------------------------------------


def state_of(ctx: Context, subject: Subject) -> State:
    """What the events in the log have made of a row, beginning with its latest snapshot."""
    snapshot = _latest(ctx, subject) if subject.log.node.snapshots is not None else None
    start = State.of_text(orjson.loads(snapshot[2])) if snapshot is not None else None
    return fold(subject.logged, events_of(ctx, subject, snapshot), start)


def events_of(ctx: Context, subject: Subject, after: Any = None) -> list[Happened]:
    """The events of a row; with `after`, those behind a snapshot."""
    log, given = subject.log, subject.given()
    store_waiting(ctx)
    statement = ctx.runtime.plans.statement(
        (log.model, "events of", after is not None), lambda: _reading(log, is_tail=after is not None)
    )
    if after is not None:
        given |= {"after_at": read_time(ctx, log, after[0]), "after": after[1]}
    rows = statement.run(ctx.transaction.driver, given).fetchall()
    return [happened(ctx, log, row) for row in rows]


def selected(log: CompiledLog) -> list[Any]:
    """The columns of which `happened` makes an event."""
    key = log.model.keys[0].column
    return [key, *(log.column(role) for role in ("id", "event", "at", "data", "key"))]


def happened(ctx: Context, log: CompiledLog, row: Any) -> Happened:
    """An event out of its columns."""
    sequence, event, word, at, data, key = row
    return Happened(sequence, event, log.kinds[word], read_time(ctx, log, at), orjson.loads(data), key)


def read_time(ctx: Context, log: CompiledLog, at: Any) -> datetime:
    """A time as the driver gives it."""
    kept = ctx.runtime.plans.kept(
        ("log time", log.name), log, lambda: native(log, ctx.runtime.registry, "at")
    )
    found: datetime = kept(at)
    return found


def _reading(log: CompiledLog, *, is_tail: bool) -> Any:
    key, at = log.model.keys[0].column, log.column("at")
    assert key is not None
    conditions = of_row(log)
    if is_tail:
        later = key > sa.bindparam("after", type_=key.type)
        if log.is_by_time:
            time = sa.bindparam("after_at", type_=at.type)
            later = sa.or_(at > time, sa.and_(at == time, later))
        conditions.append(later)
    return sa.select(*selected(log)).where(*conditions)


# --- snapshots --------------------------------------------------------------------------------------------------------


def keep_if_due(ctx: Context, subject: Subject, count: int) -> None:
    """Keep the state of a row after every so many events."""
    snapshots = subject.log.node.snapshots
    if snapshots is not None and count % snapshots.every == 0:
        keep(ctx, subject)


def keep(ctx: Context, subject: Subject) -> None:
    """Keep the state of a row after its last event, and forget the oldest ones that are too many."""
    snapshots, table, log = subject.log.node.snapshots, _table(ctx), subject.log
    if snapshots is None:
        return
    state = state_of(ctx, subject)
    key = log.model.keys[0].column
    assert key is not None
    ends = sa.select(sa.func.max(log.column("at")), sa.func.max(key)).where(*of_row(log))
    newest = ctx.runtime.plans.statement((log.model, "newest"), lambda: ends)
    at, sequence = newest.run(ctx.transaction.driver, subject.given()).fetchone()
    row = {**_named(subject), "at": read_time(ctx, log, at), "sequence": sequence, "state": state.text()}
    adding = ctx.runtime.plans.statement(("snapshot",), lambda: _inserting(table, tuple(row)))
    adding.run(ctx.transaction.driver, row)
    latest = sa.select(table.c.id).where(*_about(table, subject))
    latest = latest.order_by(table.c.sequence.desc()).limit(snapshots.keep)
    ctx.execute(table.delete().where(*_about(table, subject), table.c.id.not_in(latest)))


def forget_after(ctx: Context, subject: Subject, at: datetime) -> None:
    """Forget the snapshots that end later, because an event belongs before them."""
    table = _table(ctx)
    ctx.execute(table.delete().where(*_about(table, subject), table.c.at > at))


def forget_since(ctx: Context, subject: Subject, sequence: int) -> None:
    """Forget the snapshots that an event went into, because it is taken back."""
    table = _table(ctx)
    ctx.execute(table.delete().where(*_about(table, subject), table.c.sequence >= sequence))


def forget_owner(ctx: Context, account: Mapping[str, Any]) -> None:
    """An account goes: forget what is kept of its streams beside the events, which go by their own relation."""
    owners = [str(account[form]) for form in ("id", "number", "hex") if account.get(form) is not None]
    for name in KEPT:
        table = ctx.runtime.registry.model(name).table
        ctx.execute(table.delete().where(table.c.owner.in_(owners)))


def _table(ctx: Context) -> sa.Table:
    return ctx.runtime.registry.model(SNAPSHOT).table


def _named(subject: Subject) -> dict[str, Any]:
    owner, type_ = str(subject.owner), subject.logged.type
    return {"log": subject.log.name, "owner": owner, "type": type_, "aggregate": subject.key}


def _about(table: sa.Table, subject: Subject) -> list[Any]:
    return [table.c[name] == value for name, value in _named(subject).items()]


def _inserting(table: sa.Table, names: tuple[str, ...]) -> Any:
    return table.insert().values({name: sa.bindparam(name, type_=table.c[name].type) for name in names})


def _latest(ctx: Context, subject: Subject) -> Any:
    table, named = _table(ctx), _named(subject)

    def make() -> Any:
        about = [table.c[name] == sa.bindparam(name, type_=table.c[name].type) for name in named]
        chosen = sa.select(table.c.at, table.c.sequence, table.c.state).where(*about)
        return chosen.order_by(table.c.sequence.desc()).limit(1)

    statement = ctx.runtime.plans.statement(("latest snapshot",), make)
    return statement.run(ctx.transaction.driver, named).fetchone()
