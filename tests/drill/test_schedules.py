"""Three schedulers in processes of their own and so many ticks: each fires once. A hundred and killings in `make drill`."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from host.actor import SYSTEM
from host.jobs.scheduling import Scheduler
from host.testing.sites import Site
from tests.drill.scheduler import EPOCH
from tests.support.sites import write_site

YAML = """
    jobs:
      tidy: {call: actions.tidy, run_as: system}
    schedules:
      minutely: {job: tidy, cron: "* * * * *", missed: run_all, overlap: allow}
"""
CODE = "def tidy(ctx): ...\n"


@dataclass
class Fast:
    """The site, and how fast the clocks of its schedulers run."""

    root: Path
    url: str
    minute: float
    begin: float = 0.0

    @contextmanager
    def schedulers(self, count: int) -> Iterator[list[int]]:
        """So many more of them: the numbers of their processes. The clock begins with the first."""
        command = [sys.executable, "-m", "tests.drill.scheduler"]
        command += [str(self.root), self.url, str(self.minute), str(count)]
        parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert parent.stdin is not None
        assert parent.stdout is not None
        try:
            assert parent.stdout.readline() == "ready\n"
            self.begin = self.begin or time.time()
            parent.stdin.write(f"{self.begin}\n")
            parent.stdin.flush()
            yield [int(number) for number in parent.stdout.readline().split()]
        finally:
            parent.communicate(timeout=30)

    def wait_until(self, tick: float) -> None:
        """Until their clocks show so many minutes."""
        time.sleep(max(self.begin + tick * self.minute - time.time(), 0))


def fired(site: Site) -> tuple[list[object], set[str]]:
    """The planned times in their order, and the ids of the jobs that there are."""
    with site.runtime.reading(SYSTEM, plugin="host") as ctx:
        firing, job = ctx.table("host.firing"), ctx.table("host.job")
        wanted = sa.select(firing.c.planned_at, firing.c.job).where(firing.c.schedule == "demo.minutely")
        rows = ctx.execute(wanted.order_by(firing.c.planned_at)).all()
        ids = {str(it) for it in ctx.execute(sa.select(job.c.id).where(job.c.name == "demo.tidy")).scalars()}
    assert sorted(row[1] for row in rows) == sorted(ids)
    return [row[0] for row in rows], ids


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("ticks", "kills"), [(20, 0), pytest.param(100, 0, marks=pytest.mark.drill), pytest.param(100, 8, marks=pytest.mark.drill)]
)  # fmt: skip
def test_each_tick_fires_once(tmp_path: Path, database_url: str, ticks: int, kills: int) -> None:
    root = write_site(tmp_path / "site", YAML, CODE)
    site = Site.make(root, database_url)
    Scheduler(site.runtime).tick(EPOCH)  # all of them have seen the schedule before its first time
    chance = random.Random(4)
    with ExitStack() as stack:
        fast = Fast(root, database_url, 0.05 if kills == 0 else 0.2)
        running = stack.enter_context(fast.schedulers(3))
        for number in range(kills):
            fast.wait_until((number + 1) * ticks / (kills + 2))
            os.kill(running.pop(chance.randrange(3)), signal.SIGKILL)
            running += stack.enter_context(fast.schedulers(1))
        fast.wait_until(ticks + 0.9)
    last = EPOCH + timedelta(minutes=(time.time() - fast.begin) / fast.minute)
    Scheduler(site.runtime).tick(last)  # they were killed in the middle of something
    planned, ids = fired(site)
    site.close()
    expected = [EPOCH + timedelta(minutes=number) for number in range(1, len(planned) + 1)]
    assert planned == expected
    assert len(ids) == len(planned) >= ticks
