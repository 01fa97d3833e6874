"""Jobs over HTTP: actions that a job carries out, and the jobs themselves, by rule."""

from typing import Any

import pytest

from host.jobs.claims import take
from tests.support.sites import Caller, Core, Declare, Reply

YAML = """
    resources:
      note:
        mixins: [owned]
        fields: {title: {type: string, required: true}, size: {type: integer, set: server}}
        events: {counted: {times: integer}}
        access: owner
        actions:
          count:
            target: item
            call: actions.count
            access: owner
            job: true
            emits: counted
            in: {type: object, fields: {times: {type: integer, required: true}}}
            out: note
          total: {target: collection, call: actions.total, access: authenticated, job: true, out: totals}
          walk: {target: collection, call: actions.walk, access: "role('admin')", job: true, detached: true}
          greet: {target: collection, call: actions.greet, access: public, job: true}
          fall: {target: collection, call: actions.fall, access: authenticated, job: true, idempotency: true}
    types: {totals: {type: object, fields: {total: integer}}}
    jobs:
      tell: {call: actions.tell, in: {type: object, fields: {text: string}}, run_as: system}
"""
CODE = """
    SEEN = []

    def count(ctx, row, data):
        return ctx.records("note").update(row["id"], {"size": data["times"]})

    def total(ctx, data):
        return {"total": ctx.records("note").count()}

    def walk(ctx, data):
        SEEN.append(ctx.work)

    def greet(ctx, data):
        SEEN.append(ctx.actor.id)

    def fall(ctx, data):
        raise RuntimeError("the password is tulip")

    def tell(ctx, data): ...
"""
NOTES = "/api/demo/notes"


@pytest.fixture(scope="module")
def whole(declare: Declare) -> Core:
    return declare(YAML, CODE)


@pytest.fixture
def core(whole: Core) -> Core:
    whole.site.run_jobs(ahead=10_000)
    whole.site.runtime.calls["demo:actions.total"].__globals__["SEEN"].clear()
    return whole


def seen(core: Core) -> list[Any]:
    found: list[Any] = core.site.runtime.calls["demo:actions.total"].__globals__["SEEN"]
    return found


def begun(caller: Caller, path: str, body: Any = None, **headers: str) -> str:
    """The path of the job that an action began."""
    reply = caller.send("POST", path, body, headers)
    assert reply.status == 202, reply.body
    return reply.headers["Location"]


def test_action_is_accepted_and_done_later(core: Core) -> None:
    ann = core.user()
    note = ann.make(NOTES, title="x")
    reply = ann.post(f"{NOTES}/{note['id']}/count", {"times": 3})
    place = f"/api/host/jobs/{reply.json['id']}"
    assert (reply.status, reply.json["state"], reply.headers["Location"]) == (202, "queued", place)
    assert ann.get(f"{NOTES}/{note['id']}").json["size"] is None
    core.site.run_jobs()
    job = ann.get(place).json
    assert (job["state"], job["name"], job["result"]["size"], job["progress"]) == (
        "done",
        "demo.note.count",
        3,
        100,
    )
    assert ann.get(f"{NOTES}/{note['id']}").json["size"] == 3


def test_input_is_checked_at_once(core: Core) -> None:
    ann = core.user()
    note = ann.make(NOTES, title="x")
    assert ann.post(f"{NOTES}/{note['id']}/count", {"times": "x"}).pointers == ["/times"]
    assert ann.post(f"{NOTES}/{note['id']}/count").pointers == ["/times"]
    assert core.site.run_jobs() == []


def test_rule_is_asked_at_once(core: Core) -> None:
    ann, bob = core.user(), core.user()
    note = ann.make(NOTES, title="x")
    assert bob.post(f"{NOTES}/{note['id']}/count", {"times": 3}).status == 404
    assert core.anonymous.post(f"{NOTES}/total").status == 401
    assert ann.post(f"{NOTES}/walk").status == 403
    assert core.site.run_jobs() == []


def test_rule_is_asked_again_when_it_runs(core: Core) -> None:
    ann, bob = core.user(), core.user()
    note = ann.make(NOTES, title="x")
    place = begun(ann, f"{NOTES}/{note['id']}/count", {"times": 3})
    assert bob.actor is not None
    with core.writing() as ctx:
        ctx.records("demo.note").update(note["id"], {"owner": bob.actor.id})
    core.site.run_jobs(ahead=10_000)
    job = ann.get(place).json
    assert (job["state"], job["error"]["code"]) == ("dead", "not_found")


def test_action_runs_with_its_callers_rows(core: Core) -> None:
    ann, bob = core.user(), core.user()
    ann.make(NOTES, title="x")
    first, second = begun(ann, f"{NOTES}/total"), begun(bob, f"{NOTES}/total")
    core.site.run_jobs()
    assert (ann.get(first).json["result"], bob.get(second).json["result"]) == ({"total": 1}, {"total": 0})


def test_action_of_a_job_emits_its_events(core: Core) -> None:
    ann = core.user()
    note = ann.make(NOTES, title="x")
    begun(ann, f"{NOTES}/{note['id']}/count", {"times": 3})
    core.site.run_jobs()
    with core.reading() as ctx:
        (event,) = ctx.records("host.event").find_all(name="demo.note.counted", key=note["id"])
    assert (event["data"], event["actor"]) == ({"times": 3}, ann.actor.id if ann.actor else None)


