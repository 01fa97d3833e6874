"""Sync as the contract's devices know it: push, pull, hash and the bare list of events."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from host.sync.rebuilding import rebuild
from plugins.ledger.tests.book import NOBODY, Book, Keeper, event

KEYS = {"id", "aggregate_type", "aggregate_id", "event_type", "event_data", "timestamp", "version"}


@pytest.fixture
def cara(book: Book) -> Keeper:
    """Somebody whose events are the test's alone."""
    return book.keeper()


def push(keeper: Keeper, *events: dict[str, Any], path: str = "/api/sync/events") -> Any:
    return keeper.post(path, list(events))


def pushed(keeper: Keeper, *events: dict[str, Any]) -> None:
    """Push what has to be accepted."""
    assert push(keeper, *events)["conflicts"] == []


def contact(name: str = "Ada", **values: Any) -> dict[str, Any]:
    return event("CREATED", "contact", {"name": name}, **values)


def transaction(of: dict[str, Any], amount: int = 500, **data: Any) -> dict[str, Any]:
    given = {"contact_id": of["aggregate_id"], "direction": "lent", "amount": amount, **data}
    return event("CREATED", "transaction", given)


def later(made: dict[str, Any], seconds: float, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """Another event about the same row."""
    at = datetime.fromisoformat(made["timestamp"]) + timedelta(seconds=seconds)
    text = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    about = {key: made[key] for key in ("aggregate_type", "aggregate_id")}
    return {**event(kind, "", data), **about, "timestamp": text, "version": made["version"] + 1}


@pytest.mark.parametrize("path", ["/api/sync/events", "/api/sync/push"])
def test_batch_is_answered_with_its_ids(cara: Keeper, path: str) -> None:
    ada = contact()
    lent = transaction(ada)
    answer = push(cara, ada, lent, path=path)
    assert (answer["accepted"], answer["conflicts"]) == ([ada["id"], lent["id"]], [])
    assert cara.balance(ada["aggregate_id"]) == 500
    row = cara.get(f"/api/transactions/{lent['aggregate_id']}")
    assert (row["type"], row["currency"], row["transaction_date"]) == ("money", "USD", lent["timestamp"][:10])


def test_push_takes_an_object_too(cara: Keeper) -> None:
    ada = contact()
    answer = cara.post("/api/sync/push", {"client_id": "phone", "events": [ada]})
    assert answer["accepted"] == [ada["id"]]


def test_same_event_is_accepted_again_and_counts_once(cara: Keeper) -> None:
    ada = contact()
    lent = transaction(ada)
    for _ in range(3):
        assert push(cara, ada, lent, lent)["conflicts"] == []
    assert cara.balance(ada["aggregate_id"]) == 500
    assert len(cara.get("/api/sync/events")) == 2


def test_other_data_under_the_same_id_are_a_conflict(cara: Keeper) -> None:
    ada = contact()
    pushed(cara, ada)
    answer = push(cara, {**ada, "event_data": {"name": "Eve"}})
    assert (answer["accepted"], answer["conflicts"]) == ([], [ada["id"]])
    assert cara.get(f"/api/contacts/{ada['aggregate_id']}")["name"] == "Ada"


@pytest.mark.parametrize(
    ("kind", "what", "data"),
    [
        ("CREATED", "contact", {}), ("CREATED", "contact", {"name": ""}), ("CREATED", "wallet", {"name": "x"}),
        ("LOST", "contact", {"name": "x"}), ("CREATED", "transaction", {"amount": 1, "direction": "lent"}),
        ("CREATED", "transaction", {"contact_id": NOBODY, "amount": 1, "direction": "lent"}),
        ("UPDATED", "contact", {"name": "x"}), ("UNDO", "contact", {"undone_event_id": NOBODY}), ("UNDO", "contact", {}),
    ],
)  # fmt: skip
def test_invalid_events_are_conflicts_and_others_count(
    cara: Keeper, kind: str, what: str, data: dict[str, Any]
) -> None:
    ada, wrong = contact(), event(kind, what, data)
    answer = push(cara, wrong, ada)
    assert (answer["accepted"], answer["conflicts"]) == ([ada["id"]], [wrong["id"]])
    assert answer["reasons"][wrong["id"]]["detail"]


@pytest.mark.parametrize("data", [{"amount": "5"}, {"amount": 1.5}, {"direction": "up"}, {"currency": "XXL"}])
def test_wrong_values_are_conflicts(cara: Keeper, data: dict[str, Any]) -> None:
    ada = contact()
    wrong = transaction(ada, **data)
    assert push(cara, ada, wrong)["conflicts"] == [wrong["id"]]


@pytest.mark.parametrize(
    "broken", [{"id": "x"}, {"aggregate_id": "x"}, {"timestamp": "soon"}, {"timestamp": None}, {"id": None}]
)
def test_malformed_batch_is_refused_whole(cara: Keeper, broken: dict[str, Any]) -> None:
    said = cara.send("POST", "/api/sync/events", [contact(), {**contact(), **broken}])
    assert (said.status, type(said.body["error"])) == (400, str)
    assert cara.get("/api/contacts") == []


@pytest.mark.parametrize("body", [{}, {"events": 5}, 5, "[", [5]])
def test_no_batch_is_a_bad_request(cara: Keeper, body: Any) -> None:
    assert cara.send("POST", "/api/sync/push", body).status == 400


def test_events_have_the_contracts_keys(cara: Keeper) -> None:
    key = cara.contact(name="By REST", comment="because")
    (found,) = cara.get("/api/sync/events")
    assert set(found) == KEYS
    assert (found["aggregate_type"], found["aggregate_id"], found["event_type"]) == (
        "contact",
        key,
        "CREATED",
    )
    assert (found["event_data"]["name"], found["event_data"]["comment"]) == ("By REST", "because")
    assert found["timestamp"].endswith("Z") and found["version"] == 1


def test_change_keeps_comment_and_previous_values(cara: Keeper) -> None:
    key = cara.contact(phone="1")
    cara.put(f"/api/contacts/{key}", {"phone": "2", "comment": "moved"})
    cara.delete(f"/api/contacts/{key}", {"comment": "gone"})
    _, changed, deleted = (it["event_data"] for it in cara.get("/api/sync/events"))
    assert (changed["phone"], changed["comment"], changed["previous_values"]) == (
        "2",
        "moved",
        {"phone": "1"},
    )
    assert deleted["comment"] == "gone"


def test_deleted_contact_takes_its_transactions_along(cara: Keeper) -> None:
    ada = contact()
    lent = transaction(ada)
    pushed(cara, ada, lent)
    pushed(cara, later(ada, 1, "DELETED", {}))
    assert cara.get("/api/contacts") == [] == cara.get("/api/transactions")
    told = {(it["aggregate_type"], it["event_type"]) for it in cara.get("/api/sync/events")}
    assert {("contact", "DELETED"), ("transaction", "DELETED")} <= told


def test_events_since_a_time_are_by_the_hosts_clock(cara: Keeper) -> None:
    pushed(cara, contact("First"))
    since = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    old = contact("Made offline", timestamp="2020-01-01T10:00:00.000Z")
    pushed(cara, old)
    assert [it["id"] for it in cara.get(f"/api/sync/events?since={since}")] == [old["id"]]
    assert cara.send("GET", "/api/sync/events?since=yesterday").status == 400


def test_pull_goes_on_where_it_ended(cara: Keeper) -> None:
    made = [contact(f"No. {number}") for number in range(5)]
    pushed(cara, *made)
    page = cara.post("/api/sync/pull", {"client_id": "phone", "limit": 3})
    assert set(page) >= {"events", "last_event_id", "hash", "has_more"}
    assert ([it["id"] for it in page["events"]], page["has_more"]) == ([it["id"] for it in made[:3]], True)
    rest = cara.post("/api/sync/pull", {"last_event_id": page["last_event_id"]})
    assert ([it["id"] for it in rest["events"]], rest["has_more"]) == ([it["id"] for it in made[3:]], False)
    assert cara.post("/api/sync/pull", {"last_event_id": rest["last_event_id"]})["events"] == []
    assert cara.get("/api/sync/hash")["hash"] == rest["hash"]


def test_hash_is_computed_as_devices_do(cara: Keeper) -> None:
    empty = cara.get("/api/sync/hash")
    assert (empty["hash"], empty["event_count"]) == (hashlib.sha256(b"").hexdigest(), 0)
    assert empty["last_event_timestamp"] is None
    made = [contact(timestamp=f"2026-01-0{day}T10:00:00.000Z") for day in (2, 1)]
    pushed(cara, *made)
    text = "".join(it["id"] + it["timestamp"] for it in reversed(made))
    found = cara.get("/api/sync/hash")
    assert (found["hash"], found["event_count"]) == (hashlib.sha256(text.encode()).hexdigest(), 2)
    assert found["last_event_timestamp"] == "2026-01-02T10:00:00.000Z"


def test_event_is_taken_back_within_five_seconds(cara: Keeper) -> None:
    ada = contact()
    changed = later(ada, 10, "UPDATED", {"name": "Eve"})
    pushed(cara, ada, changed)
    late = later(changed, 5.001, "UNDO", {"undone_event_id": changed["id"]})
    assert push(cara, late)["conflicts"] == [late["id"]]
    pushed(cara, later(changed, 5, "UNDO", {"undone_event_id": changed["id"]}))
    assert cara.get(f"/api/contacts/{ada['aggregate_id']}")["name"] == "Ada"


def test_deletion_taken_back_brings_the_transactions_back(cara: Keeper) -> None:
    ada = contact()
    lent = transaction(ada, 700)
    gone = later(ada, 2, "DELETED", {})
    pushed(cara, ada, lent, gone)
    assert cara.get("/api/contacts") == []
    pushed(cara, later(gone, 3, "UNDO", {"undone_event_id": gone["id"]}))
    assert cara.balance(ada["aggregate_id"]) == 700
    assert [row["id"] for row in cara.get("/api/transactions")] == [lent["aggregate_id"]]


def test_later_writer_counts_field_by_field(cara: Keeper) -> None:
    ada = contact()
    pushed(cara, ada)
    pushed(cara, later(ada, 20, "UPDATED", {"phone": "2"}))
    pushed(cara, later(ada, 10, "UPDATED", {"phone": "1", "notes": "tall"}))
    row = cara.get(f"/api/contacts/{ada['aggregate_id']}")
    assert (row["phone"], row["notes"], row["version"]) == ("2", "tall", 3)


def test_streams_of_others_are_not_there(cara: Keeper, bob: Keeper) -> None:
    ada = contact()
    pushed(cara, ada)
    seen = [it["id"] for it in bob.get("/api/sync/events")]
    assert ada["id"] not in seen
    stolen = later(ada, 1, "UPDATED", {"name": "Mine"})
    assert push(bob, stolen)["conflicts"] == [stolen["id"]]
    again = contact("Mine", aggregate_id=ada["aggregate_id"])
    assert push(bob, again)["conflicts"] == [again["id"]]
    mine = event(
        "CREATED", "transaction", {"contact_id": ada["aggregate_id"], "amount": 1, "direction": "lent"}
    )
    assert push(bob, mine)["conflicts"] == [mine["id"]]
    assert cara.get(f"/api/contacts/{ada['aggregate_id']}")["name"] == "Ada"


def test_nobody_syncs_without_a_token(book: Book) -> None:
    nobody = book.nobody()
    for method, path in (
        ("POST", "push"), ("POST", "pull"), ("GET", "hash"), ("GET", "events"), ("POST", "events"),
    ):  # fmt: skip
        assert nobody.send(method, f"/api/sync/{path}", [] if method == "POST" else None).status == 401


def test_same_state_by_rest_and_by_sync(cara: Keeper) -> None:
    """A device that has pulled knows what lists say."""
    key = cara.contact(name="Both", notes=None)
    pushed(cara, later({**contact(), "aggregate_id": key}, 30, "UPDATED", {"notes": f"note {uuid4()}"}))
    cara.put(f"/api/contacts/{key}", {"phone": "3"})
    state: dict[str, Any] = {}
    for it in sorted(cara.get("/api/sync/events"), key=lambda one: one["timestamp"]):
        state.update(it["event_data"])
    row = cara.get(f"/api/contacts/{key}")
    assert (state["name"], state["notes"], state["phone"]) == (row["name"], row["notes"], row["phone"])


def test_events_note_the_total_after_the_change(cara: Keeper) -> None:
    ada, bob = cara.contact(), cara.contact(name="Bob")
    lent = cara.transaction(ada, amount=500)
    cara.transaction(bob, amount=200, direction="owed")
    cara.put(f"/api/transactions/{lent}", {"amount": 700})
    cara.delete(f"/api/contacts/{ada}")
    told = [(it["aggregate_type"], it["event_data"]["total_debt"]) for it in cara.get("/api/sync/events")]
    assert told[:5] == [
        ("contact", 0), ("contact", 0), ("transaction", 500), ("transaction", 300), ("transaction", 500),
    ]  # fmt: skip
    assert {total for _, total in told[5:]} == {-200}


def wander(keeper: Keeper, chance: Random) -> None:
    """One step of a device or of a client, some of which are refused."""
    contacts = [row["id"] for row in keeper.get("/api/contacts")]
    old = [it for it in keeper.get("/api/sync/events") if it["event_type"] != "UNDO"]
    match chance.choice(["contact", "push", "transaction", "rename", "late", "delete", "undo"]):
        case "contact":
            keeper.contact(name=f"No. {chance.randrange(100)}")
        case "push":
            ada = contact(f"Pushed {chance.randrange(100)}")
            push(keeper, transaction(ada, chance.randrange(1000)), ada)
        case "transaction" if contacts:
            keeper.transaction(chance.choice(contacts), amount=chance.randrange(1000))
        case "rename" if contacts:
            keeper.put(f"/api/contacts/{chance.choice(contacts)}", {"notes": str(chance.random())})
        case "late" if old:
            push(
                keeper,
                later(
                    chance.choice(old),
                    chance.uniform(-100, 100),
                    "UPDATED",
                    {"description": "late", "notes": "late"},
                ),
            )
        case "delete" if contacts:
            keeper.delete(f"/api/contacts/{chance.choice(contacts)}")
        case "undo" if old:
            target = chance.choice(old)
            push(keeper, later(target, 1, "UNDO", {"undone_event_id": target["id"]}))


@pytest.mark.parametrize("seed", range(2))
def test_rows_are_exactly_what_events_make(book: Book, cara: Keeper, seed: int) -> None:
    chance, runtime = Random(seed), book.app.runtime
    for _ in range(15):
        wander(cara, chance)
    log, owner = runtime.logs.logs["ledger.event"], cara.account["user_id"]
    assert rebuild(runtime, log, check=True, owner=owner).is_right
    before = [cara.get(path) for path in ("/api/contacts", "/api/transactions")]
    with runtime.database.writing() as connection:
        for noun in ("transaction", "contact"):
            table = runtime.registry.model(f"ledger.{noun}").table
            connection.execute(table.delete().where(table.c.user_id == owner))
    report = rebuild(runtime, log, owner=owner)
    assert [cara.get(path) for path in ("/api/contacts", "/api/transactions")] == before
    assert sum(it.made for it in report.types.values()) > 0
