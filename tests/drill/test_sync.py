"""Sync for long: many random devices, processes that are killed while they push, and ten thousand events in time."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from host.sync.rebuilding import rebuild
from host.testing.sites import Site
from tests.benchmark.sync import YAML as BENCH
from tests.benchmark.sync import batch
from tests.support.devices import YAML, Devices, hash_of
from tests.support.sites import Core, write_site

EVENTS = 3000
KILLINGS = 12
PUSH_CPU, PULL_CPU = 10.0, 1.0
DEEP = settings(
    max_examples=150, stateful_step_count=50, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip

pytestmark = pytest.mark.drill


def opened(folder: Path, yaml: str, url: str) -> Iterator[Core]:
    core = Core(Site.make(write_site(folder / "site", yaml), url))
    yield core
    core.site.close()


@pytest.fixture
def core(tmp_path: Path, database_url: str) -> Iterator[Core]:
    yield from opened(tmp_path, YAML.replace("POLICY", "last_writer"), database_url)


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[Core]:
    yield from opened(tmp_path, BENCH, database_url)


@pytest.mark.timeout(1800)
def test_devices_see_the_same_rows_for_long(core: Core) -> None:
    run_state_machine_as_test(type("Deep", (Devices,), {"core": core}), settings=DEEP)


@pytest.mark.timeout(900)
def test_killed_pushes_leave_whole_batches(bench: Core, database_url: str) -> None:
    user, chance = bench.user(), random.Random(7)
    assert user.actor is not None and user.actor.id is not None
    root, account = str(bench.site.app.settings.root), user.actor.id
    command = [sys.executable, "-m", "tests.drill.pusher", root, database_url, account, str(EVENTS)]
    for _ in range(KILLINGS):
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.01, 0.6))
        process.kill()
        process.communicate()
        assert user.get("/api/events/hash").json["event_count"] % 100 == 0
        check(bench, account)
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False, timeout=600).returncode == 0
    events = user.get(f"/api/events/pull?limit={EVENTS}").json["events"]
    assert [it["id"] for it in events] == [it["id"] for it in batch(EVENTS)]
    assert user.get("/api/events/hash").json["hash"] == hash_of(events)
    check(bench, account)


@pytest.mark.timeout(900)
def test_ten_thousand_events_are_pushed_and_pulled_in_time(bench: Core) -> None:
    user, events = bench.user(), batch(10_000)
    user.post("/api/events/push", batch(100, seed=2))
    begun = time.process_time()
    told = user.post("/api/events/push", events).json
    pushed = time.process_time() - begun
    assert told["conflicts"] == [] and len(told["accepted"]) == 10_000
    begun = time.process_time()
    page = user.get("/api/events/pull?limit=10100").json
    pulled = time.process_time() - begun
    assert len(page["events"]) == 10_100 and page["has_more"] is False
    print(f"\n{bench.dialect}: push {pushed:.2f} s CPU, pull {pulled:.2f} s CPU")
    assert pushed < PUSH_CPU and pulled < PULL_CPU


def check(core: Core, owner: str) -> None:
    """The rows are what the events make."""
    runtime = core.site.runtime
    (log,) = (it for it in runtime.logs.logs.values() if it.model.plugin == "site")
    assert rebuild(runtime, log, check=True, owner=owner).is_right
