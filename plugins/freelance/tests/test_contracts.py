"""Contracts."""

import pytest

from plugins.freelance.tests.house import User


def test_contract_has_the_contract_fields(ann: User) -> None:
    contract = ann.contract(
        value=1500.5,
        end_date="2030-06-30",
        type="service",
        parties=["Ann", {"name": "Acme"}],
        terms={"notice": "30 days"},
    )
    assert set(contract) == {
        "_id", "id", "user_id", "client_id", "title", "content", "status", "type", "start_date", "end_date", "signed_date",
        "value", "currency", "parties", "terms", "created_at", "updated_at",
    }  # fmt: skip
    assert (contract["status"], contract["value"], contract["currency"]) == ("draft", 1500.5, "USD")
    assert (contract["parties"], contract["terms"]) == (["Ann", {"name": "Acme"}], {"notice": "30 days"})


@pytest.mark.parametrize("missing", ["client_id", "title", "content", "start_date"])
def test_required_fields_of_a_contract(ann: User, missing: str) -> None:
    body = {"client_id": ann.client()["_id"], "title": "T", "content": "C", "start_date": "2030-01-01"}
    said = ann.send("POST", "/api/contracts", {key: value for key, value in body.items() if key != missing})
    assert said.status == 400 and missing in said.body["error"]


def test_put_takes_every_status(ann: User) -> None:
    path = f"/api/contracts/{ann.contract()['_id']}"
    for status in ("sent", "signed", "active", "completed", "terminated", "cancelled", "draft"):
        assert ann.put(path, {"status": status, "signed_date": "2030-01-02T10:00:00Z"})["status"] == status
    assert ann.get(path)["signed_date"] == "2030-01-02"
    assert ann.delete(path) == {"message": "Contract deleted successfully"}


@pytest.mark.parametrize("query", ["type=nda", "status=signed", "type=nda&status=signed"])
def test_filters_of_contracts(ann: User, query: str) -> None:
    wanted = ann.contract(type="nda", status="signed")
    ann.contract(type="freelance")
    assert ann.get(f"/api/contracts?{query}") == [wanted]


def test_duplicate_is_a_new_draft(ann: User) -> None:
    contract = ann.contract(status="signed", signed_date="2030-01-02", title="x" * 255, value=3)
    copy = ann.post(f"/api/contracts/{contract['_id']}/duplicate")
    assert (copy["status"], copy["signed_date"], copy["value"]) == ("draft", None, 3)
    assert copy["title"] == "x" * 248 + " (Copy)" and copy["_id"] != contract["_id"]


def test_summary_counts_by_status(ann: User, bob: User) -> None:
    bob.contract(value=9)
    for status, value in (("draft", 1), ("signed", 0.1), ("active", 0.2), ("cancelled", None)):
        ann.contract(status=status, value=value)
    assert ann.get("/api/contracts/stats/summary") == {
        "total_contracts": 4, "draft_count": 1, "sent_count": 0, "signed_count": 1, "active_count": 1, "completed_count": 0,
        "terminated_count": 0, "cancelled_count": 1, "total_value": 1.3, "active_value": 0.3,
    }  # fmt: skip


def test_templates_of_contracts(ann: User) -> None:
    listed = ann.get("/api/contracts/templates/list")
    assert [it["id"] for it in listed] == ["freelance", "employment", "nda", "service", "consulting"]
    assert all(it["name"] and it["description"] for it in listed)
