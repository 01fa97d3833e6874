"""The time of a job, told to its code by the alarm clock of the process. Used by workers, in their main thread."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from host.jobs.interruptions import JobTimeout

AGAIN_SECONDS: Final = 1.0  # where the code has swallowed the exception


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raise JobTimeout in the block when it takes longer, and every second after that."""
    previous = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _ring(_number: int, _frame: Any) -> None:
    raise JobTimeout("the time of the job is over")
