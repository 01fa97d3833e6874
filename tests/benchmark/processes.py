"""Servers as process trees, and what they cost: CPU time of a tree, read from the kernel's clocks."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.serving import free_port

WORKERS = 2
THREADS = 4


@dataclass(frozen=True)
class Server:
    """A running web server."""

    port: int
    pid: int


def tree(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


def cpu_seconds(pids: list[int]) -> float:
    """Return user and system time of the processes, exact to the nanosecond.

    The kernel numbers the CPU clock of process p as `~p << 3 | 2`; /proc/p/stat has the same in 10 ms ticks.
    """
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)


def proportional_memory(pid: int) -> int:
    """Return the proportional set size of one process in bytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def command(kind: str, target: str, port: int) -> list[str]:
    """Return how to serve a WSGI target: the same options for both sides."""
    folder = Path(sys.executable).parent
    gunicorn = [
        *(folder / "gunicorn", target, "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"),
        *("--workers", WORKERS, "--threads", THREADS, "--no-control-socket", "--log-level", "warning"),
    ]
    granian = [
        *(folder / "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", port),
        *("--workers", WORKERS, "--blocking-threads", THREADS, "--no-log", target),
    ]
    return [str(part) for part in {"gunicorn": gunicorn, "granian": granian}[kind]]


@contextmanager
def serving(kind: str, target: str, environment: dict[str, str], folder: Path) -> Iterator[Server]:
    """Serve a WSGI target until the block ends; its output goes to a file in `folder`."""
    port = free_port()
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command(kind, target, port), cwd=folder, env={**os.environ, **environment}, stdout=log, stderr=log
        )
    try:
        await_port(port, process, folder)
        yield Server(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def await_port(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    for _attempt in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
        if process.poll() is not None:
            break
    raise RuntimeError(f"the server did not start: {(folder / 'server.log').read_text()[-2000:]}")


def machine() -> str:
    """Return one line about the machine and the interpreter."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    python = ".".join(map(str, sys.version_info[:3]))
    return f"{os.cpu_count()} cores of {model}, Python {python}"
