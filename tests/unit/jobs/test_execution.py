"""A try of a job, from its claim to its end."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
import sqlalchemy as sa

from host.actor import ANONYMOUS
from host.database import Database
from host.jobs.claims import choose, take
from host.jobs.draining import Ran
from host.jobs.execution import carry_out, execute
from tests.support.sites import Core
from tests.unit.jobs.world import change, code, enqueue, failures, job, outcomes, titles


def ran(core: Core, ahead: float = 0) -> list[Ran]:
    return core.site.run_jobs(ahead=ahead)


def test_effects_commit_with_the_end(core: Core) -> None:
    key = enqueue(core, "once", {"title": "x"})
    assert outcomes(ran(core)) == ["done"]
    row = job(core, key)
    assert (row["state"], row["progress"], row["leased_until"], titles(core)) == ("done", 100, None, ["x"])
    assert row["keep_until"] - row["finished_at"] == timedelta(days=7)


def test_result_has_the_declared_form(core: Core) -> None:
    ann = core.user().actor
    assert ann is not None
    key = enqueue(core, "write", {"title": "x"}, ann)
    ran(core)
    result = job(core, key)["result"]
    assert (result["title"], result["author"], "day" in result) == ("x", ann.id, True)


def test_job_knows_who_wanted_it(core: Core) -> None:
    ann = core.user().actor
    assert ann is not None
    enqueue(core, "write", {"title": "x"}, ann)
    ran(core)
    assert code(core)["SEEN"] == [(ann.id, 1, "request-1")]


def test_rules_hold_for_the_caller(core: Core) -> None:
    ann, bob = core.user().actor, core.user().actor
    assert ann is not None and bob is not None
    enqueue(core, "write", {"title": "x"}, ann)
    ran(core)
    own, other, everything = (
        enqueue(core, "count", actor=ann),
        enqueue(core, "count", actor=bob),
        enqueue(core, "count_all", actor=bob),
    )
    ran(core)
    assert [job(core, it)["result"]["count"] for it in (own, other, everything)] == [1, 0, 1]


def test_nobody_is_not_the_system(core: Core) -> None:
    ann = core.user().actor
    assert ann is not None
    enqueue(core, "write", {"title": "x"}, ann)
    ran(core)
    key = enqueue(core, "count", actor=ANONYMOUS)
    ran(core)
    assert (job(core, key)["run_as"], job(core, key)["result"]) == ("nobody", {"count": 0, "day": None})


def test_role_is_that_of_the_moment(core: Core) -> None:
    ann = core.user().actor
    assert ann is not None
    key = enqueue(core, "count", actor=ann)
    with core.writing() as ctx:
        ctx.records("host.account").update(ann.id, {"active": False})
    assert outcomes(ran(core)) == ["dead"]
    assert job(core, key)["error"]["code"] == "account"


def test_failure_rolls_back_and_waits(core: Core) -> None:
    key = enqueue(core, "fall", {"title": "x"})
    assert outcomes(ran(core)) == ["again", "dead"]  # its wait is 0
    row = job(core, key)
    assert (row["state"], row["failures"], row["attempt"], titles(core)) == ("dead", 2, 2, [])
    assert row["keep_until"] - row["finished_at"] == timedelta(days=40)


def test_owner_is_told_no_secret_of_the_code(core: Core) -> None:
    key = enqueue(core, "fall", {"title": "x"})
    ran(core)
    assert "tulip" not in str(job(core, key)["error"])
    first, second = failures(core, key)
    assert first["cause"]["message"] == "the password is tulip"
    assert (first["attempt"], second["attempt"], first["error"]["code"]) == (1, 2, "internal")


def test_wait_grows_from_try_to_try(core: Core) -> None:
    enqueue(core, "write", {"title": "x"})
    key = enqueue(core, "write", {"title": "x"})
    assert outcomes(ran(core)) == ["done", "again"]
    first = (job(core, key)["run_at"] - datetime.now(UTC)).total_seconds()
    assert 88 < first <= 110
    assert outcomes(ran(core, ahead=111)) == ["again"]
    second = (job(core, key)["run_at"] - datetime.now(UTC)).total_seconds()
    assert 268 < second <= 330
    assert outcomes(ran(core, ahead=331)) == ["dead"]


def test_error_of_the_host_is_told(core: Core) -> None:
    key = enqueue(core, "refuse")
    assert outcomes(ran(core)) == ["dead"]
    assert job(core, key)["error"] == {"code": "conflict", "detail": "not today"}


def test_result_that_is_not_json_fails(core: Core) -> None:
    key = enqueue(core, "odd")
    assert outcomes(ran(core)) == ["dead"]
    assert (job(core, key)["error"]["code"], titles(core)) == ("not_json", [])


def test_result_that_is_not_declared_fails(core: Core) -> None:
    key = enqueue(core, "untrue")
    assert outcomes(ran(core)) == ["dead"]
    assert job(core, key)["error"]["code"] == "out"


def test_unknown_job_fails_with_a_reason(core: Core) -> None:
    key = enqueue(core, "nothing")
    change(core, key, name="demo.former")
    assert outcomes(ran(core)) == ["again"]
    assert job(core, key)["error"] == {"code": "unknown_job", "detail": 'nobody declares a job "demo.former"'}
    assert outcomes(ran(core, ahead=1000)) == ["again", "again", "dead"]


def test_arguments_of_a_former_declaration_fail(core: Core) -> None:
    key = enqueue(core, "write", {"title": "x"})
    change(core, key, data={"heading": "x"})
    assert outcomes(ran(core)) == ["dead"]
    assert job(core, key)["error"]["code"] == "invalid_data"


def test_job_over_its_time_is_ended(core: Core) -> None:
    key = enqueue(core, "slow")
    began = datetime.now(UTC)
    assert outcomes(ran(core)) == ["dead"]
    assert datetime.now(UTC) - began < timedelta(seconds=3)
    assert (job(core, key)["error"]["code"], titles(core)) == ("timeout", [])


def test_thread_notices_the_time_at_the_end(core: Core) -> None:
    code(core)["FAIL"].append(1.1)  # seconds that it takes
    enqueue(core, "slow")
    found: list[Ran] = []
    thread = Thread(target=lambda: found.extend(ran(core)))
    thread.start()
    thread.join()
    assert (outcomes(found), titles(core)) == (["dead"], [])


def test_sealed_arguments_are_erased_when_done(core: Core) -> None:
    key = enqueue(core, "secret", {"link": "tulip"})
    assert outcomes(ran(core)) == ["done"]
    assert code(core)["SEEN"] == ["tulip"]
    assert job(core, key)["sealed"] is None


def test_failure_of_a_sealed_job_tells_nothing(core: Core, caplog: pytest.LogCaptureFixture) -> None:
    code(core)["FAIL"].append(1)
    key = enqueue(core, "secret", {"link": "tulip"})
    ran(core)
    assert "tulip" not in f"{job(core, key)} {failures(core, key)} {caplog.text}"


def test_try_that_was_taken_away_commits_nothing(core: Core) -> None:
    key = enqueue(core, "once", {"title": "x"})
    (claimed,) = take(core.site.runtime, "default")
    change(core, key, attempt=2, state="queued")
    assert (carry_out(core.site.runtime, claimed), titles(core)) == ("lost", [])
    assert job(core, key)["state"] == "queued"


def test_dispatched_try_runs_once(core: Core) -> None:
    key = enqueue(core, "once", {"title": "x"})
    (chosen,) = choose(core.site.runtime, "default", 10)
    found = [execute(core.site.runtime, chosen.id, chosen.attempt) for _ in range(2)]
    assert (found, chosen.id, titles(core)) == (["done", "skipped"], key, ["x"])
    assert execute(core.site.runtime, chosen.id, 7) == "skipped"


def test_job_enqueues_a_job(core: Core) -> None:
    enqueue(core, "chain")
    assert [it.name for it in ran(core)] == ["demo.chain", "demo.nothing"]


def test_steps_enqueue_within_a_step_only(core: Core) -> None:
    key = enqueue(core, "loose")
    assert outcomes(ran(core)) == ["again"]
    assert "no transaction" in failures(core, key)[0]["cause"]["message"]


def test_busy_database_is_no_failure_of_the_job(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the driver says when somebody else holds the lock for too long."""
    key = enqueue(core, "once", {"title": "x"})
    database, real = core.site.database, type(core.site.database).writing
    (claimed,) = take(core.site.runtime, "default")
    refused = [sqlite3.OperationalError("database is locked")]

    @contextmanager
    def writing(self: Database) -> Iterator[sa.Connection]:
        with database._translated():
            if refused:
                raise refused.pop()
        with real(self) as connection:
            yield connection

    monkeypatch.setattr(Database, "writing", writing)
    assert carry_out(core.site.runtime, claimed) == "again"
    row = job(core, key)
    assert (row["state"], row["failures"], row["crashes"], row["error"]["code"]) == (
        "queued",
        0,
        1,
        "unavailable",
    )
    assert (outcomes(ran(core)), titles(core)) == (["done"], ["x"])
