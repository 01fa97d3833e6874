"""What tests of sync share: a log with two resources, one resource without a log of its own, and events of devices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from tests.support.devices import YAML as LOG
from tests.support.sites import Caller, Core

YAML = (
    LOG
    + """
  note:
    mixins: [owned, stamped]
    fields: {text: {type: string, max: 50, required: true}, pinned: {type: boolean, default: false}}
    access: owner
    sync: true
"""
)
BEGAN = datetime.now(UTC) - timedelta(hours=2)
PUSH, PULL, HASH = "/api/entries/push", "/api/entries/pull", "/api/entries/hash"
Event = dict[str, Any]


def time_at(seconds: float) -> str:
    """A time of a device, so many seconds after all began."""
    return (BEGAN + timedelta(seconds=seconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def made(word: str, key: str, seconds: float = 0, type_: str = "contact", **data: Any) -> Event:
    """An event of a device."""
    return {
        "id": str(uuid4()), "aggregate_type": type_, "aggregate_id": key, "event_type": word, "event_data": data,
        "timestamp": time_at(seconds),
    }  # fmt: skip


def new_contact(user: Caller, seconds: float = 0, **data: Any) -> tuple[str, Event]:
    """A contact that a device has made: its key and the event."""
    event = made("CREATED", str(uuid4()), seconds, **{"name": "Ann", **data})
    assert pushed(user, event)["accepted"] == [event["id"]]
    return event["aggregate_id"], event


def pushed(user: Caller, *events: Event) -> Any:
    """What a push is answered."""
    reply = user.post(PUSH, list(events))
    assert reply.status == 200, reply.body
    return reply.json


def refused(user: Caller, event: Event) -> str:
    """The code of the reason for which an event is refused."""
    told = pushed(user, event)
    assert told["conflicts"] == [event["id"]] and told["accepted"] == []
    code: str = told["reasons"][event["id"]]["code"]
    return code


def contact(user: Caller, key: str) -> Any:
    """A contact as it is read; None where there is none."""
    reply = user.get(f"/api/contacts/{key}")
    return reply.json if reply.status == 200 else None


def pulled(user: Caller, query: str = "") -> list[Event]:
    """The events of a pull."""
    events: list[Event] = user.get(f"{PULL}?{query}").json["events"]
    return events


def rows(core: Core, statement: str) -> list[Any]:
    """What is stored."""
    with core.site.database.engine.connect() as connection:
        return list(connection.execute(sa.text(statement)).fetchall())
