"""Where the numbers of a process are kept: in its memory, or in a file that the other processes of the machine read.

A process takes a file that no living process has and goes on from what stands in it, so that nothing that was counted is lost
with a process that died, and there are never more files than there were processes at once. Locks are the kernel's: they end with
their holder. What gauges said ends with it too.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

from host.errors import ConfigurationError
from host.metrics.definitions import METRICS

MOST_PROCESSES: Final = 512
ROOM: Final = 2 << 20  # for some 16,000 numbers, about those of a thousand routes
GAUGES: Final = frozenset(metric.name for metric in METRICS if metric.kind == "gauge")


class Store(Protocol):
    """Numbers by key; a key begins with the name of its metric."""

    def open(self) -> None:
        """Begin to write, in this process."""

    def read(self, key: str) -> float:
        """What this process goes on from."""

    def write(self, key: str, value: float) -> None:
        """Keep a number."""

    def all(self) -> Iterator[tuple[str, float]]:
        """What every process keeps; a key comes once for each."""

    def close(self) -> None:
        """This process counts no more."""


class MemoryStore:
    """For one process."""

    def __init__(self) -> None:
        self._values: dict[str, float] = {}

    def open(self) -> None:
        """Nothing to do."""

    def read(self, key: str) -> float:
        """What was written last."""
        return self._values.get(key, 0.0)

    def write(self, key: str, value: float) -> None:
        """Keep a number."""
        self._values[key] = value

    def all(self) -> Iterator[tuple[str, float]]:
        """Every number."""
        return iter(list(self._values.items()))

    def close(self) -> None:
        """Nothing to do."""


class FileStore:
    """For the processes that share a folder. Whoever opens it first, when all others have ended, empties it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._values: Any = None
        self._lock: int | None = None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.stat().st_uid != os.getuid():  # somebody else's, in a folder that all share
                raise PermissionError(0, "it belongs to somebody else")
            self._alive = os.open(folder / "alive", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(f"metrics cannot be kept in {folder}: {error.strerror}") from None
        # Processes that are forked hold this lock with their parent.
        if _locked(self._alive, fcntl.LOCK_EX):
            self._empty()
        fcntl.flock(self._alive, fcntl.LOCK_SH)

    def open(self) -> None:
        """Take a file. What the parent has taken stays the parent's."""
        self._leave()
        for number in range(MOST_PROCESSES):
            path = self._folder / f"{number}.db"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if _locked(descriptor, fcntl.LOCK_EX):  # it stays open, and locked, as long as the process lives
                self._lock = descriptor
                _reserve(descriptor)
                self._values = _opened(path)
                return
            os.close(descriptor)
        raise ConfigurationError(f"more than {MOST_PROCESSES} processes keep metrics in {self._folder}")

    def read(self, key: str) -> float:
        """What stands in the file."""
        return float(self._mine.read_value(key)[0])

    def write(self, key: str, value: float) -> None:
        """Keep a number; it is safe from the death of this process at once."""
        self._mine.write_value(key, value, 0.0)

    def all(self) -> Iterator[tuple[str, float]]:
        """What stands in every file."""
        read = _dictionary().read_all_values_from_file
        for path in sorted(self._folder.glob("*.db")):
            lives = _has_owner(path)
            if path.stat().st_size == 0:
                continue
            for key, value, _, _ in read(str(path)):
                if lives or not _is_gauge(key):
                    yield key, value

    def close(self) -> None:
        """This process counts no more."""
        self._leave()
        os.close(self._alive)

    @property
    def _mine(self) -> Any:
        if self._values is None:
            self.open()
        return self._values

    def _leave(self) -> None:
        if self._values is not None:
            self._values.close()
        if self._lock is not None:
            os.close(self._lock)
        self._values = self._lock = None

    def _empty(self) -> None:
        for path in self._folder.glob("*.db"):
            os.truncate(path, 0)  # never removed: somebody might be about to lock it


def _reserve(descriptor: int) -> None:
    """Take the room on the disk now: a process that writes into a file that has none is killed by the kernel."""
    size = max(os.fstat(descriptor).st_size, ROOM)
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.ftruncate(descriptor, size)


def _opened(path: Path) -> Any:
    values = _dictionary()(str(path))
    for key, _, _ in list(values.read_all_values()):
        if _is_gauge(key):
            values.write_value(key, 0.0, 0.0)
    return values


def _dictionary() -> Any:
    """The library's dictionary in a file, which has no types."""
    from prometheus_client.mmap_dict import MmapedDict  # only what serves has metrics

    return MmapedDict


def _is_gauge(key: str) -> bool:
    return orjson.loads(key)[0] in GAUGES


def _has_owner(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return not _locked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
