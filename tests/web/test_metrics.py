"""`/metrics`: for whom it is, what it counts, and what it says of jobs, schedules and events on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from host.errors import HostError, NotFound, Unauthenticated
from host.metrics import OPEN_METRICS, PLAIN, MemoryStore, Meters
from host.metrics.meters import key_of
from host.service.context import Context
from host.service.jobs import job_values, store_jobs
from host.settings import MetricsSettings, read_settings
from host.web.gauges import Gauges, in_time
from host.web.http import Request
from host.web.metrics import MetricsOperation
from tests.support.sites import Core, Declare
from tests.web.rim import SECRET, Rim, settings_of

TOKEN = "a-token-of-the-tests"
SITE = """
resources:
  note:
    fields: {title: {type: string, max: 20}}
    access: public
jobs: {tidy: {call: actions.tidy, run_as: system}}
schedules:
  nightly: {job: tidy, cron: "0 2 * * *"}
  paused: {job: tidy, cron: "0 3 * * *"}
"""
CODE = "def tidy(ctx):\n    pass\n"
Samples = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE, CODE)


@pytest.fixture
def emptied(core: Core) -> Core:
    with core.writing() as ctx:
        for name in ("job", "schedule", "event", "process"):
            ctx.execute(sa.delete(ctx.table(f"host.{name}")))
    return core


def of(core: Core, token: str = TOKEN, *, is_embedded: bool = False) -> MetricsOperation:
    runtime = core.site.runtime
    return MetricsOperation(runtime.meters, Gauges(runtime), MetricsSettings(token=token), is_embedded)


def request(
    headers: dict[str, str] | None = None, *, remote: str = "127.0.0.1", host: str = "localhost"
) -> Request:
    said = {name.lower(): text for name, text in (headers or {}).items()}
    return Request("GET", "/metrics", "", said.get, lambda size: b"", 0, remote=remote, host=host)


def shown(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def samples(core: Core) -> Samples:
    body = of(core).metrics(request(shown())).body
    assert isinstance(body, bytes)
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


# --- for whom ---


def test_token_opens_metrics(core: Core) -> None:
    answer = of(core).metrics(request(shown(), remote="192.0.2.7", host="web:8000"))
    assert (answer.status, answer.content_type) == (200, PLAIN)


@pytest.mark.parametrize(
    "headers", [{}, shown("x"), shown(TOKEN + "x"), shown(""), {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}]
)  # fmt: skip
def test_other_token_opens_nothing(core: Core, headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        of(core, is_embedded=True).metrics(request(headers))


def test_token_of_a_user_opens_nothing(core: Core) -> None:
    admin = core.user(role="admin")
    with pytest.raises(Unauthenticated):
        of(core).metrics(request(shown(admin.token or "")))


def test_metrics_are_closed_by_default(core: Core) -> None:
    reply = core.user(role="admin").get("/metrics")
    assert (reply.status, "HOSTWRIGHT_METRICS_TOKEN" in reply.json["detail"]) == (404, True)


def test_own_machine_reads_those_of_an_embedded_run(core: Core) -> None:
    assert of(core, "", is_embedded=True).metrics(request()).status == 200


@pytest.mark.parametrize(
    "asked",
    [
        request(remote="192.0.2.7"), request(host="rebound.example"), request(host=""),
        request({"X-Forwarded-For": "192.0.2.7"}), request({"Forwarded": "for=192.0.2.7"}),
    ],
)  # fmt: skip
def test_nobody_else_reads_those_of_an_embedded_run(core: Core, asked: Request) -> None:
    with pytest.raises(NotFound):
        of(core, "", is_embedded=True).metrics(asked)


def test_monitor_asks_by_address_in_the_clear(core: Core) -> None:
    settings = settings_of(PUBLIC_URL="https://api.example.org", METRICS_TOKEN=TOKEN)
    rim = Rim(settings, *of(core).operations())
    asked: dict[str, Any] = {"remote": "10.0.0.9", "host": "10.0.0.1:8000"}
    assert rim.ask("GET", "/metrics", shown(), **asked).status == 200
    assert rim.ask("GET", "/metrics", shown("x"), **asked).status == 401
    assert rim.ask("GET", "/elsewhere", shown(), **asked).status == 421


@pytest.mark.parametrize("token", ["short", "spaces in a token are not good", "ä" * 20])
def test_weak_token_is_refused(token: str) -> None:
    with pytest.raises(
        Exception, match="HOSTWRIGHT_METRICS_TOKEN is set to a value; it has to be at least 16"
    ):
        read_settings(Path("/nowhere"), {**SECRET, "HOSTWRIGHT_METRICS_TOKEN": token})


def test_metrics_can_be_off(core: Core) -> None:
    runtime = core.site.runtime
    made = MetricsOperation(runtime.meters, Gauges(runtime), MetricsSettings(is_on=False, token=TOKEN))
    assert list(made.operations()) == []


# --- what is counted ---


def test_requests_are_counted_by_declared_path(core: Core) -> None:
    before = samples(core)
    row = core.anonymous.make("/api/demo/notes", title="a")
    core.anonymous.get(f"/api/demo/notes/{row['id']}")
    core.anonymous.get("/api/demo/notes/01890a5d-ac96-774b-bcce-b302099a8057")
    core.anonymous.get("/no/such/path")
    after = samples(core)

    def more(*labels: str) -> float:
        name = "hostwright_http_requests_total"
        return after.get((name, labels), 0) - before.get((name, labels), 0)

    assert more("POST", "/api/demo/notes", "201") == 1
    assert more("GET", "/api/demo/notes/{id}", "200") == more("GET", "/api/demo/notes/{id}", "404") == 1
    assert more("GET", "other", "404") == 1
    assert not [labels for _, labels in after if row["id"] in "".join(labels)]


def test_connections_are_counted(core: Core) -> None:
    core.anonymous.get("/api/demo/notes")
    found = samples(core)
    assert found["hostwright_database_connections", ("reading", "taken")] == 0
    assert found["hostwright_database_connections", ("reading", "idle")] >= 1


def test_open_metrics_are_answered_when_accepted(core: Core) -> None:
    accepted = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    answer = of(core).metrics(request({**shown(), "Accept": accepted}))
    assert answer.content_type == OPEN_METRICS
    assert isinstance(answer.body, bytes) and answer.body.endswith(b"# EOF\n")


# --- what the database knows ---


def add_job(ctx: Context, state: str, *, queue: str = "default", age: float = 0.0) -> None:
    now = datetime.now(UTC)
    values = job_values(ctx, ctx.runtime.tasks["demo.tidy"], {}, run_at=now - timedelta(seconds=age))
    store_jobs(ctx, [{**values, "queue": queue}])
    job = ctx.table("host.job")
    ctx.execute(job.update().where(job.c.id == values["id"]).values(state=state))


def test_jobs_are_told_by_queue_and_state(emptied: Core) -> None:
    with emptied.writing() as ctx:
        for state, queue, age in [
            ("queued", "default", 90.0), ("queued", "default", 10.0), ("queued", "default", -600.0), ("queued", "mail", -60.0),
            ("dispatched", "mail", 5.0), ("running", "default", 5.0), ("dead", "default", 99.0), ("done", "default", 99.0),
        ]:  # fmt: skip
            add_job(ctx, state, queue=queue, age=age)
    found = samples(emptied)
    told = {labels: value for (name, labels), value in found.items() if name == "hostwright_jobs"}
    assert told == {
        ("default", "queued"): 2, ("default", "later"): 1, ("default", "dispatched"): 0, ("default", "running"): 1,
        ("default", "dead"): 1, ("mail", "queued"): 0, ("mail", "later"): 1, ("mail", "dispatched"): 1,
        ("mail", "running"): 0, ("mail", "dead"): 0,
    }  # fmt: skip
    assert found["hostwright_queue_age_seconds", ("default",)] == pytest.approx(90, abs=10)
    assert found["hostwright_queue_age_seconds", ("mail",)] == 0


def test_lag_of_schedules_is_told(emptied: Core) -> None:
    now = datetime.now(UTC)
    with emptied.writing() as ctx:
        row = {"plan": "0 2 * * * UTC", "paused": False, "next_at": now - timedelta(seconds=40), "lag": 1.5}
        for name, more in [("nightly", {}), ("paused", {"paused": True}), ("gone", {})]:
            ctx.execute(ctx.table("host.schedule").insert().values({**row, "name": f"demo.{name}", **more}))
    found = samples(emptied)
    lags = {
        labels: value for (name, labels), value in found.items() if name == "hostwright_schedule_lag_seconds"
    }
    assert lags == {("demo.nightly",): pytest.approx(40, abs=10), ("demo.paused",): 0}
    assert found["hostwright_schedule_fired_lag_seconds", ("demo.nightly",)] == 1.5


def test_lag_of_the_outbox_is_told(emptied: Core) -> None:
    before = samples(emptied)
    assert (before["hostwright_outbox_events", ()], before["hostwright_outbox_lag_seconds", ()]) == (0, 0)
    emptied.anonymous.make("/api/demo/notes", title="a")
    with emptied.writing() as ctx:
        event = ctx.table("host.event")
        ctx.execute(event.update().values(at=datetime.now(UTC) - timedelta(seconds=70)))
    found = samples(emptied)
    assert found["hostwright_outbox_events", ()] == 1
    assert found["hostwright_outbox_lag_seconds", ()] == pytest.approx(70, abs=10)


def test_processes_that_were_seen_are_told(emptied: Core) -> None:
    with emptied.writing() as ctx:
        for name, kind, age in [("a", "worker", 5), ("b", "worker", 5), ("c", "worker", 60)]:
            at = datetime.now(UTC) - timedelta(seconds=age)
            row = {
                "name": name,
                "kind": kind,
                "queues": [],
                "concurrency": 1,
                "started_at": at,
                "seen_at": at,
            }
            ctx.execute(ctx.table("host.process").insert().values(row))
    found = samples(emptied)
    assert found["hostwright_job_processes", ("worker",)] == 2
    assert found["hostwright_job_processes", ("scheduler",)] == 0


def test_counting_reads_indexes_alone(emptied: Core) -> None:
    gauges, plans = Gauges(emptied.site.runtime), []
    with emptied.writing() as ctx:
        for number in range(200):
            add_job(ctx, "done" if number % 20 else "queued")

        class Explaining:
            """Explains what it is asked to execute."""

            def execute(self, statement: Any) -> Any:
                text = str(
                    statement.compile(ctx.transaction.connection, compile_kwargs={"literal_binds": True})
                )
                if emptied.dialect == "postgresql":
                    ctx.transaction.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
                explain = "EXPLAIN QUERY PLAN " if emptied.dialect == "sqlite" else "EXPLAIN "
                plans.append(
                    "\n".join(str(row) for row in ctx.transaction.connection.exec_driver_sql(explain + text))
                )
                return ctx.transaction.connection.execute(statement)

        list(gauges._jobs(Explaining(), datetime.now(UTC)))  # type: ignore[arg-type]
        list(gauges._events(Explaining(), datetime.now(UTC)))  # type: ignore[arg-type]
    assert len(plans) == 5
    for plan in plans:
        assert "Seq Scan" not in plan and ("INDEX" in plan or "Index" in plan), plan
        assert "name_state" not in plan or "name=? AND state=?" in plan or "Index Cond: (((name)" in plan, (
            plan
        )


# --- what it costs ---


def test_scrapers_ask_the_database_once(core: Core) -> None:
    runtime, asked = core.site.runtime, []
    now = [0.0]

    class Counted(Gauges):
        def _asked(self) -> dict[str, float]:
            asked.append(1)
            return super()._asked()

    made = MetricsOperation(
        runtime.meters, Counted(runtime, clock=lambda: now[0]), MetricsSettings(token=TOKEN)
    )
    threads = [threading.Thread(target=made.metrics, args=(request(shown()),)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1
    now[0] = 5.5
    made.gauges.values()
    assert len(asked) == 2


def test_old_numbers_are_answered_while_new_ones_are_made(core: Core) -> None:
    began, may_end = threading.Event(), threading.Event()
    now = [0.0]

    class Slow(Gauges):
        def _asked(self) -> dict[str, float]:
            if now[0]:
                began.set()
                assert may_end.wait(10)
            return {key_of("hostwright_outbox_events", "", ()): now[0]}

    gauges = Slow(core.site.runtime, clock=lambda: now[0])
    first = gauges.values()
    now[0] = 10.0
    thread = threading.Thread(target=gauges.values)
    thread.start()
    assert began.wait(10)
    assert gauges.values() == first
    may_end.set()
    thread.join()
    assert gauges.values() != first


def test_statement_that_takes_too_long_is_interrupted(core: Core) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(HostError), core.site.database.snapshot() as connection, in_time(connection, 0.05):
        connection.exec_driver_sql(endless).fetchall()
    with core.reading() as ctx:
        assert ctx.execute(sa.text("SELECT 1")).scalar_one() == 1


def test_counters_are_told_while_the_database_is_away(core: Core) -> None:
    class Away(Gauges):
        def _jobs(self, *_: Any) -> Any:
            raise HostError("away")

    meters = Meters(MemoryStore())
    meters.request("GET", "/api/notes", 200, 0.1)
    made = MetricsOperation(meters, Away(core.site.runtime), MetricsSettings(token=TOKEN))
    body = made.metrics(request(shown())).body
    assert isinstance(body, bytes)
    assert b"hostwright_database_up 0.0" in body and b'route="/api/notes"' in body
