"""The steps of every request, in order and free of Flask: id, arrivals, route, authenticate, guards, operation, problem,
departures, headers, log.

Every door (WSGI, and what falls through to Flask) calls `handle`, so that no door has fewer checks.
"""

from __future__ import annotations

import gzip
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from host import tracing
from host.actor import ANONYMOUS, Actor
from host.declaration.nodes import WireErrors
from host.errors import HostError, MethodNotAllowed, NotFound, Unauthenticated
from host.tracing import Exporter, Trace
from host.web.http import Answer, Request
from host.web.operations import Handler, Operation
from host.web.problems import as_anonymous, problem, unexpected
from host.web.router import Router
from host.web.steps import Around, Seen, Steps

Authenticate = Callable[[Request], Actor | None]
Fallback = Callable[[Request], Answer | None]
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")
SMALLEST_COMPRESSED = 1024
STANDARD_ERRORS = WireErrors()


@dataclass(frozen=True, eq=False)
class Pipeline:
    """The frozen steps of one app."""

    router: Router
    authenticators: tuple[Authenticate, ...]
    fallback: Fallback
    body_limit: int = 1 << 20
    steps: Steps = field(default_factory=Steps)
    exporter: Exporter | None = None

    def handle(self, request: Request) -> Answer:
        """Answer a request; never raises."""
        started = time.perf_counter()
        trace = _trace(request, self.exporter)
        request.id = trace.request_id
        token = tracing.enter(trace)
        try:
            return self._handle(request, trace, started)
        finally:
            tracing.leave(token)

    def _handle(self, request: Request, trace: Trace, started: float) -> Answer:
        answer, raised = self._answer(request, trace)
        for depart in self.steps.departures:
            depart(request, answer)
        if request.method == "HEAD":
            _drop_body(answer)
        else:
            _compress(request, answer)
        _add_headers(request, answer, trace)
        elapsed = time.perf_counter() - started
        if self.steps.observers:
            self._show(Seen(request, request.operation, answer, raised, elapsed))
        return answer

    def _answer(self, request: Request, trace: Trace) -> tuple[Answer, HostError | None]:
        errors = STANDARD_ERRORS
        try:
            for arrive in self.steps.arrivals:
                answer = arrive(request)
                if answer is not None:
                    return answer, None
            operation = request.operation = self._route(request)
            if operation is None:
                return self._fall_through(request), None
            errors = operation.errors
            return self._operate(request, operation, trace), None
        except HostError as error:
            if request.method == "OPTIONS" and isinstance(error, MethodNotAllowed):
                return Answer(204, b"", None, list(error.headers.items())), None
            said = as_anonymous(error, is_anonymous=request.actor is ANONYMOUS)
            wire = request.operation.wire if request.operation else None
            return problem(said, trace.trace_id, errors, wire), said
        except Exception as error:  # the one place where a defect becomes an answer
            return unexpected(error, trace, errors), None

    def _operate(self, request: Request, operation: Operation, trace: Trace) -> Answer:
        request.body_limit = operation.body_limit
        request.actor = ANONYMOUS if operation.is_open else self._authenticate(request)
        trace.actor = request.actor.id
        if request.actor is ANONYMOUS and not operation.is_public:
            raise Unauthenticated("sign in first")
        for guard in self.steps.guards:
            guard(request, operation)
        handler = operation.handler
        for wrap in reversed(self.steps.around):
            handler = partial(_wrapped, wrap, operation, handler)
        return handler(request)

    def _show(self, seen: Seen) -> None:
        for observe in self.steps.observers:
            try:
                observe(seen)
            except Exception:  # the answer stands, whatever an onlooker makes of it
                logging.getLogger("hostwright").exception("an observer of request %s failed", seen.request.id)

    def _route(self, request: Request) -> Operation | None:
        method = "GET" if request.method == "HEAD" else request.method
        matched = self.router.match(method, request.path)
        if matched is None:
            return None
        if matched.operation is None:
            allowed = {*matched.allowed, "OPTIONS", *(["HEAD"] if "GET" in matched.allowed else [])}
            raise MethodNotAllowed(sorted(allowed))
        request.params = matched.params
        return matched.operation

    def _authenticate(self, request: Request) -> Actor:
        for authenticate in self.authenticators:
            actor = authenticate(request)
            if actor is not None:
                return actor
        return ANONYMOUS

    def _fall_through(self, request: Request) -> Answer:
        request.body_limit = self.body_limit
        answer = self.fallback(request)
        if answer is None:
            raise NotFound("there is nothing at this path")
        return answer


def _wrapped(wrap: Around, operation: Operation, handler: Handler, request: Request) -> Answer:
    return wrap(request, operation, handler)


def _trace(request: Request, exporter: Exporter | None) -> Trace:
    given = request.header("x-request-id")
    request_id = given if given is not None and _REQUEST_ID.fullmatch(given) else ""
    parent = request.header("traceparent")
    state = request.header("tracestate") if parent is not None else None
    return tracing.begin(parent, state, request_id, exporter)


def _add_headers(request: Request, answer: Answer, trace: Trace) -> None:
    headers = answer.headers
    if answer.content_type is not None and answer.status not in (204, 304):
        headers.append(("Content-Type", answer.content_type))
    headers.append(("X-Request-Id", request.id))
    if request.header("traceparent") is not None:
        headers.append(("traceparent", trace.header))


def _drop_body(answer: Answer) -> None:
    """What HEAD answers: the headers; a stream is closed unread."""
    if isinstance(answer.body, bytes):
        answer.headers.append(("Content-Length", str(len(answer.body))))
    else:
        close = getattr(answer.body, "close", None)
        if close is not None:
            close()
    answer.body = b""


def _compress(request: Request, answer: Answer) -> None:
    if not isinstance(answer.body, bytes) or len(answer.body) < SMALLEST_COMPRESSED:
        return
    answer.headers.append(("Vary", "Accept-Encoding"))
    if _GZIP.search(request.header("accept-encoding") or "") and not any(
        name == "Content-Encoding" for name, _ in answer.headers
    ):
        answer.body = gzip.compress(answer.body, compresslevel=4, mtime=0)
        answer.headers.append(("Content-Encoding", "gzip"))
