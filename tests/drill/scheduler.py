"""A scheduler in a process of its own, whose clock runs faster: `scheduler.py <root> <database> <seconds of a minute>`.

It prints `ready`, is told when the clock begins, and ends when its standard input does.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

from host.application import assemble
from host.jobs.scheduling import Scheduler
from host.settings import Settings
from host.testing.sites import SECRET

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def main(root: str, database_url: str, minute: float) -> None:
    """Tick as often as possible until told to stop."""
    stop = Event()
    runtime = assemble(Settings(root=Path(root), secret=SECRET, database_url=database_url)).runtime
    scheduler = Scheduler(runtime)
    print("ready", flush=True)
    begin = float(sys.stdin.readline())
    Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    while not stop.is_set():
        now = EPOCH + timedelta(minutes=(time.time() - begin) / minute)
        if now > EPOCH:
            scheduler.tick(now)
        stop.wait(minute / 10)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
