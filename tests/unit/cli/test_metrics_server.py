"""`/metrics` of a machine that only works: one path, the same token, and it waits for a port that is taken."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from host.application import App, assemble
from host.cli.metrics_server import MetricsServer
from host.settings import MetricsSettings, read_settings
from host.testing.sites import SECRET
from tests.support.serving import free_port

TOKEN = "a-token-of-the-tests"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    (tmp_path / "resources.yaml").write_text("grammar: 1\nsite: {name: Test}\n")
    given = {"HOSTWRIGHT_SECRET": SECRET, "HOSTWRIGHT_METRICS_TOKEN": TOKEN}
    given |= {
        "HOSTWRIGHT_METRICS_LISTEN": f"127.0.0.1:{free_port()}",
        "HOSTWRIGHT_DATABASE_URL": f"sqlite:///{tmp_path}/a.db",
    }
    app = assemble(read_settings(tmp_path, given))
    yield app
    app.runtime.database.dispose()


@pytest.fixture
def address(app: App) -> Iterator[str]:
    stop = Event()
    assert len(MetricsServer.loops(app)) == 1
    host, port = app.settings.metrics.listen or ("", 0)
    loop = MetricsServer(app, (host, port), 0.05).run
    with socket.create_server((host, port)):  # somebody else has it for a while
        thread = Thread(target=loop, args=(stop,))
        thread.start()
        thread.join(0.2)
    yield f"http://{host}:{port}"
    stop.set()
    thread.join()


def asked(url: str, token: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_only_metrics_are_answered(address: str) -> None:
    status, text = 0, ""
    for _ in range(100):  # until it has noticed that the port is free
        try:
            status, text = asked(f"{address}/metrics", TOKEN)
            break
        except urllib.error.URLError:
            Event().wait(0.1)
    assert (status, "hostwright_database_up 0.0" in text) == (200, True)  # there are no tables
    assert asked(f"{address}/metrics", "x" * 20)[0] == 401
    assert asked(f"{address}/health", TOKEN)[0] == 404


def test_nothing_listens_unless_it_is_told_to(app: App) -> None:
    settings = replace(app.settings, metrics=MetricsSettings(token=TOKEN))
    assert MetricsServer.loops(replace(app, settings=settings)) == ()


@pytest.mark.parametrize("listen", ["9100", "0.0.0.0:", ":9100", "0.0.0.0:99999", "0.0.0.0:x"])
def test_odd_address_is_refused(tmp_path: Path, listen: str) -> None:
    with pytest.raises(
        Exception, match=r"HOSTWRIGHT_METRICS_LISTEN is .* it has to be an address and a port"
    ):
        read_settings(tmp_path, {"HOSTWRIGHT_SECRET": SECRET, "HOSTWRIGHT_METRICS_LISTEN": listen})
