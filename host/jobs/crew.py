"""The processes of one supervisor put together: the workers, and beside them the keeper.

`hostwright worker` runs it; `hostwright scheduler` is one without workers.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from host.jobs.bench import Bench
from host.jobs.dispatching import Dispatcher
from host.jobs.holding import Holder
from host.jobs.keeper import Duty, Keeper, Loop
from host.jobs.processes import BEAT_SECONDS, Presence, process_name
from host.jobs.queues import handover, open_redis
from host.jobs.reaping import reap, settle
from host.jobs.redis_server import Ladder
from host.jobs.relay import relay
from host.jobs.slots import Slots
from host.jobs.supervisor import Losses, Role, Supervisor
from host.jobs.waking import Ear
from host.jobs.worker import work_from_queue, work_from_table
from host.service.runtime import Runtime
from host.settings import Settings

REAP_SECONDS: Final = 3.0
TIDY_SECONDS: Final = 5.0


class Bell:
    """A pipe by which the keeper rouses workers that look into the job table themselves."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        for end in (self._reading, self._writing):
            os.set_blocking(end, False)

    def ring(self, times: int) -> None:
        """Rouse so many."""
        with suppress(BlockingIOError):  # they have enough to wake up for
            os.write(self._writing, b"!" * times)

    def wait(self, seconds: float) -> None:
        """Sleep until it rings, at most so long."""
        select.select([self._reading], [], [], seconds)
        with suppress(BlockingIOError):  # another one was faster
            os.read(self._reading, 1)


@dataclass(frozen=True)
class Crew:
    """`queues` are the host queues whose jobs are taken, all where none is named; `loops` run beside the workers."""

    runtime: Runtime
    settings: Settings
    concurrency: int
    queues: tuple[str, ...] = ()
    loops: Sequence[Loop] = ()
    schedules: bool = False  # whether one of the loops is the scheduler

    @property
    def handed_by(self) -> str:
        """For people: what hands jobs to the workers."""
        ladder = Ladder.of(self.settings)
        if not ladder.url:
            return "without Redis, they look into the job table themselves"
        return "Redis hands them over" if ladder.server is None else "a Redis of their own hands them over"

    def supervisor(self, parent: int | None = None) -> Supervisor:
        """Everything, not started yet. Called in the process that is to be the supervisor."""
        slots, losses, bell = Slots(self.concurrency), Losses(), Bell()
        ladder = Ladder.of(self.settings) if self.concurrency else Ladder("")
        mine = os.getpid()
        roles = [
            Role(name=f"worker {slot + 1}", slot=slot, work=partial(self._work, ladder.url, slots, slot, bell, mine))
            for slot in range(self.concurrency)
        ]  # fmt: skip
        keeping = Role(
            name="the keeper of the workers", work=partial(self._keep, ladder.url, losses, bell, mine)
        )
        return Supervisor(
            roles=[keeping, *roles], slots=slots, tell=losses.tell, server=ladder.server, parent=parent,
            stop_seconds=self.settings.jobs.stop_seconds,
        )  # fmt: skip

    def _work(self, url: str, slots: Slots, slot: int, bell: Bell, supervisor: int) -> None:
        """The life of a worker process."""
        holder = Holder(self.runtime, supervisor)
        holder.start()
        name = f"{process_name('worker')}-{slot + 1}"
        bench = Bench(self.runtime, slots, slot, holder, name, self.settings.jobs.kill_seconds)
        try:
            if url:
                work_from_queue(handover(self.settings, url, self.queues), bench.carry_out)
            else:
                work_from_table(partial(bench.take, self.queues), bell.wait)
        finally:
            if self.runtime.exporter is not None:
                self.runtime.exporter.close()

    def _keep(self, url: str, losses: Losses, bell: Bell, supervisor: int) -> None:
        """The life of the keeper's process."""
        ear = Ear(self.settings, open_redis(url) if url else None)
        ear.listen()
        presences = self._presences(supervisor)
        fill, tidy = self._handing_over(url, bell)
        duties = [
            Duty("jobs of workers that died", partial(self._settle, losses), 0),
            Duty("jobs whose lease has run out", partial(reap, self.runtime), REAP_SECONDS),
            Duty("the order of events", partial(relay, self.runtime), 0),
            *([Duty("what is left in Redis", tidy, TIDY_SECONDS)] if tidy is not None else []),
            *(
                Duty("telling that workers are there", partial(it.beat, self.runtime), BEAT_SECONDS)
                for it in presences
            ),
        ]
        Keeper(
            fill=Duty("handing jobs to workers", fill, 0), duties=duties, ear=ear, loops=self.loops,
            is_wanted=lambda: os.getppid() == supervisor,
        ).run()  # fmt: skip
        for presence in presences:
            presence.leave(self.runtime)
        ear.close()

    def _settle(self, losses: Losses) -> None:
        for job, attempt, why in losses.take():
            settle(self.runtime, job, attempt, why)

    def _handing_over(self, url: str, bell: Bell) -> tuple[Callable[[], bool], Callable[[], None] | None]:
        if url:
            dispatcher = Dispatcher(
                self.runtime, handover(self.settings, url, self.queues), self.queues, self.concurrency
            )
            return dispatcher.fill, dispatcher.tidy

        def ring() -> bool:
            bell.ring(self.concurrency)
            return False

        return ring, None

    def _presences(self, supervisor: int) -> Sequence[Presence]:
        found = []
        if self.concurrency:
            name = process_name("worker", supervisor)
            found.append(Presence(name=name, kind="worker", queues=self.queues, concurrency=self.concurrency))
        if self.schedules:
            found.append(Presence(name=process_name("scheduler", supervisor), kind="scheduler"))
        return found
