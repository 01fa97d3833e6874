"""The Redis that a supervisor runs by itself."""

from __future__ import annotations

import os
import signal
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from host.jobs.queues import open_redis
from host.jobs.redis_server import Ladder, RedisServer
from host.settings import JobSettings, Settings
from host.settings.redis import RedisSettings
from tests.support.working import until


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path, secret="x" * 32)


@pytest.fixture
def server(settings: Settings) -> Iterator[RedisServer]:
    found = Ladder.of(settings).server
    assert found is not None
    found.ensure()
    yield found
    found.stop()


def answers(url: str) -> Redis:
    client = open_redis(url)
    until(lambda: _pings(client), "it answers", 20)
    return client


def _pings(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except OSError:
        return False
    except Exception as error:
        assert "onnect" in str(error) or "loading" in str(error).lower()
        return False


def test_configured_redis_comes_first(settings: Settings) -> None:
    chosen = Ladder.of(replace(settings, redis=RedisSettings(url="redis://somewhere")))
    assert chosen == Ladder("redis://somewhere")


def test_own_redis_may_be_unwanted(settings: Settings) -> None:
    assert Ladder.of(replace(settings, jobs=JobSettings(own_redis=False))) == Ladder("")


def test_server_has_a_socket_of_its_own(server: RedisServer) -> None:
    with answers(server.url) as client:
        found = client.config_get("*")
        assert found["port"] == "0"
        assert found["appendonly"] == "yes"
        assert found["maxmemory-policy"] == "noeviction"
        mode = Path(server.url.removeprefix("unix://")).stat().st_mode
        assert stat.S_IMODE(mode) == 0o700


def test_dead_server_is_started_again_with_its_data(server: RedisServer) -> None:
    with answers(server.url) as client:
        client.set("kept", "yes")
        time.sleep(1.2)  # its log is synced every second
    first = server.process_id
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: server.process_id is None, "it is dead", 10)
    server.ensure()
    assert server.process_id not in (None, first)
    with answers(server.url) as client:
        assert client.get("kept") == b"yes"


def test_second_supervisor_takes_over(server: RedisServer, settings: Settings) -> None:
    other = Ladder.of(settings).server
    assert other is not None
    other.ensure()
    assert other.process_id is None
    server.stop()
    other.ensure()
    assert other.process_id is not None
    with answers(other.url):
        pass
    other.stop()


def test_long_path_is_no_obstacle(tmp_path: Path) -> None:
    root = tmp_path / ("deep" * 30)
    root.mkdir()
    server = Ladder.of(Settings(root=root, secret="x" * 32)).server
    assert server is not None
    server.ensure()
    with answers(server.url):
        pass
    server.stop()
