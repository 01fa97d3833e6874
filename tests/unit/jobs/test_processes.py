"""Processes that tell that they are there."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from host.jobs.processes import FORGOTTEN_SECONDS, GONE_SECONDS, PROCESS, Presence, is_there, present
from host.service.runtime import Runtime
from tests.support.sites import Declare


def age(runtime: Runtime, name: str, seconds: float) -> None:
    """Let it have been silent for so long."""
    table = runtime.registry.model(PROCESS).table
    seen = datetime.now(UTC) - timedelta(seconds=seconds)
    with runtime.database.writing() as connection:
        connection.execute(table.update().where(table.c.name == name).values(seen_at=seen))


def test_presence_comes_and_goes(declare: Declare) -> None:
    runtime = declare("resources: {}").site.runtime
    worker = Presence(name="one:1:worker", kind="worker", queues=["mails"], concurrency=2)
    assert not is_there(runtime.database, runtime.registry, "worker")
    worker.beat(runtime)
    worker.beat(runtime)
    assert present(runtime, "worker") == ["one:1:worker"]
    assert present(runtime, "scheduler") == []
    assert is_there(runtime.database, runtime.registry, "worker")
    worker.leave(runtime)
    assert present(runtime, "worker") == []


def test_silent_process_is_gone(declare: Declare) -> None:
    runtime = declare("resources: {}").site.runtime
    worker = Presence(name="two:1:worker", kind="worker")
    worker.beat(runtime)
    age(runtime, worker.name, GONE_SECONDS + 1)
    assert present(runtime, "worker") == []
    assert not is_there(runtime.database, runtime.registry, "worker")
    worker.beat(runtime)
    assert present(runtime, "worker") == [worker.name]


def test_long_gone_rows_are_cleared_away(declare: Declare) -> None:
    runtime = declare("resources: {}").site.runtime
    Presence(name="old", kind="worker").beat(runtime)
    age(runtime, "old", FORGOTTEN_SECONDS + 1)
    Presence(name="new", kind="scheduler").beat(runtime)
    with runtime.database.snapshot() as connection:
        table = runtime.registry.model(PROCESS).table
        assert connection.execute(sa.select(table.c.name)).scalars().all() == ["new"]
