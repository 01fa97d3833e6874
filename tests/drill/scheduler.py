"""Schedulers in processes of their own, whose clock runs faster: `scheduler.py <root> <database> <seconds a minute> <count>`.

It prints `ready`, is told when the clock begins, prints the number of each process, and ends them when its standard input does.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from host.application import assemble
from host.jobs.scheduling import Scheduler
from host.service.runtime import Runtime
from host.settings import Settings
from host.testing.sites import SECRET

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def main(root: str, database_url: str, minute: float, count: int) -> None:
    """Fork them: nothing is connected by then, so that they share nothing."""
    runtime = assemble(Settings(root=Path(root), secret=SECRET, database_url=database_url)).runtime
    print("ready", flush=True)
    begin = float(sys.stdin.readline())
    processes = [os.fork() or tick(runtime, begin, minute) for _ in range(count)]
    print(*processes, flush=True)
    sys.stdin.read()
    for process in processes:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def tick(runtime: Runtime, begin: float, minute: float) -> int:
    """As often as possible, for ever."""
    scheduler = Scheduler(runtime)
    while True:
        scheduler.tick(EPOCH + timedelta(minutes=(time.time() - begin) / minute))
        time.sleep(minute / 10)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
