"""A Redis for the limiter."""

from collections.abc import Iterator

import pytest

from tests.support.redis import RedisServer, running_redis


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A server of its own for each test, because tests kill it."""
    with running_redis() as server:
        yield server
