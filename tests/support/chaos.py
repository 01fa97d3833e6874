"""Jobs enqueued over HTTP while workers, Redis and the web process are killed at random and started again."""

from __future__ import annotations

import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle

from tests.support.redis import RedisServer
from tests.support.serving import free_port
from tests.support.working import JobSite, Processes, children, kill, started, until

RECOVERY_SECONDS = 30.0
CLIENTS = 4
PATIENCE_SECONDS = 90.0  # of a client whose server is started again on a busy machine


@dataclass(eq=False)
class Web:
    """`hostwright serve`, which is started again when it has been killed."""

    site: JobSite
    port: int = field(default_factory=free_port)

    @contextmanager
    def serving(self) -> Iterator[Processes]:
        """Until the block ends or somebody kills it."""
        with started(self.site, "serve", "--port", str(self.port), "--workers", "1", name="web") as found:
            until(lambda: self.ask("GET", "/health") == 200, "the server answers")
            yield found

    def ask(self, method: str, path: str, body: object = None, seconds: float = 10) -> int:
        """One request: its status, 0 where no answer came."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except (OSError, ValueError):
            return 0

    def place(self, number: int) -> bool:
        """Have an order stored together with its job, however often it takes; whether it is stored for sure."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            status = self.ask("POST", "/api/demo/orders/place", {"number": number})
            if status in (200, 201, 204, 409, 422):  # stored now, or by a request whose answer got lost
                return True
            time.sleep(0.2)
        return False


@dataclass(eq=False)
class Killer:
    """Kills something every so often, and has it started again where nobody else does."""

    web: Web
    redis: RedisServer
    workers: Processes
    chance: random.Random
    killed: Counter[str] = field(default_factory=Counter)

    def run(self, is_over: Callable[[], bool], *, pause: float) -> None:
        """Until it is over, each kind in its turn. The web process serves while this runs."""
        with ExitStack() as stack:
            serving = stack.enter_context(self.web.serving())
            for what in cycle(self.chance.sample(("worker", "redis", "web", "worker"), 4)):
                time.sleep(self.chance.uniform(0.5, 1.0) * pause)
                if is_over():
                    return
                self.killed[what] += 1
                if what == "web":
                    self._kill_web(serving)
                    serving = stack.enter_context(self.web.serving())
                elif what == "redis":
                    self.redis.stop()
                    time.sleep(self.chance.uniform(0.1, 1.0))
                    self.redis.start()
                else:
                    kill(self.chance.choice(self.workers.workers()))

    def _kill_web(self, serving: Processes) -> None:
        for it in [serving.process.pid, *children(serving.process.pid)]:
            kill(it)
        serving.process.wait()


@dataclass(frozen=True)
class Survived:
    """What was killed how often, and how long it took after the last order until every job was done."""

    killed: Counter[str]
    seconds: float


def survive(
    site: JobSite, redis: RedisServer, jobs: int, *, pause: float, seconds: float, seed: int = 1
) -> Survived:
    """Place orders for about so many seconds during the killing. Each must be there, with its one effect."""
    web = Web(site)
    stored: list[int] = []
    with started(site, "worker", "--concurrency", "2") as workers:
        killer = Killer(web, redis, workers, random.Random(seed))
        clients = [
            threading.Thread(
                target=_place, args=(web, range(first, jobs, CLIENTS), stored, seconds / jobs * CLIENTS)
            )
            for first in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        killer.run(lambda: not any(client.is_alive() for client in clients), pause=pause)
        ended = time.monotonic()
        _await_all(site, jobs, workers)
        survived = Survived(killer.killed, round(time.monotonic() - ended, 1))
    assert sorted(stored) == list(range(jobs))
    check(site, jobs)
    return survived


def _await_all(site: JobSite, jobs: int, workers: Processes) -> None:
    try:
        until(lambda: site.states() == {"done": jobs}, "every job is done", RECOVERY_SECONDS)
    except AssertionError as error:
        rest = site.ask(
            "SELECT id, state, attempt, failures, crashes, run_at, error FROM host_job WHERE state != 'done'"
        )
        said = "\n".join(line for line in workers.said().splitlines() if '"info"' not in line)
        raise AssertionError(f"{error}: {site.states()}\n{rest}\n{said}") from None


def _place(web: Web, numbers: range, stored: list[int], pause: float) -> None:
    for number in numbers:
        if web.place(number):
            stored.append(number)
        time.sleep(pause)


def check(site: JobSite, jobs: int) -> None:
    """Each order has a job, each job has begun at least once and has had its effect exactly once."""
    orders = sorted(row[0] for row in site.ask("SELECT number FROM demo_order"))
    effects = sorted(int(row[0]) for row in site.ask("SELECT job FROM demo_effect"))
    assert orders == effects == list(range(jobs))
    names = {str(row[0]) for row in site.ask("SELECT id FROM host_job")}
    assert names == set(site.ran())
