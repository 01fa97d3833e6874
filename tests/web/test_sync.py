"""Sync over HTTP, on both databases: push, pull and hash, and what ordinary operations add to the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.support.devices import hash_of
from tests.support.sites import Core, Declare
from tests.web.sync_world import (
    HASH,
    PULL,
    PUSH,
    YAML,
    contact,
    made,
    new_contact,
    pulled,
    pushed,
    refused,
    rows,
    time_at,
)


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(YAML.replace("POLICY", "last_writer"))


# --- push -------------------------------------------------------------------------------------------------------------


def test_pushed_event_is_the_write(core: Core) -> None:
    user = core.user()
    key, _ = new_contact(user, comment="met in Rome")
    row = contact(user, key)
    assert (row["name"], row["rank"], row["version"], row["created_at"]) == ("Ann", 7, 1, time_at(0))


def test_same_event_is_accepted_again(core: Core) -> None:
    user = core.user()
    _, event = new_contact(user)
    assert pushed(user, event, event)["accepted"] == [event["id"]]
    assert len(pulled(user)) == 1


def test_other_event_of_same_id_is_refused(core: Core) -> None:
    user = core.user()
    _, event = new_contact(user)
    assert refused(user, {**event, "event_data": {"name": "Eve"}}) == "other_event"


def test_pulled_event_can_be_pushed_back(core: Core) -> None:
    user = core.user()
    new_contact(user)
    user.make("/api/contacts", name="Web")
    events = pulled(user)
    assert len(pushed(user, *events)["accepted"]) == len(events) == 2


def test_late_change_counts_by_its_time(core: Core) -> None:
    user = core.user()
    key, _ = new_contact(user)
    pushed(user, made("UPDATED", key, 20, name="Late"))
    pushed(user, made("UPDATED", key, 10, name="Early", phone="1"))
    row = contact(user, key)
    assert (row["name"], row["phone"], row["version"], row["updated_at"]) == ("Late", "1", 3, time_at(20))


def test_events_of_batch_may_come_in_any_order(core: Core) -> None:
    user, key = core.user(), str(uuid4())
    deal = made("CREATED", str(uuid4()), 2, "transaction", contact_id=key, amount=5)
    told = pushed(user, deal, made("UPDATED", key, 1, name="Two"), made("CREATED", key, 0, name="One"))
    assert len(told["accepted"]) == 3 and told["conflicts"] == []
    assert contact(user, key)["name"] == "Two"


def test_refused_events_leave_the_others(core: Core) -> None:
    user, good = core.user(), made("CREATED", str(uuid4()), name="Good")
    bad = made("CREATED", str(uuid4()), name="x" * 21)
    told = pushed(user, bad, good, made("UPDATED", str(uuid4()), name="Nobody"))
    assert told["accepted"] == [good["id"]] and len(told["conflicts"]) == 2
    assert told["reasons"][bad["id"]]["errors"][0]["pointer"] == "/name"
    assert [event["id"] for event in pulled(user)] == [good["id"]]


DAMAGED: list[dict[str, object]] = [
        {"id": "no"}, {"id": None}, {"aggregate_id": 5}, {"timestamp": "yesterday"}, {"timestamp": "2026-01-01T00:00:00"},
        {"timestamp": 1700000000}, {"timestamp": "2026-13-01T00:00:00Z"}, {"timestamp": "0001-01-01T00:00:00+14:00"},
        {"version": 0}, {"version": "2"},
]  # fmt: skip


def test_malformed_event_refuses_the_batch(core: Core) -> None:
    user = core.user()
    for damage in DAMAGED:
        events = [
            made("CREATED", str(uuid4()), name="Good"),
            made("CREATED", str(uuid4()), name="A") | damage,
        ]
        reply = user.post(PUSH, events)
        assert reply.status == 400 and reply.pointers == [f"/1/{next(iter(damage))}"]
    assert pulled(user) == []


def test_malformed_batch_is_refused(core: Core) -> None:
    user = core.user()
    for body in (
        b"{}",
        b'{"events": {}}',
        b'"text"',
        b"5",
        b"null",
        b"[5]",
        b'{"events": [], "client_id": 7}',
        b"[",
        b"",
    ):
        assert user.send("POST", PUSH, body, {"Content-Type": "application/json"}).status == 400


INVALID: list[tuple[dict[str, object], str]] = [
        ({"aggregate_type": "house"}, "unknown_type"), ({"aggregate_type": None}, "unknown_type"),
        ({"event_type": "MOVED"}, "unknown_event"), ({"event_type": ["CREATED"]}, "unknown_event"),
        ({"event_data": [1]}, "invalid"), ({"event_data": {}}, "invalid"), ({"event_data": {"name": "A\0"}}, "invalid"),
        ({"event_data": {"name": "A", "nope": 1}}, "invalid"), ({"event_data": {"name": "A", "rank": "x"}}, "invalid"),
]  # fmt: skip


def test_invalid_event_is_a_conflict(core: Core) -> None:
    user = core.user()
    for damage, code in INVALID:
        assert refused(user, made("CREATED", str(uuid4()), name="A") | damage) == code


def test_texts_that_no_database_takes_are_a_conflict(declare: Declare) -> None:
    yaml = YAML.replace("POLICY", "last_writer").replace(
        "    logged: {in: entry, as: contact}",
        "    logged: {in: entry, as: contact}\n    wire: {unknown: ignore}",
    )
    user, good = declare(yaml).user(), made("CREATED", str(uuid4()), name="A", more=[1, {"x": 2}])
    told = pushed(user, made("CREATED", str(uuid4()), name="A", more=["\0"]), good)
    assert told["accepted"] == [good["id"]] and len(told["conflicts"]) == 1
    assert pulled(user)[0]["event_data"]["more"] == [1, {"x": 2}]


def test_batch_may_name_its_device(core: Core) -> None:
    user, event = core.user(), made("CREATED", str(uuid4()), name="A")
    assert user.post(PUSH, {"client_id": "phone", "events": [event]}).json["accepted"] == [event["id"]]


def test_too_many_events_are_refused(declare: Declare) -> None:
    yaml = YAML.replace("POLICY", "last_writer").replace(
        "    sync: true\n  contact", "    sync: {most: 2}\n  contact"
    )
    user = declare(yaml).user()
    assert user.post(PUSH, [made("CREATED", str(uuid4()), name="A") for _ in range(3)]).status == 413


def test_clock_far_ahead_is_taken_for_now(core: Core) -> None:
    user, key = core.user(), str(uuid4())
    ahead = (datetime.now(UTC) + timedelta(days=400)).isoformat()
    pushed(user, made("CREATED", key, name="A") | {"timestamp": ahead})
    assert contact(user, key)["created_at"] < (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
    assert user.patch(f"/api/contacts/{key}", {"name": "Web"}).json["name"] == "Web"


# --- undo and deletion ------------------------------------------------------------------------------------------------


def test_change_is_taken_back(core: Core) -> None:
    user = core.user()
    key, _ = new_contact(user, phone="1")
    change = made("UPDATED", key, 10, name="Wrong", phone="2")
    pushed(user, change, made("UNDO", key, 15, undone_event_id=change["id"]))
    row = contact(user, key)
    assert (row["name"], row["phone"], row["version"]) == ("Ann", "1", 3)


def test_creation_is_taken_back(core: Core) -> None:
    user = core.user()
    key, event = new_contact(user)
    pushed(user, made("UNDO", key, 3, undone_event_id=event["id"]))
    assert contact(user, key) is None
    assert refused(user, made("UPDATED", key, 4, name="Zombie")) == "deleted"


@pytest.mark.parametrize(("seconds", "code"), [(15.000001, "too_late"), (9, "too_late")])
def test_undo_is_refused_outside_its_seconds(core: Core, seconds: float, code: str) -> None:
    user = core.user()
    key, _ = new_contact(user)
    change = made("UPDATED", key, 10, name="Wrong")
    pushed(user, change)
    assert refused(user, made("UNDO", key, seconds, undone_event_id=change["id"])) == code


def test_undo_needs_an_event_that_it_can_take_back(core: Core) -> None:
    user, other = core.user(), core.user()
    key, event = new_contact(user)
    theirs, foreign = new_contact(other)
    undo = made("UNDO", key, 1, undone_event_id=str(uuid4()))
    assert refused(user, undo) == "unknown_target"
    assert refused(user, made("UNDO", key, 1, undone_event_id=foreign["id"])) == "unknown_target"
    assert refused(user, made("UNDO", theirs, 1, undone_event_id=foreign["id"])) == "not_found"
    pushed(user, made("UNDO", key, 1, undone_event_id=event["id"]))
    assert refused(user, made("UNDO", key, 2, undone_event_id=event["id"])) == "undone"


def test_undone_deletion_brings_back_what_went_with_it(core: Core) -> None:
    user = core.user()
    key, _ = new_contact(user)
    deal = made("CREATED", str(uuid4()), 1, "transaction", contact_id=key, amount=5, day="2026-01-31")
    gone = made("DELETED", key, 5)
    pushed(user, deal, gone)
    assert contact(user, key) is None and user.get(f"/api/deals/{deal['aggregate_id']}").status == 404
    pushed(user, made("UNDO", key, 8, undone_event_id=gone["id"]))
    assert contact(user, key)["name"] == "Ann"
    row = user.get(f"/api/deals/{deal['aggregate_id']}").json
    assert (row["amount"], row["day"], row["contact_id"]) == (5, "2026-01-31", key)


def test_deletion_is_final_whatever_its_time(core: Core) -> None:
    user = core.user()
    key, _ = new_contact(user)
    pushed(user, made("UPDATED", key, 20, name="Later"))
    pushed(user, made("DELETED", key, 10))
    assert contact(user, key) is None
    assert refused(user, made("UPDATED", key, 30, name="Zombie")) == "deleted"
    assert len(pushed(user, made("DELETED", key, 40))["accepted"]) == 1


# --- ordinary operations ----------------------------------------------------------------------------------------------


def test_ordinary_writes_are_events(core: Core) -> None:
    user = core.user()
    key = user.make("/api/contacts", name="Web", comment="why")["id"]
    user.patch(f"/api/contacts/{key}", {"phone": "1"})
    user.make("/api/deals", contact_id=key, amount=5)
    user.delete(f"/api/contacts/{key}")
    events = pulled(user)
    words = [(it["aggregate_type"], it["event_type"]) for it in events]
    assert words[:3] == [("contact", "CREATED"), ("contact", "UPDATED"), ("transaction", "CREATED")]
    assert sorted(words[3:]) == [("contact", "DELETED"), ("transaction", "DELETED")]
    assert events[0]["event_data"] == {"name": "Web", "rank": 7, "comment": "why"}
    assert events[1]["event_data"] == {"phone": "1", "previous_values": {"phone": None}}
    assert [it["version"] for it in events if it["aggregate_id"] == key] == [1, 2, 3]


def test_bulk_and_import_are_events_too(core: Core) -> None:
    user = core.user()
    made_rows = user.post("/api/contacts/bulk", [{"name": "A"}, {"name": "B"}])
    assert made_rows.status == 201
    csv = b"name\nC\nD\n"
    assert user.send("POST", "/api/contacts/import", csv, {"Content-Type": "text/csv"}).json["created"] == 2
    assert [it["event_data"]["name"] for it in pulled(user)] == ["A", "B", "C", "D"]


def test_outbox_names_the_event(core: Core) -> None:
    user = core.user()
    key = user.make("/api/contacts", name="Web")["id"]
    event = pulled(user)[0]
    found = rows(
        core, f"SELECT entry, changes FROM host_event WHERE resource = 'site.contact' AND key = '{key}'"
    )
    assert [tuple(it) for it in found] == [(event["id"], None)]


def test_events_are_never_changed(core: Core) -> None:
    user = core.user()
    new_contact(user)
    number = pulled(user)[0]["sequence"]
    assert user.patch(f"/api/entries/{number}", {}).status == 405
    assert user.delete(f"/api/entries/{number}").status == 405
    from host.errors import Forbidden  # what plugins' code gets

    with core.writing() as ctx:
        records = ctx.records("site.entry")
        for write in (
            lambda: records.delete(number),
            lambda: records.update(number, {"event_data": {}}),
            lambda: records.create({}),
        ):
            with pytest.raises(Forbidden):
                write()


def test_row_stays_with_its_owner(core: Core) -> None:
    user, other = core.user(), core.user()
    key, _ = new_contact(user)
    from host.errors import Conflict

    with pytest.raises(Conflict), core.writing() as ctx:
        ctx.records("site.contact").update(key, {"user": other.actor.id if other.actor else None})


def test_rolled_back_write_leaves_no_event(core: Core) -> None:
    user = core.user()
    with pytest.raises(ZeroDivisionError), core.writing(user.actor) as ctx:  # type: ignore[arg-type]
        ctx.records("site.contact").create({"name": "Gone"})
        raise ZeroDivisionError
    assert pulled(user) == []


def test_accounts_streams_go_with_them(core: Core) -> None:
    user = core.user()
    key, _ = new_contact(user)
    pushed(user, *(made("UPDATED", key, 5 + number, rank=number) for number in range(5)))
    user.post(PULL, {"client_id": "phone"})
    assert user.actor is not None
    with core.writing() as ctx:
        ctx.records("host.account").delete(user.actor.id)
    count = f"SELECT count(*) FROM site_entry WHERE user_id = '{user.actor.id}'"
    assert rows(core, count)[0][0] == 0
    assert rows(core, count.replace("site_entry", "site_contact"))[0][0] == 0
    for table in ("host_stream", "host_snapshot", "host_device"):
        assert rows(core, f"SELECT count(*) FROM {table} WHERE owner = '{user.actor.id}'")[0][0] == 0


# --- pull and hash ----------------------------------------------------------------------------------------------------


def test_pull_goes_on_behind_each_kind_of_place(core: Core) -> None:
    user = core.user()
    for number in range(5):
        new_contact(user, number)
    page = user.get(f"{PULL}?limit=2").json
    ids = [it["id"] for it in pulled(user)]
    assert [it["id"] for it in page["events"]] == ids[:2] and page["has_more"]
    last = page["events"][-1]
    assert [it["id"] for it in pulled(user, f"cursor={page['cursor']}")] == ids[2:]
    assert [it["id"] for it in pulled(user, f"last_event_id={page['last_event_id']}")] == ids[2:]
    assert [it["id"] for it in pulled(user, f"since={last['created_at']}")] == ids[2:]
    rest = user.post(PULL, {"client_id": "phone", "cursor": page["cursor"]}).json
    again = user.post(PULL, {"client_id": "phone", "cursor": rest["cursor"]}).json
    assert user.get(f"{PULL}?cursor={1 << 59}").json["events"] == []
    assert (again["events"], again["cursor"], again["last_event_id"]) == ([], rest["cursor"], ids[-1])
    since = user.get(f"{PULL}?since={rest['events'][-1]['created_at']}").json
    assert since["cursor"] == rest["cursor"]


def test_event_pushed_late_is_pulled_by_who_was_ahead(core: Core) -> None:
    user = core.user()
    new_contact(user, 100)
    cursor = user.get(PULL).json["cursor"]
    _, old = new_contact(user, 1)
    assert [it["id"] for it in pulled(user, f"cursor={cursor}")] == [old["id"]]


def test_bad_place_is_refused(core: Core) -> None:
    user = core.user()
    places = [
        "cursor=x",
        "cursor=-1",
        "limit=0",
        "limit=100000",
        "since=now",
        "last_event_id=1",
        "page=1",
        f"cursor={1 << 63}",
    ]
    for query in (*places, f"last_event_id={uuid4()}"):
        assert user.get(f"{PULL}?{query}").status == 400


def test_how_far_a_device_pulled_is_known(core: Core) -> None:
    user = core.user()
    new_contact(user)
    user.post(PULL, {"client_id": "phone"})
    new_contact(user)
    cursor = user.post(PULL, {"client_id": "phone"}).json["cursor"]
    assert user.actor is not None
    found = rows(core, f"SELECT client, sequence FROM host_device WHERE owner = '{user.actor.id}'")
    assert [tuple(it) for it in found] == [("phone", int(cursor))]


def test_streams_are_their_owners_alone(core: Core) -> None:
    user, other = core.user(), core.user(role="admin")
    key, event = new_contact(user)
    assert pulled(other) == [] and other.get(HASH).json["event_count"] == 0
    assert refused(other, made("UPDATED", key, 5, name="Mine")) == "not_found"
    assert refused(other, event) == "duplicate" or contact(user, key)["name"] == "Ann"
    assert contact(user, key)["name"] == "Ann"
    for path in (PULL, HASH):
        assert core.anonymous.get(path).status == 401
    assert core.anonymous.post(PUSH, []).status == 401


def test_hash_is_that_of_the_client(core: Core) -> None:
    user = core.user()
    assert user.get(HASH).json["event_count"] == 0
    for seconds in (50, 10.5, 10.123456, 30):  # out of order, of each width
        new_contact(user, seconds)
        events = pulled(user)
        told = user.get(HASH).json
        assert told["hash"] == hash_of(events) == user.get(PULL).json["hash"]
        assert told["event_count"] == len(events)


def test_resource_without_log_syncs_too(core: Core) -> None:
    user, key = core.user(), str(uuid4())
    event = {
        "event": str(uuid4()),
        "aggregate": key,
        "kind": "created",
        "data": {"text": "hey"},
        "at": time_at(0),
    }
    assert user.post("/api/notes/push", [event]).json["accepted"] == [event["event"]]
    assert user.get(f"/api/notes/{key}").json["pinned"] is False
    user.patch(f"/api/notes/{key}", {"text": "web"})
    user.delete(f"/api/notes/{key}")
    kinds = [it["kind"] for it in user.get("/api/notes/pull").json["events"]]
    assert kinds == ["created", "updated", "deleted"]
    assert user.get("/api/notes/hash").json["event_count"] == 3


# --- policies ---------------------------------------------------------------------------------------------------------


def test_reject_refuses_what_is_based_on_an_older_version(declare: Declare) -> None:
    user = declare(YAML.replace("POLICY", "reject")).user()
    key, _ = new_contact(user)
    pushed(user, made("UPDATED", key, 20, name="Two") | {"version": 2})
    assert refused(user, made("UPDATED", key, 30, phone="1") | {"version": 2}) == "changed"
    assert refused(user, made("UPDATED", key, 30, phone="1")) == "version"
    assert refused(user, made("UPDATED", key, 30, phone="1") | {"version": 9}) == "version"
    pushed(user, made("UPDATED", key, 10, name="Three") | {"version": 3})  # a clock that is behind
    assert contact(user, key)["name"] == "Three"
    assert refused(user, made("DELETED", key, 40) | {"version": 3}) == "changed"


def test_merge_takes_changes_of_other_fields(declare: Declare) -> None:
    user = declare(YAML.replace("POLICY", "merge_fields")).user()
    key, _ = new_contact(user)
    pushed(user, made("UPDATED", key, 20, name="Two") | {"version": 2})
    pushed(user, made("UPDATED", key, 10, phone="1") | {"version": 2})
    assert refused(user, made("UPDATED", key, 30, name="Mine") | {"version": 2}) == "changed"
    row = contact(user, key)
    assert (row["name"], row["phone"], row["version"]) == ("Two", "1", 3)


def test_snapshots_are_few(core: Core) -> None:
    user = core.user()
    key, _ = new_contact(user)
    for number in range(20):
        pushed(user, made("UPDATED", key, 10 + number, rank=number))
    found = rows(core, f"SELECT sequence FROM host_snapshot WHERE aggregate = '{key}'")
    assert len(found) == 2
