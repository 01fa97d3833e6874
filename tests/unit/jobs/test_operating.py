"""Jobs cancelled, retried, cleared away and counted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from host.actor import SYSTEM
from host.errors import Conflict
from host.jobs import operating
from host.jobs.claims import take
from tests.support.sites import Core
from tests.unit.jobs.world import change, code, enqueue, failures, job, outcomes


def do(core: Core, what: Any, key: str) -> dict[str, Any]:
    with core.site.runtime.writing(SYSTEM, plugin="host") as ctx:
        row: dict[str, Any] = what(ctx, ctx.records("host.job").lock(key))
        return row


def test_waiting_job_is_cancelled_at_once(core: Core) -> None:
    key = enqueue(core, "secret", {"link": "x"})
    do(core, operating.cancel, key)
    row = job(core, key)
    assert (row["state"], row["sealed"], outcomes(core.site.run_jobs())) == ("cancelled", None, [])
    assert row["keep_until"] - row["finished_at"] == timedelta(days=7)


def test_running_job_is_asked_to_stop(core: Core) -> None:
    key = enqueue(core, "nothing")
    take(core.site.runtime, "default")
    do(core, operating.cancel, key)
    assert (job(core, key)["state"], job(core, key)["cancel_wanted"]) == ("running", True)


def test_ended_job_cannot_be_cancelled(core: Core) -> None:
    key = enqueue(core, "nothing")
    core.site.run_jobs()
    with pytest.raises(Conflict, match="ended already"):
        do(core, operating.cancel, key)


def test_dead_job_is_tried_again_from_the_start(core: Core) -> None:
    key = enqueue(core, "refuse")
    core.site.run_jobs()
    do(core, operating.retry, key)
    row = job(core, key)
    assert (row["state"], row["attempt"], row["failures"], row["keep_until"]) == ("queued", 2, 0, None)
    assert outcomes(core.site.run_jobs()) == ["dead"]
    assert [it["attempt"] for it in failures(core, key)] == [1, 2]


def test_waiting_job_cannot_be_retried(core: Core) -> None:
    with pytest.raises(Conflict, match="dead or cancelled"):
        do(core, operating.retry, enqueue(core, "nothing"))


def test_unique_job_is_not_retried_beside_another(core: Core) -> None:
    key = enqueue(core, "once", {"title": "x"})
    change(core, key, state="dead")
    enqueue(core, "once", {"title": "x"})
    with pytest.raises(Conflict, match="waits or runs already"):
        do(core, operating.retry, key)


def test_erased_arguments_cannot_be_retried(core: Core) -> None:
    key = enqueue(core, "secret", {"link": "x"})
    do(core, operating.cancel, key)
    with pytest.raises(Conflict, match="erased"):
        do(core, operating.retry, key)


def test_dead_job_keeps_its_sealed_arguments(core: Core) -> None:
    key = enqueue(core, "secret", {"link": "tulip"})
    code(core)["FAIL"].append(1)
    assert outcomes(core.site.run_jobs()) == ["dead"]
    code(core)["FAIL"].clear()
    do(core, operating.retry, key)
    assert outcomes(core.site.run_jobs()) == ["done"]


def test_old_jobs_go_with_what_is_theirs(core: Core) -> None:
    code(core)["FAIL"].append("once")
    kept, old, waiting = (
        enqueue(core, "nothing"),
        enqueue(core, "steps", {"title": "x"}),
        enqueue(core, "nothing", delay=60),
    )
    core.site.run_jobs()
    change(core, old, keep_until=datetime.now(UTC) - timedelta(seconds=1))
    assert failures(core, old)
    assert operating.purge(core.site.runtime) == 1
    with core.reading() as ctx:
        assert {row["id"] for row in ctx.records("host.job").find_all()} == {kept, waiting}
        assert ctx.records("host.job_failure").count() == 0
    assert operating.purge(core.site.runtime, before=datetime.now(UTC)) == 1
    assert job(core, waiting)["state"] == "queued"


def test_jobs_are_counted_by_queue(core: Core) -> None:
    enqueue(core, "nothing", run_at=datetime.now(UTC) - timedelta(seconds=50))
    enqueue(core, "nothing", delay=60)
    enqueue(core, "elsewhere", delay=60)
    found = {row["queue"]: row for row in operating.stats(core.site.runtime)}
    assert {name: row["states"] for name, row in found.items()} == {
        "default": {"queued": 2},
        "slow": {"queued": 1},
    }
    assert 49 < found["default"]["waiting"] < 60
    assert found["slow"]["waiting"] == 0
