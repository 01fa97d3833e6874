"""Events of rows that are made of a log: the outbox refers to the log, and subscribers get the changes all the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sites import Core, Declare

YAML = """
resources:
  entry:
    key: int
    mixins: [owned]
    operations: [list, get]
    fields:
      {event_id: uuid, about: string, about_id: uuid, kind: string, values: json, happened_at: datetime, received_at: datetime}
    log: {id: event_id, type: about, key: about_id, event: kind, data: values, at: happened_at, received: received_at}
    access: {read: owner, create: authenticated}
  task:
    mixins: [owned, stamped, versioned, soft_delete]
    fields: {title: {type: string, max: 200, required: true}, due: date, is_done: {type: boolean, default: false}}
    logged: entry
    access: "owner and title != 'hidden'"
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(YAML)


def test_changes_are_read_out_of_the_log(core: Core) -> None:
    ann = core.user()
    with core.site.events() as fired:
        task = ann.make("/api/tasks", title="One", due="2026-01-02")
        ann.patch(f"/api/tasks/{task['id']}", {"title": "Two"})
        ann.patch(f"/api/tasks/{task['id']}", {"is_done": True})
        ann.delete(f"/api/tasks/{task['id']}")
    created, renamed, done, deleted = fired
    assert [it.word for it in fired] == ["created", "updated", "updated", "deleted"]
    assert (created.after("title"), str(created.after("due"))) == ("One", "2026-01-02")
    assert (renamed.before("title"), renamed.after("title")) == ("One", "Two")
    assert (done.before("is_done"), done.after("is_done"), done.after("title")) == (False, True, "Two")
    assert deleted.before("title") == "Two"


def test_the_outbox_does_not_repeat_the_log(core: Core) -> None:
    task = core.user().make("/api/tasks", title="One")
    with core.reading() as ctx:
        [event] = ctx.records("host.event").find_all(key=task["id"])
        [entry] = ctx.records("site.entry").find_all(about_id=task["id"])
    assert event["changes"] is None
    assert event["entry"] == entry["event_id"]


def test_logs_have_no_events_themselves(core: Core) -> None:
    with core.site.events() as fired:
        core.user().make("/api/tasks", title="One")
    resources: set[Any] = {it.resource for it in fired if it.resource != "host.account"}
    assert resources == {"site.task"}
