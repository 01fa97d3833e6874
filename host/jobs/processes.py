"""The processes that carry jobs out or fire schedules, as rows that they renew; `/health/ready` and `serve` look for them."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import sqlalchemy as sa

from host.compiler.registry import Registry
from host.compiler.statements import Statement
from host.database import Database
from host.jobs.statements import own_transaction, value
from host.service.runtime import Runtime

PROCESS: Final = "host.process"
BEAT_SECONDS: Final = 10.0
GONE_SECONDS: Final = 30.0  # who has not been seen for so long is gone
FORGOTTEN_SECONDS: Final = 86_400.0  # and after so long its row, too
Kind = Literal["worker", "scheduler"]


def process_name(kind: str, number: int | None = None) -> str:
    """The name of a process among those of all machines."""
    return f"{socket.gethostname()[:80]}:{number or os.getpid()}:{kind}"


@dataclass(frozen=True, kw_only=True)
class Presence:
    """One process, as it tells of itself."""

    name: str
    kind: Kind
    queues: Sequence[str] = ()
    concurrency: int = 1
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def beat(self, runtime: Runtime) -> None:
        """It is there, now; rows of those that have long been gone are cleared away."""
        now = datetime.now(UTC)
        row = {
            "name": self.name, "kind": self.kind, "queues": list(self.queues), "concurrency": self.concurrency,
            "started_at": self.started_at, "seen_at": now,
        }  # fmt: skip
        with own_transaction(runtime) as driver:
            if not _kept(runtime, "seen", _seeing).run(driver, {"name": self.name, "seen_at": now}).rowcount:
                long_ago = now - timedelta(seconds=FORGOTTEN_SECONDS)
                _kept(runtime, "forget", _forgetting).run(driver, {"seen_at": long_ago})
                _kept(runtime, "add", _adding).run(driver, row)

    def leave(self, runtime: Runtime) -> None:
        """It is there no longer."""
        with own_transaction(runtime) as driver:
            _kept(runtime, "leave", _leaving).run(driver, {"name": self.name})


def present(runtime: Runtime, kind: Kind, *, seconds: float = GONE_SECONDS) -> list[str]:
    """The names of the processes of a kind that have been seen lately."""
    values = {"kind": kind, "seen_at": datetime.now(UTC) - timedelta(seconds=seconds)}
    with runtime.database.reading() as driver:
        return [row[0] for row in _kept(runtime, "present", _present).run(driver, values).fetchall()]


def is_there(database: Database, registry: Registry, kind: Kind) -> bool:
    """Whether one of a kind has been seen lately, for commands that have no runtime."""
    columns = registry.model(PROCESS).table.c
    lately = columns.seen_at >= datetime.now(UTC) - timedelta(seconds=GONE_SECONDS)
    with database.snapshot() as connection:
        found = connection.execute(sa.select(columns.name).where(columns.kind == kind, lately).limit(1))
        return found.first() is not None


def _kept(runtime: Runtime, key: str, make: Any) -> Statement:
    table = runtime.registry.model(PROCESS).table
    return runtime.plans.statement((PROCESS, key), lambda: make(table))


def _seeing(table: sa.Table) -> Any:
    mine = table.c.name == value(table.c.name)
    return table.update().where(mine).values(seen_at=value(table.c.seen_at))


def _forgetting(table: sa.Table) -> Any:
    return table.delete().where(table.c.seen_at < value(table.c.seen_at))


def _adding(table: sa.Table) -> Any:
    return table.insert().values({column.name: value(column) for column in table.c})


def _leaving(table: sa.Table) -> Any:
    return table.delete().where(table.c.name == value(table.c.name))


def _present(table: sa.Table) -> Any:
    mine = [table.c.kind == value(table.c.kind), table.c.seen_at >= value(table.c.seen_at)]
    return sa.select(table.c.name).where(*mine).order_by(table.c.name)
