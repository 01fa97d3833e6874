"""Webhooks: signed as Standard Webhooks has it, repeated, disabled when they keep failing, and never sent where they may not."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from openapi_spec_validator import OpenAPIV31SpecValidator

from host.cli import main
from host.settings import EventSettings
from host.web.documents import build_document
from tests.support.sites import Core, Declare

KEY, OLD_KEY = b"0123456789abcdef01234567", b"fedcba98765432100123456789"
YAML = """
resources:
  order:
    mixins: [owned]
    fields:
      number: {type: integer, required: true}
      total: {type: decimal, default: 0}
      margin: {type: integer, read: "role('admin')"}
      code: {type: string, secret: true}
    access: owner
    events: {paid: {amount: decimal}}
    actions: {pay: {call: actions.pay, access: owner}}
subscribers:
  demo.order.created: [{webhook: {url: address, secret: keys}, retry: {times: 2, wait: 5, backoff: 4, jitter: 0}}]
  demo.order.updated: [{webhook: {url: address, secret: keys, fields: [number, margin]}}]
  demo.order.paid: [{webhook: {url: address, secret: keys}}]
  demo.order.deleted: [{webhook: {url: nowhere, secret: keys}}]
"""
CODE = """
def pay(ctx, row, data):
    ctx.emit("order.paid", row, {"amount": row["total"]})
"""
MANIFEST = "settings: {address: string, nowhere: string, keys: {type: string, secret: true}}\n"


@dataclass
class Receiver:
    """Somebody else's server: keeps what it gets, answers as it is told."""

    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    port: int = 0

    @property
    def bodies(self) -> list[Any]:
        return [orjson.loads(body) for _, body in self.got]


@pytest.fixture(scope="module")
def server() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append(({name.lower(): text for name, text in self.headers.items()}, body))
            self.send_response(receiver.status)
            for name, text in receiver.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = listening.server_port
    thread = Thread(target=listening.serve_forever)
    thread.start()
    yield receiver
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.fixture(scope="module")
def shared(declare: Declare, server: Receiver) -> Core:
    keys = " ".join("whsec_" + base64.b64encode(key).decode() for key in (KEY, OLD_KEY))
    address = f"http://127.0.0.1:{server.port}/hook"
    core = declare(YAML, CODE, MANIFEST, {"HOSTWRIGHT_DEMO__ADDRESS": address, "HOSTWRIGHT_DEMO__KEYS": keys})
    settings = EventSettings(webhooks_private=True, webhook_failures=4)
    core.site.app = replace(core.site.app, runtime=replace(core.site.runtime, events=settings))
    return core


@pytest.fixture
def core(shared: Core, server: Receiver) -> Core:
    """The site without what other tests left, and a receiver that takes everything."""
    with shared.writing() as ctx:
        for name in ("host.job_failure", "host.job", "host.event", "host.webhook"):
            ctx.execute(ctx.table(name).delete())
    server.status, server.got, server.headers, server.body = 200, [], {}, b"ok"
    return shared


@pytest.fixture
def receiver(core: Core, server: Receiver) -> Receiver:
    return server


def order(core: Core, **values: Any) -> str:
    return str(core.user().make("/api/demo/orders", **{"number": 1, **values})["id"])


def jobs(core: Core) -> list[dict[str, Any]]:
    with core.reading() as ctx:
        return ctx.records("host.job").find_all(sort="id")


def state(core: Core, event: str = "created") -> dict[str, Any] | None:
    with core.reading() as ctx:
        return ctx.records("host.webhook").find(f"demo.order.{event}>demo.webhook.address")


def test_receivers_can_verify_messages(core: Core, receiver: Receiver) -> None:
    order(core)
    core.site.run_jobs()
    [(headers, body)] = receiver.got
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signatures = [
        base64.b64encode(hmac.new(key, content, sha256).digest()).decode() for key in (KEY, OLD_KEY)
    ]
    assert headers["webhook-signature"] == " ".join(f"v1,{it}" for it in signatures)
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert headers["content-type"] == "application/json"


def test_message_goes_on_with_the_trace_of_its_request(core: Core, receiver: Receiver) -> None:
    headers = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    answer = core.user().send("POST", "/api/demo/orders", {"number": 1}, headers)
    core.site.run_jobs()
    [(sent, _)] = receiver.got
    version, trace, part, flags = sent["traceparent"].split("-")
    assert (version, trace, flags) == ("00", "a" * 32, "01")
    assert part not in ("b" * 16, answer.headers["traceparent"].split("-")[2])


