"""Actions, endpoints and prepare functions: the plugin's own code between typed input and typed answers."""

from __future__ import annotations

import pytest
from werkzeug.test import EnvironBuilder

from tests.support.sites import Core, Declare

SITE = """
types:
  amount: {type: object, fields: {value: {type: decimal, required: true},
  at: datetime, note: {type: string, default: none given}}}
  report: {type: object, fields: {total: decimal, took: duration, at: datetime, rows: {type: list, of: amount}}}
  wish: {type: object, fields: {limit: {type: integer, min: 1}, deep: boolean, words: string, since: date}}
rules:
  mine: {when: owner, doc: it is yours}
resources:
  order:
    mixins: [owned, versioned]
    fields:
      title: string
      total: {type: decimal, default: 0}
      reason: {type: string, transient: true}
      trail: {type: string, set: server}
    access: {every: mine, get: authenticated, list: authenticated}
    prepare: actions.prepare
    actions:
      pay: {call: actions.pay, in: amount, out: order, access: "mine and total > 0"}
      peek: {method: GET, call: actions.peek, out: report, access: authenticated}
      fail: {call: actions.fail, access: mine, in: amount}
      summary:
        {target: collection, method: GET, path: stats/summary, call: actions.summary, access: authenticated, in: wish,
         out: report}
      latest: {target: collection, method: GET, call: actions.latest, out: {type: list, of: order}, access: public}
      download: {method: GET, call: actions.download, out: stream, access: mine}
      slow: {detached: true, call: actions.slow, out: order, access: mine}
      sneak: {target: collection, method: GET, call: actions.sneak, access: public}
    wires:
      main: {}
      legacy: {path: /api/old, values: {decimal: number, duration: seconds}, names: {title: label},
      operations: [get, peek, pay]}
endpoints:
  ping: {method: GET, path: /api/ping, call: actions.ping, out: wish, in: wish, access: public}
  admin_only: {path: /api/admin, call: actions.ping, access: "role('admin')", status: 202}
  lazy: {path: /api/lazy, call: actions.ping, in: {type: wish, required: true},
  out: wish, access: authenticated, unknown: ignore}
"""
CODE = """
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from host.errors import Conflict
from host.service.streams import Stream

CLOSED = []
STATES = []


def prepare(ctx, change):
    if change.get("title") == "forbidden":
        raise Conflict("not this title")
    change.values["trail"] = f"{change.operation} {change.transient.get('reason')} {change.before is None}"


def pay(ctx, row, data):
    assert isinstance(data["value"], Decimal)
    return ctx.records("order").update(row["id"], {"total": row["total"] - data["value"], "title": data["note"]})


def peek(ctx, row, data):
    return {"total": row["total"], "took": timedelta(minutes=90), "at": datetime(2026, 1, 1, tzinfo=UTC),
            "rows": [{"value": Decimal(1), "secret": 5}], "hidden": 1}


def fail(ctx, row, data):
    ctx.records("order").update(row["id"], {"title": "half written"})
    raise Conflict("too late")


def summary(ctx, data):
    return {"total": data.get("limit"), "rows": []}


def latest(ctx, data):
    return ctx.records("order").find_all(sort="-id", limit=2)


def download(ctx, row, data):
    connection = ctx.transaction.connection

    def pieces():
        try:
            STATES.append(connection.closed)
            yield b"one,"
            yield row["title"].encode()
        finally:
            CLOSED.append(row["id"])

    return Stream(pieces(), "text/csv", (("Content-Disposition", "attachment"),))


def slow(ctx, row, data):
    assert ctx.work is None
    with ctx.writing() as inner:
        return inner.records("order").update(row["id"], {"title": "slow"})


def sneak(ctx, data):
    ctx.execute(ctx.table("order").update().values(title="sneaked"))


def ping(ctx, data):
    return dict(data)
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE, CODE)


PATH = "/api/demo/orders"


def test_action_takes_and_gives_native_values(core: Core) -> None:
    ann = core.user()
    row = ann.make(PATH, total="10.00")
    reply = ann.post(f"{PATH}/{row['id']}/pay", {"value": "2.50"})
    assert (reply.status, reply.json["total"], reply.json["title"]) == (200, "7.50", "none given")
    assert reply.json["version"] == 2


def test_action_answers_in_its_wire(core: Core) -> None:
    ann = core.user()
    row = ann.make(PATH, total=5)
    shown = ann.get(f"/api/old/{row['id']}/peek").json
    assert shown == {
        "total": 5,
        "took": 5400,
        "at": "2026-01-01T00:00:00Z",
        "rows": [{"value": 1, "at": None, "note": None}],
    }
    assert ann.post(f"/api/old/{row['id']}/pay", {"value": 1}).json["label"] == "none given"


def test_action_rule_tells_hidden_from_forbidden(core: Core) -> None:
    ann, bob = core.user(), core.user()
    row = ann.make(PATH)
    assert ann.post(f"{PATH}/{row['id']}/pay", {"value": 1}).status == 403
    assert bob.post(f"{PATH}/{row['id']}/pay", {"value": 1}).status == 403
    assert core.anonymous.post(f"{PATH}/{row['id']}/pay", {"value": 1}).status == 401
    assert ann.post(f"{PATH}/01890a5d-ac96-774b-bcce-b302099a8057/pay", {"value": 1}).status == 404


def test_failed_action_writes_nothing(core: Core) -> None:
    ann = core.user()
    row = ann.make(PATH, title="whole")
    assert ann.post(f"{PATH}/{row['id']}/fail", {"value": 1}).status == 409
    assert ann.get(f"{PATH}/{row['id']}").json["title"] == "whole"


def test_action_input_is_checked(core: Core) -> None:
    ann = core.user()
    row = ann.make(PATH, total=5)
    reply = ann.post(f"{PATH}/{row['id']}/pay", {"value": "x", "nobody": 1})
    assert (reply.status, sorted(reply.pointers)) == (422, ["/nobody", "/value"])
    assert ann.post(f"{PATH}/{row['id']}/pay").pointers == ["/value"]


@pytest.mark.parametrize(
    ("query", "status", "expected"),
    [
        ("limit=3&deep=true&words=a%20b&since=2026-01-01", 200, {"limit": 3, "deep": True, "words": "a b",
        "since": "2026-01-01"}),
        ("", 200, {"limit": None, "deep": None, "words": None, "since": None}),
        ("limit=0", 422, ["/limit"]), ("limit=x", 422, ["limit"]), ("deep=1", 422, ["deep"]), ("nobody=1", 422, ["nobody"]),
        ("words=%00", 422, ["/words"]), ("words=%FF", 422, [""]), ("&".join(["a=1"] * 200), 422, [""]),
        ("since=x", 422, ["/since"]),
    ],
)  # fmt: skip
def test_query_is_the_input_of_get(core: Core, query: str, status: int, expected: object) -> None:
    reply = core.anonymous.get(f"/api/ping?{query}")
    assert reply.status == status, reply.body
    assert (reply.json if status == 200 else sorted(set(reply.pointers))) == expected


def test_endpoint_rule_is_about_the_actor(core: Core) -> None:
    replies = [who.post("/api/admin") for who in (core.anonymous, core.user(), core.user(role="admin"))]
    assert [reply.status for reply in replies] == [401, 403, 202]
    assert core.user(role="admin").send("POST", "/api/admin").status == 202


def test_required_body_must_be_there(core: Core) -> None:
    ann = core.user()
    assert ann.send("POST", "/api/lazy").status in (400, 415)
    assert ann.post("/api/lazy", {"limit": 1, "nobody": 1}).json["limit"] == 1


def test_collection_action_of_a_literal_path(core: Core) -> None:
    assert core.user().get(f"{PATH}/stats/summary?limit=5").json["total"] == "5.00"
    assert core.anonymous.get(f"{PATH}/stats/summary").status == 401


def test_list_of_rows_is_shown_by_the_wire(core: Core) -> None:
    ann = core.user()
    ids = [ann.make(PATH, title=f"t{number}")["id"] for number in range(3)]
    shown = ann.get(f"{PATH}/latest").json
    assert [row["id"] for row in shown] == ids[:0:-1]
    assert shown[0]["title"] == "t2"


def test_reading_action_is_never_committed(core: Core) -> None:
    ann = core.user()
    row = ann.make(PATH, title="safe")
    core.anonymous.get(f"{PATH}/sneak")
    assert ann.get(f"{PATH}/{row['id']}").json["title"] == "safe"


def test_stream_runs_after_the_transaction(core: Core) -> None:
    ann = core.user()
    row = ann.make(PATH, title="streamed")
    reply = ann.get(f"{PATH}/{row['id']}/download")
    assert (reply.body, reply.headers["Content-Type"]) == (b"one,streamed", "text/csv")
    assert reply.headers["Content-Disposition"] == "attachment"
    code = core.site.runtime.calls["demo:actions.download"].__globals__
    assert code["STATES"][-1] is True and code["CLOSED"][-1] == row["id"]


def test_disconnecting_closes_the_stream(core: Core) -> None:
    ann = core.user()
    row = ann.make(PATH, title="closed")
    code = core.site.runtime.calls["demo:actions.download"].__globals__
    headers = {"Authorization": f"Bearer {ann.token}"}
    environ = EnvironBuilder(f"{PATH}/{row['id']}/download", headers=headers).get_environ()
    body = core.door(environ, lambda *_: None)  # type: ignore[arg-type]
    assert next(iter(body)) == b"one,"
    assert row["id"] not in code["CLOSED"]
    body.close()  # type: ignore[attr-defined]
    assert code["CLOSED"][-1] == row["id"]
    head = ann.send("HEAD", f"{PATH}/{row['id']}/download")
    assert (head.status, head.body) == (200, b"")


def test_detached_action_opens_its_own_transaction(core: Core) -> None:
    ann = core.user()
    row = ann.make(PATH)
    assert ann.post(f"{PATH}/{row['id']}/slow").json["title"] == "slow"


def test_prepare_completes_and_refuses(core: Core) -> None:
    ann = core.user()
    row = ann.make(PATH, title="a", reason="why")
    assert row["trail"] == "create why True"
    path = f"{PATH}/{row['id']}"
    assert ann.patch(path, {"total": 1}).json["trail"] == "update None False"
    assert ann.patch(path, {"title": "forbidden"}).status == 409
    assert ann.post(PATH, {"title": "forbidden"}).status == 409
    assert ann.get(path).json["title"] == "a"
