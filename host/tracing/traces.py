"""The trace that the code of a thread belongs to: ids to find it by, and who and what it is done for.

It is set for the time of a request or a job. An exporter, where there is one, is told of each part of it that ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from host.tracing.traceparent import parse_traceparent, parse_tracestate

Kind = Literal["server", "consumer", "client"]


class Running(Protocol):
    """A part of a trace that is being timed."""

    def end(self, name: str, attributes: Mapping[str, Any], *, failed: str | None = None) -> None:
        """It is over; `failed` says what went wrong, if that is the server's fault."""


class Exporter(Protocol):
    """Who is told of what happened."""

    def begin(self, trace: Trace, name: str, kind: Kind) -> Running:
        """A part begins; `trace` has its ids, and learns whether it is recorded."""

    def close(self) -> None:
        """This process ends: tell what has not been told."""


@dataclass(slots=True, eq=False)
class Trace:
    """One part of a trace, in hexadecimal ids. `parent_id` is the part that asked for it."""

    trace_id: str
    span_id: str
    parent_id: str | None = None
    flags: str = "00"
    state: str = ""
    request_id: str = ""
    actor: str | None = None
    job: str | None = None
    exporter: Exporter | None = None
    running: Running | None = None
    failed: str | None = None  # what went wrong, where that is not told by an exception

    @property
    def header(self) -> str:
        """As `traceparent`."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_current: ContextVar[Trace | None] = ContextVar("hostwright_trace", default=None)


def current() -> Trace | None:
    """The trace that this thread works for; None between requests and jobs."""
    return _current.get()


def traceparent() -> str | None:
    """What is stored with a job or an event, so that what follows belongs to the same trace."""
    trace = _current.get()
    return trace.header if trace is not None else None


def begin(
    header: str | None, state: str | None = None, request_id: str = "", exporter: Exporter | None = None
) -> Trace:  # fmt: skip
    """A part of the caller's trace, or the first of a new one. Without a request id that of the trace stands for it."""
    parent = parse_traceparent(header) if header is not None else None
    if parent is None:
        ids = os.urandom(24).hex()
        return Trace(ids[:32], ids[32:], None, "00", "", request_id or ids[:32], exporter=exporter)
    passed_on = parse_tracestate(state) if state is not None else ""
    return Trace(
        parent.trace_id, os.urandom(8).hex(), parent.span_id, parent.flags, passed_on,
        request_id or parent.trace_id, exporter=exporter,
    )  # fmt: skip


def enter(trace: Trace) -> Token[Trace | None]:
    """What this thread does from now on belongs to the trace; hand the answer to `leave`."""
    return _current.set(trace)


def leave(token: Token[Trace | None]) -> None:
    """It belongs to what it belonged to before."""
    _current.reset(token)


@contextmanager
def resumed(
    header: str | None, name: str, *, request_id: str = "", actor: str | None = None, job: str | None = None,
    exporter: Exporter | None = None,
) -> Iterator[Trace]:  # fmt: skip
    """What is done in the block goes on with the trace that was stored with a job."""
    trace = begin(header, None, request_id, exporter)
    trace.actor, trace.job = actor, job
    token = enter(trace)
    running = exporter.begin(trace, name, "consumer") if exporter is not None else None
    try:
        yield trace
    except BaseException as error:
        trace.failed = type(error).__name__
        raise
    finally:
        if running is not None:
            running.end(name, {"hostwright.job.id": job or ""}, failed=trace.failed)
        leave(token)


@contextmanager
def calling(method: str, address: str) -> Iterator[dict[str, str]]:
    """The headers that a call to another server brings along, for the time of the call."""
    trace = _current.get()
    if trace is None:
        yield {}
        return
    call = Trace(
        trace.trace_id, os.urandom(8).hex(), trace.span_id, trace.flags, trace.state, trace.request_id,
        trace.actor, trace.job, trace.exporter,
    )  # fmt: skip
    running = trace.exporter.begin(call, method, "client") if trace.exporter is not None else None
    failed: str | None = None
    try:
        yield {"traceparent": call.header, **({"tracestate": call.state} if call.state else {})}
    except BaseException as error:
        failed = type(error).__name__
        raise
    finally:
        if running is not None:
            running.end(method, {"http.request.method": method, "server.address": address}, failed=failed)
