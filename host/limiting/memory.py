"""Counters of one process, bounded: what was used longest ago goes first. They count as `limits` does with a sliding window.

The library's own storage in memory has no bound, and a thread; one request would also pass through a dozen calls of it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

MOST_KEYS = 100_000


class Count(NamedTuple):
    """What was counted: in the window before this one (which fades for so many seconds), and in this one (so many are left)."""

    is_taken: bool
    previous: int
    fading: float
    current: int
    left: float


@dataclass(slots=True)
class Window:
    """What was counted under one key: in the window `number`, and in the one before."""

    number: int
    current: int = 0
    previous: int = 0


class BoundedMemory:
    """At most `most` keys, some 30 MB when each is taken; needs no clean-up and no thread."""

    def __init__(self, most: int = MOST_KEYS, clock: Callable[[], float] = time.time) -> None:
        self._most, self._clock = most, clock
        self._kept: OrderedDict[str, Window] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def count(self, key: str, times: int, seconds: int, *, takes: bool) -> Count:
        """Count once if it `takes`, unless that would be more than so many `times`."""
        now = self._clock()
        number = int(now / seconds)
        left = (number + 1) * seconds - now
        with self._lock:
            window = self._window(key, number)
            is_free = window.previous * left + window.current * seconds <= (times - 1) * seconds
            if takes and is_free:
                window.current += 1
            return Count(is_free, window.previous, left, window.current, left)

    def clear(self, key: str) -> None:
        """Forget a key."""
        with self._lock:
            self._kept.pop(key, None)

    def _window(self, key: str, number: int) -> Window:
        """The counts of now; the caller holds the lock."""
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= self._most:
                self._kept.popitem(last=False)
            found = self._kept[key] = Window(number)
            return found
        if found.number != number:
            found.previous = found.current if number == found.number + 1 else 0
            found.number, found.current = number, 0
        self._kept.move_to_end(key)
        return found