def test_only_what_everyone_reads_is_sent(core: Core, receiver: Receiver) -> None:
    key = order(core, total="2.50", code="1234")
    with core.writing() as ctx:
        ctx.records("demo.order").update(key, {"margin": 7, "total": 3})
        ctx.records("demo.order").update(key, {"total": 4})
    core.site.run_jobs()
    created, updated = sorted(receiver.bodies, key=lambda it: it["type"])
    assert created["type"] == "demo.order.created"
    assert (created["data"]["resource"], created["data"]["key"]) == ("demo.order", key)
    assert set(created["data"]["changes"]) == {"id", "owner", "number", "total"}
    assert created["data"]["changes"]["total"] == [None, "2.50"]
    assert updated["data"]["changes"] == {
        "margin": [None, 7]
    }  # named, and nothing else; the second tells nothing
    assert {"skipped": "nothing that is told has changed"} in [job["result"] for job in jobs(core)]


def test_declared_events_are_sent_with_their_data(core: Core, receiver: Receiver) -> None:
    ann = core.user()
    key = ann.make("/api/demo/orders", number=1, total="2.50")["id"]
    ann.post(f"/api/demo/orders/{key}/pay")
    core.site.run_jobs()
    [paid] = [body for body in receiver.bodies if body["type"] == "demo.order.paid"]
    assert paid["data"] == {"resource": "demo.order", "key": key, "data": {"amount": "2.50"}}
    assert paid["timestamp"].endswith("Z")


def test_refused_messages_are_repeated_with_their_id(core: Core, receiver: Receiver) -> None:
    receiver.status = 503
    order(core)
    core.site.run_jobs()
    receiver.status = 200
    core.site.run_jobs(ahead=10)
    (first, body), (second, again) = receiver.got
    assert first["webhook-id"] == second["webhook-id"]
    assert body == again
    [job] = jobs(core)
    assert (job["state"], job["attempt"], job["result"]["status"]) == ("done", 2, 200)
    with core.reading() as ctx:
        [failure] = ctx.records("host.job_failure").find_all()
    assert failure["error"]["detail"].startswith("the receiver answered 503 after ")
    assert state(core)["failures"] == 0  # type: ignore[index]


def test_waits_grow_and_the_dead_are_kept(core: Core, receiver: Receiver) -> None:
    receiver.status = 500
    order(core)
    core.site.run_jobs()
    core.site.run_jobs(ahead=4)
    assert len(receiver.got) == 1
    core.site.run_jobs(ahead=6)
    core.site.run_jobs(ahead=18)
    assert len(receiver.got) == 2
    core.site.run_jobs(ahead=21)
    assert [job["state"] for job in jobs(core)] == ["dead"]
    assert len(receiver.got) == 3


def test_streaks_of_failures_disable(core: Core, receiver: Receiver) -> None:
    receiver.status = 500
    for number in range(5):
        order(core, number=number)
    core.site.run_jobs()
    assert len(receiver.got) == 4
    found = state(core)
    assert found is not None
    assert (found["failures"], found["status"]) == (4, 500)
    assert found["disabled_at"] is not None
    assert [job["result"] for job in jobs(core) if job["state"] == "done"] == [
        {"skipped": "the webhook is disabled"}
    ]


def test_gone_receivers_are_asked_no_more(core: Core, receiver: Receiver) -> None:
    receiver.status = 410
    order(core)
    order(core)
    core.site.run_jobs()
    assert len(receiver.got) == 1
    assert sorted(job["state"] for job in jobs(core)) == ["dead", "done"]
    assert state(core)["disabled_at"] is not None  # type: ignore[index]


def test_redirects_are_not_followed(core: Core, receiver: Receiver) -> None:
    receiver.status, receiver.headers = 302, {"Location": f"http://127.0.0.1:{receiver.port}/other"}
    order(core)
    core.site.run_jobs()
    assert len(receiver.got) == 1
    assert "answered 302" in jobs(core)[0]["error"]["detail"]


def test_long_answers_do_no_harm(core: Core, receiver: Receiver) -> None:
    receiver.body = b"x" * 300_000
    order(core)
    core.site.run_jobs()
    assert jobs(core)[0]["result"]["status"] == 200


def test_private_addresses_are_not_asked(core: Core, receiver: Receiver) -> None:
    runtime = core.site.runtime
    closed = replace(runtime, events=replace(runtime.events, webhooks_private=False))
    order(core)
    site = replace(core.site, app=replace(core.site.app, runtime=closed))
    site.run_jobs()
    assert receiver.got == []
    assert "only https addresses" in state(core)["reason"]  # type: ignore[index]
    private = {**runtime.settings, "demo": {**runtime.settings["demo"], "address": "https://127.0.0.1/hook"}}
    replace(site, app=replace(core.site.app, runtime=replace(closed, settings=private))).run_jobs(ahead=10)
    assert "is in a private network" in state(core)["reason"]  # type: ignore[index]
    assert "127.0.0.1" not in str(jobs(core)[0]["error"])


def test_wrong_secrets_are_told(core: Core, receiver: Receiver) -> None:
    runtime = core.site.runtime
    for secret in ("", "whsec_!!!", "whsec_c2hvcnQ="):
        order(core)
        wrong = {**runtime.settings, "demo": {**runtime.settings["demo"], "keys": secret}}
        replace(core.site, app=replace(core.site.app, runtime=replace(runtime, settings=wrong))).run_jobs()
    assert receiver.got == []
    assert {job["error"]["code"] for job in jobs(core)} == {"webhook_secret"}


