"""What belongs together: the trace of a request goes on in the jobs that it wants and in the calls that they make.

`web` begins one for each request, `jobs` takes it up again, `outbound` hands it on; the log writes it on every line.
"""

from host.tracing.traceparent import Parent, parse_traceparent, parse_tracestate
from host.tracing.traces import (
    Exporter,
    Running,
    Trace,
    begin,
    calling,
    current,
    enter,
    leave,
    resumed,
    traceparent,
)

__all__ = [
    "Exporter",
    "Parent",
    "Running",
    "Trace",
    "begin",
    "calling",
    "current",
    "enter",
    "leave",
    "parse_traceparent",
    "parse_tracestate",
    "resumed",
    "traceparent",
]
