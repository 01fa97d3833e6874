"""Jobs are stored in the transaction that wants them, checked against their declaration."""

from datetime import UTC, date, datetime, timedelta
from threading import Thread
from typing import Any

import pytest

from host.actor import SYSTEM
from host.errors import HostError, Invalid, PayloadTooLarge
from tests.support.sites import Core
from tests.unit.jobs.world import change, enqueue, job


def count(core: Core) -> int:
    with core.reading() as ctx:
        found: int = ctx.records("host.job").count()
        return found


def test_job_waits_as_declared(core: Core) -> None:
    row = job(core, enqueue(core, "write", {"title": "x"}))
    assert (row["name"], row["state"], row["queue"], row["attempt"]) == ("demo.write", "queued", "default", 1)
    assert (row["data"], row["run_as"], row["request_id"]) == ({"title": "x"}, "system", "request-1")


def test_transaction_that_rolls_back_leaves_none(core: Core) -> None:
    woken: list[int] = []
    with pytest.raises(RuntimeError), core.site.runtime.writing(SYSTEM, plugin="demo") as ctx:
        ctx.transaction.after_commit(lambda: woken.append(1))
        ctx.jobs.enqueue("nothing")
        raise RuntimeError
    assert (count(core), woken) == (0, [])


def test_part_that_rolls_back_leaves_none(core: Core) -> None:
    with core.site.runtime.writing(SYSTEM, plugin="demo") as ctx:
        ctx.jobs.enqueue("nothing")
        with pytest.raises(RuntimeError), ctx.transaction.savepoint():
            ctx.jobs.enqueue("nothing")
            raise RuntimeError
    assert count(core) == 1


def test_workers_are_woken_once_after_the_commit(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(type(core.site.runtime.waker), "wake", lambda _: seen.append(count(core)))
    with core.site.runtime.writing(SYSTEM, plugin="demo") as ctx:
        ctx.jobs.enqueue("nothing")
        ctx.jobs.enqueue("demo.nothing")
        assert seen == []
    assert seen == [2]


@pytest.mark.parametrize(
    ("name", "data", "pointer"),
    [
        ("write", {}, "/title"),
        ("write", {"title": 3}, "/title"),
        ("write", {"title": "x", "other": 1}, "/other"),
        ("write", [1], ""),
        ("write", {"title": object()}, ""),
        ("nothing", {"a": 1}, "/a"),
        ("writ", {}, ""),
        ("host.no", {}, ""),
    ],
)
def test_what_is_not_declared_is_refused(core: Core, name: str, data: Any, pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        enqueue(core, name, data)
    assert [it.pointer for it in caught.value.errors] == [pointer]
    assert count(core) == 0


def test_similar_name_is_offered(core: Core) -> None:
    with pytest.raises(Invalid, match='did you mean "demo'):
        enqueue(core, "demo.writ")


def test_arguments_have_a_largest_size(core: Core) -> None:
    with pytest.raises(PayloadTooLarge):
        enqueue(core, "write", {"title": "x" * (1 << 20)})


def test_arguments_are_stored_as_json(core: Core) -> None:
    with pytest.raises(HostError):
        enqueue(core, "write", {"title": date(2026, 1, 1)} | {"title": b"bytes"})
    assert job(core, enqueue(core, "write", {"title": "Ümlaut"}))["data"] == {"title": "Ümlaut"}


def test_context_without_transaction_enqueues_nothing(core: Core) -> None:
    with pytest.raises(RuntimeError, match="no transaction"):
        core.site.runtime.context(SYSTEM, plugin="demo").jobs.enqueue("nothing")


def test_later_start_is_stored(core: Core) -> None:
    at = datetime(2030, 1, 1, 12, tzinfo=UTC)
    assert job(core, enqueue(core, "nothing", run_at=at))["run_at"] == at
    delayed = job(core, enqueue(core, "nothing", delay=90))
    assert delayed["run_at"] - delayed["created_at"] == timedelta(seconds=90)


@pytest.mark.parametrize("state", ["queued", "dispatched", "running"])
def test_unique_job_is_the_one_that_is_there(core: Core, state: str) -> None:
    first = enqueue(core, "once", {"title": "x"})
    change(core, first, state=state)
    assert enqueue(core, "once", {"title": "x"}) == first
    assert enqueue(core, "once", {"title": "y"}) != first


@pytest.mark.parametrize("state", ["done", "dead", "cancelled"])
def test_unique_job_that_has_ended_comes_anew(core: Core, state: str) -> None:
    first = enqueue(core, "once", {"title": "x"})
    change(core, first, state=state)
    assert enqueue(core, "once", {"title": "x"}) != first


def test_unique_jobs_of_two_accounts_are_two(core: Core) -> None:
    ann, bob = core.user().actor, core.user().actor
    assert ann is not None and bob is not None
    first = enqueue(core, "mine", actor=ann)
    assert enqueue(core, "mine", actor=bob) != first
    assert enqueue(core, "mine", actor=ann) == first


def test_sealed_arguments_are_not_readable(core: Core) -> None:
    row = job(core, enqueue(core, "secret", {"link": "tulip"}))
    assert row["data"] is None and "tulip" not in str(row)
    assert core.site.runtime.sealer.open(row["sealed"]) == {"link": "tulip"}


def test_caller_is_who_it_runs_as(core: Core) -> None:
    ann = core.user().actor
    assert ann is not None
    row = job(core, enqueue(core, "count", actor=ann))
    assert (row["actor"], row["run_as"]) == (ann.id, ann.id)
    row = job(core, enqueue(core, "count_all", actor=ann))
    assert (row["actor"], row["run_as"]) == (ann.id, "system")


def test_context_that_only_reads_enqueues_nothing(core: Core) -> None:
    with core.reading() as ctx, pytest.raises(RuntimeError, match="would be lost"):
        ctx.jobs.enqueue("demo.nothing")


def test_unique_job_is_one_for_many_at_once(core: Core) -> None:
    found: list[str] = []

    def want() -> None:
        for _ in range(5):
            found.append(enqueue(core, "once", {"title": "x"}))

    threads = [Thread(target=want) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found)), count(core)) == (20, 1, 1)
