"""Telling whoever carries jobs out that there is work. A signal that is lost costs a moment: the job table is the truth."""

from __future__ import annotations

from threading import Event
from typing import Protocol


class Waker(Protocol):
    """Called after the commit of every transaction that has enqueued something; must be quick and must not raise."""

    def wake(self) -> None:
        """There may be work."""


class LocalWaker:
    """Wakes the threads of this process."""

    def __init__(self) -> None:
        self._event = Event()

    def wake(self) -> None:
        """There may be work."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait for a signal, at most so long; whether there was one."""
        was_set = self._event.wait(seconds)
        self._event.clear()
        return was_set
