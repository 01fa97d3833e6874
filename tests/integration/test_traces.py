"""Traces as an OpenTelemetry collector receives them: from the caller to the request, its job, and the job's call."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from host.testing.sites import Site
from host.tracing.otel import OpenTelemetry
from tests.support.sites import Core, write_site

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SITE = """
types:
  address: {type: object, fields: {url: {type: string, required: true}}}
endpoints:
  ask: {path: /api/ask, method: POST, access: public, in: address, call: actions.ask}
  fail: {path: /api/fail, method: POST, access: public, call: actions.fail}
jobs:
  call: {call: actions.call, in: address, run_as: system, transaction: steps}
"""
CODE = """
from host.outbound import Outbound

def ask(ctx, data):
    ctx.jobs.enqueue("call", {"url": data["url"]})

def fail(ctx, data):
    raise RuntimeError("it fails")

def call(ctx, data):
    Outbound(allows_private=True).fetch("GET", data["url"])
"""


@dataclass
class Collector:
    """What a collector and an ordinary server on one port were sent."""

    address: str = ""
    spans: list[Any] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    asked: list[str | None] = field(default_factory=list)

    def named(self, name: str) -> Any:
        (found,) = [span for span in self.spans if span.name == name]
        return found


@contextmanager
def collecting() -> Iterator[Collector]:
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.headers["traceparent"])
            self.send_response(204)
            self.end_headers()

        def do_POST(self) -> None:
            sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
            for resource in sent.resource_spans:
                names = {item.key: item.value.string_value for item in resource.resource.attributes}
                found.services.add(names["service.name"])
                found.spans += [span for scope in resource.scope_spans for span in scope.spans]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    found.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.address)
        yield found


@pytest.fixture
def core(tmp_path: Path, collector: Collector) -> Iterator[Core]:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address}
    site = Site.make(write_site(tmp_path, SITE, CODE), f"sqlite:///{tmp_path / 'test.db'}", environ)
    yield Core(site)
    exporter = site.runtime.exporter
    assert isinstance(exporter, OpenTelemetry)
    exporter.close()
    site.close()


def sent(core: Core) -> None:
    exporter = core.site.runtime.exporter
    assert isinstance(exporter, OpenTelemetry)
    exporter.flush()


def test_trace_goes_from_request_to_job_to_call(core: Core, collector: Collector) -> None:
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=1"}
    reply = core.anonymous.post("/api/ask", {"url": collector.address}, headers)
    core.site.run_jobs()
    sent(core)
    request, job, call = (collector.named(name) for name in ("POST /api/ask", "job demo.call", "GET"))
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    assert request.parent_span_id.hex() == SPAN
    assert (job.parent_span_id, call.parent_span_id) == (request.span_id, job.span_id)
    assert reply.headers["traceparent"] == f"00-{TRACE}-{request.span_id.hex()}-01"
    assert collector.asked == [f"00-{TRACE}-{call.span_id.hex()}-01"]
    assert collector.services == {"hostwright"}


def test_request_is_told_without_what_it_holds(core: Core, collector: Collector) -> None:
    core.anonymous.post("/api/fail?token=abc", {})
    core.anonymous.get("/no/such/path")
    sent(core)
    failed, other = collector.named("POST /api/fail"), collector.named("GET")
    told = {item.key: item.value.string_value or item.value.int_value for item in failed.attributes}
    assert (told["http.response.status_code"], told["error.type"], failed.status.code) == (500, "internal", 2)
    assert (other.status.code, "abc" in str(collector.spans), "no/such" in str(collector.spans)) == (
        0,
        False,
        False,
    )


def test_caller_says_whether_it_is_recorded(core: Core, collector: Collector) -> None:
    reply = core.anonymous.post(
        "/api/ask", {"url": collector.address}, {"traceparent": f"00-{TRACE}-{SPAN}-00"}
    )
    sent(core)
    assert (reply.headers["traceparent"][-3:], collector.spans) == ("-00", [])


def test_nothing_is_imported_where_nothing_is_exported(tmp_path: Path) -> None:
    site = write_site(tmp_path, SITE, CODE)
    code = (
        "import sys, pathlib; from host.application import describe; describe(pathlib.Path(sys.argv[1]), {});"
        "assert not [name for name in sys.modules if name.startswith(('opentelemetry', 'prometheus_client'))]"
    )
    subprocess.run([sys.executable, "-c", code, str(site)], check=True, cwd=Path.cwd(), timeout=60)
