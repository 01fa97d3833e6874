"""Steps, progress, and being stopped while it runs: what the code of a job asks `ctx.job` and `ctx.step`."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from host.jobs.claims import take
from host.jobs.execution import carry_out
from host.service.context import Context
from tests.support.sites import Core
from tests.unit.jobs.world import change, code, enqueue, failures, job, outcomes, titles


def during(core: Core, name: str, do: Callable[[Context, str], Any]) -> str:
    """Run a job that calls `do` between its two reports; answers its id."""
    key = enqueue(core, name)
    code(core)["FAIL"].append(lambda ctx: do(ctx, key))
    core.site.run_jobs()
    return key


def test_repeat_passes_over_what_is_done(core: Core) -> None:
    code(core)["FAIL"].append("no network")
    key = enqueue(core, "steps", {"title": "x"})
    assert outcomes(core.site.run_jobs()) == ["again", "done"]
    assert code(core)["SEEN"] == ["first", "second", "second"]
    assert titles(core) == ["x", "x again"]
    result = job(core, key)["result"]
    assert (len(result["first"]), result["second"]) == (36, [1, 2])


def test_step_of_a_lost_try_commits_nothing(core: Core) -> None:
    key = enqueue(core, "steps", {"title": "x"})
    (claimed,) = take(core.site.runtime, "default")
    change(core, key, attempt=2, state="queued")
    assert (carry_out(core.site.runtime, claimed), titles(core)) == ("lost", [])
    with core.reading() as ctx:
        assert ctx.execute(sa.select(ctx.table("host.job_step"))).all() == []


def test_whole_job_has_no_steps(core: Core) -> None:
    key = during(core, "show_whole", lambda ctx, _: ctx.step("first", lambda short: 1))
    assert "declare `transaction: steps`" in failures(core, key)[0]["cause"]["message"]


def test_code_outside_of_a_job_has_none(core: Core) -> None:
    with core.writing() as ctx, pytest.raises(RuntimeError, match="no job"):
        ctx.job.check()


def test_progress_is_seen_while_it_runs(core: Core) -> None:
    seen: list[Any] = []
    during(core, "show", lambda ctx, key: seen.append(job(core, key)))
    assert [(it["state"], it["progress"], it["message"]) for it in seen] == [("running", 40, "halfway")]


def test_whole_job_shows_its_progress_where_it_can(core: Core) -> None:
    seen: list[Any] = []
    key = during(core, "show_whole", lambda ctx, key: seen.append(job(core, key)["progress"]))
    assert seen == ([None] if core.dialect == "sqlite" else [40])
    assert (job(core, key)["progress"], job(core, key)["message"]) == (100, "halfway")


def test_running_job_is_stopped(core: Core) -> None:
    key = during(core, "show", lambda ctx, key: change(core, key, cancel_wanted=True))
    row = job(core, key)
    assert (row["state"], row["progress"], row["result"], row["failures"]) == ("cancelled", 60, None, 0)


def test_whole_job_sees_that_it_is_cancelled(core: Core) -> None:
    key = enqueue(core, "show_whole")
    (claimed,) = take(core.site.runtime, "default")
    change(core, key, cancel_wanted=True)
    assert carry_out(core.site.runtime, claimed) == "cancelled"


def test_failure_of_an_unwanted_job_is_its_end(core: Core) -> None:
    def fall(ctx: Context, key: str) -> None:
        change(core, key, cancel_wanted=True)
        raise RuntimeError

    row = job(core, during(core, "show", fall))
    assert (row["state"], row["failures"]) == ("cancelled", 1)
    assert row["finished_at"] <= datetime.now(UTC) < row["keep_until"]


def test_job_keeps_its_id_from_try_to_try(core: Core) -> None:
    code(core)["FAIL"].append(lambda ctx: code(core)["FAIL"].clear() or 1 / 0)
    key = enqueue(core, "show")
    assert outcomes(core.site.run_jobs(ahead=100)) == ["again", "done"]
    assert job(core, key)["result"] == key