def test_detached_action_runs_outside_of_a_transaction(core: Core) -> None:
    begun(core.user(role="admin"), f"{NOTES}/walk")
    assert [it.outcome for it in core.site.run_jobs()] == ["done"]
    assert seen(core) == [None]


def test_public_action_runs_as_nobody(core: Core) -> None:
    place = begun(core.anonymous, f"{NOTES}/greet")
    core.site.run_jobs()
    assert seen(core) == [None]
    assert core.anonymous.get(place).status == 401


def test_repeated_request_is_one_job(core: Core) -> None:
    ann = core.user()
    places = [begun(ann, f"{NOTES}/total", **{"Idempotency-Key": "abcdefgh"}) for _ in range(2)]
    assert places[0] == places[1]
    assert len(core.site.run_jobs()) == 1
    assert ann.post(f"{NOTES}/fall").status == 400


# --- the jobs themselves ----------------------------------------------------------------------------------------------


def test_jobs_are_seen_by_who_wanted_them(core: Core) -> None:
    ann, bob, admin = core.user(), core.user(), core.user(role="admin")
    place = begun(ann, f"{NOTES}/total")
    assert [it.get(place).status for it in (ann, bob, admin, core.anonymous)] == [200, 404, 200, 401]
    assert [it["name"] for it in ann.get("/api/host/jobs").json["items"]] == ["demo.note.total"]
    assert bob.get("/api/host/jobs").json["items"] == []


def test_arguments_and_leases_are_for_administrators(core: Core) -> None:
    ann, admin = core.user(), core.user(role="admin")
    place = begun(ann, f"{NOTES}/total")
    hidden = {"data", "leased_until", "worker", "unique_key", "order_key", "order_number", "keep_until"}
    assert not hidden & ann.get(place).json.keys()
    assert hidden <= admin.get(place).json.keys()
    assert "sealed" not in admin.get(place).json


def test_unfinished_job_says_when_to_ask_again(core: Core) -> None:
    ann = core.user()
    place = begun(ann, f"{NOTES}/total")
    waiting = ann.get(place)
    assert waiting.headers["Retry-After"] == "1"
    assert ann.get(place, {"If-None-Match": waiting.headers["ETag"]}).status == 304
    core.site.run_jobs()
    done = ann.get(place, {"If-None-Match": waiting.headers["ETag"]})
    assert (done.status, done.json["state"], "Retry-After" in done.headers) == (200, "done", False)


def test_waiting_job_is_cancelled(core: Core) -> None:
    ann, bob = core.user(), core.user()
    place = begun(ann, f"{NOTES}/total")
    assert bob.post(f"{place}/cancel").status == 404
    reply = ann.post(f"{place}/cancel")
    assert (reply.status, reply.json["state"]) == (200, "cancelled")
    assert core.site.run_jobs() == []
    assert ann.post(f"{place}/cancel").status == 409
    assert ann.post(f"{place}/retry").json["state"] == "queued"
    assert [it.outcome for it in core.site.run_jobs()] == ["done"]


def test_running_job_is_asked_to_stop(core: Core) -> None:
    ann = core.user()
    place = begun(ann, f"{NOTES}/total")
    take(core.site.runtime, "default")
    reply = ann.post(f"{place}/cancel").json
    assert (reply["state"], reply["cancel_wanted"]) == ("running", True)


def test_jobs_of_the_system_are_not_the_callers_to_stop(core: Core) -> None:
    ann, admin = core.user(), core.user(role="admin")
    assert ann.actor is not None
    with core.writing(ann.actor) as ctx:
        job = ctx.jobs.enqueue("demo.tell", {"text": "x"})
    assert ann.get(f"/api/host/jobs/{job}").status == 200
    assert ann.post(f"/api/host/jobs/{job}/cancel").status == 403
    assert admin.post(f"/api/host/jobs/{job}/cancel").status == 200


def test_attempts_are_told_without_secrets(core: Core) -> None:
    ann, admin = core.user(), core.user(role="admin")
    place = begun(ann, f"{NOTES}/fall", **{"Idempotency-Key": "abcdefgh"})
    core.site.run_jobs(ahead=10_000)
    job = ann.get(place)
    assert (job.json["state"], job.json["failures"], job.json["error"]["code"]) == ("dead", 4, "internal")
    tries = ann.get(f"/api/host/job-failures?job={job.json['id']}&sort=id")
    assert [it["attempt"] for it in tries.json["items"]] == [1, 2, 3, 4]
    assert b"tulip" not in job.body + tries.body
    assert b"tulip" in admin.get(f"/api/host/job-failures?job={job.json['id']}").body
    assert core.user().get(f"/api/host/job-failures?job={job.json['id']}").json["items"] == []


@pytest.mark.parametrize("word", ["nothing", "00000000-0000-7000-8000-000000000000"])
def test_unknown_job_is_not_found(core: Core, word: str) -> None:
    ann = core.user()
    found: list[Reply] = [ann.get(f"/api/host/jobs/{word}"), ann.post(f"/api/host/jobs/{word}/cancel")]
    assert [it.status for it in found] == [404, 404]


def test_document_tells_where_the_job_is(core: Core) -> None:
    document = core.site.client().get("/openapi.json").json
    assert document is not None
    answer = document["paths"][f"{NOTES}/{{id}}/count"]["post"]["responses"]["202"]
    assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/HostAcceptedJob"}
    assert answer["headers"].keys() == {"Location", "Retry-After"}
    assert answer["links"]["job"]["operationId"] in {
        it["operationId"]
        for path in document["paths"].values()
        for it in path.values()
        if "operationId" in it
    }
