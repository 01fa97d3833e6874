"""Which job is next: by importance and age, in order where that counts, never more at once than declared."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa

from host.actor import SYSTEM
from host.compiler.statements import compile_statement
from host.jobs import claims, reaping
from host.jobs.claims import LEASE_SECONDS, choose, next_due, queues_with_jobs, renew, take, take_one
from host.jobs.execution import carry_out
from host.service.jobs import Jobs
from tests.support.sites import Core
from tests.unit.jobs.world import change, enqueue, job


def chosen(core: Core, most: int = 100, queue: str = "default", **more: Any) -> list[str]:
    return [it.id for it in choose(core.site.runtime, queue, most, **more)]


def ordered(core: Core, key: str, number: int) -> str:
    """A job that runs behind those with the same key and lower numbers."""
    with core.site.runtime.writing(SYSTEM, plugin="demo") as ctx:
        jobs = Jobs(ctx)
        return jobs.add(jobs.task("nothing"), {}, order_key=key, order_number=number)


def test_important_and_old_ones_come_first(core: Core) -> None:
    now = datetime.now(UTC)
    young = enqueue(core, "nothing", run_at=now - timedelta(seconds=1))
    old = enqueue(core, "nothing", run_at=now - timedelta(seconds=9))
    urgent = enqueue(core, "urgent", run_at=now)
    assert chosen(core, 2) == [urgent, old]
    assert chosen(core, 2) == [young]
    assert chosen(core) == []


def test_what_is_not_due_waits(core: Core) -> None:
    later = enqueue(core, "urgent", delay=60)
    now = enqueue(core, "nothing")
    assert chosen(core) == [now]
    assert next_due(core.site.runtime, "default") == job(core, later)["run_at"]
    assert chosen(core, now=datetime.now(UTC) + timedelta(seconds=61)) == [later]
    assert next_due(core.site.runtime, "default") is None


def test_queues_are_apart(core: Core) -> None:
    elsewhere = enqueue(core, "elsewhere")
    assert chosen(core) == []
    assert chosen(core, queue="slow") == [elsewhere]
    change(core, elsewhere, queue="former", state="queued")
    assert {"default", "former", "slow"} <= set(queues_with_jobs(core.site.runtime))


def test_no_more_run_at_once_than_declared(core: Core) -> None:
    narrow = [enqueue(core, "narrow") for _ in range(5)]
    other = enqueue(core, "nothing")
    assert chosen(core) == [*narrow[:2], other]
    assert chosen(core) == []
    change(core, narrow[0], state="done")
    assert chosen(core) == [narrow[2]]


def test_full_ones_do_not_take_the_places_of_others(core: Core) -> None:
    for _ in range(10):
        enqueue(core, "narrow")
    others = [enqueue(core, "nothing") for _ in range(3)]
    assert chosen(core, 4)[2:] == others[:2]
    assert chosen(core, 4) == others[2:]


def test_jobs_of_one_key_run_in_their_order(core: Core) -> None:
    second, first, other = ordered(core, "a", 2), ordered(core, "a", 1), ordered(core, "b", 9)
    assert chosen(core) == [first, other]
    change(core, first, state="running")
    assert chosen(core) == []
    change(core, first, state="dead")  # it blocks nobody
    assert chosen(core) == [second]


def test_failed_one_is_waited_for_by_its_key(core: Core) -> None:
    first, second = ordered(core, "a", 1), ordered(core, "a", 2)
    change(core, first, run_at=datetime.now(UTC) + timedelta(seconds=60))
    assert chosen(core) == []
    assert chosen(core, now=datetime.now(UTC) + timedelta(seconds=61)) == [first]
    assert job(core, second)["state"] == "queued"


def test_many_choose_without_choosing_twice(core: Core) -> None:
    with core.site.runtime.writing(SYSTEM, plugin="demo") as ctx:
        keys = {ctx.jobs.enqueue("nothing") for _ in range(60)} | {
            ctx.jobs.enqueue("narrow") for _ in range(9)
        }
    found: list[str] = []

    def work() -> None:
        empty = 0
        while empty < 3:
            mine = chosen(core, 4)
            found.extend(mine)
            empty = 0 if mine else empty + 1

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 62  # of the narrow ones two may run
    assert set(found) < keys


def test_claimed_job_is_held_by_a_lease(core: Core) -> None:
    key = enqueue(core, "nothing")
    (claimed,) = take(core.site.runtime, "default", worker="w")
    row = job(core, key)
    assert (row["state"], row["worker"]) == ("running", "w")
    assert 0 < (row["leased_until"] - datetime.now(UTC)).total_seconds() <= LEASE_SECONDS
    assert renew(core.site.runtime, key, 1, 60)
    assert (job(core, key)["leased_until"] - datetime.now(UTC)).total_seconds() > 50
    assert carry_out(core.site.runtime, claimed) == "done"
    assert not renew(core.site.runtime, key, 1)


def test_one_job_is_taken_by_its_id(core: Core) -> None:
    enqueue(core, "nothing")
    second = enqueue(core, "nothing")
    claimed = take_one(core.site.runtime, second)
    assert claimed is not None and claimed.id == second
    assert take_one(core.site.runtime, second) is None


WANTED: dict[str, Any] = {
    "queue": "default", "priority": 0, "now": datetime(2026, 1, 1, tzinfo=UTC), "most": 5, "below": 9, "unique_key": "k",
}  # fmt: skip


@pytest.mark.parametrize(
    ("make", "index"),
    [
        (claims._waiting, "queue"), (claims._first_due, "queue"), (claims._priority, "queue"),
        (lambda table: reaping._lapsed(table), "leased_until"), (reaping._first_lapsed, "leased_until"),
    ],
)  # fmt: skip
def test_indexes_find_what_is_wanted(core: Core, make: Callable[[sa.Table], Any], index: str) -> None:
    told = plan(core, make)
    assert re.search(rf"ix_host_job_[a-z_]*{index}", told), told
    assert not re.search(r"SCAN host_job(?! USING)|Seq Scan", told), told


def test_order_is_looked_up_in_an_index(core: Core) -> None:
    assert "ix_host_job_order_key" in plan(core, claims._waiting)


def test_unique_job_is_looked_up_in_an_index(core: Core) -> None:
    with core.reading() as ctx:
        assert "uq_host_job_unique_key" in plan(core, lambda _: Jobs(ctx)._finding())


def plan(core: Core, make: Callable[[sa.Table], Any]) -> str:
    """How the database would find the rows, were there many."""
    database = core.site.database
    statement = compile_statement(
        make(core.site.runtime.registry.model("host.job").table), database.compiling
    )
    explain = "EXPLAIN QUERY PLAN" if core.dialect == "sqlite" else "EXPLAIN"
    with database.writing() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        if core.dialect == "postgresql":
            driver.execute("SET LOCAL enable_seqscan = off")
            driver.execute("SET LOCAL enable_bitmapscan = off")
        found = driver.execute(f"{explain} {statement.sql}", statement.bind(WANTED)).fetchall()
    return "\n".join(str(row[-1]) for row in found)
