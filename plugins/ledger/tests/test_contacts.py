"""Contacts as the contract has them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from plugins.ledger.tests.book import NOBODY, Book, Keeper

KEYS = {"id", "name", "username", "email", "phone", "balance", "is_deleted", "created_at"}


def test_create_answers_id_name_and_balance(ann: Keeper) -> None:
    said = ann.send("POST", "/api/contacts", {"name": " Ada ", "phone": "1", "comment": "met at work"})
    assert said.status == 201
    assert said.body == {"id": said.body["id"], "name": "Ada", "balance": 0}
    assert said.headers["Location"] == f"/api/contacts/{said.body['id']}"


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "   "}, {"name": None}, {"name": 5}, "[]", "{"])
def test_name_is_wanted(ann: Keeper, body: Any) -> None:
    said = ann.send("POST", "/api/contacts", body)
    assert (said.status, type(said.body["error"])) == (400, str)


def test_comment_is_optional_and_others_keys_are_passed_over(ann: Keeper) -> None:
    said = ann.send("POST", "/api/contacts", {"name": "Spec", "wallet_id": NOBODY})
    assert said.status == 201


def test_list_is_an_array_by_name(book: Book) -> None:
    ann = book.keeper()
    for name in ("Cid", "Ada", "Bob"):
        ann.contact(name=name)
    rows = ann.get("/api/contacts")
    assert [row["name"] for row in rows] == ["Ada", "Bob", "Cid"]
    assert set(rows[0]) >= KEYS
    assert (rows[0]["balance"], rows[0]["is_deleted"]) == (0, False)
    assert not rows[0]["created_at"].endswith("Z")
    assert [row["name"] for row in ann.get("/api/contacts?limit=1&offset=1")] == ["Bob"]


def test_one_contact_has_notes_and_version(ann: Keeper) -> None:
    row = ann.get(f"/api/contacts/{ann.contact(notes='tall')}")
    assert set(row) >= {*KEYS, "notes", "updated_at", "version"}
    assert (row["notes"], row["version"]) == ("tall", 1)
    assert "comment" not in row


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_change_is_partial_by_put_and_post(ann: Keeper, method: str) -> None:
    contact = ann.contact(phone="1")
    said = ann.send(method, f"/api/contacts/{contact}", {"name": "Ada L.", "comment": "married"})
    assert (said.status, set(said.body), said.body["id"]) == (200, {"id", "message"}, contact)
    row = ann.get(f"/api/contacts/{contact}")
    assert (row["name"], row["phone"], row["version"]) == ("Ada L.", "1", 2)


def test_delete_takes_a_body_and_the_transactions(ann: Keeper) -> None:
    contact = ann.contact()
    transaction = ann.transaction(contact)
    said = ann.send("DELETE", f"/api/contacts/{contact}", {"comment": "settled"})
    assert (said.status, set(said.body), said.body["id"]) == (200, {"id", "message"}, contact)
    for path in (f"/api/contacts/{contact}", f"/api/transactions/{transaction}"):
        assert ann.send("GET", path).status == 404
    assert contact not in [row["id"] for row in ann.get("/api/contacts")]
    assert ann.send("DELETE", f"/api/contacts/{contact}", {"comment": "again"}).status == 404


def test_delete_without_a_body_is_fine(ann: Keeper) -> None:
    assert ann.send("DELETE", f"/api/contacts/{ann.contact()}").status == 200
    refused = ann.send("DELETE", f"/api/contacts/{ann.contact()}", {"comment": 5})
    assert refused.status == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_keys_that_are_none_and_that_nobody_has(ann: Keeper, method: str) -> None:
    body = {} if method != "GET" else None
    assert ann.send(method, "/api/contacts/not-a-uuid", body).status == 400
    assert ann.send(method, f"/api/contacts/{NOBODY}", body).status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_contacts_of_others_are_not_there(ann: Keeper, bob: Keeper, method: str) -> None:
    contact = ann.contact()
    assert bob.send(method, f"/api/contacts/{contact}", {} if method != "GET" else None).status == 404
    assert contact not in [row["id"] for row in bob.get("/api/contacts")]


def test_nobody_is_unauthorised(book: Book) -> None:
    for method in ("GET", "POST"):
        assert book.nobody().send(method, "/api/contacts").status == 401


def test_repeat_of_a_key_answers_the_same_contact(ann: Keeper) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    answers = [ann.send("POST", "/api/contacts", {"name": "Once"}, headers=headers) for _ in range(3)]
    assert [answer.status for answer in answers] == [201, 200, 200]
    assert answers[0].body == answers[1].body == answers[2].body
    assert len([row for row in ann.get("/api/contacts") if row["name"] == "Once"]) == 1


def test_key_of_another_user_is_another_key(ann: Keeper, bob: Keeper) -> None:
    headers = {"Idempotency-Key": "one-key-of-two-users"}
    statuses = [
        it.send("POST", "/api/contacts", {"name": "Each"}, headers=headers).status for it in (ann, bob)
    ]
    assert statuses == [201, 201]


@pytest.mark.parametrize("words", ["%C3%A1da", "ADA", "lovelace"])
def test_contacts_are_searched(book: Book, words: str) -> None:
    ann = book.keeper()
    contact = ann.contact(name="Ada Lovelace", notes="countess")
    ann.contact(name="Bob")
    assert [row["id"] for row in ann.get(f"/api/contacts?q={words}")] == [contact]
