"""The one process beside the workers of a supervisor: it hands jobs over, settles those of dead workers, and runs further loops.

Everything it does may be done by several at once, on any number of machines.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Final

from host.jobs.waking import Ear

log = logging.getLogger("hostwright")
BUSY_SECONDS: Final = 0.01
IDLE_SECONDS: Final = 1.0
Loop = Callable[[Event], None]


@dataclass(eq=False)
class Duty:
    """Something that is done every so often. What it cannot do now it does later; that is said once."""

    name: str
    do: Callable[[], Any]
    seconds: float
    _next_at: float = 0.0
    _is_failing: bool = False

    def attend(self) -> Any:
        """Do it when it is time; its answer, None when it is not time or failed."""
        now = time.monotonic()
        if now < self._next_at:
            return None
        self._next_at = now + self.seconds
        try:
            found = self.do()
        except Exception as error:  # Redis or the database is away
            level = logging.INFO if self._is_failing else logging.WARNING
            log.log(level, "%s: %s: %s", self.name, type(error).__name__, error)
            self._is_failing = True
            return None
        if self._is_failing:
            log.warning("%s: works again", self.name)
        self._is_failing = False
        return found


@dataclass(eq=False, kw_only=True)
class Keeper:
    """`fill` is attended to at every signal and at least every second; it answers whether more is waiting."""

    fill: Duty
    duties: Sequence[Duty]
    ear: Ear
    loops: Sequence[Loop] = ()
    is_wanted: Callable[[], bool] = lambda: True
    watches_signals: bool = True  # which the main thread of a process alone can do
    stop: Event = field(default_factory=Event)

    def run(self) -> None:
        """Until SIGTERM."""
        if self.watches_signals:
            signal.signal(signal.SIGTERM, self._stop)
        threads = [Thread(target=self._guarded, args=(loop,), daemon=True) for loop in self.loops]
        for thread in threads:
            thread.start()
        while not self.stop.is_set() and self.is_wanted():
            for duty in self.duties:
                duty.attend()
            is_busy = self.fill.attend()
            self.ear.wait(BUSY_SECONDS if is_busy else IDLE_SECONDS)
        self.stop.set()
        for thread in threads:
            thread.join(timeout=2)
        for duty in self.duties:
            if duty.seconds == 0:  # what came with the end
                duty.attend()

    def _stop(self, *_: Any) -> None:
        self.stop.set()
        self.ear.rouse()

    def _guarded(self, loop: Loop) -> None:
        """A loop that fails takes the process with it; the supervisor starts both again."""
        try:
            loop(self.stop)
        except Exception:
            log.exception("a loop beside the workers failed")
            self._stop()
