"""Devices that work offline and sync: a state machine of hypothesis, with a fold of its own that knows nothing of the host's.

Devices have clocks of their own, push some of what they have, in any order and more than once, pull when they like, and
lose their connection in the middle. Meanwhile somebody writes by the ordinary operations. However it goes, after
everybody has pulled all see what the host sees, and the host's rows are what its events make.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from host.sync import pushing
from host.sync.rebuilding import rebuild
from tests.support.sites import Caller, Core

PUSH, PULL, HASH = "/api/entries/push", "/api/entries/pull", "/api/entries/hash"
YAML = """
resources:
  entry:
    plural: entries
    key: int
    mixins: [{owned: {as: user, column: user_id}}]
    fields: {event_id: uuid, aggregate_type: string, aggregate_id: uuid, event_type: string, event_version: integer,
             event_data: json, timestamp: datetime, created_at: datetime}
    log: {id: event_id, type: aggregate_type, key: aggregate_id, event: event_type, data: event_data, at: timestamp,
          received: created_at, version: event_version, undo: {of: undone_event_id}, snapshots: {every: 3, keep: 2},
          words: {created: CREATED, updated: UPDATED, deleted: DELETED, undo: UNDO}, conflict: POLICY}
    wire: {names: {id: sequence, event_id: id, event_version: version}}
    access: {read: owner, create: authenticated}
    sync: true
  contact:
    mixins: [{owned: {as: user, column: user_id}}, stamped, versioned, soft_delete]
    fields: {name: {type: string, max: 20, required: true}, phone: {type: string, max: 20}, rank: {type: integer, default: 7},
             comment: {type: text, transient: true}}
    query: {page: {max: 1000}}
    logged: {in: entry, as: contact}
    access: owner
  deal:
    mixins: [{owned: {as: user, column: user_id}}, stamped, versioned]
    fields: {amount: {type: integer, required: true}, day: date}
    relations: {contact: {to: contact, required: true, on_delete: cascade, same_owner: true}}
    query: {page: {max: 1000}}
    wire: {names: {contact: contact_id}}
    logged: {in: entry, as: transaction}
    access: owner
"""
FIELDS = {"contact": ("name", "phone", "rank"), "transaction": ("amount", "day", "contact_id")}
CHANGES: list[dict[str, Any]] = [
    {"name": "Cy"},
    {"phone": "3"},
    {"phone": None, "rank": 1},
    {"name": "Di", "rank": 2},
]
Event = dict[str, Any]


class Lost(Exception):
    """The process died."""


@dataclass
class Device:
    """What one device has: its own events that are not known to be decided, and those that it has pulled."""

    ahead: timedelta
    own: list[Event] = field(default_factory=list)
    pulled: dict[str, Event] = field(default_factory=dict)
    cursor: str | None = None

    def state(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The rows that its pulled events make."""
        return folded(list(self.pulled.values()))


def folded(events: list[Event]) -> dict[tuple[str, str], dict[str, Any]]:
    """The fold as a client writes it: row by row, creation first, then by the devices' times; deletions are final."""
    rows: dict[tuple[str, str], list[Event]] = {}
    for event in sorted(events, key=lambda it: it["sequence"]):
        rows.setdefault((event["aggregate_type"], event["aggregate_id"]), []).append(event)
    found = {row: _row(row[0], its_own) for row, its_own in rows.items()}
    return {row: values for row, values in found.items() if values is not None}


def _row(type_: str, events: list[Event]) -> dict[str, Any] | None:
    undone = {it["event_data"]["undone_event_id"] for it in events if it["event_type"] == "UNDO"}
    if any(
        it["event_type"] in ("CREATED", "DELETED") and (it["id"] in undone) == (it["event_type"] == "CREATED")
        for it in events
    ):
        return None
    first, *others = [
        it for it in events if it["event_type"] in ("CREATED", "UPDATED") and it["id"] not in undone
    ]
    values: dict[str, Any] = dict.fromkeys(FIELDS[type_])
    for it in (first, *sorted(others, key=lambda one: (one["timestamp"], one["sequence"]))):
        values |= {name: value for name, value in it["event_data"].items() if name in values}
    return values


