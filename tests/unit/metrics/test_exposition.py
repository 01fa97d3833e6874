"""What Prometheus reads: names, labels and histograms as its own parser takes them."""

from __future__ import annotations

import threading

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from host.metrics import METRICS, OPEN_METRICS, PLAIN, MemoryStore, Meters, exposition


def samples(meters: Meters, form: str = PLAIN) -> dict[tuple[str, tuple[str, ...]], float]:
    parse = parse_open if form == OPEN_METRICS else parse_plain
    text = exposition(meters.values(), form).decode()
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in parse(text)
        for sample in family.samples
    }


@pytest.fixture
def meters() -> Meters:
    return Meters(MemoryStore())


@pytest.mark.parametrize("form", [PLAIN, OPEN_METRICS])
def test_both_forms_say_the_same(meters: Meters, form: str) -> None:
    meters.request("GET", "/api/notes", 200, 0.02)
    meters.request("GET", "/api/notes", 404, 0.3)
    found = samples(meters, form)
    assert found["hostwright_http_requests_total", ("GET", "/api/notes", "200")] == 1
    assert found["hostwright_http_request_seconds_count", ("GET", "/api/notes")] == 2
    assert found["hostwright_http_request_seconds_sum", ("GET", "/api/notes")] == pytest.approx(0.32)


def test_buckets_add_up(meters: Meters) -> None:
    for seconds in (0.001, 0.0011, 0.3, 99.0):
        meters.request("GET", "/api/notes", 200, seconds)
    found = samples(meters)
    told = [
        found["hostwright_http_request_seconds_bucket", (le, "GET", "/api/notes")]
        for le in ("0.001", "0.0025", "0.5", "10.0", "+Inf")
    ]
    assert told == [1, 2, 3, 3, 4]


def test_odd_methods_are_one(meters: Meters) -> None:
    for number in range(50):
        meters.request(f"ODD{number}", "other", 405, 0.1)
    assert samples(meters)["hostwright_http_requests_total", ("other", "other", "405")] == 50


def test_jobs_are_counted_by_outcome(meters: Meters) -> None:
    meters.attempt("ledger.send", "done", 0.2)
    meters.attempt("ledger.send", "crashed")
    meters.waited("default", -1.0)
    found = samples(meters)
    assert found["hostwright_job_attempts_total", ("ledger.send", "done")] == 1
    assert found["hostwright_job_attempts_total", ("ledger.send", "crashed")] == 1
    assert found["hostwright_job_run_seconds_count", ("ledger.send",)] == 1
    assert found["hostwright_job_wait_seconds_sum", ("default",)] == 0


def test_threads_lose_no_count(meters: Meters) -> None:
    def count() -> None:
        for _ in range(2000):
            meters.request("GET", "/api/notes", 200, 0.02)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert samples(meters)["hostwright_http_requests_total", ("GET", "/api/notes", "200")] == 8000


def test_names_follow_the_custom() -> None:
    for metric in METRICS:
        assert metric.name.startswith("hostwright_")
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert bool(metric.buckets) == (metric.kind == "histogram")
