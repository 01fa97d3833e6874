"""`Idempotency-Key`: repeats are answered again and carried out once, whatever happens in between."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.service.repeats import Repeats
from host.settings import IdempotencySettings
from host.web.http import Answer, Request
from host.web.idempotency import Idempotency
from tests.support.sites import Caller, Core, Declare, Reply

YAML = """
types:
  amount: {type: object, fields: {by: {type: integer, default: 1}}}
  blob: {type: object, fields: {text: text}}
resources:
  note:
    mixins: [owned, versioned]
    fields: {title: {type: string, required: true, max: 100}, count: {type: integer, default: 0}}
    query: {filter: [title]}
    access: owner
    actions:
      bump: {call: actions.bump, access: owner, in: amount, out: note}
      read: {method: GET, call: actions.read, access: owner, out: note}
      twice: {target: collection, call: actions.twice, access: authenticated}
      long: {target: collection, call: actions.long, access: authenticated, out: blob}
      pieces: {target: collection, call: actions.pieces, access: authenticated, out: stream}
      away: {target: collection, call: actions.away, access: authenticated, detached: true, out: blob}
      failing: {target: collection, call: actions.failing, access: authenticated}
      slow: {target: collection, call: actions.slow, access: authenticated, out: blob}
      held: {target: collection, call: actions.held, access: authenticated, write: false, out: blob}
      paid: {target: collection, call: actions.paid, access: authenticated, out: blob, idempotency: {required: true, repeat: 202}}
    wires:
      main: {}
      strict: {path: /api/strict, create: {idempotency: {required: true, repeat: 200}}}
endpoints:
  knock: {path: /api/knock, call: actions.knock, access: public, out: blob}
"""
CODE = """
import threading
from host import Stream

entered, leave = threading.Event(), threading.Event()


def bump(ctx, row, data):
    return ctx.records("note").update(row["id"], {"count": row["count"] + data["by"]})

def read(ctx, row, data):
    return row

def twice(ctx, data):
    ctx.records("note").create({"title": "first"})
    ctx.records("note").create({"title": "second"})

def long(ctx, data):
    ctx.records("note").create({"title": "long"})
    return {"text": "x" * 90_000 * 4}

def pieces(ctx, data):
    ctx.records("note").create({"title": "stream"})
    return Stream(iter([b"a", b"b"]), "text/plain")

def away(ctx, data):
    with ctx.writing() as own:
        own.records("note").create({"title": "away"})
    return {"text": "done"}

def failing(ctx, data):
    ctx.records("note").create({"title": "failing"})
    raise RuntimeError("a defect")

def slow(ctx, data):
    entered.set()
    assert leave.wait(20)
    ctx.records("note").create({"title": "slow"})
    return {"text": "done"}

def held(ctx, data):
    if not entered.is_set():
        entered.set()
        assert leave.wait(20)
    with ctx.writing() as own:
        own.records("note").create({"title": "held"})
    return {"text": "done"}

def paid(ctx, data):
    ctx.records("note").create({"title": "paid"})
    return {"text": "paid"}

def knock(ctx, data):
    return {"text": "who"}
