"""From the job table into Redis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from host.actor import SYSTEM
from host.jobs.dispatching import Dispatcher, keep_dispatched, queues_with_jobs
from host.jobs.queues import Entry, Handover, open_redis
from host.jobs.reaping import reap
from host.jobs.statements import job_table
from host.jobs.window import LEAST
from host.service.runtime import Runtime
from tests.support.redis import RedisServer, running_redis
from tests.support.sites import Declare

YAML = """
jobs:
  plain: {call: actions.nothing, run_as: system}
  mail: {call: actions.nothing, run_as: system, queue: mails}
"""
CODE = "def nothing(ctx):\n    return None\n"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running_redis() as found:
        yield found


@pytest.fixture(scope="module")
def runtime(declare: Declare) -> Runtime:
    return declare(YAML, CODE).site.runtime


@pytest.fixture
def handover(server: RedisServer, runtime: Runtime) -> Iterator[Handover]:
    with runtime.database.writing() as connection:
        connection.execute(job_table(runtime).delete())
    with open_redis(server.url) as client:
        client.flushall()
        yield Handover(client, "site", [])


def enqueue(runtime: Runtime, name: str, times: int = 1) -> list[str]:
    with runtime.writing(SYSTEM, plugin="demo") as ctx:
        return [ctx.jobs.enqueue(name) for _ in range(times)]


def states(runtime: Runtime) -> list[str]:
    with runtime.database.snapshot() as connection:
        return sorted(row.state for row in connection.execute(job_table(runtime).select()))


def leases(runtime: Runtime, seconds: float) -> None:
    """Let every lease end so many seconds from now."""
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    with runtime.database.writing() as connection:
        connection.execute(job_table(runtime).update().values(leased_until=until))


def test_few_are_handed_over_in_order(runtime: Runtime, handover: Handover) -> None:
    jobs = enqueue(runtime, "plain", 10)
    assert Dispatcher(runtime, handover, ["default"], 1).fill()
    assert handover.waiting() == [Entry(job, 1) for job in jobs[:LEAST]]
    assert states(runtime) == ["dispatched"] * LEAST + ["queued"] * (10 - LEAST)


def test_full_queue_takes_no_more(runtime: Runtime, handover: Handover) -> None:
    enqueue(runtime, "plain", 10)
    dispatcher = Dispatcher(runtime, handover, ["default"], 1)
    dispatcher.fill()
    length = handover.length()
    assert dispatcher.fill()
    assert handover.length() == length


def test_nothing_to_do_is_said(runtime: Runtime, handover: Handover) -> None:
    assert not Dispatcher(runtime, handover, [], 1).fill()


def test_full_queue_leaves_room_for_others(runtime: Runtime, handover: Handover) -> None:
    enqueue(runtime, "plain", 50)
    [mail] = enqueue(runtime, "mail")
    Dispatcher(runtime, handover, [], 2).fill()
    assert Entry(mail, 1) in handover.waiting()


def test_other_queues_are_left_alone(runtime: Runtime, handover: Handover) -> None:
    enqueue(runtime, "plain", 3)
    [mail] = enqueue(runtime, "mail")
    Dispatcher(runtime, handover, ["mails"], 2).fill()
    assert handover.waiting() == [Entry(mail, 1)]


def test_queue_of_an_earlier_declaration_counts(runtime: Runtime, handover: Handover) -> None:
    enqueue(runtime, "plain")
    with runtime.database.writing() as connection:
        connection.execute(job_table(runtime).update().values(queue="bygone"))
    assert {"bygone", "default", "mails"} <= set(queues_with_jobs(runtime))
    Dispatcher(runtime, handover, [], 1).fill()
    assert handover.length() == 1


def test_entries_that_wait_stay_dispatched(runtime: Runtime, handover: Handover) -> None:
    enqueue(runtime, "plain")
    dispatcher = Dispatcher(runtime, handover, [], 1)
    dispatcher.fill()
    leases(runtime, -1)
    dispatcher.tidy()
    assert reap(runtime) == 0
    assert states(runtime) == ["dispatched"]


def test_entries_that_redis_lost_are_handed_over_again(runtime: Runtime, handover: Handover) -> None:
    [job] = enqueue(runtime, "plain")
    dispatcher = Dispatcher(runtime, handover, [], 1)
    dispatcher.fill()
    handover.redis.flushall()
    leases(runtime, -1)
    dispatcher.tidy()
    assert reap(runtime) == 1
    dispatcher.fill()
    assert handover.waiting() == [Entry(job, 2)]


def test_entry_of_a_dead_worker_is_forgotten(runtime: Runtime, handover: Handover) -> None:
    enqueue(runtime, "plain")
    dispatcher = Dispatcher(runtime, handover, [], 1)
    dispatcher.fill()
    handover.redis.lmove(handover.queue.key, f"{handover.queue.key}:intermediate")
    dispatcher.tidy()
    assert len(handover.between()) == 1  # a worker may be about to take it
    dispatcher.tidy()
    assert handover.between() == set()


def test_only_dispatched_jobs_are_kept(runtime: Runtime, handover: Handover) -> None:
    [job] = enqueue(runtime, "plain")
    keep_dispatched(runtime, [job])
    with runtime.database.snapshot() as connection:
        assert connection.execute(job_table(runtime).select()).one().leased_until is None
