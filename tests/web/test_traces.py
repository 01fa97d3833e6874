"""What belongs together is found by one id: the request, its events and jobs, and every line of the log about them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from host.web.logs import formatter
from tests.support.sites import Core, Declare

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{SPAN}-01", "X-Request-Id": "mine-1"}
SITE = """
resources:
  note:
    fields: {title: {type: string, max: 20}}
    access: authenticated
endpoints:
  ask: {path: /api/ask, method: POST, access: authenticated, call: actions.ask}
jobs:
  work: {call: actions.work, run_as: system}
  fail: {call: actions.fail, run_as: system, retry: {times: 0}}
"""
CODE = """
import logging

def ask(ctx, data):
    logging.getLogger("plugin").warning("asked")
    ctx.jobs.enqueue("work")
    ctx.jobs.enqueue("fail")

def work(ctx):
    logging.getLogger("plugin").warning("working")
    ctx.records("note").create({"title": "made"})

def fail(ctx):
    raise RuntimeError("it fails")
"""


@pytest.fixture(scope="module")
def core(declare: Declare) -> Core:
    return declare(SITE, CODE)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    handler.setFormatter(formatter("json"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.setLevel(level)
    root.removeHandler(handler)


def rows(core: Core, name: str) -> list[Any]:
    with core.reading() as ctx:
        table = ctx.table(name)
        return list(ctx.execute(sa.select(table).where(table.c.request_id == "mine-1").order_by(table.c.id)))


def test_request_its_events_and_jobs_are_one_trace(core: Core, lines: io.StringIO) -> None:
    user = core.user()
    assert user.send("POST", "/api/ask", {}, HEADERS).status == 204
    ran = core.site.run_jobs()
    assert len(ran) == 2
    jobs, (event,) = rows(core, "host.job"), rows(core, "host.event")
    assert {job.trace.split("-")[1] for job in jobs} == {event.trace.split("-")[1]} == {TRACE}
    assert (
        len({job.trace for job in jobs}) == 1 and event.trace != jobs[0].trace
    )  # the job's own part made the note

    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    mine = [line for line in said if line.get("request_id") == "mine-1"]
    assert {line["trace_id"] for line in mine} == {TRACE}
    actor = user.actor.id if user.actor is not None else ""
    assert {line["actor"] for line in mine} == {actor}
    of_request = [line for line in mine if "job" not in line]
    assert {line["logger"] for line in of_request} >= {"plugin", "hostwright.access"}
    assert {line["span_id"] for line in of_request} == {jobs[0].trace.split("-")[2]}
    (working,) = [line for line in mine if line["message"] == "working"]
    assert working["job"] in {str(job.id) for job in jobs}
    ended = {line["job_name"]: line for line in mine if "outcome" in line}
    assert (ended["demo.work"]["outcome"], ended["demo.fail"]["outcome"]) == ("done", "dead")
    assert ended["demo.work"]["duration_ms"] > 0
    (stack,) = [line for line in mine if "stack" in line]
    assert stack["job"] == ended["demo.fail"]["job"] and "it fails" in stack["stack"]


def test_line_of_a_job_is_for_people_too() -> None:
    facts = {"job": "j1", "job_name": "demo.work", "attempt": 2, "outcome": "done", "duration_ms": 1.5}
    record = logging.LogRecord("hostwright.jobs", logging.INFO, "", 1, "%s %s", ("demo.work", "done"), None)
    record.facts = facts
    assert formatter("text").format(record).endswith("demo.work done duration_ms=1.5 job=j1 attempt=2")


def test_tries_are_counted(core: Core) -> None:
    core.site.run_jobs()
    core.user().send("POST", "/api/ask", {})
    before = core.site.runtime.meters.values()
    core.site.run_jobs()
    after = core.site.runtime.meters.values()
    more = {key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key, 0)}
    assert more['["hostwright_job_attempts_total","","demo.work","done"]'] == 1
    assert more['["hostwright_job_attempts_total","","demo.fail","dead"]'] == 1
    assert more['["hostwright_job_run_seconds","sum","demo.work"]'] > 0
    assert more['["hostwright_job_wait_seconds","sum","default"]'] >= 0
