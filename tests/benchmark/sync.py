"""What sync costs: CPU seconds of the process for pushing and pulling many events, on SQLite and PostgreSQL.

    .venv/bin/python -m tests.benchmark.sync [events]

A device pushes contacts and transactions with their changes and deletions in one request, sends all of it again, and
another one pulls it in one request. The database's own CPU is not counted on PostgreSQL, as a server of its own does it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from host.testing.sites import Site
from tests.integration.postgres import running_server
from tests.support.sites import Caller, Core, write_site

YAML = """
resources:
  event:
    path: /api/events
    key: int
    mixins: [{owned: {as: user, column: user_id}}]
    fields: {event_id: uuid, aggregate_type: string, aggregate_id: uuid, event_type: string, event_version: integer,
             event_data: json, timestamp: datetime, created_at: datetime}
    log: {id: event_id, type: aggregate_type, key: aggregate_id, event: event_type, data: event_data, at: timestamp,
          received: created_at, version: event_version, undo: {of: undone_event_id},
          words: {created: CREATED, updated: UPDATED, deleted: DELETED, undo: UNDO}}
    wire: {names: {id: sequence, event_id: id, event_version: version}}
    access: {read: owner, create: authenticated}
    sync: {most: 100000}
  contact:
    mixins: [{owned: {as: user, column: user_id}}, stamped, versioned, soft_delete]
    fields: {name: {type: string, max: 255, required: true}, phone: {type: string, max: 50}, notes: text,
             comment: {type: text, transient: true}}
    logged: {in: event, as: contact}
    access: owner
  transaction:
    mixins: [{owned: {as: user, column: user_id}}, stamped, versioned, soft_delete]
    fields: {amount: {type: integer, required: true}, direction: {type: enum, values: [owed, lent], required: true},
             currency: {type: string, max: 3, default: USD}, description: text, transaction_date: {type: date, required: true}}
    relations: {contact: {to: contact, required: true, on_delete: cascade, same_owner: true}}
    wire: {names: {contact: contact_id}}
    logged: {in: event, as: transaction}
    access: owner
"""


def batch(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Events of one device: a tenth contacts, half transactions, the rest changes and some deletions."""
    random, began = Random(seed), datetime.now(UTC) - timedelta(days=30)
    contacts: list[str] = []
    transactions: list[str] = []
    found = []
    for at in range(count):
        what = random.random()
        key = str(UUID(int=random.getrandbits(128)))
        if what < 0.1 or not contacts:
            contacts.append(key)
            said = (
                "contact",
                "CREATED",
                key,
                {"name": f"Contact {at}", "phone": "+49 1234", "comment": "new"},
            )
        elif what < 0.6 or not transactions:
            transactions.append(key)
            data = {
                "amount": at,
                "direction": "lent",
                "transaction_date": "2026-01-31",
                "description": f"for {at}",
            }
            said = ("transaction", "CREATED", key, {"contact_id": random.choice(contacts), **data})
        elif what < 0.97:
            data = {"amount": at, "description": f"changed {at}"}
            said = ("transaction", "UPDATED", random.choice(transactions), data)
        else:
            said = ("transaction", "DELETED", transactions.pop(random.randrange(len(transactions))), {})
        time_ = (began + timedelta(seconds=at)).isoformat().replace("+00:00", "Z")
        names = ("aggregate_type", "event_type", "aggregate_id", "event_data")
        event = dict(zip(names, said, strict=True))
        found.append({"id": str(UUID(int=random.getrandbits(128))), "timestamp": time_, **event})
    return found


@contextmanager
def measured(what: str) -> Iterator[None]:
    """Print the CPU and wall seconds of the block."""
    cpu, wall = time.process_time(), time.perf_counter()
    yield
    print(
        f"  {what:<28} {time.process_time() - cpu:7.2f} s CPU {time.perf_counter() - wall:7.2f} s", flush=True
    )


def run(url: str, folder: Path, count: int) -> None:
    """Measure on one database."""
    core = Core(Site.make(write_site(folder, YAML), url))
    user, events = core.user(), batch(count)
    _push(user, batch(100, seed=2))  # statements are compiled, schemas made
    user.get("/api/events/pull")
    with measured(f"push of {count}"):
        told = _push(user, events)
    print(f"  ({len(told['accepted'])} accepted, {len(told['conflicts'])} conflicts)")
    with measured("the same once more"):
        _push(user, events)
    with measured(f"pull of {count}"):
        page = user.get(f"/api/events/pull?limit={count}").json
    assert len(page["events"]) == count, len(page["events"])
    with measured("hash, nothing new"):
        user.get("/api/events/hash")
    with measured("one event more, and its hash"):
        _push(user, batch(1, seed=3))
        user.get("/api/events/hash")
    core.site.close()


def _push(user: Caller, events: list[dict[str, Any]]) -> Any:
    reply = user.post("/api/events/push", events)
    assert reply.status == 200, reply.body
    return reply.json


def main() -> None:
    """Measure on both."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with TemporaryDirectory() as name:
        print("SQLite")
        run(f"sqlite:///{name}/sync.sqlite3", Path(name) / "one", count)
        with running_server() as server:
            print("PostgreSQL")
            run(server.create("sync"), Path(name) / "two", count)


if __name__ == "__main__":
    main()
