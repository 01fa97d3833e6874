"""The parent of the processes that carry jobs out: it starts them, starts again what dies, and kills what hangs.

It forks them from itself after the site has been loaded, so that they share memory and a new one begins at once. It has no
thread and no connection of its own, which a fork would break.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from host.jobs.slots import Occupation, Slots

if TYPE_CHECKING:
    from host.jobs.redis_server import RedisServer

TICK_SECONDS: Final = 0.5
STEADY_SECONDS: Final = 10.0  # who has lived so long is started again at once
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
ONE_SIGNAL_SECONDS: Final = 1.0  # within which a terminal and a parent may both say the same
LAST_SECONDS: Final = 5.0  # given to what is no worker
Why = Literal["died", "timeout", "stopped"]
log = logging.getLogger("hostwright")


@dataclass(frozen=True, kw_only=True)
class Role:
    """What a child does until it gets SIGTERM. Workers have a slot, and are stopped first."""

    name: str
    work: Callable[[], None]
    slot: int | None = None


@dataclass(eq=False)
class Child:
    """A place among the children, with the process that holds it now."""

    role: Role
    process: int | None = None
    begun_at: float = 0.0
    pause: float = FIRST_PAUSE
    next_at: float = 0.0


@dataclass(eq=False, kw_only=True)
class Supervisor:
    """Runs until SIGTERM or SIGINT, or until the process `parent` is gone. `tell` gets the jobs that a process has died of."""

    roles: Sequence[Role]
    slots: Slots
    tell: Callable[[Occupation, Why], None] = lambda lost, why: None
    server: RedisServer | None = None
    parent: int | None = None
    stop_seconds: float = 30
    last_seconds: float = LAST_SECONDS
    _children: list[Child] = field(default_factory=list)
    _signals: int = 0
    _heard_at: float = 0.0

    def run(self) -> None:
        """Start everything, and keep it running."""
        self._children = [Child(role) for role in self.roles]
        gc.collect()
        gc.freeze()  # what is shared stays shared
        hearing, heard = os.pipe()
        for end in (hearing, heard):
            os.set_blocking(end, False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, self._note)
        signal.set_wakeup_fd(heard, warn_on_full_buffer=False)
        try:
            while not self._signals and not self._is_orphan():
                self._tend()
                self._rest(hearing)
        finally:
            self._stop()

    def _note(self, number: int, _frame: Any) -> None:
        now = time.monotonic()
        if number != signal.SIGCHLD and now - self._heard_at > ONE_SIGNAL_SECONDS:
            self._signals, self._heard_at = self._signals + 1, now

    def _is_orphan(self) -> bool:
        return self.parent is not None and os.getppid() != self.parent

    def _rest(self, hearing: int) -> None:
        """Until a child ends, a signal comes or it is time to look again."""
        due = [child.next_at - time.monotonic() for child in self._children if child.process is None]
        seconds = max(0.0, min([TICK_SECONDS, *due]))
        if select.select([hearing], [], [], seconds)[0]:
            os.read(hearing, 4096)

    def _tend(self) -> None:
        if self.server is not None:
            self.server.ensure()
        for child in self._children:
            self._look_after(child)
            if child.process is None and time.monotonic() >= child.next_at:
                self._start(child)
            else:
                self._kill_overdue(child)

    def _start(self, child: Child) -> None:
        child.begun_at = time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if process == 0:
            _become(child.role)
        child.process = process

    def _look_after(self, child: Child) -> None:
        """Notice that it has ended, and when it may begin again."""
        if child.process is None:
            return
        process, status = os.waitpid(child.process, os.WNOHANG)
        if process == 0:
            return
        child.process = None
        lived = time.monotonic() - child.begun_at
        child.pause = FIRST_PAUSE if lived > STEADY_SECONDS else min(child.pause * 2, LONGEST_PAUSE)
        child.next_at = time.monotonic() + (0 if lived > STEADY_SECONDS else child.pause)
        self._report(child, os.waitstatus_to_exitcode(status))

    def _report(self, child: Child, code: int) -> None:
        if not self._signals:
            log.warning("%s ended with status %s and is started again", child.role.name, code)
        if child.role.slot is None:
            return
        lost = self.slots.read(child.role.slot)
        self.slots.clear(child.role.slot)
        if lost is not None:
            is_late = time.monotonic() > lost.ends_at
            self.tell(lost, "timeout" if is_late else "stopped" if self._signals else "died")

    def _kill_overdue(self, child: Child) -> None:
        if child.role.slot is None or child.process is None:
            return
        doing = self.slots.read(child.role.slot)
        if doing is not None and time.monotonic() > doing.ends_at:
            log.error("%s is killed: the job %s does not end", child.role.name, doing.job)
            os.kill(child.process, signal.SIGKILL)

    def _stop(self) -> None:
        """Workers first: what they run may still end. A second signal makes it short."""
        self._signals = max(self._signals, 1)
        self._end([child for child in self._children if child.role.slot is not None], self.stop_seconds)
        self._end([child for child in self._children if child.role.slot is None], self.last_seconds)
        if self.server is not None:
            self.server.stop()

    def _end(self, children: Sequence[Child], seconds: float) -> None:
        until = time.monotonic() + seconds
        for child in children:
            if child.process is not None:
                os.kill(child.process, signal.SIGTERM)
        while any(child.process for child in children):
            for child in children:
                self._look_after(child)
                if child.process is not None and (time.monotonic() > until or self._signals > 1):
                    os.kill(child.process, signal.SIGKILL)
            time.sleep(0.02)


class Losses:
    """A pipe on which the supervisor tells of jobs whose process has died; whoever holds the other end settles them."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        for end in (self._reading, self._writing):
            os.set_blocking(end, False)

    def tell(self, lost: Occupation, why: Why) -> None:
        """Called by the supervisor. When nobody reads, the lease of the job tells as well, a little later."""
        line = json.dumps([lost.job, lost.attempt, why])
        try:
            os.write(self._writing, f"{line}\n".encode())
        except BlockingIOError:
            log.warning("nobody settles the jobs of workers that died")

    def take(self) -> list[tuple[str, int, Why]]:
        """What has been told since."""
        try:
            lines = os.read(self._reading, 65536).decode().splitlines()
        except BlockingIOError:
            return []
        found = map(json.loads, lines)
        return [(job, attempt, why) for job, attempt, why in found]


def _become(role: Role) -> None:
    """In the child: do the work, and never come back into the supervisor's code."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the supervisor, which says SIGTERM
        role.work()
        code = 0
    except Exception:
        log.exception("%s failed", role.name)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
