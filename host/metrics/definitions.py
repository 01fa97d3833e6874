"""Every metric there is: its name, kind, labels and meaning. The documents list the same, which a test compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]
REQUEST_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
JOB_SECONDS: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `buckets` are the upper bounds of a histogram's, but for the last one, which has none."""

    name: str
    kind: Kind
    doc: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


REQUESTS: Final = Metric(
    "hostwright_http_requests_total", "counter", "Requests that have been answered.", ("method", "route", "status")
)  # fmt: skip
LATENCY: Final = Metric(
    "hostwright_http_request_seconds", "histogram", "Time until a request was answered, or its stream began.",
    ("method", "route"), REQUEST_SECONDS,
)  # fmt: skip
CONNECTIONS: Final = Metric(
    "hostwright_database_connections", "gauge", "Connections to the database.", ("pool", "state")
)
ATTEMPTS: Final = Metric(
    "hostwright_job_attempts_total", "counter", "Tries of jobs that have ended.", ("job", "outcome")
)
RUN_TIME: Final = Metric(
    "hostwright_job_run_seconds", "histogram", "Time that a try of a job took.", ("job",), JOB_SECONDS
)
WAIT: Final = Metric(
    "hostwright_job_wait_seconds", "histogram", "Time from when a job was due to when a try began.", ("queue",),
    JOB_SECONDS,
)  # fmt: skip
DATABASE_UP: Final = Metric(
    "hostwright_database_up", "gauge", "Whether the database answered in time what is asked for here."
)
JOBS: Final = Metric(
    "hostwright_jobs", "gauge", "Jobs that have not ended, and dead ones.", ("queue", "state")
)
QUEUE_AGE: Final = Metric(
    "hostwright_queue_age_seconds", "gauge", "For how long the oldest due job has waited.", ("queue",)
)
PROCESSES: Final = Metric(
    "hostwright_job_processes", "gauge", "Workers and schedulers that were seen lately.", ("kind",)
)
SCHEDULE_LAG: Final = Metric(
    "hostwright_schedule_lag_seconds",
    "gauge",
    "How late a schedule is that should have fired.",
    ("schedule",),
)
FIRED_LAG: Final = Metric(
    "hostwright_schedule_fired_lag_seconds", "gauge", "How late a schedule fired last.", ("schedule",)
)
OUTBOX: Final = Metric(
    "hostwright_outbox_events", "gauge", "Events that the relay has not given a place yet."
)
OUTBOX_LAG: Final = Metric(
    "hostwright_outbox_lag_seconds", "gauge", "For how long the oldest of these events has waited."
)

METRICS: Final = (
    REQUESTS, LATENCY, CONNECTIONS, ATTEMPTS, RUN_TIME, WAIT,
    DATABASE_UP, JOBS, QUEUE_AGE, PROCESSES, SCHEDULE_LAG, FIRED_LAG, OUTBOX, OUTBOX_LAG,
)  # fmt: skip
