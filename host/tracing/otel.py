"""Traces for OpenTelemetry, when its packages are installed and its standard variables say where to send them.

The ids are those that the log and the headers have. Its packages read every further variable themselves: sampling, batches,
the service's name. Nothing is imported, and no thread started, before the first part of a trace begins.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
from collections.abc import Mapping
from contextvars import ContextVar, Token
from dataclasses import dataclass
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any

from host.tracing.traces import Kind, Running, Trace

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
_wanted: ContextVar[Trace | None] = ContextVar("hostwright_wanted_ids", default=None)
log = logging.getLogger("hostwright")


class OpenTelemetry:
    """The exporter of one app. Each process has a provider of its own."""

    def __init__(self) -> None:
        self._provider: TracerProvider | None = None
        self._tracer: Tracer | None = None
        self._process = 0
        self._lock = Lock()

    @classmethod
    def open(cls) -> OpenTelemetry | None:
        """The exporter; None, and a line in the log, where the packages are missing."""
        if all(_is_there(name) for name in PACKAGES):
            return cls()
        log.warning("traces are not exported: install hostwright[otel]")
        return None

    def begin(self, trace: Trace, name: str, kind: Kind) -> Running:
        """A part begins. Code that uses OpenTelemetry itself finds it as the current one."""
        from opentelemetry import context
        from opentelemetry.trace import SpanKind, set_span_in_context

        tracer = self._own()
        token = _wanted.set(trace)
        try:
            span = tracer.start_span(name, _context_of(trace), SpanKind[kind.upper()])
        finally:
            _wanted.reset(token)
        trace.flags = f"{int(span.get_span_context().trace_flags) & 3:02x}"
        return _Part(span, context.attach(set_span_in_context(span)))

    def flush(self) -> None:
        """Send what waits."""
        if self._provider is not None and self._process == os.getpid():
            self._provider.force_flush()

    def close(self) -> None:
        """Send what waits, and end."""
        if self._provider is not None and self._process == os.getpid():
            self._provider.shutdown()

    def _own(self) -> Tracer:
        if self._process == os.getpid() and self._tracer is not None:
            return self._tracer
        with self._lock:
            if self._process != os.getpid() or self._tracer is None:
                self._provider = _provider()
                self._tracer = self._provider.get_tracer(
                    "hostwright", importlib.metadata.version("hostwright")
                )
                self._process = os.getpid()
            return self._tracer


@dataclass(slots=True)
class _Part:
    """A part that is being timed."""

    span: Span
    token: Token[Any]

    def end(self, name: str, attributes: Mapping[str, Any], *, failed: str | None = None) -> None:
        from opentelemetry import context
        from opentelemetry.trace import Status, StatusCode

        if self.span.is_recording():
            self.span.update_name(name)
            self.span.set_attributes({key: value for key, value in attributes.items() if value is not None})
            if failed is not None:
                self.span.set_attribute("error.type", failed)
                self.span.set_status(Status(StatusCode.ERROR))
        self.span.end()
        context.detach(self.token)


def _provider() -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        """The ids that a trace has already; parts that other code begins get ids of their own."""

        def generate_span_id(self) -> int:
            trace = _wanted.get()
            return int(trace.span_id, 16) if trace is not None else super().generate_span_id()

        def generate_trace_id(self) -> int:
            trace = _wanted.get()
            return int(trace.trace_id, 16) if trace is not None else super().generate_trace_id()

    named = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "hostwright"}
    provider = TracerProvider(resource=Resource.create(named), id_generator=Ids())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _context_of(trace: Trace) -> Context:
    """What it goes on from."""
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, set_span_in_context

    if trace.parent_id is None:
        return Context()
    state = TraceState.from_header([trace.state]) if trace.state else None
    parent = SpanContext(
        int(trace.trace_id, 16), int(trace.parent_id, 16), True, TraceFlags(int(trace.flags, 16)), state
    )
    return set_span_in_context(NonRecordingSpan(parent), Context())


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # of a package above it
        return False
