"""Jobs at full size: a thousand orders while everything is killed, a minute without Redis, a poisoned job to its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chaos import check, survive
from tests.support.databases import DATABASES, fresh_database
from tests.support.redis import RedisServer, running_redis
from tests.support.working import JobSite, kill, started, until

pytestmark = [pytest.mark.drill, pytest.mark.timeout(1800)]
JOBS = 1000
AWAY_SECONDS = 60


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture(params=DATABASES)
def site(request: pytest.FixtureRequest, redis: RedisServer, tmp_path: Path) -> Iterator[JobSite]:
    with fresh_database(request, tmp_path) as url:
        made = JobSite.make(tmp_path / "site", url, HOSTWRIGHT_REDIS_URL=redis.url)
        yield made
        made.close()


def test_thousand_jobs_survive(site: JobSite, redis: RedisServer) -> None:
    survived = survive(site, redis, JOBS, pause=4, seconds=150)
    print(
        f"\n{site.site.database.dialect}: {JOBS} jobs, killed {dict(survived.killed)}, done {survived.seconds} s later"
    )
    assert min(survived.killed[what] for what in ("worker", "redis", "web")) >= 2


def test_minute_without_redis_loses_nothing(site: JobSite, redis: RedisServer) -> None:
    client, slowest = site.site.client(), 0.0
    with started(site, "worker", "--concurrency", "2"):
        redis.stop()
        until_then, number = time.monotonic() + AWAY_SECONDS, 0
        while time.monotonic() < until_then:
            began = time.monotonic()
            assert client.post("/api/demo/orders/place", json={"number": number}).status_code == 204
            slowest = max(slowest, time.monotonic() - began)
            number += 1
            time.sleep(0.1)
        redis.start()
        back = time.monotonic()
        until(lambda: site.states() == {"done": number}, "every job is done", 60)
        print(
            f"\n{number} jobs, slowest request {slowest * 1000:.0f} ms, done {time.monotonic() - back:.1f} s after Redis was back"
        )
    check(site, number)


def test_poison_job_ends_among_the_dead(site: JobSite, redis: RedisServer) -> None:
    with started(site, "worker", "--concurrency", "2"):
        poison = site.enqueue("poison")
        others = []
        for number in range(60):
            others.append(site.enqueue("effect", {"number": number}))
            time.sleep(0.5)
        until(lambda: site.state(poison) == "dead", "the poisoned job is dead", 120)
        until(lambda: all(site.state(it) == "done" for it in others), "the others are done")
    [(crashes, error)] = site.ask("SELECT crashes, error FROM host_job WHERE id = ?", poison)
    assert crashes == 5
    assert "crashed" in str(error)


def test_killed_supervisor_is_recovered_from(site: JobSite, redis: RedisServer) -> None:
    with started(site, "worker", "--concurrency", "2") as workers:
        job = site.enqueue("long")
        until(lambda: job in site.ran(), "it has begun")
        killed = time.monotonic()
        kill(workers.process.pid)
        workers.process.wait()
    with started(site, "worker", "--concurrency", "2"):
        until(lambda: site.ran().count(job) == 2, "it begins again", 40)
        print(f"\nbegun again after {time.monotonic() - killed:.1f} s")
        assert time.monotonic() - killed < 30
        until(lambda: site.state(job) == "done", "it is done")
