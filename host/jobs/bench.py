"""Where a worker carries out one job after the other, seen by its supervisor and held by its lease."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from host.jobs.claims import Claimed, claim, take
from host.jobs.dispatching import queues_with_jobs
from host.jobs.execution import carry_out
from host.jobs.holding import Holder
from host.jobs.queues import Entry
from host.jobs.slots import Slots
from host.service.runtime import Runtime

UNKNOWN_SECONDS = 60  # of a job that nobody declares any more; it ends at once
log = logging.getLogger("hostwright")


@dataclass(eq=False)
class Bench:
    """The place of one worker. `kill_seconds` after the time of its job its process may be killed."""

    runtime: Runtime
    slots: Slots
    slot: int
    holder: Holder
    name: str
    kill_seconds: float
    _turn: int = field(default=0)

    def carry_out(self, entry: Entry) -> None:
        """Carry out what a dispatcher has handed over, if it still counts."""
        try:
            claimed = claim(self.runtime, entry.job, entry.attempt, self.name)
            if claimed is not None:
                self._run(claimed)
        except Exception:  # the database is away: the lease runs out, and the job is taken up again
            log.exception("the job %s could not be begun or ended", entry.job)

    def take(self, queues: Sequence[str]) -> list[Callable[[], None]]:
        """Claim one job out of the table, of each queue in its turn; what carries it out, or nothing."""
        names = list(queues) or queues_with_jobs(self.runtime)
        for number in range(len(names)):
            queue = names[(self._turn + number) % len(names)]
            claimed = take(self.runtime, queue, worker=self.name)
            if claimed:
                self._turn += number + 1
                return [partial(self._run, it) for it in claimed]
        return []

    def _run(self, claimed: Claimed) -> None:
        task = self.runtime.tasks.get(claimed.name)
        seconds = (task.timeout if task is not None else UNKNOWN_SECONDS) + self.kill_seconds
        with (
            self.slots.occupied(self.slot, claimed.id, claimed.attempt, seconds),
            self.holder.holding(claimed.id, claimed.attempt),
        ):
            carry_out(self.runtime, claimed)
