"""The RQ queue that hands a bounded number of chosen jobs to a group of workers.

Its entries are `<row>-<attempt>` and hold nothing else: the job table says what is to be done, and whether an entry still
counts. All host queues of a group share one RQ queue, because RQ pops safely from one alone; their order is the job table's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.job import Job

if TYPE_CHECKING:
    from host.settings import Settings

ENTRY_SECONDS: Final = 86_400  # an entry that waits longer is dropped, and its row is handed out again
EVERYTHING: Final = "*"


@dataclass(frozen=True, order=True)
class Entry:
    """A try of a job."""

    job: str
    attempt: int

    @classmethod
    def parse(cls, text: str) -> Entry | None:
        """The entry of an RQ id; None for what somebody else has put there."""
        job, _, attempt = text.rpartition("-")
        return cls(job, int(attempt)) if job and attempt.isascii() and attempt.isdecimal() else None

    def __str__(self) -> str:
        return f"{self.job}-{self.attempt}"


class Handover:
    """One RQ queue, of the workers that take jobs of the same host queues."""

    def __init__(self, redis: Redis, prefix: str, queues: Sequence[str]) -> None:
        self.redis = redis
        self.job_class: type[Job] = type("HostJob", (Job,), {"redis_job_namespace_prefix": f"{prefix}:job:"})
        names = {"redis_queue_namespace_prefix": f"{prefix}:queue:", "redis_queues_keys": f"{prefix}:queues"}
        queue_class: type[Queue] = type("HostQueue", (Queue,), {**names, "job_class": self.job_class})
        group = "+".join(sorted(set(queues))) or EVERYTHING
        self.queue = queue_class(group, connection=redis, serializer="json", job_class=self.job_class)

    def push(self, entries: Iterable[Entry], describe: str = "a job of the host") -> None:
        """Hand over, in this order."""
        self.queue.enqueue_many(
            Queue.prepare_data(
                "host.jobs.worker.perform", job_id=str(entry), ttl=ENTRY_SECONDS, result_ttl=0, description=describe
            )
            for entry in entries
        )  # fmt: skip

    def length(self) -> int:
        """How many wait."""
        return int(self.redis.llen(self.queue.key))

    def waiting(self) -> list[Entry]:
        """Those that wait."""
        return [entry for entry in map(Entry.parse, self.queue.get_job_ids()) if entry is not None]

    def taken(self, text: str) -> None:
        """A worker has it: Redis forgets it."""
        with self.redis.pipeline(transaction=False) as pipeline:
            pipeline.lrem(self._between, 1, text)
            pipeline.delete(self.job_class.key_for(text))
            pipeline.execute()

    def between(self) -> set[str]:
        """What a worker has popped and not begun: for more than a moment only where it died."""
        found: Any = self.redis.lrange(self._between, 0, -1)
        return {text.decode() for text in found}

    @property
    def _between(self) -> str:
        return str(self.queue.intermediate_queue_key)


def open_redis(url: str) -> Redis:
    """A client that says at once when the server is away: whoever uses it comes back later anyway."""
    return Redis.from_url(url, socket_timeout=10, socket_connect_timeout=2, retry=Retry(NoBackoff(), 1))


def handover(settings: Settings, url: str, queues: Sequence[str]) -> Handover:
    """The queue of the workers that take jobs of these host queues; of all where none is named."""
    return Handover(open_redis(url), settings.redis.prefix, queues)
