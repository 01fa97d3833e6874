"""Traces: headers read strictly, ids that hold together, and nothing left behind in a thread."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host import tracing
from host.tracing import Trace, parse_traceparent, parse_tracestate

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


def test_standard_example_is_read() -> None:
    assert parse_traceparent(GOOD) == (TRACE, SPAN, "01")


@pytest.mark.parametrize("header", [f"01-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-what-comes-later"])
def test_later_version_is_read(header: str) -> None:
    assert parse_traceparent(header) == (TRACE, SPAN, "01")


def test_unknown_flags_are_dropped() -> None:
    assert parse_traceparent(f"00-{TRACE}-{SPAN}-ff") == (TRACE, SPAN, "03")


@pytest.mark.parametrize(
    "header",
    [
        "", "x", GOOD.upper(), GOOD + "-more", GOOD + " ", " " + GOOD, GOOD + "\n", f"{GOOD},{GOOD}", f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE[:-1]}-{SPAN}-01", f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}", f"0-{TRACE}-{SPAN}-01", f"00-{TRACE[:-1]}g-{SPAN}-01", f"00_{TRACE}_{SPAN}_01",
        f"01-{TRACE}-{SPAN}-01x", f"01-{TRACE}-{SPAN}-01-{'x' * 500}", f"00-{TRACE[:-1]}٣-{SPAN}-01",
    ],
)  # fmt: skip
def test_wrong_header_is_none(header: str) -> None:
    assert parse_traceparent(header) is None
    trace = tracing.begin(header)
    assert trace.trace_id != TRACE and trace.parent_id is None


@given(st.text(max_size=80))
def test_no_text_is_taken_over(header: str) -> None:
    trace = tracing.begin(header, header)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]", trace.header)


def test_state_of_others_is_passed_on() -> None:
    assert (
        parse_tracestate("rojo=00f067aa0ba902b7 , congo@x=t61rcWkgMzE,")
        == "rojo=00f067aa0ba902b7,congo@x=t61rcWkgMzE"
    )


@pytest.mark.parametrize(
    "state",
    [
        "x", "=1", "A=1", "a=1,a=2", "a=" + "x" * 600, ",".join(f"k{n}=1" for n in range(33)), "a=b\r\nX-Evil: 1", "a=é", "a=b=c",
    ],
)  # fmt: skip
def test_odd_state_is_dropped(state: str) -> None:
    assert parse_tracestate(state) == ""


def test_caller_is_the_parent() -> None:
    trace = tracing.begin(GOOD, "a=1", "r1")
    assert (trace.trace_id, trace.parent_id, trace.flags, trace.state, trace.request_id) == (
        TRACE,
        SPAN,
        "01",
        "a=1",
        "r1",
    )
    assert trace.span_id != SPAN


def test_new_trace_is_its_request_id() -> None:
    first, second = tracing.begin(None), tracing.begin(None)
    assert first.request_id == first.trace_id != second.trace_id
    assert parse_traceparent(first.header) == (first.trace_id, first.span_id, "00")


def test_job_goes_on_with_the_trace() -> None:
    asked = tracing.begin(GOOD)
    with tracing.resumed(asked.header, "job", request_id="r1", actor="a1", job="j1") as trace:
        assert tracing.current() is trace
        assert (trace.trace_id, trace.parent_id, trace.request_id, trace.actor, trace.job) == (
            TRACE,
            asked.span_id,
            "r1",
            "a1",
            "j1",
        )
        assert tracing.traceparent() == trace.header
    assert tracing.current() is None


def test_failed_job_leaves_no_trace() -> None:
    with pytest.raises(ValueError), tracing.resumed(None, "job"):
        raise ValueError
    assert (tracing.current(), tracing.traceparent()) == (None, None)


def test_call_is_a_part_of_its_own() -> None:
    trace = tracing.begin(GOOD, "a=1")
    token = tracing.enter(trace)
    with tracing.calling("GET", "example.org") as headers:
        parent = parse_traceparent(headers["traceparent"])
    tracing.leave(token)
    assert parent is not None and parent.trace_id == TRACE and parent.span_id not in (SPAN, trace.span_id)
    assert headers["tracestate"] == "a=1"


def test_call_outside_of_traces_brings_nothing() -> None:
    with tracing.calling("GET", "example.org") as headers:
        assert headers == {}


@dataclass
class Listener:
    """Keeps what it is told."""

    told: list[tuple[str, str, str | None]] = field(default_factory=list)

    def begin(self, trace: Trace, name: str, kind: str) -> Listener:
        self.told.append((kind, trace.parent_id or "", None))
        return self

    def end(self, name: str, attributes: Mapping[str, Any], *, failed: str | None = None) -> None:
        self.told.append(("end", name, failed))


def test_exporter_learns_of_job_and_call() -> None:
    listener = Listener()
    with (
        pytest.raises(KeyError),
        tracing.resumed(GOOD, "job ledger.send", exporter=listener) as trace,
        tracing.calling("POST", "example.org"),
    ):
        raise KeyError
    assert listener.told[:2] == [("consumer", SPAN, None), ("client", trace.span_id, None)]
    assert listener.told[2:] == [("end", "POST", "KeyError"), ("end", "job ledger.send", "KeyError")]
