"""What a worker process does: it takes jobs, from RQ or out of the job table itself, and carries them out one by one.

There is no fork for a job: the process is warm, and the supervisor forks a new one when it dies. RQ hands over ids alone; its
results, registries, retries and heartbeats are not used, because the job table has all of that.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from redis import RedisError
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.queue import Queue
from rq.worker import WorkerStatus

from host.jobs.queues import Entry, Handover

BLOCKING_SECONDS: Final = 60
log = logging.getLogger("hostwright")
CarryOut = Callable[[Entry], None]


class RowWorker(SimpleWorker):
    """RQ's worker without what RQ keeps of jobs and workers."""

    max_connection_wait_time = 2.0  # between two tries while Redis is away
    handover: Handover
    carry_out: CarryOut

    @classmethod
    def of(cls, handover: Handover, carry_out: CarryOut) -> RowWorker:
        """The worker of a queue."""
        worker = cls(
            [handover.queue], connection=handover.redis, worker_ttl=BLOCKING_SECONDS, prepare_for_work=False,
            serializer="json", job_class=handover.job_class, queue_class=type(handover.queue), log_job_description=False,
        )  # fmt: skip
        worker.handover, worker.carry_out = handover, carry_out
        return worker

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Carry out one entry of the queue."""
        self._state = WorkerStatus.BUSY
        with suppress(RedisError):  # the row knows what has been taken
            self.handover.taken(job.id)
        entry = Entry.parse(job.id)
        if entry is not None:
            self.carry_out(entry)
        self._state = WorkerStatus.IDLE

    def _install_signal_handlers(self) -> None:
        signal.signal(signal.SIGTERM, self.request_stop)

    def request_stop(self, signum: Any, frame: Any) -> None:
        """SIGTERM: end what runs, and take no more."""
        self._stop_requested = True
        if self._state != WorkerStatus.BUSY:
            raise StopRequested

    def bootstrap(self, *_: Any, **__: Any) -> None:
        """RQ registers the worker, and listens for commands, which the job table has instead."""

    def teardown(self) -> None:
        """Nothing was registered."""

    def set_state(self, state: str, pipeline: Any = None) -> None:
        """Known to this process alone."""
        self._state = state

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """The lease of the row is renewed instead."""

    def run_maintenance_tasks(self) -> None:
        """Reapers look after the table."""

    def check_for_suspension(self, burst: bool) -> None:
        """RQ's own way to stop every worker; ours are stopped by their supervisor."""

    def procline(self, message: str) -> None:
        """Processes keep their names."""


def work_from_queue(handover: Handover, carry_out: CarryOut) -> None:
    """Carry out what the queue hands over, until SIGTERM. Returns early when RQ gives up; the supervisor starts it again."""
    saying = logging.getLogger("rq.worker")
    saying.setLevel(logging.WARNING)
    saying.addFilter(lambda record: "could not connect" not in str(record.msg))  # the keeper says so, once
    RowWorker.of(handover, carry_out).work()


def work_from_table(
    take: Callable[[], Sequence[Callable[[], None]]], wait: Callable[[float], None], seconds: float = 1.0
) -> None:
    """Carry out what `take` finds until SIGTERM; `wait` between two looks when there was nothing."""
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    while not stopping:
        try:
            found = take()
        except Exception:  # the database may be away
            log.warning("no job can be taken", exc_info=True)
            time.sleep(seconds)
            continue
        for carry_out in found:
            carry_out()
        if not found and not stopping:
            wait(seconds)
