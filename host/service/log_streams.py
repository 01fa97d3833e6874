"""What one transaction knows of the streams that it adds to: their times, the events of their rows, the event of a device.

The first event of an owner in a transaction locks that owner's stream until the end: whoever reads up to an event has
read everything before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from host.compiler.models import Model
from host.service.log_folding import read_time
from host.service.log_waiting import store_events, store_waiting
from host.service.logs import CompiledLog, Kind, Subject, Values, of_row

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


# --- times ----------------------------------------------------------------------------------------------------------


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