@contextmanager
def dying(after: int) -> Iterator[None]:
    """The process dies behind so many events of a batch."""
    apply, done = pushing.apply, [0]

    def failing(*arguments: Any) -> None:
        if done[0] == after:
            raise Lost
        done[0] += 1
        apply(*arguments)

    pushing.apply = failing
    try:
        yield
    finally:
        pushing.apply = apply


class Devices(RuleBasedStateMachine):
    """Three devices of one user, and a page in a browser."""

    core: Core

    @initialize()
    def begin(self) -> None:
        """A new user, with devices whose clocks differ."""
        self.user: Caller = self.core.user()
        self.devices = [Device(timedelta(seconds=it)) for it in (0, -90, 40)]
        self.now = datetime.now(UTC) - timedelta(hours=1)
        shared = [str(uuid4()), str(uuid4())]
        for key in shared:
            self._make(0, "contact", "CREATED", key, {"name": "Shared"})
        self._push(self.devices[0].own)
        for device in self.devices:
            self._pull(device, 10)

    # -- what devices do while they are away --

    @rule(
        at=st.integers(0, 2),
        done=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50)), min_size=2, max_size=8),
    )
    def work_offline(self, at: int, done: list[tuple[int, int]]) -> None:
        """A device makes, changes and deletes rows that it knows, and takes things back."""
        for what, which in done:
            if what < 2:
                self._make(at, "contact", "CREATED", str(uuid4()), {"name": f"N{which}", "comment": "c"})
            elif what < 4:
                self._create_deal(at, which)
            elif what < 7:
                self._change(at, which, "contact", "UPDATED", CHANGES[which % len(CHANGES)])
            elif what == 7:
                self._change(at, which, "transaction", "UPDATED", {"amount": which})
            elif what == 8:
                self._change(at, which, ("contact", "transaction")[which % 2], "DELETED", {})
            else:
                self._undo(at, which % 3 + 1)

    def _create_deal(self, at: int, which: int) -> None:
        contacts = self._known(at, "contact")
        if contacts:
            data = {"contact_id": contacts[which % len(contacts)], "amount": which}
            self._make(at, "transaction", "CREATED", str(uuid4()), data)

    def _change(self, at: int, which: int, type_: str, word: str, data: dict[str, Any]) -> None:
        keys = self._known(at, type_)
        if keys:
            self._make(at, type_, word, keys[which % len(keys)], data)

    def _undo(self, at: int, back: int) -> None:
        own = self.devices[at].own
        if len(own) >= back and own[-back]["event_type"] != "UNDO":
            target = own[-back]
            data = {"undone_event_id": target["id"]}
            self._make(at, target["aggregate_type"], "UNDO", target["aggregate_id"], data)

    # -- sync --

    @rule(at=st.integers(0, 2), random=st.randoms(use_true_random=False), share=st.integers(1, 3))
    def push(self, at: int, random: Any, share: int) -> None:
        """A device pushes some of its events, shuffled, some of them twice."""
        own = self.devices[at].own
        some = [it for it in own if random.randrange(3) < share]
        some += some[: random.randrange(3)]
        if random.randrange(2):
            random.shuffle(some)
        self._push(some)

    @rule(at=st.integers(0, 2), after=st.integers(0, 4))
    def push_and_die(self, at: int, after: int) -> None:
        """The host dies in the middle of a batch: nothing of it is there."""
        before = self._count()
        with dying(after):
            reply = self.user.post(PUSH, self.devices[at].own)
        if len(self.devices[at].own) > after and reply.status != 200:
            assert self._count() == before

    @rule(at=st.integers(0, 2), limit=st.integers(1, 20))
    def pull(self, at: int, limit: int) -> None:
        """A device pulls a page."""
        self._pull(self.devices[at], limit)

    # -- a page in a browser --

    @rule(which=st.integers(0, 50), name=st.sampled_from(["Dee", "Eli"]))
    def write_in_browser(self, which: int, name: str) -> None:
        """Somebody makes or changes a contact by the ordinary operations."""
        rows = self._rows("contact")
        keys = sorted(rows)
        if which % 3 == 0 or not keys:
            self.user.make("/api/contacts", name=name)
        else:
            assert self.user.patch(f"/api/contacts/{keys[which % len(keys)]}", {"name": name}).status == 200

    @rule(which=st.integers(0, 50))
    def delete_in_browser(self, which: int) -> None:
        """Somebody deletes a contact, and its transactions with it."""
        keys = sorted(self._rows("contact"))
        if keys:
            assert self.user.delete(f"/api/contacts/{keys[which % len(keys)]}").status == 204

    # -- what holds --

    @invariant()
    def rows_are_what_events_make(self) -> None:
        """The stored rows are the fold, to the last column."""
        if hasattr(self, "user"):
            assert self.user.actor is not None
            logs = self.core.site.runtime.logs.logs
            report = rebuild(self.core.site.runtime, logs["site.entry"], check=True, owner=self.user.actor.id)
            assert report.is_right, report

    def teardown(self) -> None:
        """Everybody comes back, pushes all and pulls all."""
        if not hasattr(self, "user"):
            return
        for device in self.devices:
            self._push(device.own)
        for device in self.devices:
            while self._pull(device, 7):
                pass
        stored = {
            (type_, key): {name: row[name] for name in FIELDS[type_]}
            for type_ in FIELDS
            for key, row in self._rows(type_).items()
        }
        for device in self.devices:
            assert device.state() == stored
            assert self.user.get(HASH).json["hash"] == hash_of(list(device.pulled.values()))
        times = [it["created_at"] for it in self.user.get(PULL).json["events"]]
        assert times == sorted(set(times))

    # -- parts --

    def _make(self, at: int, type_: str, word: str, key: str, data: dict[str, Any]) -> None:
        device = self.devices[at]
        self.now += timedelta(seconds=2)
        time = (self.now + device.ahead).isoformat(timespec="microseconds").replace("+00:00", "Z")
        names = {"aggregate_type": type_, "aggregate_id": key, "event_type": word, "event_data": data}
        device.own.append({"id": str(uuid4()), "timestamp": time, **names})

    def _known(self, at: int, type_: str) -> list[str]:
        device = self.devices[at]
        own = [
            it["aggregate_id"]
            for it in device.own
            if (it["aggregate_type"], it["event_type"]) == (type_, "CREATED")
        ]
        return sorted({*own, *(key for found, key in device.state() if found == type_)})

    def _push(self, events: list[Event]) -> None:
        reply = self.user.post(PUSH, events)
        assert reply.status == 200, reply.body
        decided = {*reply.json["accepted"], *reply.json["conflicts"]}
        assert decided == {it["id"] for it in events}

    def _pull(self, device: Device, limit: int) -> bool:
        behind = f"&cursor={device.cursor}" if device.cursor is not None else ""
        page = self.user.get(f"{PULL}?limit={limit}{behind}").json
        assert not device.pulled.keys() & {it["id"] for it in page["events"]}
        device.pulled |= {it["id"]: it for it in page["events"]}
        device.cursor = page["cursor"]
        more: bool = page["has_more"]
        return more

    def _rows(self, type_: str) -> dict[str, dict[str, Any]]:
        path = {"contact": "/api/contacts", "transaction": "/api/deals"}[type_]
        return {row["id"]: row for row in self.user.get(f"{path}?page_size=1000").json["items"]}

    def _count(self) -> int:
        with self.core.site.database.engine.connect() as connection:
            return int(connection.execute(sa.text("SELECT count(*) FROM site_entry")).scalar_one())


def hash_of(events: list[Event]) -> str:
    """The hash as the contract's client computes it."""
    ordered = sorted(events, key=lambda it: (it["timestamp"], it["id"]))
    return hashlib.sha256("".join(it["id"] + dart(it["timestamp"]) for it in ordered).encode()).hexdigest()


def dart(text: str) -> str:
    """A time as Dart's `toIso8601String` writes it."""
    time = datetime.fromisoformat(text)
    digits = "milliseconds" if time.microsecond % 1000 == 0 else "microseconds"
    return time.astimezone(UTC).isoformat(timespec=digits).replace("+00:00", "Z")
