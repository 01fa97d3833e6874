"""The signal from whoever has enqueued a job to the dispatchers: over Redis, or on one machine over a unix socket.

It is sent in a request, so it waits for nobody: no answer is read, and while the other side is away nothing is tried but by a
thread now and then. A signal that is lost costs a second: dispatchers look into the job table that often anyway.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import weakref
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Final

from host.jobs.sockets import leave_folder, socket_folder, socket_place
from host.service.waking import Waker
from host.settings import Settings

if TYPE_CHECKING:
    from redis import Redis

SOCKET: Final = "wake.sock"
SEND_SECONDS: Final = 0.01
CONNECT_SECONDS: Final = 2.0
FIRST_PAUSE: Final = 0.02
LONGEST_PAUSE: Final = 5.0
log = logging.getLogger("hostwright")


def open_waker(settings: Settings) -> Waker:
    """What a process that enqueues wakes dispatchers with. Connects to nothing yet."""
    if settings.redis.url:
        return RedisWaker(settings.redis.url, channel(settings))
    return SocketWaker(settings)


def channel(settings: Settings) -> str:
    """Where dispatchers listen in Redis."""
    return f"{settings.redis.prefix}:wake"


class SocketWaker:
    """Wakes the dispatcher that listens under `var/`, if there is one."""

    def __init__(self, settings: Settings) -> None:
        self._path = str(socket_place(settings.var) / SOCKET)
        self._socket: socket.socket | None = None

    def wake(self) -> None:
        """There may be work."""
        sending = self._socket or self._open()
        with suppress(OSError):  # nobody listens, or has heard enough to wake up for
            sending.sendto(b"!", self._path)

    def _open(self) -> socket.socket:
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        opened.setblocking(False)
        weakref.finalize(self, opened.close)  # an app is given up, not closed
        self._socket = opened
        return opened


class RedisWaker:
    """Wakes every dispatcher that listens in Redis."""

    def __init__(self, url: str, name: str) -> None:
        self._url, self._name = url, name
        self._lock = Lock()
        self._connection: Any = None  # redis-py gives its connections no types
        self._process = 0
        self._is_connecting = False
        self._signal = b""

    def wake(self) -> None:
        """There may be work."""
        if not self._lock.acquire(timeout=SEND_SECONDS):
            return
        try:
            if self._process != os.getpid():
                self._process, self._connection, self._is_connecting = os.getpid(), None, False
            if self._connection is not None:
                self._send(self._connection)
            elif not self._is_connecting:
                self._connect_soon()
        finally:
            self._lock.release()

    def _send(self, connection: Any) -> None:
        try:
            connection.send_packed_command([self._signal], check_health=False)
        except Exception as error:  # whatever is wrong with Redis, the request goes on
            log.warning(
                "Redis cannot be used (%s): workers find new jobs a little later", type(error).__name__
            )
            self._connection = None
            self._connect_soon()

    def _connect_soon(self) -> None:
        self._is_connecting = True
        Thread(target=self._connect, name="hostwright-waker", daemon=True).start()

    def _connect(self) -> None:
        pause = FIRST_PAUSE
        while True:
            Event().wait(pause)
            try:
                connection = self._connected()
                # For the signals that nobody got.
                connection.send_packed_command([self._signal], check_health=False)
            except Exception:  # not yet
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            with self._lock:
                self._connection, self._is_connecting = connection, False
            return

    def _connected(self) -> Any:
        from redis import ConnectionPool  # only where something is enqueued

        pool = ConnectionPool.from_url(
            self._url, socket_timeout=CONNECT_SECONDS, socket_connect_timeout=CONNECT_SECONDS
        )
        connection: Any = pool.make_connection()
        connection.connect()
        connection.send_command("CLIENT", "REPLY", "OFF")
        self._signal = b"".join(connection.pack_command("PUBLISH", self._name, "!"))
        connection._sock.settimeout(SEND_SECONDS)
        return connection


class Ear:
    """What a dispatcher waits with: hears the unix socket of the site, if no other dispatcher does, and Redis, if it is given."""

    def __init__(self, settings: Settings, redis: Redis | None) -> None:
        self._settings = settings
        self._heard, self._hearing = socket.socketpair()
        self._socket: socket.socket | None = None
        self._path: Path | None = None
        self._redis = redis
        for end in (self._heard, self._hearing):
            end.setblocking(False)

    def listen(self) -> None:
        """Begin. What is heard before the first `wait` is not lost."""
        self._bind()
        if self._redis is not None:
            Thread(target=self._subscribe, args=(self._redis,), name="hostwright-ear", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait for a signal, at most so long; whether there was one. Signals that came together count as one."""
        if self._socket is None:
            self._bind()  # whoever listened may be gone
        sources = [self._heard, *([self._socket] if self._socket is not None else [])]
        ready, _, _ = select.select(sources, [], [], seconds)
        for source in ready:
            with suppress(BlockingIOError):
                while source.recv(64):
                    pass
        return bool(ready)

    def rouse(self) -> None:
        """End the waiting; also for a signal handler."""
        with suppress(BlockingIOError):
            self._hearing.send(b"!")

    def close(self) -> None:
        """Stop listening."""
        if self._socket is not None and self._path is not None:
            self._socket.close()
            self._path.unlink(missing_ok=True)
            leave_folder(self._settings.var)
        self._heard.close()
        self._hearing.close()

    def _bind(self) -> None:
        path = socket_folder(self._settings.var) / SOCKET
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listening.setblocking(False)
        try:
            listening.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):  # nobody is there, or no longer
            path.unlink(missing_ok=True)
            listening.bind(str(path))
            self._socket, self._path = listening, path
        else:
            listening.close()

    def _subscribe(self, redis: Any) -> None:
        from redis import RedisError

        pause = Event()
        while True:
            try:
                subscription: Any = redis.pubsub(ignore_subscribe_messages=True)
                with subscription:
                    subscription.subscribe(channel(self._settings))
                    for _ in subscription.listen():
                        self.rouse()
            except (RedisError, OSError):
                pause.wait(0.2)
