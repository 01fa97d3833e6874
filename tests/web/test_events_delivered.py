"""Subscribers in the transaction and after it, and the order in which the outbox is followed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from host import Event
from host.actor import SYSTEM
from host.jobs.relay import relay
from host.service.following import events_behind
from tests.support.sites import Core, Declare

YAML = """
resources:
  order:
    mixins: [owned, stamped]
    fields:
      number: {type: integer, required: true}
      total: {type: decimal, default: 0}
      day: date
      code: {type: string, secret: true}
    access: owner
    events: {paid: {amount: decimal, day: date}}
    actions: {pay: {call: actions.pay, access: owner}}
  count:
    key: [name]
    fields: {name: {type: string, max: 20, required: true}, value: {type: integer, default: 0}}
    access: public
  seen:
    key: int
    fields: {what: text, by: string}
    access: public
  loop:
    fields: {depth: integer}
    access: public
subscribers:
  demo.order.created:
    - {call: actions.count, when: in_transaction}
    - actions.note
  demo.order.updated: [{call: actions.note, retry: {times: 2, wait: 1}}]
  demo.order.deleted: [{call: actions.count_down, when: in_transaction}]
  demo.order.paid: [actions.note, {call: actions.count, when: in_transaction}]
  demo.loop.created: [{call: actions.again, when: in_transaction}]
"""
CODE = """
from datetime import date
from decimal import Decimal

def _add(ctx, name, number):
    counts = ctx.records("count")
    row = counts.find(name) or counts.create({"name": name})
    counts.update(name, {"value": row["value"] + number})

def pay(ctx, row, data):
    ctx.emit("order.paid", row, {"amount": row["total"], "day": date(2026, 1, 2)})

def count(ctx, event):
    assert ctx.actor.is_system
    _add(ctx, event.word, 1)
    if event.after("number") == 13:
        raise RuntimeError("thirteen")

def count_down(ctx, event):
    assert event.before("total") == Decimal("2.50"), event
    _add(ctx, "created", -1)

def note(ctx, event):
    what = f"{event.word} {event.keys[0]} {event.after('number')} {sorted(event.data.items())}"
    ctx.records("seen").create({"what": what, "by": event.actor})
    if event.after("number") == 99:
        raise RuntimeError("never")

def again(ctx, event):
    ctx.records("loop").create({"depth": event.after("depth") + 1})
