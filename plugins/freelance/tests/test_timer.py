"""The timer: one for each owner."""

from concurrent.futures import ThreadPoolExecutor

from plugins.freelance.tests.house import User

START, ACTIVE = "/api/time-tracking/timer/start", "/api/time-tracking/timer/active"


def test_timer_runs_until_it_is_stopped(ann: User) -> None:
    project = ann.project()["_id"]
    timer = ann.post(START, {"description": "Talk", "projectId": project})
    assert (timer["end_time"], timer["project_id"], timer["description"]) == (None, project, "Talk")
    assert ann.get(ACTIVE) == timer
    stopped = ann.post(f"/api/time-tracking/timer/stop/{timer['_id']}")
    assert stopped["end_time"] is not None and stopped["duration"] == 0
    assert ann.get(ACTIVE) is None
    assert ann.post(START, {"description": "Again"})["_id"] != timer["_id"]


def test_timer_stops_in_minutes(ann: User) -> None:
    entry = ann.entry()
    stopped = ann.post(f"/api/time-tracking/timer/stop/{entry['_id']}", {"end_time": "2030-01-01T11:30:00Z"})
    assert stopped["duration"] == 90


def test_second_timer_is_a_bad_request(ann: User, bob: User) -> None:
    ann.post(START, {})
    said = ann.send("POST", START, {"description": "Second"})
    assert (said.status, said.body["message"]) == (400, "something is running already: stop it first")
    assert bob.get(ACTIVE) is None
    assert bob.post(START, {})


def test_running_entry_counts_as_the_timer(ann: User) -> None:
    entry = ann.entry()
    assert ann.get(ACTIVE)["_id"] == entry["_id"]
    assert ann.send("POST", START, {}).status == 400


def test_timers_have_no_races(ann: User) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = list(
            pool.map(lambda _: ann.send("POST", START, {"description": "Race"}).status, range(16))
        )
    assert sorted(statuses) == [200] + [400] * 15
    assert len(ann.get("/api/time-tracking")) == 1


def test_timer_takes_no_foreign_project(ann: User, bob: User) -> None:
    assert bob.send("POST", START, {"project_id": ann.project()["_id"]}).status == 400
    assert bob.get("/api/time-tracking") == []


def test_nobody_stops_the_timer_of_another(ann: User, bob: User) -> None:
    timer = ann.post(START, {})
    assert bob.send("POST", f"/api/time-tracking/timer/stop/{timer['_id']}").status == 404
    assert ann.get(ACTIVE) == timer
