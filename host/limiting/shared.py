"""The counters in Redis, which may be away: short timeouts, one warning, and a thread that looks for it again.

While it is away `count` answers None at once, and the limiter counts in memory. The library `limits` counts, with a sliding
window.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from host.limiting.memory import Count

if TYPE_CHECKING:
    from limits.storage import RedisStorage

TIMEOUT_SECONDS = 0.2
RETRY_SECONDS = 5.0
Found = TypeVar("Found")
log = logging.getLogger("hostwright")


class Shared:
    """One Redis for the processes of a site."""

    def __init__(
        self, url: str, *, prefix: str = "hostwright", timeout: float = TIMEOUT_SECONDS, retry: float = RETRY_SECONDS
    ) -> None:  # fmt: skip
        self._url, self._prefix, self._timeout, self._retry = url, prefix, timeout, retry
        self._storage: RedisStorage | None = None
        self._is_away = False
        self._closed = Event()
        self._lock = Lock()

    def count(self, key: str, times: int, seconds: int, *, takes: bool) -> Count | None:
        """Count once if it `takes`, unless that would be more than so many `times`; None while Redis is away."""

        def work(storage: RedisStorage) -> Count:
            is_taken = takes and storage.acquire_sliding_window_entry(key, times, seconds)
            previous, fading, current, left = storage.get_sliding_window(key, seconds)
            is_free = is_taken or (not takes and previous * fading / seconds + current <= times - 1)
            return Count(is_free, previous, fading, current, max(0.0, left - seconds))

        return self._run(work)

    def clear(self, key: str) -> None:
        """Forget a key."""
        self._run(lambda storage: storage.clear_sliding_window(key, 0))

    def _run(self, work: Callable[[RedisStorage], Found]) -> Found | None:
        if self._is_away:
            return None
        try:
            return work(self._connected())
        except Exception as error:  # whatever is wrong with Redis, the request goes on
            self._lose(error)
            return None

    def prepare(self) -> None:
        """Load the libraries and make the storage."""
        self._connected()

    def close(self) -> None:
        """End the connections and the looking."""
        self._closed.set()
        if self._storage is not None:
            self._storage.storage.close()

    def _connected(self) -> RedisStorage:
        with self._lock:
            if self._storage is None:
                self._storage = _storage(self._url, self._prefix, self._timeout)
            return self._storage

    def _lose(self, error: Exception) -> None:
        with self._lock:
            if self._is_away:
                return
            self._is_away = True
        log.warning(
            "Redis cannot be used (%s): each process counts by itself until it is back", type(error).__name__
        )
        Thread(target=self._look_again, name="hostwright-redis", daemon=True).start()

    def _look_again(self) -> None:
        while not self._closed.wait(self._retry):
            try:
                self._connected().storage.ping()
            except Exception:  # not yet
                continue
            log.info("Redis is back: all processes count together")
            self._is_away = False
            return


def _storage(url: str, prefix: str, timeout: float) -> RedisStorage:
    from limits.storage import RedisStorage
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    options: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    if url.startswith("unix://"):
        url = f"redis+{url}"
    return RedisStorage(url, key_prefix=prefix, retry=Retry(NoBackoff(), 0), **options)  # type: ignore[arg-type]
