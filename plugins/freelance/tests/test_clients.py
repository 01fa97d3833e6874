"""Clients, and the shape that every resource of this plugin has."""

from typing import Any

import pytest

from plugins.freelance.tests.house import User


def test_client_has_the_contract_fields(ann: User) -> None:
    client = ann.client(phone="1", company="c", address="a", notes="n")
    assert set(client) == {
        "_id", "id", "user_id", "name", "email", "phone", "company", "address", "notes", "created_at", "updated_at",
    }  # fmt: skip
    assert client["_id"] == client["id"] and len(client["id"]) == 24
    assert client["user_id"] == ann.account["id"]


def test_list_is_a_bare_array(ann: User) -> None:
    first, second = ann.client(name="First"), ann.client(name="Second")
    assert [it["_id"] for it in ann.get("/api/clients")] == [second["_id"], first["_id"]]


def test_put_changes_only_what_it_names(ann: User) -> None:
    client = ann.client(phone="1")
    changed = ann.put(f"/api/clients/{client['_id']}", {"notes": "New", "user_id": "0" * 24, "foo": {}})
    assert (changed["notes"], changed["phone"], changed["user_id"]) == ("New", "1", client["user_id"])
    assert ann.get(f"/api/clients/{client['_id']}") == changed


def test_delete_answers_a_message(ann: User) -> None:
    client = ann.client()
    assert ann.delete(f"/api/clients/{client['_id']}") == {"message": "Client deleted successfully"}
    assert ann.send("GET", f"/api/clients/{client['_id']}").status == 404


@pytest.mark.parametrize(
    "body", [{"name": "Acme"}, {"email": "a@b.example"}, {"name": "", "email": "a@b.example"}, [], "{"]
)
def test_wrong_body_is_a_bad_request(ann: User, body: Any) -> None:
    said = ann.send("POST", "/api/clients", body)
    assert said.status == 400
    assert said.body["error"] == said.body["message"] != ""


def test_malformed_id_is_a_bad_request(ann: User) -> None:
    for method, body in (("GET", None), ("PUT", {"name": "x"}), ("DELETE", None)):
        assert ann.send(method, "/api/clients/nonsense", body).status == 400
    assert ann.send("GET", f"/api/clients/{'0' * 24}").status == 404


def test_client_with_invoices_stays(ann: User) -> None:
    invoice = ann.invoice()
    said = ann.send("DELETE", f"/api/clients/{invoice['client_id']}")
    assert (said.status, said.body["error"]) == (409, "other rows still refer to this client")


def test_stats_of_one_client(ann: User) -> None:
    client = ann.client()["_id"]
    project = ann.project(client_id=client)["_id"]
    ann.project(client_id=client, status="completed")
    ann.contract(client_id=client)
    ann.entry(project_id=project, end_time="2030-01-01T10:00:30Z")
    paid = ann.invoice(client_id=client)
    ann.put(f"/api/invoices/{paid['_id']}", {"status": "paid"})
    ann.invoice(client_id=client, status="sent", tax=0.5)
    ann.invoice()
    assert ann.get(f"/api/clients/{client}/stats") == {
        "total_projects": 2, "active_projects": 1, "total_contracts": 1, "tracked_seconds": 30, "total_invoices": 2,
        "paid_count": 1, "pending_count": 1, "overdue_count": 0, "total_paid": 100, "total_pending": 100.5, "total_amount": 200.5,
    }  # fmt: skip
