"""Nobody sees, changes or refers to what another owns; anonymous callers are asked to sign in."""

from collections.abc import Callable
from typing import Any

import pytest

from plugins.freelance.tests.house import House, User

KINDS: dict[str, Callable[[User], Any]] = {
    "/api/clients": User.client,
    "/api/projects": User.project,
    "/api/invoices": User.invoice,
    "/api/time-tracking": User.entry,
    "/api/time-tracking/entries": User.entry,
    "/api/contracts": User.contract,
    "/api/resumes": User.resume,
}
ITEM_ACTIONS = [
    ("GET", "/api/clients/{}/stats"), ("PATCH", "/api/invoices/{}/status"), ("POST", "/api/invoices/{}/duplicate"),
    ("POST", "/api/time-tracking/{}/stop"), ("POST", "/api/time-tracking/timer/stop/{}"),
    ("POST", "/api/contracts/{}/duplicate"), ("POST", "/api/resumes/{}/duplicate"), ("POST", "/api/resumes/{}/ats-score"),
    ("POST", "/api/resumes/{}/improve-section"),
]  # fmt: skip
COLLECTION_GETS = [
    "/api/invoices/stats/summary", "/api/contracts/stats/summary", "/api/contracts/templates/list",
    "/api/resumes/templates/list", "/api/time-tracking/timer/active", "/api/time-tracking/stats/summary",
    "/api/time-tracking/projects",
]  # fmt: skip
BODY = {"status": "sent", "section": "s", "content": "c"}


@pytest.mark.parametrize("path", KINDS)
def test_foreign_row_does_not_exist(ann: User, bob: User, path: str) -> None:
    row = KINDS[path](ann)
    item = f"{path}/{row['_id']}"
    for method, body in (
        ("GET", None),
        ("PUT", {"notes": "mine"}),
        ("PATCH", {"notes": "mine"}),
        ("DELETE", None),
    ):
        assert bob.send(method, item, body).status == 404
    assert bob.get(path) == []
    assert ann.get(item)["updated_at"] == row["updated_at"]


@pytest.mark.parametrize(("method", "path"), ITEM_ACTIONS)
def test_foreign_row_has_no_actions(ann: User, bob: User, method: str, path: str) -> None:
    kind = "/" + "/".join(path.split("/")[1:3])
    row = KINDS[kind](ann)
    assert bob.send(method, path.format(row["_id"]), BODY if method != "GET" else None).status == 404
    assert bob.send(method, path.format("nonsense"), BODY if method != "GET" else None).status == 400


@pytest.mark.parametrize("path", [*KINDS, *COLLECTION_GETS])
def test_anonymous_reader_is_refused(house: House, path: str) -> None:
    said = house.nobody().send("GET", path)
    assert said.status == 401 and said.body["error"] == said.body["message"]


@pytest.mark.parametrize(
    "path",
    [
        *KINDS,
        "/api/time-tracking/timer/start",
        "/api/time-tracking/generate-invoice",
        "/api/resumes/optimize",
    ],
)
def test_anonymous_writer_is_refused(house: House, path: str) -> None:
    assert house.nobody().send("POST", path, {}).status == 401


def test_references_belong_to_the_caller(ann: User, bob: User) -> None:
    client, project = ann.client()["_id"], ann.project()["_id"]
    refused = [
        ("/api/projects", {"name": "x", "client_id": client}),
        (
            "/api/invoices",
            {"client_id": client, "items": [{"description": "x", "amount": 1}], "due_date": "2030-01-01"},
        ),
        ("/api/contracts", {"client_id": client, "title": "x", "content": "x", "start_date": "2030-01-01"}),
        ("/api/time-tracking", {"description": "x", "start_time": "2030-01-01", "project_id": project}),
    ]
    for path, body in refused:
        said = bob.send("POST", path, body)
        assert (said.status, said.body["errors"][0]["code"]) == (400, "reference")
        assert bob.get(path) == []
    assert bob.send("PUT", f"/api/projects/{bob.project()['_id']}", {"client_id": client}).status == 400


def test_invoice_takes_no_foreign_entries(ann: User, bob: User) -> None:
    entry = ann.entry(end_time="2030-01-01T11:00:00Z")["_id"]
    body = {"entryIds": [entry], "clientId": bob.client()["_id"], "dueDate": "2030-02-01"}
    assert bob.send("POST", "/api/time-tracking/generate-invoice", body).status == 404
    assert bob.get("/api/invoices") == []


def test_owner_cannot_be_given(ann: User, bob: User) -> None:
    assert ann.client(user_id=bob.account["id"])["user_id"] == ann.account["id"]
    assert bob.get("/api/clients") == []
