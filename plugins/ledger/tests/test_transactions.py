"""Transactions as the contract has them, and the balances that follow from them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from plugins.ledger.tests.book import NOBODY, Book, Keeper

KEYS = {
    "id", "contact_id", "type", "direction", "amount", "currency", "description", "transaction_date", "due_date",
    "created_at", "updated_at",
}  # fmt: skip
GIVEN = {"type": "money", "direction": "lent", "amount": 1250, "transaction_date": "2026-01-31"}


@pytest.fixture(scope="module")
def contact(ann: Keeper) -> str:
    return ann.contact()


def test_create_answers_id_and_contact(ann: Keeper, contact: str) -> None:
    said = ann.send("POST", "/api/transactions", {**GIVEN, "contact_id": contact, "comment": "lunch"})
    assert (said.status, said.body) == (201, {"id": said.body["id"], "contact_id": contact})
    row = ann.get(f"/api/transactions/{said.body['id']}")
    assert set(row) >= KEYS
    assert (row["amount"], row["currency"], row["transaction_date"]) == (1250, "USD", "2026-01-31")
    assert (row["description"], row["due_date"]) == (None, None)


@pytest.mark.parametrize("name", [*GIVEN, "contact_id"])
def test_required_fields_of_a_transaction(ann: Keeper, contact: str, name: str) -> None:
    body = {key: value for key, value in {**GIVEN, "contact_id": contact}.items() if key != name}
    said = ann.send("POST", "/api/transactions", body)
    assert (said.status, type(said.body["error"])) == (400, str)


@pytest.mark.parametrize(
    "wrong",
    [
        {"contact_id": "x"}, {"transaction_date": "31.01.2026"}, {"transaction_date": "2026-02-30"}, {"due_date": "soon"},
        {"type": "gift"}, {"direction": "up"}, {"amount": 12.5}, {"amount": "many"}, {"amount": -1}, {"amount": 2**53},
        {"currency": "usd"}, {"currency": "XXL"}, {"currency": "EURO"}, {"currency": ""},
    ],
)  # fmt: skip
def test_wrong_values_are_bad_requests(ann: Keeper, contact: str, wrong: dict[str, Any]) -> None:
    assert ann.send("POST", "/api/transactions", {**GIVEN, "contact_id": contact, **wrong}).status == 400


def test_unknown_contacts_are_not_found(ann: Keeper, bob: Keeper, contact: str) -> None:
    for key in (NOBODY, bob.contact()):
        said = ann.send("POST", "/api/transactions", {**GIVEN, "contact_id": key})
        assert (said.status, type(said.body["error"])) == (404, str)
    gone = ann.contact()
    ann.delete(f"/api/contacts/{gone}", {"comment": "x"})
    assert ann.send("POST", "/api/transactions", {**GIVEN, "contact_id": gone}).status == 404


def test_list_is_an_array_newest_first(book: Book) -> None:
    ann = book.keeper()
    one, two = ann.contact(), ann.contact()
    for day, key in (("10", one), ("30", two), ("20", one)):
        ann.transaction(key, transaction_date=f"2026-01-{day}", description=f"day {day}")
    days = [row["transaction_date"][-2:] for row in ann.get("/api/transactions")]
    assert days == ["30", "20", "10"]

    def found(query: str) -> list[str]:
        return [row["transaction_date"][-2:] for row in ann.get(f"/api/transactions?{query}")]

    assert found(f"contact_id={one}") == ["20", "10"]
    assert found("from=2026-01-20") == ["30", "20"]
    assert found("from=2026-01-11&to=2026-01-20") == ["20"]
    assert found("limit=1&offset=1") == ["20"]
    assert found("q=day") == ["30", "20", "10"]
    assert ann.send("GET", "/api/transactions?from=yesterday").status == 400


def test_balance_is_lent_minus_owed(ann: Keeper) -> None:
    contact = ann.contact()
    first = ann.transaction(contact, amount=1000)
    ann.transaction(contact, amount=300, direction="owed")
    assert ann.balance(contact) == 700
    ann.put(f"/api/transactions/{first}", {"amount": 200, "comment": "typo"})
    assert ann.balance(contact) == -100
    ann.delete(f"/api/transactions/{first}", {"comment": "paid"})
    assert ann.balance(contact) == -300
    assert [row["balance"] for row in ann.get("/api/contacts") if row["id"] == contact] == [-300]


def test_change_answers_id_and_message(ann: Keeper, contact: str) -> None:
    key = ann.transaction(contact, description="lunch")
    for method in ("PUT", "POST"):
        said = ann.send(method, f"/api/transactions/{key}", {"due_date": "2026-03-01", "comment": "later"})
        assert (said.status, set(said.body), said.body["id"]) == (200, {"id", "message"}, key)
    row = ann.get(f"/api/transactions/{key}")
    assert (row["due_date"], row["description"]) == ("2026-03-01", "lunch")


def test_transactions_of_others_are_not_there(ann: Keeper, bob: Keeper, contact: str) -> None:
    key = ann.transaction(contact)
    assert [bob.send(method, f"/api/transactions/{key}", {}).status for method in ("PUT", "DELETE")] == [
        404,
        404,
    ]
    assert bob.send("GET", f"/api/transactions/{key}").status == 404
    assert bob.get(f"/api/transactions?contact_id={contact}") == []


def test_repeat_of_a_key_answers_the_same_transaction(ann: Keeper, contact: str) -> None:
    headers, body = {"Idempotency-Key": str(uuid4())}, {**GIVEN, "contact_id": contact}
    answers = [ann.send("POST", "/api/transactions", body, headers=headers) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 200]
    assert answers[0].body == answers[1].body


def test_pictures_belong_to_a_transaction(ann: Keeper, bob: Keeper, contact: str) -> None:
    path = f"/api/transactions/{ann.transaction(contact)}/images"
    made = ann.post(path, {"image_url": "https://example.org/receipt.jpg"})
    assert [row["image_url"] for row in ann.get(path)] == ["https://example.org/receipt.jpg"]
    assert ann.send("POST", path, {"image_url": "javascript:alert(1)"}).status == 400
    assert bob.send("POST", path, {"image_url": "https://example.org/x.jpg"}).status in (403, 404)
    ann.delete(f"{path}/{made['id']}")
    assert ann.get(path) == []
