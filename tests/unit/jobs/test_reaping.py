"""Tries of workers that are gone are taken away; a job that kills its workers is dead in the end."""

from datetime import UTC, datetime, timedelta

import pytest

from host.jobs.claims import choose, take, take_one
from host.jobs.execution import carry_out, execute
from host.jobs.reaping import MOST_CRASHES, reap, settle
from tests.support.sites import Core
from tests.unit.jobs.world import change, enqueue, failures, job, outcomes, titles

PAST = datetime(2026, 1, 1, tzinfo=UTC)


def test_lost_lease_begins_a_new_try(core: Core) -> None:
    key = enqueue(core, "once", {"title": "x"})
    (claimed,) = take(core.site.runtime, "default", worker="w")
    assert reap(core.site.runtime) == 0
    change(core, key, leased_until=PAST)
    assert reap(core.site.runtime) == 1
    row = job(core, key)
    assert (row["state"], row["attempt"], row["crashes"], row["failures"]) == ("queued", 2, 1, 0)
    assert [(it["attempt"], it["error"]["code"], it["worker"]) for it in failures(core, key)] == [
        (1, "crashed", "w")
    ]
    assert carry_out(core.site.runtime, claimed) == "lost"
    assert (outcomes(core.site.run_jobs()), titles(core)) == (["done"], ["x"])


def test_dispatched_job_that_nobody_took_waits_again(core: Core) -> None:
    key = enqueue(core, "nothing")
    (chosen,) = choose(core.site.runtime, "default", 1)
    change(core, key, leased_until=PAST)
    assert reap(core.site.runtime) == 1
    row = job(core, key)
    assert (row["state"], row["attempt"], row["crashes"], failures(core, key)) == ("queued", 2, 0, [])
    assert execute(core.site.runtime, chosen.id, chosen.attempt) == "skipped"


def test_job_that_kills_its_workers_is_dead(core: Core) -> None:
    key = enqueue(core, "nothing")
    for _ in range(MOST_CRASHES):
        assert take(core.site.runtime, "default", now=datetime.now(UTC) + timedelta(minutes=5))
        change(core, key, leased_until=PAST)
        assert reap(core.site.runtime) == 1
    row = job(core, key)
    assert (row["state"], row["crashes"], len(failures(core, key))) == ("dead", MOST_CRASHES, MOST_CRASHES)
    assert row["keep_until"] > row["finished_at"]


def test_poison_blocks_nobody(core: Core) -> None:
    poison, other = enqueue(core, "nothing"), enqueue(core, "nothing")
    for _ in range(2):
        assert take_one(core.site.runtime, poison)
        change(core, poison, leased_until=PAST)
        reap(core.site.runtime)
    core.site.run_jobs()
    assert (job(core, other)["state"], job(core, poison)["state"]) == ("done", "queued")


def test_unwanted_job_does_not_begin_again(core: Core) -> None:
    key = enqueue(core, "nothing")
    take(core.site.runtime, "default")
    change(core, key, leased_until=PAST, cancel_wanted=True)
    reap(core.site.runtime)
    assert job(core, key)["state"] == "cancelled"


@pytest.mark.parametrize(
    ("why", "state", "crashes", "noted"),
    [("died", "queued", 1, 1), ("stopped", "queued", 0, 0), ("timeout", "dead", 0, 1)],
)
def test_worker_is_known_to_have_ended(core: Core, why: str, state: str, crashes: int, noted: int) -> None:
    key = enqueue(core, "slow")
    take(core.site.runtime, "default")
    assert settle(core.site.runtime, key, 1, why)  # type: ignore[arg-type]  # one of its words
    row = job(core, key)
    assert (row["state"], row["crashes"], len(failures(core, key))) == (state, crashes, noted)
    assert not settle(core.site.runtime, key, 1, "died")