def test_empty_addresses_are_no_subscribers(core: Core, receiver: Receiver) -> None:
    ann = core.user()
    key = ann.make("/api/demo/orders", number=1)["id"]
    core.site.run_jobs()
    ann.delete(f"/api/demo/orders/{key}")
    assert [job["name"] for job in jobs(core)] == ["demo.order.created>demo.webhook.address"]


def test_traces_go_on_to_receivers(core: Core, receiver: Receiver) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    said = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    core.user().post("/api/demo/orders", {"number": 1}, said)
    core.site.run_jobs()
    assert receiver.got[0][0]["traceparent"].split("-")[1] == trace


def test_documents_describe_the_messages(core: Core) -> None:
    document = build_document(core.site.app)
    assert set(document["webhooks"]) == {
        f"demo.order.{word}" for word in ("created", "updated", "paid", "deleted")
    }
    OpenAPIV31SpecValidator(document).validate()
    paid = document["webhooks"]["demo.order.paid"]["post"]
    message = paid["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert message["type"] == {"const": "demo.order.paid"}
    data = document["components"]["schemas"][message["data"]["properties"]["data"]["$ref"].rpartition("/")[2]]
    assert set(data["properties"]) == {"amount"}


# --- commands ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def command(core: Core, monkeypatch: pytest.MonkeyPatch) -> Any:
    settings = core.site.app.settings
    url = core.site.database.engine.url.render_as_string(hide_password=False)
    for name, value in {
        **settings.environ,
        "HOSTWRIGHT_DATABASE_URL": url,
        "HOSTWRIGHT_ROOT": str(settings.root),
    }.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(main, ["events", *arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_what_was_missed_is_sent_when_enabled(core: Core, receiver: Receiver, command: Any) -> None:
    receiver.status = 410
    keys = [order(core, number=number) for number in range(3)]
    core.site.run_jobs()
    name = "demo.order.created>demo.webhook.address"
    assert f"{name}  disabled since" in command("webhooks")
    receiver.status, receiver.got = 200, []
    assert "3 events are sent again" in command("enable", name, "--replay")
    core.site.run_jobs()
    assert [body["data"]["key"] for body in receiver.bodies] == keys
    assert "disabled" not in command("webhooks")


def test_events_are_replayed_under_their_ids(core: Core, receiver: Receiver, command: Any) -> None:
    keys = [order(core, number=number) for number in range(2)]
    core.site.run_jobs()
    first = [headers["webhook-id"] for headers, _ in receiver.got]
    receiver.got = []
    assert "2 events" in command("replay", "demo.order.created>demo.webhook.address", "--since", "2020-01-01")
    core.site.run_jobs()
    assert sorted(headers["webhook-id"] for headers, _ in receiver.got) == sorted(first)
    assert {body["data"]["key"] for body in receiver.bodies} == set(keys)
    assert "1 event " in command(
        "replay", "demo.order.created>demo.webhook.address", "--event", first[0].removeprefix("evt_")
    )


def test_dead_deliveries_are_listed_and_retried(core: Core, receiver: Receiver, command: Any) -> None:
    receiver.status = 410
    key = order(core)
    core.site.run_jobs()
    shown = command("dead")
    assert "demo.order.created>demo.webhook.address" in shown
    assert key in shown
    assert "webhook_gone" in shown


def test_events_are_listed_and_shown(core: Core, command: Any) -> None:
    key = order(core)
    core.site.run_jobs()
    assert "demo.order.created" in command("list", "--resource", "demo.order", "--key", key)
    [line] = command("list", "--name", "demo.order.created", "--json", "--since", "2020-01-01").splitlines()
    event = orjson.loads(line)
    shown = orjson.loads(command("show", str(event["id"])))
    assert shown["changes"]["number"] == [None, 1]
    assert [(it["state"], it["result"]["status"]) for it in shown["deliveries"]] == [("done", 200)]
    behind = command("list", "--behind", str(event["position"] - 1), "--limit", "1")
    assert key in behind
    assert key not in command("list", "--behind", str(event["position"]))


def test_old_events_are_pruned(core: Core, command: Any) -> None:
    for number in range(3):
        order(core, number=number)
    core.site.run_jobs()
    assert "removed 0 events older than 30 days" in command("prune")
    with core.writing() as ctx:
        ctx.execute(ctx.table("host.event").update().values(at=datetime.now(UTC) - timedelta(days=8)))
    assert "removed 5 events older than 7 days" in command("prune", "--days", "7")  # accounts are events, too


def test_secrets_are_made(command: Any) -> None:
    made = command("secret").strip()
    assert made.startswith("whsec_")
    assert len(base64.b64decode(made.removeprefix("whsec_"))) == 32
