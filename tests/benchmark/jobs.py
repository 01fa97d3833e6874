"""What jobs cost: how many a worker does, how soon an idle one begins, what enqueuing adds to a request.

`python -m tests.benchmark.jobs` measures on SQLite and on PostgreSQL, both with every commit synced, with a real Redis and the
real command. The jobs do nothing; what is measured is the way there and back.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from host.actor import SYSTEM
from tests.integration.postgres import running_server
from tests.support.redis import running_redis
from tests.support.working import JobSite, started, until

JOBS, STARTS, ENQUEUED = 600, 40, 1000
LEAST_PER_SECOND = {"sqlite": 60, "postgresql": 150}
MOST_START_MS = 100.0
MOST_ENQUEUE_US = 150.0


def throughput(site: JobSite, jobs: int = JOBS) -> tuple[float, float]:
    """Jobs in a second that one worker does, from the first that begins to the last that ends; and CPU ms for each.

    The processor time is that of the worker and of the keeper, whatever else the machine does; the database's is not in it.
    """
    with site.site.runtime.writing(SYSTEM, plugin="demo") as ctx:
        for _ in range(jobs):
            ctx.jobs.enqueue("nothing")
    with started(site, "worker", "--concurrency", "1") as processes:
        until(lambda: site.states().get("done", 0) == jobs, "every job is done", 120)
        seconds = sum(map(_cpu_seconds, processes.workers()))
    began, ended = site.ask("SELECT min(started_at), max(finished_at) FROM host_job")[0]
    return jobs / (_instant(ended) - _instant(began)).total_seconds(), seconds / jobs * 1000


def starts(site: JobSite, times: int = STARTS) -> list[float]:
    """Milliseconds from the commit that enqueues until an idle worker has claimed the job, each time."""
    found = []
    with started(site, "worker", "--concurrency", "1"):
        first = site.enqueue("nothing")
        until(lambda: site.state(first) == "done", "the first job is done")
        for _ in range(times):
            time.sleep(0.15)
            job = site.enqueue("nothing")
            committed = time.time()
            until(lambda job=job: site.state(job) == "done", "the job is done")  # type: ignore[misc]  # bound on purpose
            began = site.ask("SELECT started_at FROM host_job WHERE id = ?", job)[0][0]
            found.append((_instant(began).timestamp() - committed) * 1000)
    return found


def enqueuing(site: JobSite, times: int = ENQUEUED) -> float:
    """Microseconds of CPU that an enqueue adds to a transaction that writes anyway, its signal included.

    Of each the tenth of the times below which the least disturbed are: what else the machine does makes all of it dearer.
    """

    def cost(*, enqueues: bool) -> float:
        began = time.thread_time()
        with site.site.runtime.writing(SYSTEM, plugin="demo") as ctx:
            ctx.records("effect").create({"job": "x"})
            if enqueues:
                ctx.jobs.enqueue("nothing")
        return (time.thread_time() - began) * 1e6

    for _ in range(times // 10):
        cost(enqueues=True)
    pairs = [(cost(enqueues=True), cost(enqueues=False)) for _ in range(times)]
    quickest = [statistics.quantiles(times, n=10)[0] for times in zip(*pairs, strict=True)]
    return quickest[0] - quickest[1]


def _cpu_seconds(process: int) -> float:
    """Of a process, its children not counted; Linux alone tells."""
    words = Path(f"/proc/{process}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _instant(raw: object) -> datetime:
    return raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw))


@contextmanager
def sites() -> Iterator[list[tuple[str, str]]]:
    """The addresses of an empty database of each kind, several times over."""
    with tempfile.TemporaryDirectory(prefix="hw-jobs-") as folder, running_server(settings=()) as server:
        found = [("sqlite", f"sqlite:///{folder}/{number}.db") for number in range(3)]
        yield found + [("postgresql", server.create(f"jobs{number}")) for number in range(3)]


def main() -> None:
    """Print the figures, with the load of the machine."""
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    with (
        sites() as addresses,
        running_redis() as redis,
        tempfile.TemporaryDirectory(prefix="hw-jobs-") as folder,
    ):
        for number, (kind, url) in enumerate(addresses):
            site = JobSite.make(Path(folder) / str(number), url, HOSTWRIGHT_REDIS_URL=redis.url)
            if number % 3 == 0:
                rate, cost = throughput(site)
                wanted = LEAST_PER_SECOND[kind]
                print(
                    f"{kind}: {rate:.0f} jobs a second by one worker (wanted {wanted}), {cost:.1f} ms of CPU each"
                )
            elif number % 3 == 1:
                found = sorted(starts(site))
                print(
                    f"{kind}: an idle worker begins after {statistics.median(found):.0f} ms, "
                    f"95 % within {found[int(len(found) * 0.95)]:.0f} ms (wanted {MOST_START_MS:.0f})"
                )
            else:
                print(
                    f"{kind}: enqueuing adds {enqueuing(site):.0f} µs of CPU (wanted {MOST_ENQUEUE_US:.0f})"
                )
            site.close()
            redis.client().flushall()


if __name__ == "__main__":
    main()
