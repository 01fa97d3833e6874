"""Invoices: numbers without races, exact totals, statuses and statistics."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from plugins.freelance.tests.house import User


def line(quantity: Any, rate: Any, **values: Any) -> dict[str, Any]:
    return {"description": "Work", "quantity": quantity, "rate": rate, **values}


def test_invoice_has_the_contract_fields(ann: User) -> None:
    client = ann.client()
    invoice = ann.invoice(client_id=client["_id"], notes="n", payment_terms="Net 30")
    assert set(invoice) == {
        "_id", "id", "user_id", "client_id", "client_name", "client_email", "invoice_number", "date", "due_date", "items",
        "subtotal", "tax", "discount", "total", "currency", "status", "notes", "payment_terms", "created_at", "updated_at",
    }  # fmt: skip
    assert (invoice["status"], invoice["currency"], invoice["invoice_number"]) == (
        "draft",
        "USD",
        "INV-00001",
    )
    assert (invoice["client_name"], invoice["client_email"]) == (client["name"], client["email"])
    assert invoice["items"] == [{"description": "Design", "quantity": 2, "rate": 50, "amount": 100}]


def test_totals_are_exact(ann: User) -> None:
    invoice = ann.invoice(line(3, 33.33), line(1, 0.1), line(1, 0.2), tax=8.03, discount="0.02")
    assert (invoice["subtotal"], invoice["tax"], invoice["discount"], invoice["total"]) == (
        100.29,
        8.03,
        0.02,
        108.30,
    )


def test_amounts_are_the_servers(ann: User) -> None:
    sent = (line(2, 50, amount=9999), line(1.005, 100), {"description": "Flat", "amount": 0.1 + 0.2})
    invoice = ann.invoice(*sent, total=1, subtotal=1, invoice_number="X-1")
    assert [it["amount"] for it in invoice["items"]] == [100, 100.5, 0.3]
    assert invoice["items"][2] == {"description": "Flat", "quantity": 1, "rate": 0.3, "amount": 0.3}
    assert (invoice["total"], invoice["invoice_number"]) == (200.8, "INV-00001")


@pytest.mark.parametrize("cents", range(1, 100, 7))
def test_many_small_lines_add_up(ann: User, cents: int) -> None:
    invoice = ann.invoice(*[line(1, cents / 100)] * 100)
    assert invoice["total"] == invoice["subtotal"] == cents


@pytest.mark.parametrize(
    "values",
    [
        {"items": []}, {"items": None}, {"items": [{"description": "x"}]}, {"items": [line(-1, 1, description=None)]},
        {"tax": -1}, {"due_date": "soon"}, {"due_date": None}, {"status": "lost"}, {"discount": 500}, {"currency": "Dollars"},
        {"items": [line(900_000, 9_000_000_000)]}, {"client_id": "x"},
        {"client_id": "0" * 24}, {"client_id": None}, {"tax": "NaN"},
    ],
)  # fmt: skip
def test_wrong_invoice_is_a_bad_request(ann: User, values: dict[str, Any]) -> None:
    body = {"client_id": ann.client()["_id"], "items": [line(1, 1)], "due_date": "2030-02-01", **values}
    assert ann.send("POST", "/api/invoices", body).status == 400
    assert ann.get("/api/invoices") == []


def test_money_of_forms_may_be_null(ann: User) -> None:
    invoice = ann.invoice(line(1, 5), tax=None, discount="", currency="eur")
    assert (invoice["tax"], invoice["discount"], invoice["total"], invoice["currency"]) == (0, 0, 5, "EUR")


def test_put_takes_a_status_alone(ann: User) -> None:
    invoice = ann.invoice()
    changed = ann.put(f"/api/invoices/{invoice['_id']}", {"status": "sent"})
    assert {**changed, "updated_at": ""} == {**invoice, "status": "sent", "updated_at": ""}
    assert ann.send("PUT", f"/api/invoices/{invoice['_id']}", {"status": "lost"}).status == 400


def test_put_takes_the_whole_invoice(ann: User) -> None:
    invoice = ann.invoice()
    changed = ann.put(
        f"/api/invoices/{invoice['_id']}", {**invoice, "items": [line(1, 10)], "tax": 1.5, "notes": "New"}
    )
    assert (changed["subtotal"], changed["total"], changed["notes"]) == (10, 11.5, "New")
    assert changed["invoice_number"] == invoice["invoice_number"]


def test_put_of_the_tax_alone_changes_the_total(ann: User) -> None:
    invoice = ann.invoice(line(1, 10))
    assert ann.put(f"/api/invoices/{invoice['_id']}", {"tax": 2})["total"] == 12


def test_patch_changes_the_status(ann: User) -> None:
    path = f"/api/invoices/{ann.invoice()['_id']}/status"
    for status in ("sent", "pending", "overdue", "paid"):
        assert ann.patch(path, {"status": status})["status"] == status
    assert [ann.send("PATCH", path, body).status for body in ({}, {"status": "lost"})] == [400, 400]


def test_duplicate_is_a_new_draft(ann: User) -> None:
    invoice = ann.invoice(line(1, 10), tax=1, status="paid", date="2030-01-01", due_date="2030-01-15")
    copy = ann.post(f"/api/invoices/{invoice['_id']}/duplicate")
    assert (copy["status"], copy["invoice_number"], copy["total"]) == ("draft", "INV-00002", 11)
    assert copy["items"] == invoice["items"] and copy["_id"] != invoice["_id"]
    assert copy["date"] != "2030-01-01" and copy["due_date"] > copy["date"]


def test_numbers_are_never_reused(ann: User, bob: User) -> None:
    last = [ann.invoice() for _ in range(3)][-1]
    ann.delete(f"/api/invoices/{last['_id']}")
    assert (ann.invoice()["invoice_number"], bob.invoice()["invoice_number"]) == ("INV-00004", "INV-00001")


def test_numbers_have_no_races(ann: User) -> None:
    client = ann.client()["_id"]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ann.invoice(client_id=client)["invoice_number"], range(24)))
    assert sorted(made) == [f"INV-{number:05d}" for number in range(1, 25)]


def test_refused_invoice_leaves_no_gap(ann: User) -> None:
    client = ann.client()["_id"]
    refused = {"client_id": client, "items": [line(1, 1)], "due_date": "2030-02-01", "discount": 2}
    assert ann.send("POST", "/api/invoices", refused).status == 400
    assert ann.invoice(client_id=client)["invoice_number"] == "INV-00001"


@pytest.mark.parametrize("query", ["status=paid", "clientId={client}", "status=paid&clientId={client}"])
def test_filters_of_invoices(ann: User, query: str) -> None:
    wanted = ann.invoice(status="paid")
    ann.invoice()
    found = ann.get(f"/api/invoices?{query.format(client=wanted['client_id'])}")
    assert found == [wanted]


def test_summary_of_nothing_is_zero(ann: User) -> None:
    assert set(ann.get("/api/invoices/stats/summary").values()) == {0}


def test_summary_counts_by_status(ann: User, bob: User) -> None:
    bob.invoice()
    for status, rate in (
        ("paid", 0.1),
        ("paid", 0.2),
        ("sent", 5),
        ("pending", 2.5),
        ("overdue", 7),
        ("draft", 1),
    ):
        ann.invoice(line(1, rate), status=status)
    assert ann.get("/api/invoices/stats/summary") == {
        "total_invoices": 6, "paid_count": 2, "pending_count": 2, "overdue_count": 1,
        "total_paid": 0.3, "total_pending": 7.5, "total_amount": 15.8,
    }  # fmt: skip


def test_delete_answers_a_message(ann: User) -> None:
    path = f"/api/invoices/{ann.invoice()['_id']}"
    assert ann.delete(path) == {"message": "Invoice deleted successfully"}
    assert ann.send("DELETE", path).status == 404
