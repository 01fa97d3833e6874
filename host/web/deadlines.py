"""Deadlines for what a client sends: one that stalls or trickles bytes is cut off, so that it holds no thread.

A thread that waits for a socket cannot be told to stop, but the socket can be shut by another: one watching thread for each
process does. It works where the server shows its socket (gunicorn); others have means of their own, or a proxy in front.
"""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread

from host.database import deadline
from host.errors import RequestTimeout, UriTooLong
from host.web.http import Request
from host.web.steps import Arrival, Steps

SLOWEST = 16 * 1024  # bytes a second that a body has to come with, on the whole
MOST_URL = 8190
GUNICORN_SOCKET = "gunicorn.socket"


class Watch:
    """Shuts sockets whose time has passed. The thread begins with the first socket, also in a forked process."""

    def __init__(self, interval: float = 0.5) -> None:
        self._interval = interval
        self._ends: dict[object, tuple[float, socket.socket]] = {}
        self._any = Event()
        self._starting = Lock()
        self._process = 0

    def begin(self, connection: socket.socket, seconds: float) -> object:
        """Give a socket so many seconds; what is answered ends it."""
        if self._process != os.getpid():
            self._start()
        token = object()
        self._ends[token] = (time.monotonic() + seconds, connection)
        if not self._any.is_set():
            self._any.set()
        return token

    def end(self, token: object) -> bool:
        """The socket may go on. False when it was shut before."""
        return self._ends.pop(token, None) is not None

    def _start(self) -> None:
        with self._starting:
            if self._process != os.getpid():
                self._process = os.getpid()
                Thread(target=self._run, name="hostwright-deadlines", daemon=True).start()

    def _run(self) -> None:
        while True:
            self._any.wait()
            time.sleep(self._interval)
            self._shut_late()
            if not self._ends:
                self._any.clear()
                if self._ends:  # one came in between
                    self._any.set()

    def _shut_late(self) -> None:
        now = time.monotonic()
        for token, (end, connection) in list(self._ends.items()):
            if end < now and self._ends.pop(token, None) is not None:
                with suppress(OSError):  # gone by itself
                    connection.shutdown(socket.SHUT_RD)


@dataclass(slots=True)
class TimedBody:
    """Reads a body within its time: so many seconds, and more for what is large. Raises RequestTimeout beyond."""

    watch: Watch
    connection: socket.socket
    read_plain: Callable[[int], bytes]
    seconds: float

    def read(self, size: int) -> bytes:
        """At most so many bytes; fewer only at the end."""
        token = self.watch.begin(self.connection, self.seconds + size / SLOWEST)
        try:
            data = self.read_plain(size)
        finally:
            is_in_time = self.watch.end(token)
        if not is_in_time:
            raise RequestTimeout("the body did not come in time")
        return data


def timed_bodies(seconds: float, watch: Watch) -> Arrival:
    """The step that gives bodies their time, where there is a body and a socket to shut."""

    def arrive(request: Request) -> None:
        if request.length == 0:
            return
        connection = request.environ.get(GUNICORN_SOCKET)
        if connection is not None:
            request.read = TimedBody(watch, connection, request.read, seconds).read

    return arrive


def timed_requests(seconds: float) -> Steps:
    """The steps that give a request its whole time; what turns to the database after it is answered 503."""
    return Steps(
        arrivals=(lambda request: deadline.begin(seconds),),
        departures=(lambda request, answer: deadline.begin(math.inf),),  # the thread goes on
    )


def short_urls(request: Request) -> None:
    """The step that refuses a path and query longer than any that the host makes; some servers take much longer ones."""
    if len(request.query) + len(request.path) > MOST_URL:
        raise UriTooLong(f"path and query may have at most {MOST_URL} characters together")
