"""The limiter: what it counts, in memory and in Redis, and what happens while Redis is away."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from threading import Barrier, Thread

import pytest

from host.errors import TooManyRequests
from host.limiting import Limiter, Rate
from host.limiting.memory import BoundedMemory
from host.limiting.shared import Shared
from tests.support.redis import RedisServer
from tests.support.serving import free_port

THREE = Rate(3, 60)


class Clock:
    """A time that tests move; it begins where a minute begins."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(clock: Clock) -> Limiter:
    return Limiter(memory=BoundedMemory(clock=clock))


@pytest.fixture(params=["memory", "redis"])
def limiter(request: pytest.FixtureRequest) -> Iterator[Limiter]:
    url = request.getfixturevalue("redis_server").url if request.param == "redis" else ""
    found = Limiter.open(url)
    yield found
    found.close()


def test_rate_is_refused_when_used_up(limiter: Limiter) -> None:
    standings = [limiter.take(THREE, "test", "ann") for _ in range(5)]
    assert [standing.is_allowed for standing in standings] == [True, True, True, False, False]
    assert [standing.remaining for standing in standings] == [2, 1, 0, 0, 0]
    assert all(0 < standing.wait <= 120 for standing in standings)


def test_everybody_is_counted_alone(limiter: Limiter) -> None:
    for _ in range(3):
        limiter.take(THREE, "test", "ann")
    assert limiter.take(THREE, "test", "bob").is_allowed
    assert limiter.take(THREE, "other", "ann").is_allowed
    assert not limiter.take(THREE, "test", "ann").is_allowed


def test_looking_counts_nothing(limiter: Limiter) -> None:
    assert limiter.look(THREE, "test", "ann").remaining == 3
    for _ in range(3):
        limiter.take(THREE, "test", "ann")
    assert not limiter.look(THREE, "test", "ann").is_allowed


def test_cleared_counts_begin_anew(limiter: Limiter) -> None:
    for _ in range(4):
        limiter.take(THREE, "test", "ann")
    limiter.clear(THREE, "test", "ann")
    assert limiter.take(THREE, "test", "ann").remaining == 2


def test_demand_raises_with_headers(limiter: Limiter) -> None:
    limiter.demand(Rate(1, 60), "test", "ann")
    with pytest.raises(TooManyRequests) as caught:
        limiter.demand(Rate(1, 60), "test", "ann", detail="slower")
    headers = caught.value.headers
    assert caught.value.detail == "slower"
    assert headers["RateLimit-Policy"] == '"test";q=1;w=60'
    assert headers["RateLimit"] == f'"test";r=0;t={headers["Retry-After"]}'


def test_race_lets_no_more_through(limiter: Limiter) -> None:
    together, allowed = Barrier(8), list[bool]()

    def hurry() -> None:
        together.wait()
        allowed.extend(limiter.take(Rate(20, 60), "race").is_allowed for _ in range(10))

    threads = [Thread(target=hurry) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert allowed.count(True) == 20


def test_window_slides_and_never_doubles(timed: Limiter, clock: Clock) -> None:
    clock.now += 50
    for _ in range(3):
        assert timed.take(THREE, "test").is_allowed
    clock.now += 15  # into the next window: a fixed one would begin anew
    assert not timed.take(THREE, "test").is_allowed
    clock.now += 60
    assert timed.take(THREE, "test").is_allowed


@pytest.mark.parametrize("offset", [0, 7, 30, 59])
def test_wait_is_exactly_long_enough(timed: Limiter, clock: Clock, offset: int) -> None:
    clock.now += offset
    for _ in range(3):
        timed.take(THREE, "test")
    wait = timed.take(THREE, "test").wait
    clock.now += wait - 1.01
    assert not timed.look(THREE, "test").is_allowed
    clock.now += 1.01
    assert timed.take(THREE, "test").is_allowed


def test_memory_is_bounded(clock: Clock) -> None:
    memory = BoundedMemory(most=100, clock=clock)
    limiter = Limiter(memory=memory)
    for _ in range(3):
        limiter.take(THREE, "test", "kept in use")
    for number in range(1000):
        limiter.take(THREE, "test", str(number))
        limiter.take(THREE, "test", "kept in use")
    assert len(memory) == 100
    assert not limiter.look(THREE, "test", "kept in use").is_allowed


def test_processes_count_together_in_redis(redis_server: RedisServer) -> None:
    one, other = Limiter.open(redis_server.url), Limiter.open(redis_server.url)
    assert [limiter.take(THREE, "test", "ann").is_allowed for limiter in (one, other, one, other)] == [
        True, True, True, False,
    ]  # fmt: skip
    keys = redis_server.client().keys()
    assert keys and all("ann" not in key for key in keys)
    one.close()
    other.close()


def test_redis_away_means_memory(caplog: pytest.LogCaptureFixture) -> None:
    limiter = Limiter.open(f"redis://:hidden@127.0.0.1:{free_port()}")
    limiter.prepare()
    begun = time.monotonic()
    answers = [limiter.take(THREE, "test", "ann").is_allowed for _ in range(5)]
    limiter.close()
    assert answers == [True, True, True, False, False]
    assert time.monotonic() - begun < 1
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "hidden" not in caplog.text


def test_lost_redis_is_found_again(redis_server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    limiter = Limiter(Shared(redis_server.url, retry=0.05))
    limiter.take(THREE, "test", "ann")
    redis_server.stop()
    assert [limiter.take(THREE, "test", "ann").is_allowed for _ in range(4)] == [True, True, True, False]
    redis_server.start()
    deadline = time.monotonic() + 10
    while not redis_server.client().keys():
        assert time.monotonic() < deadline
        limiter.take(THREE, "test", "ann")
        time.sleep(0.02)
    limiter.close()
    assert caplog.text.count("Redis cannot be used") == 1


def test_frozen_redis_delays_one_request(redis_server: RedisServer) -> None:
    limiter = Limiter(Shared(redis_server.url, timeout=0.2))
    limiter.take(THREE, "test")
    redis_server.freeze()
    begun = time.monotonic()
    for _ in range(50):
        limiter.take(THREE, "test")
    assert time.monotonic() - begun < 1
    redis_server.thaw()
    limiter.close()