"""
PATH = "/api/demo/notes"


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(YAML, CODE)


@pytest.fixture
def user(core: Core) -> Caller:
    return core.user()


def keyed(
    caller: Caller, key: str, path: str, body: Any = None, method: str = "POST", **headers: str
) -> Reply:
    return caller.send(method, path, {} if body is None else body, {"Idempotency-Key": key, **headers})


def titles(caller: Caller) -> list[str]:
    return sorted(row["title"] for row in caller.get(PATH).json["items"])


def test_repeat_is_answered_and_not_repeated(user: Caller) -> None:
    first = keyed(user, "k1", PATH, {"title": "one"})
    again = keyed(user, "k1", PATH, {"title": "one"})
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert titles(user) == ["one"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert (again.headers["Location"], again.headers["ETag"]) == (
        first.headers["Location"],
        first.headers["ETag"],
    )
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]


def test_quoted_key_is_the_same(user: Caller) -> None:
    keyed(user, '"k1"', PATH, {"title": "one"})
    assert keyed(user, "k1", PATH, {"title": "one"}).headers["Idempotency-Replayed"] == "true"


def test_other_body_is_refused(user: Caller) -> None:
    keyed(user, "k1", PATH, {"title": "one"})
    reply = keyed(user, "k1", PATH, {"title": "two"})
    assert (reply.status, reply.json["code"]) == (422, "idempotency_mismatch")
    assert titles(user) == ["one"]


def test_other_row_is_refused(user: Caller) -> None:
    first, second = (user.make(PATH, title=title)["id"] for title in ("a", "b"))
    assert keyed(user, "k", f"{PATH}/{first}/bump").status == 200
    assert keyed(user, "k", f"{PATH}/{second}/bump").status == 422


def test_action_is_carried_out_once(user: Caller) -> None:
    row = user.make(PATH, title="a")["id"]
    replies = [keyed(user, "k", f"{PATH}/{row}/bump", {"by": 5}) for _ in range(3)]
    assert [reply.json["count"] for reply in replies] == [5, 5, 5]
    assert user.get(f"{PATH}/{row}").json["count"] == 5


def test_answer_without_body_is_kept(user: Caller) -> None:
    assert [keyed(user, "k", f"{PATH}/twice").status for _ in range(2)] == [204, 204]
    assert titles(user) == ["first", "second"]


@pytest.mark.parametrize(
    ("method", "body"), [("POST", [{"title": "x"}, {"title": "y"}])]
)  # fmt: skip
def test_bulk_is_carried_out_once(user: Caller, method: str, body: Any) -> None:
    replies = [keyed(user, "k", f"{PATH}/bulk", body, method) for _ in range(2)]
    assert replies[0].status == 201 and replies[1].body == replies[0].body
    assert titles(user) == ["x", "y"]


def test_bulk_delete_is_answered_again(user: Caller) -> None:
    row = user.make(PATH, title="a")["id"]
    replies = [keyed(user, "k", f"{PATH}/bulk", [row], "DELETE") for _ in range(2)]
    assert [reply.json for reply in replies] == [{"deleted": 1}, {"deleted": 1}]


def test_import_is_carried_out_once(user: Caller) -> None:
    replies = [
        keyed(user, "k", f"{PATH}/import", b"title\none\ntwo\n", **{"Content-Type": "text/csv"})
        for _ in range(2)
    ]
    assert [reply.status for reply in replies] == [200, 200], replies[0].body
    assert replies[0].json == replies[1].json
    assert titles(user) == ["one", "two"]


def test_large_import_is_spooled(user: Caller) -> None:
    body = b"title\n" + b"".join(b"row %06d %s\n" % (number, b"x" * 60) for number in range(20_000))
    replies = [keyed(user, "big", f"{PATH}/import", body, **{"Content-Type": "text/csv"}) for _ in range(2)]
    assert [reply.json["created"] for reply in replies] == [20_000, 20_000]
    assert user.get(f"{PATH}?count=exact").json["total"] == 20_000


def test_keys_of_callers_are_apart(core: Core, user: Caller) -> None:
    other = core.user()
    assert (
        keyed(user, "k", PATH, {"title": "mine"}).json["owner"]
        != keyed(other, "k", PATH, {"title": "mine"}).json["owner"]
    )


def test_keys_of_operations_are_apart(user: Caller) -> None:
    assert keyed(user, "k", PATH, {"title": "a"}).status == 201
    assert keyed(user, "k", f"{PATH}/twice").status == 204


def test_refused_request_frees_its_key(user: Caller) -> None:
    assert keyed(user, "k", PATH, {"title": ""} | {"wrong": 1}).status == 422
    assert keyed(user, "k", PATH, {"title": "right"}).status == 201


def test_defect_rolls_back_and_frees(user: Caller, caplog: pytest.LogCaptureFixture) -> None:
    assert [keyed(user, "k", f"{PATH}/failing").status for _ in range(2)] == [500, 500]
    assert titles(user) == []


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "ü", "a\tb", '"', "<script>"])
def test_malformed_key_is_refused(user: Caller, key: str) -> None:
    reply = keyed(user, key, PATH, {"title": "one"})
    assert (reply.status, reply.json["code"]) == (400, "idempotency_key")
    assert titles(user) == []


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=210))
def test_any_key_is_answered(core: Core, key: str) -> None:
    assert keyed(core.anonymous, key, PATH, {"title": "one"}).status == 401


def test_key_of_nobody_is_refused(core: Core) -> None:
    reply = keyed(core.anonymous, "k", "/api/knock")
    assert (reply.status, reply.json["code"]) == (400, "idempotency_key")
    assert core.anonymous.post("/api/knock").status == 200


def test_reading_takes_no_key(user: Caller) -> None:
    row = user.make(PATH, title="a")["id"]
    user.patch(f"{PATH}/{row}", {"count": 1})
    before = keyed(user, "k", f"{PATH}/{row}/read", method="GET").json["count"]
    user.patch(f"{PATH}/{row}", {"count": 2})
    assert (before, keyed(user, "k", f"{PATH}/{row}/read", method="GET").json["count"]) == (1, 2)


def test_signing_in_keeps_no_answer(core: Core) -> None:
    body = {"email": f"k-{core.dialect}@example.org", "password": "correct horse battery"}
    headers = {"Idempotency-Key": "k"}
    assert core.anonymous.post("/api/auth/register", body, headers).status == 201
    assert "Idempotency-Replayed" not in core.anonymous.post("/api/auth/login", body, headers).headers
    with core.reading() as ctx:
        stored = ctx.records("host.idempotency").find_all()
    assert all("token" not in (row["body"] or "") for row in stored)


def test_required_key_is_asked_for(user: Caller) -> None:
    assert user.post("/api/strict", {"title": "a"}).json["code"] == "idempotency_key_required"
    assert user.post(f"{PATH}/paid").status == 400


def test_repeat_has_its_own_status(user: Caller) -> None:
    assert [keyed(user, "k", "/api/strict", {"title": "a"}).status for _ in range(3)] == [201, 200, 200]
    assert [keyed(user, "k", f"{PATH}/paid").status for _ in range(2)] == [200, 202]


@pytest.mark.parametrize("action", ["long", "pieces"])
def test_answer_that_is_not_kept(user: Caller, action: str) -> None:
    assert keyed(user, "k", f"{PATH}/{action}").status == 200
    reply = keyed(user, "k", f"{PATH}/{action}")
    assert (reply.status, reply.json["code"]) == (409, "idempotency_not_kept")
    assert len(titles(user)) == 1


def test_detached_action_is_answered_again(user: Caller) -> None:
    assert [keyed(user, "k", f"{PATH}/away").json for _ in range(2)] == [{"text": "done"}] * 2
    assert titles(user) == ["away"]


def test_two_at_once_run_once(core: Core, user: Caller) -> None:
    code = core.site.runtime.calls["demo:actions.slow"].__globals__
    code["entered"].clear()
    code["leave"].clear()
    replies: list[Reply] = []
    first = threading.Thread(target=lambda: replies.append(keyed(user, "k", f"{PATH}/slow")))
    first.start()
    assert code["entered"].wait(20)
    second = keyed(user, "k", f"{PATH}/slow")
    code["leave"].set()
    first.join()
    assert (second.status, second.json["code"]) == (409, "idempotency_in_flight")
    assert second.headers["Retry-After"] == "1"
    assert replies[0].status == 200
    assert titles(user) == ["slow"]


def test_many_at_once_run_once(user: Caller) -> None:
    barrier, replies = threading.Barrier(8), []

    def send() -> None:
        barrier.wait()
        replies.append(keyed(user, "k", PATH, {"title": "only"}))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {reply.status for reply in replies} <= {201, 409}
    assert sum("Idempotency-Replayed" not in reply.headers for reply in replies if reply.status == 201) == 1
    assert titles(user) == ["only"]


def change(core: Core, **values: Any) -> None:
    with core.writing() as ctx:
        ctx.execute(ctx.table("host.idempotency").update().values(**values))


def test_expired_answer_is_forgotten(core: Core, user: Caller) -> None:
    keyed(user, "k", PATH, {"title": "one"})
    change(core, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert keyed(user, "k", PATH, {"title": "two"}).status == 201
    with core.reading() as ctx:
        assert len(ctx.records("host.idempotency").find_all()) == 1


def test_dead_owner_is_taken_over(core: Core, user: Caller) -> None:
    keyed(user, "k", PATH, {"title": "one"})
    change(core, status=None, body=None, leased_until=datetime.now(UTC) + timedelta(seconds=60))
    assert keyed(user, "k", PATH, {"title": "one"}).json["code"] == "idempotency_in_flight"
    change(core, leased_until=datetime.now(UTC) - timedelta(seconds=1))
    assert keyed(user, "k", PATH, {"title": "one"}).status == 201
    assert titles(user) == ["one", "one"]


def test_owner_who_was_taken_over_stores_nothing(core: Core, user: Caller) -> None:
    site = core.site
    calls = site.runtime.calls["demo:actions.slow"].__globals__
    calls["entered"].clear()
    calls["leave"].clear()
    replies: list[Reply] = []
    first = threading.Thread(target=lambda: replies.append(keyed(user, "k", f"{PATH}/held")))
    first.start()
    assert calls["entered"].wait(20)
    change(core, leased_until=datetime.now(UTC) - timedelta(seconds=1))
    second = keyed(user, "k", f"{PATH}/held")
    calls["leave"].set()
    first.join()
    assert (second.status, replies[0].status, replies[0].json["code"]) == (200, 409, "idempotency_in_flight")
    assert titles(user) == ["held"]


def test_answer_of_a_failing_server_frees_the_key(core: Core, user: Caller) -> None:
    step = Idempotency(Repeats(core.site.runtime, IdempotencySettings()))
    operation = next(it for it in core.site.app.operations if it.id == "createDemoNote")
    assert user.actor is not None
    statuses = iter([503, 201, 201])
    answers = [
        step.around(
            Request("POST", PATH, "", {"idempotency-key": "k"}.get, lambda size: b"", 0, actor=user.actor),
            operation,
            lambda request: Answer(next(statuses)),
        )
        for _ in range(3)
    ]
    assert [answer.status for answer in answers] == [503, 201, 201]
    assert ("Idempotency-Replayed", "true") in answers[2].headers
