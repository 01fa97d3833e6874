"""The relay: gives committed events their places, in the order in which their transactions became visible.

Numbers are given while a transaction runs, so that one that commits late shows numbers below those that have been seen; a
position is given when the event can be seen, so nobody who follows positions misses one. Any number of processes may call
`relay`; the lock of one row, which ends with its connection, lets one of them do it. Old events are removed on the way.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from host.service.outbox import EVENT
from host.service.pruning import prune
from host.service.runtime import Runtime

OUTBOX: Final = "host.outbox"
NAME: Final = "events"
AT_ONCE: Final = 1000  # so that a transaction is short
MOST_ROUNDS: Final = 20
PRUNE_EVERY: Final = timedelta(hours=1)


def relay(runtime: Runtime) -> int:
    """Place events that have been committed, and answer how many; none, while another process does it."""
    total = 0
    for _ in range(MOST_ROUNDS):
        placed = _place(runtime) if _is_due(runtime) else 0
        total += placed
        if placed < AT_ONCE:
            break
    return total


def _place(runtime: Runtime) -> int:
    """Place some of the events that wait, and remove some of the old ones."""
    with runtime.database.writing() as connection:
        last = _lock(runtime, connection)
        if last is None:
            return 0
        placed = connection.execute(_placing(runtime, last)).rowcount
        outbox = runtime.registry.model(OUTBOX).table
        if placed:
            connection.execute(outbox.update().values(position=last + placed))
        _prune(runtime, connection)
    return placed


def _is_due(runtime: Runtime) -> bool:
    """Whether an event waits for its place, or old ones for their end; asked without a lock."""
    before = datetime.now(UTC) - PRUNE_EVERY
    statement = runtime.plans.statement((EVENT, "due"), lambda: _due(runtime))
    with runtime.database.reading() as driver:
        row = statement.run(driver, {"before": before}).fetchone()
    return row is not None


def _due(runtime: Runtime) -> Any:
    event, outbox = runtime.registry.model(EVENT).table, runtime.registry.model(OUTBOX).table
    before = sa.bindparam("before", type_=event.c.at.type)
    waiting = sa.select(event.c.id).where(event.c.position.is_(None)).exists()
    fresh = sa.select(outbox.c.name).where(outbox.c.pruned_at > before).exists()
    return sa.select(sa.literal_column("1")).where(sa.or_(waiting, ~fresh))


def _lock(runtime: Runtime, connection: sa.Connection) -> int | None:
    """The last position, held against other relays; None while another holds it."""
    outbox = runtime.registry.model(OUTBOX).table
    chosen = sa.select(outbox.c.position).where(outbox.c.name == NAME).with_for_update(skip_locked=True)
    found: int | None = connection.execute(chosen).scalar()
    if found is None and not connection.execute(sa.select(outbox.c.name)).first():
        connection.execute(_first(runtime, outbox))
        found = connection.execute(chosen).scalar()
    return found


def _first(runtime: Runtime, outbox: sa.Table) -> Any:
    from sqlalchemy.dialects import postgresql, sqlite

    insert = postgresql.insert if runtime.database.dialect == "postgresql" else sqlite.insert
    return insert(outbox).values(name=NAME, position=0).on_conflict_do_nothing()


def _placing(runtime: Runtime, last: int) -> Any:
    event = runtime.registry.model(EVENT).table
    waiting = (
        sa.select(event.c.id).where(event.c.position.is_(None)).order_by(event.c.id).limit(AT_ONCE).subquery()
    )
    numbered = sa.select(
        waiting.c.id, sa.func.row_number().over(order_by=waiting.c.id).label("place")
    ).subquery()
    return event.update().where(event.c.id == numbered.c.id).values(position=last + numbered.c.place)


def _prune(runtime: Runtime, connection: sa.Connection) -> None:
    """Remove some of what is too old, at most once an hour all of it."""
    outbox, now = runtime.registry.model(OUTBOX).table, datetime.now(UTC)
    pruned_at = connection.execute(sa.select(outbox.c.pruned_at)).scalar()
    if pruned_at is not None and pruned_at > now - PRUNE_EVERY:
        return
    if prune(runtime, connection, now - timedelta(days=runtime.events.days), AT_ONCE) < AT_ONCE:
        connection.execute(outbox.update().values(pruned_at=now))
