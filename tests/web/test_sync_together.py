"""Many at once: devices of one user and of several, commits that come late, and processes that end in the middle."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event as Flag
from typing import Any
from uuid import uuid4

import pytest

from host.sync.rebuilding import rebuild
from tests.support.devices import hash_of
from tests.support.sites import Caller, Core, Declare
from tests.web.sync_world import HASH, PULL, PUSH, YAML, made, new_contact, pulled, pushed

AT_ONCE = 4


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(YAML.replace("POLICY", "last_writer"))


def together(*work: Callable[[], Any]) -> list[Any]:
    """Do all of it at once."""
    with ThreadPoolExecutor(len(work)) as pool:
        futures = [pool.submit(it) for it in work]
        return [future.result(60) for future in futures]


def batch(key: str, device: int) -> list[dict[str, Any]]:
    """Contacts of a device, and its changes of one that all know."""
    own = [made("CREATED", str(uuid4()), device + number, name=f"D{device}") for number in range(5)]
    return own + [
        made("UPDATED", key, 100 + 7 * number + device, rank=device * 100 + number) for number in range(10)
    ]


def check(core: Core, user: Caller, count: int) -> None:
    """Nothing is missing, and everything is what its events make."""
    assert user.actor is not None
    events = pulled(user)
    assert len(events) == count
    assert [it["created_at"] for it in events] == sorted({it["created_at"] for it in events})
    assert user.get(HASH).json["hash"] == hash_of(events)
    report = rebuild(
        core.site.runtime, core.site.runtime.logs.logs["site.entry"], check=True, owner=user.actor.id
    )
    assert report.is_right


def test_devices_of_one_user_push_at_once(core: Core) -> None:
    user = core.user()
    key, _ = new_contact(user)
    batches = [batch(key, device) for device in range(AT_ONCE)]
    told = together(*(lambda events=events: pushed(user, *events) for events in batches))  # type: ignore[misc]
    assert sum(len(it["accepted"]) for it in told) == AT_ONCE * 15
    check(core, user, 1 + AT_ONCE * 15)


def test_same_batch_pushed_at_once_is_there_once(core: Core) -> None:
    user = core.user()
    key, _ = new_contact(user)
    events = batch(key, 1)
    told = together(*(lambda: pushed(user, *events) for _ in range(AT_ONCE)))
    assert all(it["conflicts"] == [] and len(it["accepted"]) == 15 for it in told)
    check(core, user, 16)


def test_pushes_meet_ordinary_writes(core: Core) -> None:
    user = core.user()
    key, _ = new_contact(user)

    def in_browser() -> None:
        for number in range(8):
            assert user.patch(f"/api/contacts/{key}", {"rank": 1000 + number}).status == 200

    together(in_browser, lambda: [pushed(user, event) for event in batch(key, 1)])
    check(core, user, 1 + 8 + 15)


def test_users_push_at_once(core: Core) -> None:
    users = [core.user() for _ in range(AT_ONCE)]
    keys = [new_contact(user)[0] for user in users]
    together(
        *(
            lambda user=user, key=key: pushed(user, *batch(key, 0))
            for user, key in zip(users, keys, strict=True)
        )
    )  # type: ignore[misc]
    for user in users:
        check(core, user, 16)


def test_late_commit_is_never_passed_over(core: Core) -> None:
    user = core.user()
    new_contact(user)
    cursor = user.get(PULL).json["cursor"]
    is_written, may_commit = Flag(), Flag()

    def slow() -> None:
        with core.writing(user.actor) as ctx:  # type: ignore[arg-type]
            ctx.records("site.contact").create({"name": "Slow"})
            ctx.transaction.write_notes()
            is_written.set()
            may_commit.wait(30)

    quick = made("CREATED", str(uuid4()), name="Quick")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(slow)
        assert is_written.wait(30)
        second = pool.submit(pushed, user, quick)
        assert wait([second], timeout=0.3).not_done  # it may not overtake what it could not see
        assert pulled(user, f"cursor={cursor}") == []
        may_commit.set()
        first.result(30)
        second.result(30)
    names = [it["event_data"]["name"] for it in pulled(user, f"cursor={cursor}")]
    assert names == ["Slow", "Quick"]


def test_batch_that_fails_in_the_middle_leaves_nothing(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    user = core.user()
    key, _ = new_contact(user)
    events = batch(key, 1)
    from host.sync import pushing

    apply = pushing.apply

    def failing(ctx: Any, point: Any, owner: Any, event: Any, checks: Any) -> None:
        if event.id == events[9]["id"]:
            raise OSError("the machine is gone")
        apply(ctx, point, owner, event, checks)

    with monkeypatch.context() as patched:
        patched.setattr(pushing, "apply", failing)
        assert user.post(PUSH, events).status == 500
    check(core, user, 1)
    assert len(pushed(user, *events)["accepted"]) == 15
    check(core, user, 16)
