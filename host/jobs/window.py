"""How many jobs may wait in the RQ queue: few, so that their order stays the job table's, and enough that no worker starves."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

LEAST: Final = 4  # of each worker
MOST: Final = 32
SLOW_SECONDS: Final = 1.0


class Window:
    """Grows while the workers empty the queue faster than it is filled, and shrinks when they take their time."""

    def __init__(self, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._workers, self._clock = workers, clock
        self._size = LEAST
        self._filled_at = clock()
        self._was_full = False

    def room(self, length: int) -> int:
        """How many may be added to so many that wait. Asked before every filling."""
        now = self._clock()
        if length == 0 and self._was_full and now - self._filled_at < SLOW_SECONDS:
            self._was_full = False
            self._size = min(self._size * 2, MOST)
        elif length > 0 and now - self._filled_at > SLOW_SECONDS:
            self._size = LEAST
        most = self._size * self._workers
        return most - length if length <= most // 2 else 0

    def filled(self, *, is_full: bool) -> None:
        """Jobs have been added; `is_full` when there may be more of them."""
        self._filled_at, self._was_full = self._clock(), is_full
