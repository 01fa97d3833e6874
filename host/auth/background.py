"""Work that nobody waits for, in one thread of the process that is begun when it is first wanted.

`recovery` has done there what must not take longer for one caller than for another: whether an address has an account.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time
from collections.abc import Callable

from host.errors import Unavailable

MOST_WAITING = 1000
LAST_SECONDS = 10.0  # given to what still waits when the process ends
log = logging.getLogger("hostwright")


class Background:
    """A bounded queue and its thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._process = 0
        self._waiting: queue.Queue[Callable[[], None]] = queue.Queue(MOST_WAITING)

    def do(self, work: Callable[[], None]) -> None:
        """Have something done soon. Raises Unavailable when too much waits."""
        self._start()
        try:
            self._waiting.put_nowait(work)
        except queue.Full:
            raise Unavailable("too much is waiting; try again later") from None

    def flush(self, seconds: float = LAST_SECONDS) -> bool:
        """Wait until everything has been done; whether that is so."""
        deadline = time.monotonic() + seconds
        with self._waiting.all_tasks_done:
            while self._waiting.unfinished_tasks:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._waiting.all_tasks_done.wait(left)
        return True

    def _start(self) -> None:
        """One thread for each process; a forked one has to begin its own."""
        with self._lock:
            if self._process == os.getpid():
                return
            self._process, self._waiting = os.getpid(), queue.Queue(MOST_WAITING)
            threading.Thread(target=self._run, args=(self._waiting,), name=self._name, daemon=True).start()
            atexit.register(self.flush)

    def _run(self, waiting: queue.Queue[Callable[[], None]]) -> None:
        while True:
            work = waiting.get()
            try:
                work()
            except Exception:  # one failure does not end the thread
                log.exception("work in the background (%s) failed", self._name)
            finally:
                del work  # may hold an app that is gone by the next one
                waiting.task_done()
