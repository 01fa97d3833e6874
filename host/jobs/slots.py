"""What each worker is doing, in memory that the supervisor shares with its children: it has to know when a worker dies of a job.

A worker writes its own slot alone; the supervisor reads them, and nobody waits.
"""

from __future__ import annotations

import mmap
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

_SLOT: Final = struct.Struct("=dI64s")


@dataclass(frozen=True)
class Occupation:
    """A job that a worker runs; `ends_at`, on the monotonic clock, is when its process may be killed."""

    job: str
    attempt: int
    ends_at: float


class Slots:
    """A slot for each worker; to be made before they are forked."""

    def __init__(self, number: int) -> None:
        self._memory = mmap.mmap(-1, max(1, number) * _SLOT.size)

    def read(self, slot: int) -> Occupation | None:
        """What a worker does, if anything."""
        ends_at, attempt, job = _SLOT.unpack_from(self._memory, slot * _SLOT.size)
        name = job.rstrip(b"\0").decode("ascii", "replace")
        return Occupation(name, attempt, ends_at) if ends_at else None

    def clear(self, slot: int) -> None:
        """It does nothing."""
        _SLOT.pack_into(self._memory, slot * _SLOT.size, 0.0, 0, b"")

    @contextmanager
    def occupied(self, slot: int, job: str, attempt: int, seconds: float) -> Iterator[None]:
        """It runs this job, for at most so many seconds."""
        _SLOT.pack_into(
            self._memory, slot * _SLOT.size, time.monotonic() + seconds, attempt, job.encode("ascii")
        )
        try:
            yield
        finally:
            self.clear(slot)
