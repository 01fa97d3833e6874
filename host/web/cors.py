"""What pages of other origins may do: nothing, unless the operator names their origins. `application` adds these steps then.

An origin counts when it is one of the list, letter by letter; nothing that a request says is ever reflected beyond that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from host.declaration.nodes import Credential
from host.web.http import Answer, Request
from host.web.router import Router
from host.web.steps import Steps

ANY = "*"
ACCEPTED = (
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Modified-Since, If-Range, Range,"
    " X-Request-Id, traceparent, tracestate"
)
EXPOSED = (
    "Accept-Ranges, Content-Disposition, Content-Range, ETag, Idempotency-Replayed, Link, Location, RateLimit,"
    " RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id, X-Total-Count, traceparent"
)


@dataclass(frozen=True, eq=False)
class Cors:
    """The origins of one app. `router` knows which methods a path has."""

    origins: frozenset[str]
    router: Router
    credentials: bool = False
    seconds: int = 600

    def steps(self) -> Steps:
        """What joins the pipeline."""
        return Steps(arrivals=(self.preflight,), departures=(self.depart,))

    def preflight(self, request: Request) -> Answer | None:
        """Answer a browser that asks before it sends; every other OPTIONS goes on."""
        if request.method != "OPTIONS" or request.header("access-control-request-method") is None:
            return None
        if self._allowed(request.header("origin")) is None:
            return None
        return Answer(204, b"", None, [
            ("Access-Control-Allow-Methods", ", ".join(self._methods(request.path))),
            ("Access-Control-Allow-Headers", self._accepted),
            ("Access-Control-Max-Age", str(self.seconds)),
        ])  # fmt: skip

    def depart(self, request: Request, answer: Answer) -> None:
        """Say whose pages may read the answer. Caches learn that it depends on who asks, also when nobody may."""
        headers = answer.headers
        allowed = self._allowed(request.header("origin"))
        if ANY not in self.origins:
            headers.append(("Vary", "Origin"))
        if allowed is None:
            return
        headers.append(("Access-Control-Allow-Origin", allowed))
        if self.credentials:
            headers.append(("Access-Control-Allow-Credentials", "true"))
        if request.method != "OPTIONS":
            headers.append(("Access-Control-Expose-Headers", EXPOSED))

    def _allowed(self, origin: str | None) -> str | None:
        """The origin as it is answered; None for one that may nothing (`null`, of files and sandboxes, never may)."""
        if origin is None or origin == "null":
            return None
        if ANY in self.origins:
            return ANY
        return origin if origin in self.origins else None

    @cached_property
    def _accepted(self) -> str:
        """The headers that requests may have, with those in which wires want the CSRF token."""
        wanted = {it.credential.csrf_header for it in self.router.operations if it.credential is not None}
        return ", ".join([ACCEPTED, *sorted({Credential().csrf_header, *wanted})])

    def _methods(self, path: str) -> tuple[str, ...]:
        matched = self.router.match("OPTIONS", path)
        found = matched.allowed if matched is not None else ("GET",)
        return (*found, "HEAD") if "GET" in found else found
