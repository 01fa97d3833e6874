"""Planned times become jobs: once each, whatever was missed, while the one before runs, and after the declaration changed."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from host.errors import NotFound
from host.jobs.cron import Cron
from host.jobs.scheduling import Scheduler, chosen
from host.jobs.timetable import Planned
from tests.support.sites import Core, Declare
from tests.unit.jobs.world import emptied

YAML = """
    jobs:
      tidy: {call: actions.tidy, run_as: system, in: {type: object, fields: {days: integer}}}
    schedules:
      quarterly: {job: tidy, cron: "*/15 * * * *", data: {days: 3}}
      parallel: {job: tidy, cron: "*/15 * * * *", overlap: allow}
      behind: {job: tidy, cron: "*/15 * * * *", overlap: queue}
      spread: {job: tidy, cron: "0 * * * *", jitter: 600, overlap: allow}
      all: {job: tidy, cron: "*/15 * * * *", missed: run_all}
      none: {job: tidy, cron: "*/15 * * * *", missed: skip}
"""
CODE = "def tidy(ctx, data): ...\n"
NAMES = ("quarterly", "parallel", "behind", "spread", "all", "none")
START = datetime(2026, 1, 1, 12, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def at(minute: int, second: int = 1) -> datetime:
    """A little after a time of that hour."""
    return datetime(2026, 1, 1, 12, 0, tzinfo=UTC) + timedelta(minutes=minute, seconds=second)


@pytest.fixture(scope="module")
def whole(declare: Declare) -> Core:
    return declare(YAML, CODE)


@pytest.fixture
def core(whole: Core) -> Core:
    return emptied(whole, "host.schedule", "host.firing", "host.job")


@pytest.fixture
def scheduler(core: Core) -> Scheduler:
    """One that has seen every schedule."""
    made = Scheduler(core.site.runtime, lambda: START)
    made.tick()
    return made


def firings(core: Core, name: str) -> list[tuple[datetime, str | None]]:
    with core.reading() as ctx:
        table = ctx.table("host.firing")
        wanted = sa.select(table.c.planned_at, table.c.job).where(table.c.schedule == f"demo.{name}")
        return [(row[0], row[1]) for row in ctx.execute(wanted.order_by(table.c.planned_at))]


def jobs(core: Core) -> list[dict[str, Any]]:
    with core.reading() as ctx:
        return [dict(row) for row in ctx.execute(sa.select(ctx.table("host.job"))).mappings()]


def finish(core: Core) -> None:
    with core.writing() as ctx:
        ctx.execute(sa.update(ctx.table("host.job")).values(state="done"))


def stored(core: Core, name: str) -> dict[str, Any]:
    return core.native("host.schedule", f"demo.{name}")


def test_nothing_fires_when_first_seen(core: Core, scheduler: Scheduler) -> None:
    assert jobs(core) == []
    assert stored(core, "quarterly")["next_at"] == at(15, 0)


def test_due_time_becomes_a_job(core: Core, scheduler: Scheduler) -> None:
    assert scheduler.tick(at(15)) == at(30, 0)
    ((planned, job),) = firings(core, "quarterly")
    (row,) = [it for it in jobs(core) if str(it["id"]) == job]
    assert planned == at(15, 0)
    assert (row["name"], row["data"], row["run_as"], row["actor"]) == (
        "demo.tidy",
        {"days": 3},
        "system",
        None,
    )
    assert row["run_at"] == at(15, 0)
    assert (stored(core, "quarterly")["fired_at"], stored(core, "quarterly")["lag"]) == (at(15), 1.0)


def test_same_tick_twice_fires_once(core: Core, scheduler: Scheduler) -> None:
    scheduler.tick(at(15))
    scheduler.tick(at(15))
    Scheduler(core.site.runtime).tick(at(15, 30))
    assert len(firings(core, "parallel")) == 1


def test_schedulers_at_once_fire_once(core: Core, scheduler: Scheduler) -> None:
    ready, failed = Barrier(4), []

    def fire() -> None:
        own = Scheduler(core.site.runtime)
        for minute in (15, 30, 45):
            ready.wait(20)
            try:
                own.tick(at(minute))
            except Exception as error:
                failed.append(error)

    threads = [Thread(target=fire) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert [planned for planned, _ in firings(core, "parallel")] == [at(15, 0), at(30, 0), at(45, 0)]
    assert len({job for _, job in firings(core, "parallel")}) == 3
    made = [job for name in NAMES for _, job in firings(core, name) if job is not None]
    assert len(jobs(core)) == len(made)


def test_failing_firing_leaves_nothing(core: Core, scheduler: Scheduler, monkeypatch: Any) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("host.service.jobs.Jobs._stored", fail)
    assert scheduler.tick(at(15)) == at(15, 2)  # soon again
    monkeypatch.undo()
    assert all(firings(core, name) == [] for name in NAMES)
    scheduler.tick(at(15, 2))
    assert len(firings(core, "quarterly")) == 1


def test_failing_schedule_keeps_none_from_firing(
    core: Core, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    broken = replace(scheduler.timetable.named("demo.quarterly").schedule, data={"days": "many"})
    planned = replace(scheduler.timetable.named("demo.quarterly"), schedule=broken)
    scheduler.timetable = replace(
        scheduler.timetable, planned={**scheduler.timetable.planned, "demo.quarterly": planned}
    )
    for second in (1, 2):
        scheduler.tick(at(15, second))
    assert firings(core, "quarterly") == []
    assert len(firings(core, "parallel")) == 1
    assert caplog.text.count("schedule demo.quarterly cannot fire") == 1


def test_loop_outlives_the_database(
    core: Core, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("host.jobs.scheduling.AFTER_FAILURE", 0.02)
    stop, later = Event(), Scheduler(core.site.runtime, lambda: at(15))
    thread = Thread(target=later.run, args=(stop,))
    rename(core, "host_schedule", "host_away")
    try:
        thread.start()
        until(lambda: "no schedule fires until this has passed" in caplog.text)
        time.sleep(0.1)  # it fails again, and says nothing more
    finally:
        rename(core, "host_away", "host_schedule")
    try:
        until(lambda: len(firings(core, "quarterly")) == 1)
    finally:
        stop.set()
        thread.join(20)
    assert caplog.text.count("no schedule fires until this has passed") == 1


def rename(core: Core, old: str, new: str) -> None:
    with core.site.database.writing() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")


def until(is_true: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_running_one_is_not_overtaken(core: Core, scheduler: Scheduler) -> None:
    for minute in (15, 30):
        scheduler.tick(at(minute))
    assert [job is None for _, job in firings(core, "quarterly")] == [False, True]
    finish(core)
    scheduler.tick(at(45))
    assert [job is None for _, job in firings(core, "quarterly")] == [False, True, False]


def test_others_queue_or_run_beside_it(core: Core, scheduler: Scheduler) -> None:
    for minute in (15, 30):
        scheduler.tick(at(minute))
    keys = {str(it["id"]): it["order_key"] for it in jobs(core)}
    behind = [keys[job or ""] for _, job in firings(core, "behind")]
    assert len(behind) == 2
    assert len({key for key in behind if key is not None}) == 1
    assert [keys[job or ""] for _, job in firings(core, "parallel")] == [None, None]


def test_jitter_is_the_same_everywhere(core: Core, scheduler: Scheduler) -> None:
    scheduler.tick(at(60))
    scheduler.tick(at(120))
    rows = {str(it["id"]): it["run_at"] for it in jobs(core)}
    delays = [rows[job or ""] - planned for planned, job in firings(core, "spread")]
    assert all(timedelta(0) <= delay <= timedelta(minutes=10) for delay in delays)
    assert len(set(delays)) == 2
    planned = scheduler.timetable.named("demo.spread")
    assert [planned.run_at(it) - it for it in (at(60, 0), at(120, 0))] == delays


def test_what_was_missed(core: Core, scheduler: Scheduler) -> None:
    scheduler.tick(at(65))
    counts = {name: [planned for planned, _ in firings(core, name)] for name in ("quarterly", "all", "none")}
    assert counts == {
        "quarterly": [at(60, 0)], "all": [at(15, 0), at(30, 0), at(45, 0), at(60, 0)], "none": [],
    }  # fmt: skip
    assert [job is not None for _, job in firings(core, "all")] == [True] * 4
    assert stored(core, "none")["next_at"] == at(75, 0)
    assert stored(core, "none")["fired_at"] is None


def planned(missed: str, cron: str = "* * * * *") -> Planned:
    return Planned(
        "demo.x", replace(Schedules.one, missed=missed, cron=cron), Cron(cron)  # type: ignore[arg-type]
    )  # fmt: skip


class Schedules:
    from host.declaration.nodes import Schedule

    one = Schedule(job="tidy", cron="* * * * *")


@pytest.mark.parametrize(("missed", "count"), [("skip", 1), ("run_once", 1), ("run_all", 100)])
def test_year_of_minutes_is_bounded(missed: str, count: int) -> None:
    found = chosen(planned(missed), START - timedelta(days=365), START + timedelta(seconds=30))
    assert (len(found), found[-1]) == (count, START)


@pytest.mark.parametrize("missed", ["skip", "run_once", "run_all"])
def test_a_little_late_is_on_time(missed: str) -> None:
    assert chosen(planned(missed, "*/15 * * * *"), at(15, 0), at(15, 59)) == [at(15, 0)]


def test_paused_schedule_misses_nothing(core: Core, scheduler: Scheduler) -> None:
    scheduler.timetable.pause("demo.all", at(1))
    scheduler.tick(at(30))
    assert firings(core, "all") == []
    scheduler.timetable.resume("demo.all", at(50))
    scheduler.tick(at(60))
    assert [it for it, _ in firings(core, "all")] == [at(60, 0)]


def test_started_by_hand(core: Core, scheduler: Scheduler) -> None:
    job = scheduler.start("demo.quarterly", at(7))
    assert firings(core, "quarterly") == [(at(7), job)]
    assert stored(core, "quarterly")["next_at"] == at(15, 0)
    with pytest.raises(NotFound):
        scheduler.start("demo.nothing")


def changed(core: Core, change: Callable[[dict[str, Planned]], dict[str, Planned]]) -> Scheduler:
    """The scheduler of a site whose declaration is another one now."""
    made = Scheduler(core.site.runtime)
    made.timetable = replace(made.timetable, planned=change(dict(made.timetable.planned)))
    return made


def test_another_cron_is_planned_anew(core: Core, scheduler: Scheduler) -> None:
    def hourly(them: dict[str, Planned]) -> dict[str, Planned]:
        return {**them, "demo.all": replace(them["demo.all"], cron=Cron("30 * * * *", "Asia/Kolkata"))}

    later = changed(core, hourly)
    later.tick(at(59))
    assert stored(core, "all")["next_at"] == at(60, 0)  # half past, in Kolkata
    later.tick(at(60))
    assert [it for it, _ in firings(core, "all")] == [at(60, 0)]


def test_removed_schedule_leaves_no_row(core: Core, scheduler: Scheduler) -> None:
    def fewer(them: dict[str, Planned]) -> dict[str, Planned]:
        return {name: it for name, it in them.items() if name != "demo.all"}

    with core.writing() as ctx:
        foreign = {"name": "absent.one", "plan": "* * * * * UTC", "next_at": START, "paused": True}
        ctx.execute(sa.insert(ctx.table("host.schedule")).values(**foreign))
    later = changed(core, fewer)
    later.tick(at(60))
    assert firings(core, "all") == []
    assert later.timetable.forget(at(60)) == 1
    with core.reading() as ctx:
        names = set(ctx.execute(sa.select(ctx.table("host.schedule").c.name)).scalars())
    assert "demo.all" not in names
    assert {"absent.one", "demo.none"} <= names
    assert later.timetable.forget(at(60) + timedelta(days=31)) == 1
