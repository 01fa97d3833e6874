"""What the operator decides about the processes that carry jobs out. Times in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from host.settings.reading import setting


@dataclass(frozen=True, kw_only=True)
class JobSettings:
    """Workers, and what hands jobs to them."""

    embedded: bool = setting(True, "RUN_WORKERS")  # whether `hostwright run` starts workers and the scheduler
    embedded_workers: int = setting(2, "RUN_CONCURRENCY")
    own_redis: bool = setting(True, "OWN_REDIS")  # whether workers start a Redis where none is configured
    stop_seconds: int = setting(30, "WORKER_STOP_SECONDS")  # given to what runs when workers are stopped
    kill_seconds: int = setting(10, "WORKER_KILL_SECONDS")  # over its timeout, before the process is killed
