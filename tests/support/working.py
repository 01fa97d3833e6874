"""A site with jobs, and the real processes that carry them out, for tests that kill them and for the benchmark of jobs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from host.actor import SYSTEM
from host.application import assemble
from host.settings import read_settings
from host.testing.sites import SECRET, Site
from tests.support.sites import write_site

YAML = """
resources:
  effect:
    fields: {job: {type: string, required: true}}
    operations: [list]
    access: {list: public}
  order:
    operations: [list]
    fields: {number: {type: integer, required: true, unique: true}}
    actions:
      place: {target: collection, method: POST, call: actions.place, in: numbered, access: public, out: none}
    access: {list: public}
types:
  numbered: {type: object, fields: {number: {type: integer, required: true}}}
jobs:
  nothing: {call: jobs.nothing, run_as: system}
  effect: {call: jobs.effect, in: numbered, run_as: system, retry: {times: 20, wait: 1, backoff: 1}}
  slow: {call: jobs.slow, run_as: system, queue: slow, transaction: steps, timeout: 1, retry: 0}
  stuck: {call: jobs.stuck, run_as: system, queue: slow, transaction: steps, timeout: 1, retry: 0}
  long: {call: jobs.long, run_as: system, transaction: steps}
  poison: {call: jobs.poison, run_as: system, transaction: steps}
  elsewhere: {call: jobs.nothing, run_as: system, queue: elsewhere}
"""
ACTIONS = """
def place(ctx, data):
    ctx.as_system().records("order").create({"number": data["number"]})
    ctx.jobs.enqueue("effect", {"number": data["number"]})
"""
JOBS = """
import os
import signal
import time


def nothing(ctx):
    return None


def effect(ctx, data):
    ran(ctx)
    ctx.records("effect").create({"job": str(data["number"])})


def slow(ctx):
    time.sleep(30)


def stuck(ctx):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    time.sleep(30)


def long(ctx):
    ran(ctx)
    time.sleep(2)


def poison(ctx):
    os.kill(os.getpid(), signal.SIGKILL)


def ran(ctx):
    with open(os.environ["RAN"], "a") as file:
        file.write(f"{ctx.job.id}\\n")
"""


@dataclass(eq=False)
class JobSite:
    """The site on one database; `environ` is what its processes are given."""

    folder: Path
    url: str
    environ: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, url: str, **environ: str) -> JobSite:
        """Its files, and its tables in an empty database."""
        made = cls.bare(folder, url, **environ)
        Site.make(folder, url).close()
        return made

    @classmethod
    def bare(cls, folder: Path, url: str, **environ: str) -> JobSite:
        """Its files alone."""
        write_site(folder, YAML, ACTIONS)
        (folder / "plugins" / "demo" / "jobs.py").write_text(JOBS)
        (folder / "var").mkdir(mode=0o700)
        ran = folder / "ran"
        ran.touch()
        given = {
            "HOSTWRIGHT_SECRET": SECRET, "HOSTWRIGHT_DATABASE_URL": url, "RAN": str(ran),
            "HOSTWRIGHT_RUN_WORKERS": "on", **environ,
        }  # fmt: skip
        return cls(folder, url, given)

    @cached_property
    def site(self) -> Site:
        """It, opened in this process; its dispatchers are woken as a server would wake them."""
        return Site(assemble(read_settings(self.folder, self.environ)))

    def enqueue(self, name: str, data: Mapping[str, Any] | None = None) -> str:
        """Enqueue in a transaction; the id of the job."""
        with self.site.runtime.writing(SYSTEM, plugin="demo") as ctx:
            return ctx.jobs.enqueue(name, data)

    def ask(self, statement: str, *values: Any) -> list[Any]:
        """Rows of a query; `?` for values."""
        marked = statement if self.site.database.dialect == "sqlite" else statement.replace("?", "%s")
        with self.site.database.reading() as driver:
            return [tuple(row) for row in driver.execute(marked, values).fetchall()]

    def states(self) -> dict[str, int]:
        """How many jobs there are in each state."""
        return dict(self.ask("SELECT state, count(*) FROM host_job GROUP BY state"))

    def state(self, job: str) -> str:
        """Of one job."""
        return str(self.ask("SELECT state FROM host_job WHERE id = ?", job)[0][0])

    def ran(self) -> list[str]:
        """The ids of jobs, each as often as it has begun."""
        return (self.folder / "ran").read_text().split()

    def close(self) -> None:
        """Give back the connections of this process."""
        self.site.close()


@dataclass(eq=False)
class Processes:
    """`hostwright …` and everything below it."""

    site: JobSite
    process: subprocess.Popen[bytes]
    log: Path

    def children(self) -> list[int]:
        """Of the supervisor: the keeper, the workers, and a Redis of its own."""
        return children(self.process.pid)

    def workers(self) -> list[int]:
        """The worker processes that are there now."""
        return [it for it in self.children() if "host.cli" in command_of(it)]

    def said(self) -> str:
        """What they have printed."""
        return self.log.read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 30) -> int:
        """Stop, and wait for it; the status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=seconds)


@contextmanager
def started(site: JobSite, *command: str, name: str = "worker") -> Iterator[Processes]:
    """`hostwright worker …` until the block ends."""
    log = site.folder / f"{name}.log"
    full = [sys.executable, "-m", "host.cli", *command]
    with log.open("ab") as output:
        process = subprocess.Popen(
            full, cwd=site.folder, env={**os.environ, **site.environ}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield Processes(site, process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=45)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def until(holds: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """Wait until something holds; AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} seconds: {what}")


def children(process: int) -> list[int]:
    """The processes that another has started."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False
    )
    return [int(word) for word in listed.stdout.split()]


def command_of(process: int) -> str:
    """How a process was called; empty when it is gone."""
    listed = subprocess.run(
        ["ps", "-o", "args=", "-p", str(process)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip()


def kill(process: int) -> None:
    """Kill -9, if it is there."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return
