"""`/metrics` for Prometheus, and the step that counts requests for it. `application` puts both in.

It is closed: whoever has the token of the settings reads it, and, of an embedded run, its own machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hmac import compare_digest
from threading import Lock
from typing import Final

from host.database import Database
from host.errors import NotFound, Unauthenticated
from host.metrics import OPEN_METRICS, PLAIN, Meters, exposition
from host.metrics.meters import OTHER
from host.settings import MetricsSettings
from host.settings.proxy import host_name
from host.web.forwarded import is_local
from host.web.gauges import Gauges
from host.web.health import NO_STORE
from host.web.http import Answer, Request
from host.web.https import LOOPBACK
from host.web.operations import Operation
from host.web.steps import Seen, Steps

PATH: Final = "/metrics"
FRESH_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 0.1


@dataclass(eq=False)
class RequestMeter:
    """The step that counts every answered request, and looks at the connections that are then in use.

    It looks now and then, and after every request while some are: what it tells last is that there are none.
    """

    meters: Meters
    database: Database
    _next_look: float = 0.0

    def steps(self) -> Steps:
        """What joins the pipeline."""
        return Steps(observers=(self.observe,))

    def observe(self, seen: Seen) -> None:
        """Count one; by the path as declared, never as sent."""
        route = seen.operation.path if seen.operation is not None else OTHER
        self.meters.request(seen.request.method, route, seen.answer.status, seen.seconds)
        now = time.monotonic()
        if now >= self._next_look:
            pools = self.database.connections()
            is_used = any(taken for _, taken, _ in pools)
            self._next_look = now if is_used else now + LOOK_SECONDS
            for pool, taken, idle in pools:
                self.meters.connections(pool, taken, idle)


@dataclass(eq=False)
class MetricsOperation:
    """The handler. What it answers is up to a second old, and made by one thread at a time."""

    meters: Meters
    gauges: Gauges
    settings: MetricsSettings
    is_embedded: bool = False
    clock: Callable[[], float] = time.monotonic
    _pages: dict[str, tuple[float, bytes]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def operations(self) -> Iterator[Operation]:
        """The one operation; none where metrics are off."""
        if self.settings.is_on:
            said = {"text/plain": {"schema": {"type": "string"}}}
            document = {
                "200": {
                    "description": "In the text format, or as OpenMetrics where that is accepted.",
                    "content": said,
                }
            }
            yield Operation(
                id="metrics", method="GET", path=PATH, kind="metrics", plugin="host", handler=self.metrics,
                summary="Numbers for Prometheus", is_public=True, is_open=True, details={"document": {"responses": document}},
            )  # fmt: skip

    def metrics(self, request: Request) -> Answer:
        """Every number. Raises NotFound where nobody may read them, Unauthenticated for a wrong token."""
        self._admit(request)
        accepted = request.header("accept") or ""
        form = OPEN_METRICS if "application/openmetrics-text" in accepted else PLAIN
        return Answer(200, self._page(form), form, [NO_STORE])

    def _admit(self, request: Request) -> None:
        token = self.settings.token
        if token:
            scheme, _, shown = (request.header("authorization") or "").partition(" ")
            if scheme.lower() != "bearer" or not compare_digest(shown.strip().encode(), token.encode()):
                raise Unauthenticated("show the token of the metrics")
        elif not (self.is_embedded and _is_own_machine(request)):
            raise NotFound("metrics are closed: set HOSTWRIGHT_METRICS_TOKEN to open them")

    def _page(self, form: str) -> bytes:
        until, page = self._pages.get(form, (-1.0, b""))
        if self.clock() < until or not self._lock.acquire(blocking=not page):
            return page
        try:
            page = exposition(self.meters.values() | self.gauges.values(), form)
            self._pages[form] = (self.clock() + FRESH_SECONDS, page)
            return page
        finally:
            self._lock.release()


def _is_own_machine(request: Request) -> bool:
    """Whether nobody else can be behind it: no proxy, and no page of a name that was made to lead here."""
    is_passed_on = request.header("x-forwarded-for") is not None or request.header("forwarded") is not None
    return is_local(request.remote) and not is_passed_on and host_name(request.host) in LOOPBACK
