"""The steps that tell an exporter of every request, where there is one. `application` puts them in, the first of all."""

from __future__ import annotations

from dataclasses import dataclass

from host import tracing
from host.tracing import Exporter
from host.web.http import Request
from host.web.steps import Seen, Steps


@dataclass(frozen=True)
class ExportedRequests:
    """The steps of one app."""

    exporter: Exporter

    def steps(self) -> Steps:
        """What joins the pipeline."""
        return Steps(arrivals=(self.arrive,), observers=(self.observe,))

    def arrive(self, request: Request) -> None:
        """A request begins."""
        trace = tracing.current()
        if trace is not None:
            trace.running = self.exporter.begin(trace, request.method, "server")

    def observe(self, seen: Seen) -> None:
        """It has been answered. The path is told as declared, never as sent."""
        trace, request, status = tracing.current(), seen.request, seen.answer.status
        if trace is None or trace.running is None:
            return
        route = seen.operation.path if seen.operation is not None else None
        attributes = {
            "http.request.method": request.method[:20], "http.route": route, "http.response.status_code": status,
            "url.scheme": request.scheme, "client.address": request.remote, "user.id": request.actor.id,
            "hostwright.request.id": request.id,
        }  # fmt: skip
        code = seen.error.code if seen.error is not None else "internal"
        name = f"{request.method[:20]} {route}" if route is not None else request.method[:20]
        trace.running.end(name, attributes, failed=code if status >= 500 else None)
