"""Where a worker carries out one job after the other, seen by its supervisor and held by its lease."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from host.errors import HostError, Unavailable
from host.jobs.claims import DISPATCH_SECONDS, Claimed, claim, queues_with_jobs, take
from host.jobs.execution import carry_out
from host.jobs.holding import Holder
from host.jobs.queues import Entry
from host.jobs.reaping import settle
from host.jobs.slots import Slots
from host.service.runtime import Runtime

UNKNOWN_SECONDS: Final = 60  # of a job that nobody declares any more; it ends at once
GIVE_BACK_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 0.2
Found = TypeVar("Found")
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
            claimed = patiently(
                DISPATCH_SECONDS, lambda: claim(self.runtime, entry.job, entry.attempt, self.name)
            )
        except HostError as error:  # somebody hands it over again, when the database is back
            log.warning("the job %s could not be begun: %s", entry.job, error.detail)
            return
        if claimed is not None:
            self._run(claimed)

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
            try:
                carry_out(self.runtime, claimed)
            except Exception:  # most likely the database was away when it ended
                log.exception("the job %s could not be ended", claimed.id)
                self._give_back(claimed)

    def _give_back(self, claimed: Claimed) -> None:
        """It begins again, and nothing is held against it: the database was at fault."""
        with self.slots.occupied(
            self.slot, claimed.id, claimed.attempt, GIVE_BACK_SECONDS + self.kill_seconds
        ):
            try:
                patiently(
                    GIVE_BACK_SECONDS, lambda: settle(self.runtime, claimed.id, claimed.attempt, "stopped")
                )
            except HostError as error:  # its lease runs out
                log.warning("the job %s could not be given back: %s", claimed.id, error.detail)


def patiently(seconds: float, do: Callable[[], Found]) -> Found:
    """Do it, and do it again while the database is away or busy, for so long. Raises Unavailable after that."""
    until = time.monotonic() + seconds
    while True:
        try:
            return do()
        except Unavailable:
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE_SECONDS)
