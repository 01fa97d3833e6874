"""The signal from who enqueues to who hands over."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from host.jobs.queues import open_redis
from host.jobs.sockets import LONGEST, leave_folder, socket_folder
from host.jobs.waking import SOCKET, Ear, RedisWaker, SocketWaker, channel, open_waker
from host.settings import Settings
from host.settings.redis import RedisSettings
from tests.support.redis import running_redis


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path, secret="x" * 32)


@contextmanager
def listening(settings: Settings) -> Iterator[Ear]:
    ear = Ear(settings, open_redis(settings.redis.url) if settings.redis.url else None)
    ear.listen()
    try:
        yield ear
    finally:
        ear.close()


def test_nobody_to_wake_is_no_error(settings: Settings) -> None:
    SocketWaker(settings).wake()


def test_signal_ends_the_waiting(settings: Settings) -> None:
    with listening(settings) as ear:
        open_waker(settings).wake()
        assert ear.wait(5)


def test_many_signals_are_one(settings: Settings) -> None:
    waker = SocketWaker(settings)
    with listening(settings) as ear:
        for _ in range(1000):
            waker.wake()
        assert ear.wait(5)
        assert not ear.wait(0)


def test_second_listener_takes_over(settings: Settings) -> None:
    waker = SocketWaker(settings)
    with listening(settings) as second_to_none:
        other = Ear(settings, None)
        other.listen()
        waker.wake()
        assert second_to_none.wait(5)
        assert not other.wait(0)
    other.wait(0)
    waker.wake()
    assert other.wait(5)
    other.close()


def test_socket_of_a_dead_listener_is_replaced(settings: Settings) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(str(socket_folder(settings.var) / SOCKET))  # the file stays, as after a kill
    with listening(settings) as ear:
        SocketWaker(settings).wake()
        assert ear.wait(5)


def test_long_path_moves_the_sockets(tmp_path: Path) -> None:
    var = tmp_path / ("long" * 40)
    folder = socket_folder(var)
    assert len(str(folder / "redis.sock")) <= LONGEST
    assert folder.stat().st_mode & 0o077 == 0
    assert socket_folder(var) == folder
    leave_folder(var)
    assert not folder.exists()


def eventually(wake: Callable[[], None], ear: Ear) -> bool:
    """Whether a signal comes through, once the connection stands."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        wake()
        if ear.wait(0.05):
            return True
    return False


def test_redis_carries_the_signal(tmp_path: Path) -> None:
    with running_redis() as server:
        settings = Settings(
            root=tmp_path, secret="x" * 32, redis=RedisSettings(url=server.url, prefix="site")
        )
        waker = open_waker(settings)
        assert isinstance(waker, RedisWaker)
        with listening(settings) as ear:
            assert eventually(waker.wake, ear)
            server.stop()
            server.start()
            assert eventually(waker.wake, ear)


def test_absent_redis_costs_nothing(settings: Settings, tmp_path: Path) -> None:
    waker = RedisWaker(f"unix://{tmp_path / 'none.sock'}", channel(settings))
    waker.wake()
    began = time.process_time()
    for _ in range(1000):
        waker.wake()
    assert time.process_time() - began < 0.05


def test_frozen_redis_holds_nobody_up(tmp_path: Path) -> None:
    with running_redis() as server:
        waker = RedisWaker(server.url, "site:wake")
        waker.wake()
        deadline = time.monotonic() + 10
        while waker._connection is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        server.freeze()
        slowest = 0.0
        for _ in range(20_000):  # more than its socket holds
            began = time.monotonic()
            waker.wake()
            slowest = max(slowest, time.monotonic() - began)
        server.thaw()
        assert waker._connection is None
        assert slowest < 0.5  # a hundredth of a second, and what a busy machine adds
