"""Projects."""

import pytest

from plugins.freelance.tests.house import User


def test_project_has_the_contract_fields(ann: User) -> None:
    client = ann.client()["_id"]
    project = ann.project(
        client_id=client, hourly_rate=60.5, budget=1000, start_date="2030-01-01T00:00:00Z", status="onhold"
    )
    assert {key: project[key] for key in ("client_id", "hourly_rate", "budget", "start_date", "status")} == {
        "client_id": client, "hourly_rate": 60.5, "budget": 1000, "start_date": "2030-01-01", "status": "onhold",
    }  # fmt: skip
    assert (project["description"], project["end_date"]) == (None, None)


def test_project_is_active_by_default(ann: User) -> None:
    project = ann.project()
    assert (project["status"], project["client_id"]) == ("active", None)


def test_put_takes_every_status(ann: User) -> None:
    path = f"/api/projects/{ann.project()['_id']}"
    for status in ("completed", "onhold", "cancelled", "archived", "active"):
        assert ann.put(path, {"status": status, "end_date": "2030-03-01"})["status"] == status
    assert ann.send("PUT", path, {"status": "done"}).status == 400


def test_empty_texts_of_forms_mean_null(ann: User) -> None:
    project = ann.project(client_id="", hourly_rate="", end_date="", description="")
    assert [project[key] for key in ("client_id", "hourly_rate", "end_date", "description")] == [
        None,
        None,
        None,
        "",
    ]


@pytest.mark.parametrize("query", ["status=archived", "clientId={client}", "client_id={client}"])
def test_filters_of_projects(ann: User, query: str) -> None:
    client = ann.client()["_id"]
    wanted = ann.project(client_id=client, status="archived")
    ann.project()
    assert [it["_id"] for it in ann.get(f"/api/projects?{query.format(client=client)}")] == [wanted["_id"]]


def test_projects_below_time_tracking(ann: User) -> None:
    made = ann.post("/api/time-tracking/projects", {"name": "Here"})
    assert ann.get("/api/time-tracking/projects") == ann.get("/api/projects") == [made]


def test_project_survives_its_client(ann: User) -> None:
    client = ann.client()["_id"]
    project = ann.project(client_id=client)
    assert ann.delete(f"/api/clients/{client}")
    assert ann.get(f"/api/projects/{project['_id']}")["client_id"] is None
    assert ann.delete(f"/api/projects/{project['_id']}") == {"message": "Project deleted successfully"}
