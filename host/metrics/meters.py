"""What is counted while it happens. One object for each app; it costs a request a few microseconds."""

from __future__ import annotations

import logging
import os
from bisect import bisect_left
from threading import Lock

import orjson

from host.errors import ConfigurationError
from host.metrics.definitions import ATTEMPTS, CONNECTIONS, LATENCY, REQUESTS, RUN_TIME, WAIT, Metric
from host.metrics.store import MemoryStore, Store

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
OTHER = "other"
log = logging.getLogger("hostwright")


class Number:
    """A counter or a gauge with certain labels."""

    __slots__ = ("_key", "_store", "_value")

    def __init__(self, store: Store, metric: Metric, labels: tuple[str, ...]) -> None:
        self._store, self._key = store, key_of(metric.name, "", labels)
        self._value = store.read(self._key)

    def add(self) -> None:
        """One more."""
        self._value += 1.0
        self._store.write(self._key, self._value)

    def set(self, value: float) -> None:
        """So many now."""
        self._value = value
        self._store.write(self._key, value)


class Histogram:
    """A histogram with certain labels. A bucket holds what fell into it alone; they are added up when they are told."""

    __slots__ = ("_bounds", "_buckets", "_keys", "_store", "_sum", "_sum_key")

    def __init__(self, store: Store, metric: Metric, labels: tuple[str, ...]) -> None:
        self._store, self._bounds = store, metric.buckets
        self._keys = [key_of(metric.name, str(number), labels) for number in range(len(metric.buckets) + 1)]
        self._sum_key = key_of(metric.name, "sum", labels)
        self._buckets = [store.read(key) for key in self._keys]
        self._sum = store.read(self._sum_key)

    def add(self, value: float) -> None:
        """One more observation."""
        number = bisect_left(self._bounds, value)
        self._buckets[number] += 1.0
        self._sum += value
        self._store.write(self._sum_key, self._sum)
        self._store.write(self._keys[number], self._buckets[number])


class Meters:
    """The counters of an app. A process that was forked begins with numbers of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = Lock()
        self._process = 0
        self._requests: dict[tuple[str, str, int], tuple[Number, Histogram]] = {}
        self._numbers: dict[tuple[str, ...], Number] = {}
        self._histograms: dict[tuple[str, ...], Histogram] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request has been answered. `route` is a path as declared, so that there are only so many."""
        with self._lock:
            if self._process != os.getpid():
                self._begin()
            known = self._requests.get((method, route, status))
            if known is None:
                known = self._new_request(method, route, status)
            known[0].add()
            known[1].add(seconds)

    def attempt(self, job: str, outcome: str, seconds: float | None = None) -> None:
        """A try of a job has ended: `done`, `failed`, `dead`, `crashed` or `cancelled`."""
        with self._lock:
            self._number(ATTEMPTS, (job, outcome)).add()
            if seconds is not None:
                self._histogram(RUN_TIME, (job,)).add(seconds)

    def waited(self, queue: str, seconds: float) -> None:
        """A try of a job has begun, so long after the job was due."""
        with self._lock:
            self._histogram(WAIT, (queue,)).add(max(seconds, 0.0))

    def connections(self, pool: str, taken: int, idle: int) -> None:
        """How many connections there are now."""
        with self._lock:
            self._number(CONNECTIONS, (pool, "taken")).set(taken)
            self._number(CONNECTIONS, (pool, "idle")).set(idle)

    def values(self) -> dict[str, float]:
        """What all processes have counted together."""
        found: dict[str, float] = {}
        for key, value in self.store.all():
            found[key] = found.get(key, 0.0) + value
        return found

    def _new_request(self, method: str, route: str, status: int) -> tuple[Number, Histogram]:
        said = method if method in METHODS else OTHER
        made = self._number(REQUESTS, (said, route, str(status))), self._histogram(LATENCY, (said, route))
        if said is method:  # there is no end of other words
            self._requests[(method, route, status)] = made
        return made

    def _number(self, metric: Metric, labels: tuple[str, ...]) -> Number:
        self._own()
        known = self._numbers.get((metric.name, *labels))
        if known is None:
            known = self._numbers[(metric.name, *labels)] = Number(self.store, metric, labels)
        return known

    def _histogram(self, metric: Metric, labels: tuple[str, ...]) -> Histogram:
        self._own()
        known = self._histograms.get((metric.name, *labels))
        if known is None:
            known = self._histograms[(metric.name, *labels)] = Histogram(self.store, metric, labels)
        return known

    def _own(self) -> None:
        if self._process != os.getpid():
            self._begin()

    def _begin(self) -> None:
        self._requests, self._numbers, self._histograms = {}, {}, {}
        self._process = os.getpid()
        try:
            self.store.open()
        except (OSError, ConfigurationError) as error:  # the disk is full
            log.warning("this process counts for itself: %s", error)
            self.store = MemoryStore()


def key_of(name: str, part: str, labels: tuple[str, ...]) -> str:
    """The key of a number; `part` is empty, a histogram's `sum`, or the number of its bucket."""
    return orjson.dumps([name, part, *labels]).decode()
