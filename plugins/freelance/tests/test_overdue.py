"""Every night, sent invoices whose due date has passed become overdue: each once, with its event, whoever owns it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from host.actor import SYSTEM
from host.jobs.draining import drain
from host.jobs.scheduling import Scheduler
from plugins.freelance import jobs
from plugins.freelance.tests.house import House, User

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)


def invoice(user: User, due: Any, status: str = "sent") -> Any:
    made = user.invoice(due_date=str(due))
    return user.patch(f"/api/invoices/{made['_id']}/status", {"status": status})


def status(user: User, made: Any) -> str:
    return str(user.get(f"/api/invoices/{made['_id']}")["status"])


def tonight(house: House) -> list[dict[str, Any]]:
    """The schedule fires and its job is carried out; answers the results of such jobs."""
    runtime = house.app.runtime
    with runtime.writing(SYSTEM, plugin="host") as ctx:
        ctx.execute(sa.delete(ctx.table("host.job")))
    Scheduler(runtime).start("freelance.nightly_overdue")
    drain(runtime)
    with runtime.reading(SYSTEM, plugin="host") as ctx:
        table = ctx.table("host.job")
        rows = ctx.execute(sa.select(table).where(table.c.name == "freelance.mark_overdue")).mappings().all()
    return [dict(row["result"]) for row in rows if row["state"] == "done"]


def test_late_invoices_of_everybody_become_overdue(house: House, ann: User, bob: User) -> None:
    late = [(user, invoice(user, YESTERDAY)) for user in (ann, bob)]
    others = [
        (ann, invoice(ann, TODAY), "sent"),
        (ann, invoice(ann, TODAY + timedelta(days=1)), "sent"),
        (ann, invoice(ann, YESTERDAY, "draft"), "draft"),
        (bob, invoice(bob, YESTERDAY, "paid"), "paid"),
    ]
    assert tonight(house) == [{"marked": 2}]
    assert [status(user, made) for user, made in late] == ["overdue", "overdue"]
    assert [status(user, made) for user, made, _ in others] == [kept for _, _, kept in others]
    assert tonight(house) == [{"marked": 0}]


def test_each_has_its_event_and_version(house: House, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 2)
    made = [invoice(ann, YESTERDAY) for _ in range(5)]
    before = [ann.send("GET", f"/api/invoices/{it['_id']}") for it in made]
    assert tonight(house) == [{"marked": 5}]
    after = [ann.send("GET", f"/api/invoices/{it['_id']}") for it in made]
    assert all(old.headers["ETag"] != new.headers["ETag"] for old, new in zip(before, after, strict=True))
    assert all(
        old.body["updated_at"] < new.body["updated_at"] for old, new in zip(before, after, strict=True)
    )
    with house.app.runtime.reading(SYSTEM, plugin="host") as ctx:
        table = ctx.table("host.event")
        keys = [it["_id"] for it in made]
        wanted = sa.select(table).where(table.c.name == "freelance.invoice.updated", table.c.key.in_(keys))
        rows = ctx.execute(wanted.order_by(table.c.id)).mappings().all()
    told = {row["key"]: row["changes"]["status"] for row in rows}  # of each the last one
    assert told == {key: ["sent", "overdue"] for key in keys}


def test_statistics_count_them(house: House, ann: User) -> None:
    invoice(ann, YESTERDAY)
    tonight(house)
    summary = ann.get("/api/invoices/stats/summary")
    assert (summary["overdue_count"], summary["pending_count"]) == (1, 0)


def test_it_is_planned_for_the_night(house: House) -> None:
    planned = Scheduler(house.app.runtime).timetable.named("freelance.nightly_overdue")
    assert planned.cron.next(datetime(2026, 1, 1, 12, tzinfo=UTC)) == datetime(2026, 1, 2, 2, tzinfo=UTC)
