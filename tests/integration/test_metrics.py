"""Metrics of real servers: whichever process answers, the numbers are those of all, also of one that was killed."""

from __future__ import annotations

import os
import signal
import time
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.support.serving import Served, serving

SITE = """grammar: 1
site: {name: Test}
resources:
  note:
    fields: {title: {type: string, max: 20}}
    access: public
"""
TOKEN = "a-token-of-the-tests"
ENVIRON = {"HOSTWRIGHT_METRICS_TOKEN": TOKEN, "HOSTWRIGHT_HTTPS": "off"}


def counted(site: Served) -> float:
    """How often the list of notes has been answered."""
    asked = urllib.request.Request(f"{site.address}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        text = answer.read().decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "hostwright_http_requests_total" and sample.labels["route"] == "/api/notes"
    )


def children(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def await_count(site: Served, wanted: float) -> None:
    """Every answer, of whichever process, says so; each keeps what it said for a second."""
    time.sleep(1.1)
    assert [counted(site) for _ in range(6)] == [wanted] * 6


def test_killed_worker_keeps_its_counters(tmp_path: Path) -> None:
    with serving(tmp_path, SITE, ENVIRON, "--workers", "2") as site:
        for _ in range(30):
            assert site.ask("GET", "/api/notes")[0] == 200
        await_count(site, 30)
        before = children(site.process.pid)
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while len(set(children(site.process.pid)) - set(before)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        for _ in range(10):
            assert site.ask("GET", "/api/notes")[0] == 200
        await_count(site, 40)
        assert len(list((tmp_path / "var" / "metrics").glob("*.db"))) <= 2  # those of the dead are taken over


def test_granian_counts_over_its_workers(tmp_path: Path) -> None:
    with serving(tmp_path, SITE, ENVIRON, "--workers", "2", "--server", "granian") as site:
        for _ in range(20):
            assert site.ask("GET", "/api/notes")[0] == 200
        await_count(site, 20)
