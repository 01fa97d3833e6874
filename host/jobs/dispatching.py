"""From the job table into the RQ queue: in bounded batches, so that the order stays the table's, by any number of dispatchers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from host.jobs.claims import DISPATCH_SECONDS, Chosen, choose, queues_with_jobs
from host.jobs.queues import Entry, Handover
from host.jobs.statements import kept, listed, listing, own_transaction, value
from host.jobs.window import Window
from host.service.jobs import among
from host.service.runtime import Runtime


class Dispatcher:
    """Fills the queue of one group of workers. `queues` are the host queues of the group; none means all."""

    def __init__(self, runtime: Runtime, handover: Handover, queues: Sequence[str], workers: int) -> None:
        self._runtime, self._handover, self._workers = runtime, handover, workers
        self._chosen = tuple(queues)
        self._queues = list(queues) or queues_with_jobs(runtime)
        self._window = Window(workers)
        self._active: set[str] = set()  # queues in which there was something the last time
        self._between: set[str] = set()

    def fill(self) -> bool:
        """Hand over as many jobs as there is room for; whether more are waiting. Raises RedisError where Redis is away."""
        room = self._window.room(self._handover.length())
        if room == 0:
            return True
        chosen, is_full = self._choose(room)
        if chosen:
            self._handover.push(Entry(it.id, it.attempt) for it in chosen)
            self._window.filled(is_full=is_full)
        return is_full

    def _choose(self, room: int) -> tuple[list[Chosen], bool]:
        """The same number of each queue in which jobs wait, so that a full one does not keep the others waiting."""
        found: list[Chosen] = []
        is_full = False
        share, least = room // max(1, len(self._active)), max(1, room // max(1, len(self._queues)))
        active = set()
        for queue in self._queues:
            most = max(share, least) if queue in self._active else least
            chosen = choose(self._runtime, queue, most)
            is_full = is_full or len(chosen) == most
            found += chosen
            if chosen:
                active.add(queue)
        self._active = active
        return found, is_full

    def tidy(self) -> None:
        """Now and then: jobs that still wait in Redis are not lost, and what dead workers left there is forgotten."""
        if not self._chosen:
            self._queues = queues_with_jobs(self._runtime)
        keep_dispatched(self._runtime, [entry.job for entry in self._handover.waiting()])
        between = self._handover.between()
        for text in between & self._between:
            self._handover.taken(text)
        self._between = between


def keep_dispatched(runtime: Runtime, jobs: Sequence[str]) -> None:
    """Give dispatched jobs more time to be claimed: they are still where workers find them."""
    if not jobs:
        return
    until = datetime.now(UTC) + timedelta(seconds=DISPATCH_SECONDS)
    statement = kept(runtime, "keep dispatched", lambda table: _keeping(runtime, table))
    with own_transaction(runtime) as driver:
        statement.run(driver, {"leased_until": until, "ids": listing(runtime, sorted(jobs))})


def _keeping(runtime: Runtime, table: sa.Table) -> Any:
    columns = table.c
    mine = [listed(runtime, columns.id, "ids", "uuid"), among(columns.state, ("dispatched",))]
    return table.update().where(*mine).values(leased_until=value(columns.leased_until))
