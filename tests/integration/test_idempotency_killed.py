"""Requests with an `Idempotency-Key` when the process that carries them out is killed in between."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.integration.postgres import Server
from tests.support.serving import Served, served

DECLARATIONS = """grammar: 1
site: {name: Test}
resources:
  note:
    mixins: [owned]
    fields: {text: {type: string, required: true}}
    query: {page: {default: 200, max: 200}}
    access: owner
"""
KEYS = 60


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def environ(request: pytest.FixtureRequest) -> Iterator[Mapping[str, str]]:
    lease = {"HOSTWRIGHT_IDEMPOTENCY_LEASE_SECONDS": "1"}
    if request.param == "sqlite":
        yield lease
        return
    server: Server = request.getfixturevalue("postgres_server")
    name = next(request.getfixturevalue("postgres_names"))
    yield {**lease, "HOSTWRIGHT_DATABASE_URL": server.create(name)}
    server.drop(name)


def ask(site: Served, token: str, number: int) -> int:
    """The status of one request with its own key; 0 where no answer came."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"key-{number}",
    }
    body = json.dumps({"text": f"note {number}"}).encode()
    request = urllib.request.Request(f"{site.address}/api/notes", body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return 0


def ask_all(site: Served, token: str, killed_after: int = KEYS + 1) -> list[int]:
    """Every request, from four threads; the server is killed when so many have been answered."""
    statuses: list[int] = []

    def send(numbers: range) -> None:
        for number in numbers:
            statuses.append(ask(site, token, number))
            if len(statuses) == killed_after:
                os.kill(site.process.pid, signal.SIGKILL)

    threads = [threading.Thread(target=send, args=(range(first, KEYS, 4),)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def test_killed_requests_are_carried_out_once(tmp_path: Path, environ: Mapping[str, str]) -> None:
    (tmp_path / "resources.yaml").write_text(DECLARATIONS)
    with served(tmp_path, "run", environ=environ) as site:
        token = site.sign_up()
        assert 0 in ask_all(site, token, killed_after=KEYS // 3)
    time.sleep(1.1)  # the leases of the dead
    with served(tmp_path, "run", environ=environ) as site:
        assert set(ask_all(site, token)) == {201}
        rows = site.ask("GET", "/api/notes", token=token)[1]["items"]
    assert sorted(row["text"] for row in rows) == sorted(f"note {number}" for number in range(KEYS))


def test_two_processes_carry_out_once(tmp_path: Path, environ: Mapping[str, str]) -> None:
    (tmp_path / "resources.yaml").write_text(DECLARATIONS)
    with served(tmp_path, "run", environ=environ) as one:
        token = one.sign_up()
        with served(tmp_path, "run", environ=environ) as other:
            statuses: list[int] = []

            def send(site: Served) -> None:
                statuses.extend(ask(site, token, number) for number in range(KEYS))

            threads = [threading.Thread(target=send, args=(site,)) for site in (one, other, one, other)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        rows = one.ask("GET", "/api/notes", token=token)[1]["items"]
    assert set(statuses) <= {201, 409}
    assert sorted(row["text"] for row in rows) == sorted(f"note {number}" for number in range(KEYS))
