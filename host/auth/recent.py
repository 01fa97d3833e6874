"""A bounded memory of what was worked out lately: what went in first goes first. Tokens and account states use it."""

from __future__ import annotations

from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Holds at most `most` values; reading takes no lock."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[K, V] = {}
        self._lock = Lock()
        self.get = self._kept.get

    def put(self, key: K, value: V) -> None:
        """Remember a value, in place of the oldest when there are too many."""
        with self._lock:
            self._kept.pop(key, None)
            if len(self._kept) >= self._most:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = value

    def forget(self, key: K) -> None:
        """Remember nothing under this key."""
        with self._lock:
            self._kept.pop(key, None)

    def __len__(self) -> int:
        return len(self._kept)
