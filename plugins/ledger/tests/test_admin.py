"""What administrators see and do; nobody else does."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from plugins.ledger.tests.book import NOBODY, PASSWORD, Book, Keeper

READING = (
    "events", "events/latest", "contacts", "transactions", "projections/status", "total-debt", "users", "login-logs",
    "backup",
)  # fmt: skip


@pytest.mark.parametrize("name", READING)
def test_only_administrators_look(book: Book, ann: Keeper, boss: Keeper, name: str) -> None:
    statuses = [it.send("GET", f"/api/admin/{name}").status for it in (book.nobody(), ann, boss)]
    assert statuses == [401, 403, 200]


def test_contacts_of_everybody_are_seen(boss: Keeper, ann: Keeper, bob: Keeper) -> None:
    names = [f"Seen {uuid4()}" for _ in range(2)]
    contact = ann.contact(name=names[0])
    bob.contact(name=names[1])
    ann.transaction(contact, amount=70)
    rows = {row["name"]: row for row in boss.get("/api/admin/contacts?limit=1000")}
    assert [rows[name]["user_id"] for name in names] == [ann.account["user_id"], bob.account["user_id"]]
    assert rows[names[0]]["balance"] == 70
    assert boss.get("/api/contacts") == []


def test_transactions_of_everybody_are_seen(boss: Keeper, ann: Keeper) -> None:
    contact = ann.contact()
    key = ann.transaction(contact, transaction_date="2099-12-31")
    row = next(it for it in boss.get("/api/admin/transactions?limit=20") if it["id"] == key)
    assert (row["contact_id"], row["user_id"], row["amount"]) == (contact, ann.account["user_id"], 1000)


def test_events_are_filtered(boss: Keeper, ann: Keeper) -> None:
    contact = ann.contact(comment="why not")
    ann.delete(f"/api/contacts/{contact}", {"comment": "that is why"})
    user = ann.account["user_id"]
    found = boss.get(f"/api/admin/events?user_id={user}&aggregate_type=contact")
    assert [row["event_type"] for row in found[:2]] == ["DELETED", "CREATED"]
    assert [row["aggregate_id"] for row in found[:2]] == [contact, contact]
    assert [row["event_data"]["comment"] for row in found[:2]] == ["that is why", "why not"]
    created = boss.get(f"/api/admin/events?user_id={user}&event_type=CREATED&limit=1")
    assert [row["id"] for row in created] == [found[1]["id"]]
    assert boss.get(f"/api/admin/events/latest?user_id={user}&limit=1")[0]["id"] == found[0]["id"]
    assert boss.get(f"/api/admin/events?user_id={user}&limit=1&offset=1")[0]["id"] == found[1]["id"]
    assert boss.send("GET", "/api/admin/events?event_type=LOST").status == 400


def test_debt_is_added_up(boss: Keeper, ann: Keeper) -> None:
    contact, before = ann.contact(), boss.get("/api/admin/total-debt")
    ann.transaction(contact, amount=500, currency="EUR")
    ann.transaction(contact, amount=200, currency="EUR", direction="owed")
    after = boss.get("/api/admin/total-debt")
    assert after["total_debt"] - before["total_debt"] == 300

    def euros(told: Any) -> Any:
        return next((it for it in told["by_currency"] if it["currency"] == "EUR"), {"lent": 0, "owed": 0})

    assert euros(after)["lent"] - euros(before)["lent"] == 500
    assert euros(after)["owed"] - euros(before)["owed"] == 200


def test_projections_are_counted(boss: Keeper, ann: Keeper) -> None:
    before = boss.get("/api/admin/projections/status")
    ann.contact()
    after = boss.get("/api/admin/projections/status")
    assert (after["events"], after["contacts"]) == (before["events"] + 1, before["contacts"] + 1)
    assert after["last_event_at"]


def test_projections_are_rebuilt_by_a_job(book: Book, boss: Keeper, ann: Keeper) -> None:
    contact = ann.contact(name="Right")
    table = book.app.runtime.registry.model("ledger.contact").table
    with book.app.runtime.database.writing() as connection:
        connection.execute(table.update().where(table.c.id == contact).values(name="Wrong"))
    assert ann.send("POST", "/api/admin/projections/rebuild").status == 403
    said = boss.send("POST", "/api/admin/projections/rebuild")
    assert (said.status, set(said.body)) == (202, {"message", "job"})
    book.run_jobs()
    job = boss.get(f"/api/host/jobs/{said.body['job']}")
    assert (job["state"], job["result"]["types"]["contact"]["changed"]) == ("done", 1)
    assert ann.get(f"/api/contacts/{contact}")["name"] == "Right"


def test_sign_ins_are_listed(book: Book, boss: Keeper) -> None:
    ann = book.registered()
    name = ann.account["username"]
    for password in (PASSWORD, "wrong horse battery"):
        book.nobody().send("POST", "/api/auth/login", {"username": name, "password": password})
    rows = [it for it in boss.get("/api/admin/login-logs") if it["user_id"] == ann.account["user_id"]]
    assert [row["success"] for row in rows[:2]] == [False, True]
    assert (rows[0]["failure_reason"], rows[1]["failure_reason"]) == (
        "the name or the password is wrong",
        None,
    )


def test_backup_holds_everything(boss: Keeper, ann: Keeper) -> None:
    contact = ann.contact(name="Backed up")
    said = boss.send("GET", "/api/admin/backup")
    assert "attachment" in said.headers["Content-Disposition"]
    rows = [json.loads(line) for line in said.body.splitlines()]
    assert {"event", "contact"} <= {row["kind"] for row in rows}
    assert [row["name"] for row in rows if row["kind"] == "contact" and row["id"] == contact] == ["Backed up"]


# --- users ------------------------------------------------------------------------------------------------------------


def made(boss: Keeper, **values: Any) -> Any:
    body = {"username": f"made-{uuid4().hex[:12]}", "password": PASSWORD, **values}
    said = boss.send("POST", "/api/admin/users", body)
    assert said.status == 201, said
    return said.body


def test_users_are_made_and_sign_in(book: Book, boss: Keeper) -> None:
    user = made(boss, email=f"{uuid4().hex}@example.org", role="admin")
    assert set(user) == {"id", "username", "email", "name", "role", "active", "created_at"}
    body = {"username": user["username"], "password": PASSWORD}
    assert book.nobody().send("POST", "/api/auth/admin/login", body).status == 200
    assert boss.get(f"/api/admin/users/{user['id']}") == user
    assert user["id"] in [row["id"] for row in boss.get("/api/admin/users?limit=1000")]


@pytest.mark.parametrize(
    ("values", "status"), [({"password": "short"}, 400), ({"username": ""}, 400), ({"role": "Über"}, 400)]
)
def test_wrong_users_are_refused(boss: Keeper, values: Any, status: int) -> None:
    body = {"username": f"u{uuid4().hex[:12]}", "password": PASSWORD, **values}
    assert boss.send("POST", "/api/admin/users", body).status == status


def test_taken_name_is_a_conflict(boss: Keeper, ann: Keeper) -> None:
    body = {"username": ann.account["username"], "password": PASSWORD}
    assert boss.send("POST", "/api/admin/users", body).status == 409


def test_users_are_changed(book: Book, boss: Keeper) -> None:
    user = made(boss)
    path, new = f"/api/admin/users/{user['id']}", f"new-{uuid4().hex[:12]}"
    changed = boss.put(path, {"username": new, "role": "admin"})
    assert (changed["username"], changed["role"]) == (new, "admin")
    token = book.nobody().post("/api/auth/login", {"username": new, "password": PASSWORD})["token"]
    assert boss.put(path, {"active": False})["active"] is False
    assert Keeper(book, token).send("GET", "/api/contacts").status == 401
    assert (
        book.nobody().send("POST", "/api/auth/login", {"username": new, "password": PASSWORD}).status == 401
    )


def test_password_is_set_and_sessions_end(book: Book, boss: Keeper) -> None:
    user = made(boss)
    body = {"username": user["username"], "password": PASSWORD}
    token = book.nobody().post("/api/auth/login", body)["token"]
    boss.put(f"/api/admin/users/{user['id']}/password", {"password": "another horse battery"})
    assert Keeper(book, token).send("GET", "/api/contacts").status == 401
    assert book.nobody().send("POST", "/api/auth/login", body).status == 401
    body["password"] = "another horse battery"
    assert book.nobody().send("POST", "/api/auth/login", body).status == 200
    assert boss.send("PUT", f"/api/admin/users/{user['id']}/password", {}).status == 400


def test_users_go_with_their_ledger(book: Book, boss: Keeper) -> None:
    keeper = book.keeper()
    contact = keeper.contact()
    keeper.transaction(contact)
    assert boss.delete(f"/api/admin/users/{keeper.account['user_id']}")["message"]
    assert keeper.send("GET", "/api/contacts").status == 401
    assert contact not in [row["id"] for row in boss.get("/api/admin/contacts?limit=1000")]
    assert boss.send("GET", f"/api/admin/users/{keeper.account['user_id']}").status == 404


def test_administrators_do_not_lock_themselves_out(boss: Keeper) -> None:
    path = f"/api/admin/users/{boss.account['user_id']}"
    assert boss.send("PUT", path, {"active": False}).status == 400
    assert boss.send("PUT", path, {"role": "user"}).status == 400
    assert boss.send("DELETE", path).status == 400
    assert boss.put(path, {"name": "The boss"})["name"] == "The boss"


def test_only_administrators_change_users(ann: Keeper, bob: Keeper) -> None:
    path = f"/api/admin/users/{bob.account['user_id']}"
    body = {"username": "x", "password": PASSWORD}
    assert ann.send("POST", "/api/admin/users", body).status == 403
    assert ann.send("PUT", path, {"role": "admin"}).status == 403
    assert ann.send("PUT", f"{path}/password", {"password": "mine from now on"}).status == 403
    assert ann.send("DELETE", path).status == 403
    assert ann.send("GET", path).status == 403


def test_unknown_users_are_not_found(boss: Keeper) -> None:
    assert boss.send("GET", f"/api/admin/users/{NOBODY}").status == 404
    assert boss.send("GET", "/api/admin/users/x").status == 400
