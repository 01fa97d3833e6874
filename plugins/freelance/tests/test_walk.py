"""What the existing clients do, over real HTTP: the headless script, the vanilla client, the later front end."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any

import httpx
import pytest
from werkzeug.serving import make_server

from plugins.freelance.tests.house import House
from plugins.freelance.tests.test_resumes import FULL


@pytest.fixture
def http(house: House) -> Iterator[httpx.Client]:
    """A client of a server on a free port."""
    server = make_server("127.0.0.1", 0, house.door, threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}/api") as client:
            yield client
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sign_in(http: httpx.Client, email: str) -> dict[str, Any]:
    """Log in, else register: as the headless script does, which names its user `full_name`."""
    credentials = {"email": email, "password": "TestPassword123!"}
    answer = http.post("/auth/login", json=credentials)
    if not answer.is_success:
        assert answer.status_code == 401 and answer.json()["message"]
        answer = http.post("/auth/register", json={**credentials, "full_name": "Test User"})
    said: dict[str, Any] = answer.json()
    assert answer.is_success and {"id", "email", "name", "avatar"} <= set(said["user"])
    http.headers["Authorization"] = f"Bearer {said['token']}"
    user: dict[str, Any] = said["user"]
    return user


def ok(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, (answer.request.url, answer.text)
    return answer.json()


def test_script_makes_a_resume(http: httpx.Client) -> None:
    user = sign_in(http, f"script-{http.base_url.port}@example.org")
    assert sign_in(http, user["email"]) == user
    resume = ok(http.post("/resumes", json={**FULL, "unheard": "of"}))
    listed = ok(http.get("/resumes"))
    assert isinstance(listed, list) and [it["_id"] for it in listed] == [resume["_id"]]
    assert (listed[0]["user_id"], listed[0]["personal_info"]["full_name"]) == (user["id"], "Ada Lovelace")


def test_second_registration_is_a_conflict(http: httpx.Client) -> None:
    user = sign_in(http, f"again-{http.base_url.port}@example.org")
    answer = http.post(
        "/auth/register", json={"email": user["email"], "name": "x", "password": "TestPassword123!"}
    )
    assert answer.status_code == 409 and answer.json()["error"] == answer.json()["message"]


def test_vanilla_client_works_through_a_day(http: httpx.Client) -> None:
    sign_in(http, f"vanilla-{http.base_url.port}@example.org")
    client = ok(
        http.post("/clients", json={"name": "Acme", "email": "a@acme.example", "phone": "", "company": ""})
    )
    project = ok(
        http.post(
            "/projects",
            json={"name": "Site", "client_id": client["_id"], "status": "active", "hourly_rate": 80},
        )
    )
    ok(http.put(f"/projects/{project['_id']}", json={"status": "completed"}))
    timer = ok(
        http.post(
            "/time-tracking",
            json={
                "description": "Work",
                "project_id": project["_id"],
                "start_time": "2030-01-01T10:00:00.000Z",
            },
        )
    )
    newest = ok(http.get("/time-tracking"))[-1]
    assert newest["_id"] == timer["_id"]
    stopped = ok(
        http.post(f"/time-tracking/{newest['_id']}/stop", json={"end_time": "2030-01-01T10:01:30.000Z"})
    )
    assert stopped["duration"] == 90
    items = [{"description": "Work", "quantity": 1.5, "rate": 80, "amount": 120}]
    body = {
        "client_id": client["_id"],
        "items": items,
        "due_date": "2030-02-01",
        "tax": 9.6,
        "discount": 0,
        "currency": "USD",
    }
    invoice = ok(http.post("/invoices", json=body))
    assert (invoice["total"], invoice["invoice_number"]) == (129.6, "INV-00001")
    assert ok(http.put(f"/invoices/{invoice['_id']}", json={"status": "paid"}))["status"] == "paid"
    contract = ok(
        http.post(
            "/contracts",
            json={
                "client_id": client["_id"],
                "title": "T",
                "content": "C",
                "start_date": "2030-01-01",
                "value": 500,
            },
        )
    )
    ok(http.put(f"/contracts/{contract['_id']}", json={"status": "cancelled"}))
    for path in (
        f"/contracts/{contract['_id']}",
        f"/time-tracking/{timer['_id']}",
        f"/projects/{project['_id']}",
    ):
        assert set(ok(http.delete(path))) == {"message"}
    del http.headers["Authorization"]
    assert http.get("/clients").status_code == 401


def test_later_front_end_tracks_time(http: httpx.Client) -> None:
    sign_in(http, f"later-{http.base_url.port}@example.org")
    project = ok(http.post("/time-tracking/projects", json={"name": "Site", "hourly_rate": 60}))
    assert ok(http.get("/time-tracking/projects")) == [project]
    timer = ok(
        http.post("/time-tracking/timer/start", json={"description": "Work", "projectId": project["_id"]})
    )
    assert ok(http.get("/time-tracking/timer/active"))["id"] == timer["id"]
    ok(http.post(f"/time-tracking/timer/stop/{timer['id']}"))
    body = {
        "description": "More",
        "project_id": project["_id"],
        "start_time": "2030-01-01T10:00:00Z",
        "end_time": "2030-01-01T11:00:00Z",
    }
    entry = ok(http.post("/time-tracking/entries", json=body))
    assert entry["duration"] == 60
    assert [
        it["id"]
        for it in ok(
            http.get("/time-tracking/entries", params={"startDate": "2030-01-01", "endDate": "2030-01-01"})
        )
    ] == [entry["id"]]
    assert ok(http.get("/time-tracking/stats/summary"))["billable_amount"] == 60
    client = ok(http.post("/clients", json={"name": "Acme", "email": "a@acme.example"}))
    wanted = {
        "entryIds": [entry["id"]],
        "clientId": client["id"],
        "dueDate": "2030-02-01",
        "tax": 0,
        "notes": "",
    }
    assert ok(http.post("/time-tracking/generate-invoice", json=wanted))["total"] == 60
