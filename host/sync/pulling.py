"""Pull: the events of the owner's stream behind a place in it, in the order in which they were added.

Nothing is passed over: an event gets its key and its time while the stream is held, so that when it can be seen, all
before it can be seen, too. A place is a cursor, the id of the last event that the device has, or a time of the host.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from host.errors import BadRequest, FieldError
from host.service.context import Context
from host.sync.points import SyncPoint

DEVICE = "host.device"


@dataclass(frozen=True, slots=True)
class Place:
    """Behind what a device wants events: all of them where nothing is said."""

    sequence: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Events as the wire shows them; `last` is the key of the last one, or where the device was."""

    events: list[dict[str, Any]]
    last: int
    has_more: bool


def pull(ctx: Context, point: SyncPoint, place: Place, limit: int) -> Page:
    """The next events of the actor's stream."""
    is_timed = place.since is not None
    reader = ctx.runtime.plans.kept(
        ("pull", point.wire.name, point.model.name, ctx.facts),
        point,
        lambda: ctx.runtime.plans.reader(point.wire, ctx.facts),
    )
    statement = ctx.runtime.plans.statement(
        (point.model, "pull", ctx.facts, is_timed), lambda: _pulling(ctx, point, reader, is_timed=is_timed)
    )
    given = {
        **ctx.values, "owner": point.owner(ctx), "after": place.sequence, "since": place.since, "limit": limit + 1,
    }  # fmt: skip
    rows: Sequence[Any] = statement.run(ctx.transaction.driver, given).fetchall()
    has_more, rows = len(rows) > limit, rows[:limit]
    last = rows[-1][reader.width] if rows else _end(ctx, point) if is_timed else place.sequence
    return Page(reader.build([row[: reader.width] for row in rows]), last, has_more)


def _end(ctx: Context, point: SyncPoint) -> int:
    """The key of the stream's last event."""
    key = point.log.model.keys[0].column
    assert key is not None
    statement = ctx.runtime.plans.statement(
        (point.model, "end", ctx.facts), lambda: sa.select(sa.func.max(key)).where(*visible(ctx, point))
    )
    found = statement.run(ctx.transaction.driver, {**ctx.values, "owner": point.owner(ctx)}).fetchone()[0]
    return found or 0


def place_of_event(ctx: Context, point: SyncPoint, event: str) -> Place:
    """The place of the event with this id. Raises BadRequest: the device has an event that the stream has not."""
    key, owner = point.log.model.keys[0].column, point.log.owner.column
    assert key is not None and owner is not None
    chosen = sa.select(key).where(owner == point.owner(ctx), point.log.column("id") == event)
    found = ctx.execute(chosen).scalar_one_or_none()
    if found is None:
        error = FieldError("/last_event_id", "cursor", "there is no such event: pull from the beginning")
        raise BadRequest("last_event_id is no place in the stream", [error])
    return Place(found)


def event_at(ctx: Context, point: SyncPoint, sequence: int) -> str | None:
    """The id of an event, by its key."""
    key, owner = point.log.model.keys[0].column, point.log.owner.column
    assert key is not None and owner is not None
    chosen = sa.select(point.log.column("id")).where(owner == point.owner(ctx), key == sequence)
    found: str | None = ctx.execute(chosen).scalar_one_or_none()
    return found


def note_device(ctx: Context, point: SyncPoint, client: str, page: Page) -> None:
    """Note how far a device has pulled."""
    table = ctx.runtime.registry.model(DEVICE).table
    insert: Any = postgresql.insert if ctx.runtime.database.dialect == "postgresql" else sqlite.insert
    known = {"log": point.log.name, "owner": str(point.owner(ctx)), "client": client}
    noted = {"sequence": page.last, "pulled_at": ctx.now}
    adding = insert(table).values({**known, **noted})
    ctx.execute(adding.on_conflict_do_update(index_elements=list(known), set_=noted))


def visible(ctx: Context, point: SyncPoint) -> list[Any]:
    """The conditions of the events that the actor may pull: of its own stream, and as the log's rule says."""
    log = point.log
    owner = log.owner.column
    assert owner is not None
    conditions = [owner == sa.bindparam("owner", type_=owner.type)]
    if point.is_whole:
        return [*conditions, *ctx.runtime.policy.visible(log.model, "list", ctx.facts)]
    if ctx.runtime.policy.predicate(point.model, "list", ctx.facts) is False:
        return [*conditions, sa.false()]
    return [*conditions, log.column("type") == next(iter(point.types))]


def _pulling(ctx: Context, point: SyncPoint, reader: Any, *, is_timed: bool) -> Any:
    log = point.log
    key, received = log.model.keys[0].column, log.column("received")
    assert key is not None
    behind = (
        received > sa.bindparam("since", type_=received.type)
        if is_timed
        else key > sa.bindparam("after", type_=key.type)
    )
    chosen = sa.select(*reader.columns, key).select_from(reader.joined(log.model.table))
    chosen = chosen.where(*visible(ctx, point), behind).order_by(key)
    return chosen.limit(sa.bindparam("limit", type_=sa.BigInteger()))
