"""Counters of one process for the `limits` library, bounded: what was used longest ago goes first. Loaded when first counted."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from limits.storage import SlidingWindowCounterSupport, Storage

MOST_KEYS = 100_000


@dataclass(slots=True)
class Window:
    """What was counted under one key: in the window `number`, and in the one before."""

    number: int
    current: int = 0
    previous: int = 0


class BoundedMemory(Storage, SlidingWindowCounterSupport):
    """At most `most` keys, some 30 MB when each is taken; needs no clean-up and no thread."""

    STORAGE_SCHEME = None  # made by hand, never out of a URL

    def __init__(self, most: int = MOST_KEYS, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._most, self._clock = most, clock
        self._kept: OrderedDict[str, Window] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def base_exceptions(self) -> type[Exception]:
        """Nothing fails here."""
        return Exception

    def _window(self, key: str, expiry: int, now: float) -> Window:
        """The counts of now; the caller holds the lock."""
        number = int(now / expiry)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= self._most:
                self._kept.popitem(last=False)
            found = self._kept[key] = Window(number)
        elif found.number != number:
            found.previous = found.current if number == found.number + 1 else 0
            found.number, found.current = number, 0
        self._kept.move_to_end(key)
        return found

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count, unless that would be over the limit."""
        now = self._clock()
        with self._lock:
            window = self._window(key, expiry, now)
            left = (window.number + 1) * expiry - now
            if window.previous * left + window.current * expiry > (limit - amount) * expiry:
                return False
            window.current += amount
            return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """How often in the previous and the current window, each with the seconds until it no longer counts."""
        now = self._clock()
        with self._lock:
            found = self._kept.get(key)
            number = int(now / expiry)
            left = (number + 1) * expiry - now
            if found is None or number - found.number > 1:
                return 0, 0.0, 0, left + expiry
            if found.number != number:
                return found.current, left, 0, left + expiry
            return found.previous, left, found.current, left + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Begin anew."""
        self.clear(key)

    def clear(self, key: str) -> None:
        """Forget a key."""
        with self._lock:
            self._kept.pop(key, None)

    def reset(self) -> int:
        """Forget all of them."""
        with self._lock:
            number = len(self._kept)
            self._kept.clear()
            return number

    def check(self) -> bool:
        """It is always there."""
        return True

    def get(self, key: str) -> int:
        """How often in the window that was counted last."""
        found = self._kept.get(key)
        return found.current if found else 0

    def get_expiry(self, key: str) -> float:
        """Windows end by the clock, not each at a time of its own."""
        return self._clock()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, whatever the limit."""
        with self._lock:
            window = self._window(key, expiry, self._clock())
            window.current += amount
            return window.current
