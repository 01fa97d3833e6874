"""The Redis that a supervisor runs by itself."""

from __future__ import annotations

import os
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from host.jobs.queues import open_redis
from host.jobs.redis_server import Ladder, RedisServer
from host.jobs.sockets import socket_place
from host.settings import JobSettings, Settings
from host.settings.redis import RedisSettings
from tests.support.working import until


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path, secret="x" * 32)


@pytest.fixture
def server(settings: Settings) -> Iterator[RedisServer]:
    with own_server(settings) as found:
        found.ensure()
        yield found


@pytest.fixture
def deep(tmp_path: Path) -> Settings:
    """Of a site whose path is too long for a socket."""
    root = tmp_path / ("deep" * 30)
    root.mkdir()
    return Settings(root=root, secret="x" * 32)


@contextmanager
def own_server(settings: Settings) -> Iterator[RedisServer]:
    """What a supervisor has of it; ended in any case."""
    found = Ladder.of(settings).server
    assert found is not None
    try:
        yield found
    finally:
        found.stop()


@contextmanager
def answers(server: RedisServer) -> Iterator[Redis]:
    """A client, as soon as the server answers; one that has ended never will."""
    with open_redis(server.url) as client:
        until(lambda: server.process_id is None or _pings(client), "it answers", 20)
        assert server.process_id is not None, "it ended"
        yield client


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
    with answers(server) as client:
        found = client.config_get("*")
        assert found["port"] == "0"
        assert found["appendonly"] == "yes"
        assert found["maxmemory-policy"] == "noeviction"
        mode = Path(server.url.removeprefix("unix://")).stat().st_mode
        assert stat.S_IMODE(mode) == 0o700


def test_dead_server_is_started_again_with_its_data(server: RedisServer) -> None:
    with answers(server) as client:
        client.set("kept", "yes")
        time.sleep(1.2)  # its log is synced every second
    first = server.process_id
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: server.process_id is None, "it is dead", 10)
    server.ensure()
    assert server.process_id not in (None, first)
    with answers(server) as client:
        assert client.get("kept") == b"yes"


def test_second_supervisor_takes_over(server: RedisServer, settings: Settings) -> None:
    with own_server(settings) as other:
        taken_over(server, other)


def test_long_path_is_no_obstacle(deep: Settings) -> None:
    with own_server(deep) as server:
        server.ensure()
        with answers(server):
            pass


def test_taking_over_makes_the_folder_again(deep: Settings) -> None:
    with own_server(deep) as server, own_server(deep) as other:
        server.ensure()
        taken_over(server, other)


def test_folder_goes_with_its_server(deep: Settings) -> None:
    with own_server(deep) as server:
        server.ensure()
        with answers(server):
            assert socket_place(deep.var).is_dir()
    assert not socket_place(deep.var).exists()


def taken_over(server: RedisServer, other: RedisServer) -> None:
    """Not while it runs, and at once when it is stopped."""
    with answers(server):
        other.ensure()
        assert other.process_id is None
    server.stop()
    other.ensure()
    with answers(other):
        pass
