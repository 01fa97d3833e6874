"""Time entries: seconds on one surface, minutes on the other, statistics and invoices."""

from typing import Any

import pytest

from plugins.freelance.tests.house import User

HALF_PAST = "2030-01-01T11:30:00Z"


def test_new_entry_is_running(ann: User) -> None:
    entry = ann.entry()
    assert set(entry) == {
        "_id", "id", "user_id", "project_id", "description", "start_time", "end_time", "duration", "is_billable",
        "hourly_rate", "created_at", "updated_at",
    }  # fmt: skip
    assert (entry["end_time"], entry["duration"], entry["is_billable"]) == (None, None, True)


def test_stop_answers_seconds(ann: User) -> None:
    entry = ann.entry()
    stopped = ann.post(f"/api/time-tracking/{entry['_id']}/stop", {"end_time": HALF_PAST})
    assert stopped["duration"] == 5400
    assert ann.get(f"/api/time-tracking/{entry['_id']}") == stopped


def test_stop_means_now_by_default(ann: User) -> None:
    entry = ann.entry(start_time="2020-01-01T10:00:00Z")
    stopped = ann.post(f"/api/time-tracking/{entry['_id']}/stop")
    assert stopped["end_time"] > "2026" and stopped["duration"] > 0
    assert ann.send("POST", f"/api/time-tracking/{entry['_id']}/stop", {}).status == 400


def test_put_recomputes_the_duration(ann: User) -> None:
    path = f"/api/time-tracking/{ann.entry(end_time=HALF_PAST)['_id']}"
    assert ann.put(path, {"start_time": "2030-01-01T11:00:00Z"})["duration"] == 1800
    assert ann.put(path, {"description": "New", "duration": 7})["duration"] == 1800
    assert ann.put(path, {"end_time": None})["duration"] is None


def test_end_before_start_is_a_bad_request(ann: User) -> None:
    entry = ann.entry()
    for method, path in (
        ("POST", f"/api/time-tracking/{entry['_id']}/stop"),
        ("PUT", f"/api/time-tracking/{entry['_id']}"),
    ):
        said = ann.send(method, path, {"end_time": "2030-01-01T09:00:00Z"})
        assert (said.status, said.body["error"]) == (400, "the end is before the start")


@pytest.mark.parametrize(
    "given",
    ["2030-01-01T10:00:00+02:00", "2030-01-01T08:00:00", "2030-01-01T08:00", "2030-01-01T08:00:00.000Z"],
)
def test_times_are_taken_in_every_form(ann: User, given: str) -> None:
    assert ann.entry(start_time=given)["start_time"].startswith("2030-01-01T08:00:00")


def test_bare_day_is_its_midnight(ann: User) -> None:
    assert ann.entry(start_time="2030-01-01")["start_time"].startswith("2030-01-01T00:00:00")


def test_list_is_oldest_first(ann: User) -> None:
    made = [ann.entry(start_time=f"2030-01-0{day}T10:00:00Z")["_id"] for day in (3, 1, 2)]
    for path in ("/api/time-tracking", "/api/time-tracking/entries"):
        assert [it["_id"] for it in ann.get(path)] == made


def test_entries_answer_minutes(ann: User) -> None:
    body = {"description": "Talk", "start_time": "2030-01-01T10:00:00Z", "end_time": HALF_PAST}
    entry = ann.post("/api/time-tracking/entries", body)
    path = f"/api/time-tracking/entries/{entry['_id']}"
    assert (entry["duration"], ann.get(path)["duration"]) == (90, 90)
    assert ann.get(f"/api/time-tracking/{entry['_id']}")["duration"] == 5400
    assert ann.put(path, {"end_time": "2030-01-01T10:45:00Z"})["duration"] == 45
    assert ann.delete(path) == {"message": "Time entry deleted successfully"}


