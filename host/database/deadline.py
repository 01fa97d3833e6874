"""When a request has to be done with the database: set at the rim, looked at wherever a connection is taken.

It belongs to the request's thread; where nothing set it there is none.
"""

from __future__ import annotations

import math
import time
from contextvars import ContextVar

from host.errors import Unavailable

_end: ContextVar[float] = ContextVar("hostwright_request_end", default=math.inf)


def begin(seconds: float) -> None:
    """Give what this thread does from now on so many seconds."""
    _end.set(time.monotonic() + seconds)


def check() -> None:
    """Raise Unavailable when the time is over."""
    if time.monotonic() > _end.get():
        error = Unavailable("this takes too long; ask for less, or try again later")
        error.headers = {"Retry-After": "1"}
        raise error
