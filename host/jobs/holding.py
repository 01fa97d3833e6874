"""A thread of each worker: it renews the lease of the job that runs, and ends the process when its supervisor is gone."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

from host.jobs.claims import RENEW_SECONDS, renew
from host.service.runtime import Runtime

TICK_SECONDS: Final = 1.0
log = logging.getLogger("hostwright")


class Holder:
    """Holds what the worker says it runs. `parent` is the process without which it has no business here."""

    def __init__(self, runtime: Runtime, parent: int) -> None:
        self._runtime, self._parent = runtime, parent
        self._held: tuple[str, int] | None = None
        self._renew_at = 0.0

    def start(self) -> None:
        """Begin, in a thread that ends with the process."""
        Thread(target=self._run, name="hostwright-lease", daemon=True).start()

    @contextmanager
    def holding(self, job: str, attempt: int) -> Iterator[None]:
        """Renew the lease of this try until the block ends."""
        self._renew_at = time.monotonic() + RENEW_SECONDS
        self._held = (job, attempt)
        try:
            yield
        finally:
            self._held = None

    def _run(self) -> None:
        pause = Event()
        while not pause.wait(TICK_SECONDS):
            if os.getppid() != self._parent:
                os._exit(1)  # whoever restarts the supervisor starts its workers, too
            held = self._held
            if held is not None and time.monotonic() >= self._renew_at:
                self._renew(*held)

    def _renew(self, job: str, attempt: int) -> None:
        try:
            if not renew(self._runtime, job, attempt) and self._held == (job, attempt):
                log.warning("the job %s has been taken away from this worker", job)
        except Exception as error:  # whatever the database has; there is time for another try
            log.info("the lease of a job was not renewed (%s)", type(error).__name__)
            return
        self._renew_at = time.monotonic() + RENEW_SECONDS