"""


@pytest.fixture(scope="module")
def shared(declare: Declare) -> Core:
    return declare(YAML, CODE)


@pytest.fixture
def core(shared: Core) -> Iterator[Core]:
    """The site without what other tests left to be done."""
    with shared.writing() as ctx:
        for name in ("host.job_failure", "host.job", "host.event", "demo.seen", "demo.count"):
            ctx.execute(ctx.table(name).delete())
    yield shared


def counted(core: Core, name: str = "created") -> int:
    with core.reading() as ctx:
        row = ctx.records("demo.count").find(name)
        return row["value"] if row else 0


def seen(core: Core) -> list[str]:
    with core.reading() as ctx:
        return [row["what"] for row in ctx.records("demo.seen").find_all(sort="id")]


def jobs(core: Core) -> list[dict[str, Any]]:
    with core.reading() as ctx:
        return ctx.records("host.job").find_all(sort="order_number")


# --- in the transaction -----------------------------------------------------------------------------------------------


def test_projections_are_kept_with_the_write(core: Core) -> None:
    ann = core.user()
    order = ann.make("/api/demo/orders", number=1, total="2.50")
    assert counted(core) == 1
    ann.delete(f"/api/demo/orders/{order['id']}")
    assert counted(core) == 0


def test_failing_projections_roll_the_write_back(core: Core) -> None:
    ann = core.user()
    with core.site.events() as fired:
        assert ann.post("/api/demo/orders", {"number": 13}).status == 500
    assert ann.get("/api/demo/orders").json["items"] == []
    assert (counted(core), fired, jobs(core)) == (0, [], [])


def test_what_subscribers_write_are_events(core: Core) -> None:
    with core.site.events() as fired:
        core.user().make("/api/demo/orders", number=1)
    names = [it.name for it in fired if it.resource != "host.account"]
    assert names == ["demo.order.created", "demo.count.created", "demo.count.updated"]
    assert len({it.request_id for it in fired if it.resource != "host.account"}) == 1


def test_endless_subscribers_are_stopped(core: Core) -> None:
    with pytest.raises(RecursionError, match="call each other without end"), core.writing() as ctx:
        ctx.records("demo.loop").create({"depth": 1})
    with core.reading() as ctx:
        assert ctx.records("demo.loop").count() == 0


# --- after the commit -------------------------------------------------------------------------------------------------


def test_subscribers_get_native_values(core: Core) -> None:
    ann = core.user()
    order = ann.make("/api/demo/orders", number=7, total="2.50")
    ann.post(f"/api/demo/orders/{order['id']}/pay")
    assert seen(core) == []
    core.site.run_jobs()
    data = [("amount", Decimal("2.50")), ("day", date(2026, 1, 2))]
    paid = f"paid {order['id']} None {data}"
    assert sorted(seen(core)) == [f"created {order['id']} 7 []", paid]
    assert counted(core, "paid") == 1


def test_deliveries_know_who_asked(core: Core) -> None:
    ann = core.user()
    ann.make("/api/demo/orders", number=7)
    core.site.run_jobs()
    with core.reading() as ctx:
        assert [row["by"] for row in ctx.records("demo.seen").find_all()] == [ann.actor.id]  # type: ignore[union-attr]


def test_rolled_back_writes_are_not_delivered(core: Core) -> None:
    with pytest.raises(KeyError), core.writing(core.user().actor) as ctx:  # type: ignore[arg-type]
        ctx.records("demo.order").create({"number": 1})
        raise KeyError
    core.site.run_jobs()
    assert (seen(core), jobs(core)) == ([], [])


def test_deliveries_of_a_row_are_in_order(core: Core) -> None:
    ann = core.user()
    first = ann.make("/api/demo/orders", number=1)
    second = ann.make("/api/demo/orders", number=1)
    for number in (2, 3):
        ann.patch(f"/api/demo/orders/{first['id']}", {"number": number})
    ann.patch(f"/api/demo/orders/{second['id']}", {"number": 2})
    core.site.run_jobs()
    told = [
        what.removeprefix(f"updated {first['id']} ")
        for what in seen(core)
        if f"updated {first['id']}" in what
    ]
    assert told == ["2 []", "3 []"]


def test_failing_deliveries_wait_and_die(core: Core) -> None:
    ann = core.user()
    order = ann.make("/api/demo/orders", number=1)
    ann.patch(f"/api/demo/orders/{order['id']}", {"number": 99})
    ann.patch(f"/api/demo/orders/{order['id']}", {"number": 5})
    core.site.run_jobs()
    assert seen(core) == [f"created {order['id']} 1 []"]  # what comes later waits for what has failed
    for _ in range(3):
        core.site.run_jobs(ahead=60)
    states = [job["state"] for job in jobs(core)]
    assert states == ["done", "dead", "done"]
    assert seen(core)[1:] == [f"updated {order['id']} 5 []"]


def test_other_rows_do_not_wait(core: Core) -> None:
    ann = core.user()
    first, second = (ann.make("/api/demo/orders", number=1) for _ in range(2))
    ann.patch(f"/api/demo/orders/{first['id']}", {"number": 99})
    ann.patch(f"/api/demo/orders/{second['id']}", {"number": 2})
    core.site.run_jobs()
    assert f"updated {second['id']} 2 []" in seen(core)


def test_removed_events_are_told_so(core: Core) -> None:
    core.user().make("/api/demo/orders", number=1)
    with core.writing() as ctx:
        ctx.execute(ctx.table("host.event").delete())
    core.site.run_jobs()
    [job] = jobs(core)
    assert (job["state"], job["error"]["code"]) == ("dead", "event_gone")


# --- the relay --------------------------------------------------------------------------------------------------------


def places(core: Core) -> list[int | None]:
    """The places of the events, in the order of their numbers."""
    with core.reading() as ctx:
        table = ctx.table("host.event")
        return list(ctx.execute(sa.select(table.c.position).order_by(table.c.id)).scalars())


def behind(core: Core, position: int) -> list[Event]:
    with core.reading() as ctx:
        return events_behind(ctx, position)


def placed(core: Core) -> int:
    """The last place that has been given."""
    with core.reading() as ctx:
        return int(ctx.execute(sa.select(ctx.table("host.outbox").c.position)).scalar() or 0)


def write(core: Core, name: str) -> None:
    with core.writing() as ctx:
        ctx.records("demo.count").create({"name": name})


def test_relay_gives_places_without_gaps(core: Core) -> None:
    relay(core.site.runtime)
    last = placed(core)
    for name in "abc":
        write(core, name)
    assert places(core) == [None] * 3
    assert relay(core.site.runtime) == 3
    assert places(core) == [last + 1, last + 2, last + 3]
    assert relay(core.site.runtime) == 0
    assert [it.after("name") for it in behind(core, last + 1)] == ["b", "c"]


def test_places_are_never_given_again(core: Core) -> None:
    write(core, "a")
    relay(core.site.runtime)
    last = placed(core)
    with core.writing() as ctx:
        ctx.execute(ctx.table("host.event").delete())
    write(core, "b")
    relay(core.site.runtime)
    assert places(core) == [last + 1]


def test_late_commits_are_not_missed(core: Core) -> None:
    """A follower that remembered numbers would skip the event of the transaction that began first and commits last."""
    if core.dialect == "sqlite":
        pytest.skip("SQLite has one writer at a time: none can commit late")
    relay(core.site.runtime)
    last = placed(core)
    with core.writing() as late:
        late.records("demo.count").create({"name": "late"})
        late.transaction.write_notes()  # its number is taken now
        write(core, "early")
        assert relay(core.site.runtime) == 1
        followed = behind(core, last)
    assert relay(core.site.runtime) == 1
    followed += behind(core, followed[-1].position or 0)
    assert [it.after("name") for it in followed] == ["early", "late"]
    assert (followed[0].id or 0) > (followed[1].id or 0)


def test_one_relay_at_a_time(core: Core) -> None:
    if core.dialect == "sqlite":
        pytest.skip("SQLite has one writer at a time: another relay waits for it")
    write(core, "a")
    relay(core.site.runtime)
    write(core, "b")
    with core.site.database.writing() as connection:
        connection.exec_driver_sql("SELECT position FROM host_outbox FOR UPDATE")
        assert relay(core.site.runtime) == 0
    assert relay(core.site.runtime) == 1


def test_relay_removes_old_events(core: Core) -> None:
    write(core, "old")
    relay(core.site.runtime)
    write(core, "new")
    long_ago = datetime.now(UTC) - timedelta(days=31)
    with core.writing() as ctx:
        event = ctx.table("host.event")
        ctx.execute(event.update().where(event.c.position.is_not(None)).values(at=long_ago))
        ctx.execute(ctx.table("host.outbox").update().values(pruned_at=long_ago))
    relay(core.site.runtime)
    with core.reading(SYSTEM) as ctx:
        assert [row["changes"]["name"] for row in ctx.records("host.event").find_all()] == [[None, "new"]]


def test_numbers_are_never_given_again(core: Core) -> None:
    """SQLite counts on from the highest number that there is."""
    write(core, "old")
    relay(core.site.runtime)
    long_ago = datetime.now(UTC) - timedelta(days=31)
    with core.writing() as ctx:
        ctx.execute(ctx.table("host.event").update().values(at=long_ago))
        ctx.execute(ctx.table("host.outbox").update().values(pruned_at=None))
    [old] = behind(core, placed(core) - 1)
    relay(core.site.runtime)
    write(core, "new")
    relay(core.site.runtime)
    assert (behind(core, old.position or 0)[0].id or 0) > (old.id or 0)


def test_awaited_events_are_not_removed(core: Core) -> None:
    core.user().make("/api/demo/orders", number=1)
    relay(core.site.runtime)
    long_ago = datetime.now(UTC) - timedelta(days=31)
    with core.writing() as ctx:
        ctx.execute(ctx.table("host.event").update().values(at=long_ago))
        ctx.execute(ctx.table("host.outbox").update().values(pruned_at=None))
    relay(core.site.runtime)
    core.site.run_jobs()
    assert [job["state"] for job in jobs(core)] == ["done"]


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("SELECT id FROM host_event WHERE position IS NULL ORDER BY id LIMIT 10", "uq_host_event_position"),
        ("SELECT id FROM host_event WHERE position > 5 ORDER BY position LIMIT 10", "uq_host_event_position"),
        (
            "SELECT id FROM host_event WHERE resource = 'a.b' AND key = 'c' ORDER BY id DESC LIMIT 10",
            "ix_host_event_resource_key_id",
        ),
    ],
)
def test_outbox_is_read_through_indexes(core: Core, statement: str, index: str) -> None:
    if core.dialect == "postgresql":
        with core.site.database.writing() as connection:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            found = connection.exec_driver_sql(f"EXPLAIN {statement}").scalars().all()
            assert index in "\n".join(found)
        return
    with core.site.database.writing() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        assert "SEARCH" in str(plan)
        assert "TEMP B-TREE" not in str(plan)