def test_filters_of_entries(ann: User) -> None:
    client = ann.client()["_id"]
    project = ann.project(client_id=client)["_id"]
    first, last = ann.entry(project_id=project), ann.entry(start_time="2030-01-03T23:30:00Z")

    def found(query: str) -> list[str]:
        return [it["_id"] for it in ann.get(f"/api/time-tracking/entries?{query}")]

    assert (
        found(f"clientId={client}")
        == found(f"projectId={project}")
        == found("endDate=2030-01-01")
        == [first["_id"]]
    )
    assert found("startDate=2030-01-02&endDate=2030-01-03") == [last["_id"]]
    assert found("startDate=2030-01-01T10:00:01Z") == [last["_id"]]
    assert found(f"clientId={'0' * 24}") == found("startDate=2031-01-01") == []


@pytest.mark.parametrize("query", ["startDate=soon", "clientId[gt]=1", "unheard=of", "status=active"])
def test_wrong_filter_is_a_bad_request(ann: User, query: str) -> None:
    assert ann.send("GET", f"/api/time-tracking/entries?{query}").status == 400


def test_summary_is_in_minutes(ann: User, bob: User) -> None:
    bob.entry(end_time=HALF_PAST)
    project = ann.project(hourly_rate=60)["_id"]
    ann.entry(project_id=project, end_time="2030-01-01T10:20:00Z")
    ann.entry(hourly_rate=99.99, end_time="2030-01-01T11:00:00Z", start_time="2030-01-01T10:00:00Z")
    ann.entry(is_billable=False, end_time="2030-01-01T10:10:00Z")
    ann.entry()
    assert ann.get("/api/time-tracking/stats/summary") == {
        "total_entries": 3, "running_entries": 1, "total_minutes": 90, "billable_minutes": 80, "non_billable_minutes": 10,
        "total_hours": 1.5, "billable_hours": 1.33, "billable_amount": 119.99,
    }  # fmt: skip
    assert ann.get(f"/api/time-tracking/stats/summary?projectId={project}")["total_minutes"] == 20
    assert ann.get("/api/time-tracking/stats/summary?startDate=2030-01-02")["total_entries"] == 0
    assert ann.get("/api/time-tracking/stats/summary?endDate=2030-01-01")["total_entries"] == 3


def test_invoice_from_entries(ann: User) -> None:
    client = ann.client()["_id"]
    project = ann.project(hourly_rate=60.5)["_id"]
    entries = [
        ann.entry(project_id=project, end_time="2030-01-01T10:20:00Z"),
        ann.entry(
            project_id=project,
            hourly_rate=100,
            start_time="2030-01-02T10:00:00Z",
            end_time="2030-01-02T11:30:00Z",
        ),
    ]
    body = {
        "entryIds": [it["_id"] for it in reversed(entries)],
        "clientId": client,
        "dueDate": "2030-02-01",
        "tax": 5,
        "notes": "n",
    }
    invoice = ann.post("/api/time-tracking/generate-invoice", body)
    assert [(it["quantity"], it["rate"], it["amount"]) for it in invoice["items"]] == [
        (0.333333, 60.5, 20.17),
        (1.5, 100, 150),
    ]
    assert (invoice["subtotal"], invoice["total"], invoice["notes"], invoice["status"]) == (
        170.17,
        175.17,
        "n",
        "draft",
    )
    assert ann.get(f"/api/invoices/{invoice['_id']}") == invoice


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"entryIds": []}, 400),
        ({"entryIds": ["0" * 24]}, 404),
        ({"dueDate": None}, 400),
        ({"clientId": "0" * 24}, 400),
    ],
)
def test_wrong_invoice_from_entries(ann: User, change: dict[str, Any], status: int) -> None:
    body = {
        "entryIds": [ann.entry(end_time=HALF_PAST)["_id"]],
        "clientId": ann.client()["_id"],
        "dueDate": "2030-02-01",
    }
    assert ann.send("POST", "/api/time-tracking/generate-invoice", {**body, **change}).status == status


@pytest.mark.parametrize("values", [{}, {"end_time": HALF_PAST, "is_billable": False}])
def test_only_finished_billable_entries_are_billed(ann: User, values: dict[str, Any]) -> None:
    body = {
        "entryIds": [ann.entry(**values)["_id"]],
        "clientId": ann.client()["_id"],
        "dueDate": "2030-02-01",
    }
    assert ann.send("POST", "/api/time-tracking/generate-invoice", body).status == 400
