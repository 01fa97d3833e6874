"""The audit log at the rim: where an operation was asked for, and what was refused. `application` puts it in the pipeline.

A refusal that is repeated within a minute is counted on one entry, and only at powers of two, so that nobody fills the disk or
keeps the database busy by being refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Final

from host.actor import SYSTEM
from host.compiler.models import ACCOUNT
from host.errors import Forbidden, HostError, Unauthenticated
from host.service.journal import Origin
from host.service.runtime import Runtime
from host.web.http import Answer, Request
from host.web.operations import Handler, Operation
from host.web.steps import Seen, Steps

WINDOW: Final = 60.0
MOST_ENTRIES: Final = 300  # of refusals in a window; further ones are counted on one entry
LONGEST_AGENT: Final = 200
LONGEST_ADDRESS: Final = 45
READING: Final = ("list", "get", "history", "export")
Refusal = tuple[str, str, int]  # who, the operation, the status
OTHERS: Final[Refusal] = ("", "*", 0)


@dataclass
class Counted:
    """A refusal that is being counted."""

    entry: int
    since: float
    count: int = 1


@dataclass(frozen=True, eq=False)
class Audit:
    """The steps of one app."""

    runtime: Runtime
    clock: Callable[[], float] = time.monotonic
    _counted: dict[Refusal, Counted] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def steps(self) -> Steps:
        """What joins the pipeline."""
        is_on = self.runtime.journal.settings.notes != "off"
        return Steps(around=(self.around,), observers=(self.observe,)) if is_on else Steps()

    def around(self, request: Request, operation: Operation, proceed: Handler) -> Answer:
        """Carry the operation out with its origin known to whatever it writes."""
        if operation.kind in READING:
            return proceed(request)
        with self.runtime.asked(origin_of(request)):
            return proceed(request)

    def observe(self, seen: Seen) -> None:
        """Note what was refused to somebody, and a credential that does not count."""
        error = seen.error
        if error is None or not isinstance(error, Forbidden | Unauthenticated):
            return
        if isinstance(error, Unauthenticated) and not _is_tried(seen):
            return
        self._count(seen, error)

    def _count(self, seen: Seen, error: HostError) -> None:
        request = seen.request
        who = request.actor.id or _network(request.remote)
        if isinstance(error, Unauthenticated) and error.subject is not None:
            who = f"{who} {error.subject}"
        operation = seen.operation.id if seen.operation is not None else "-"
        with self._lock:
            refusal = self._room_for((who, operation, error.status))
            counted = self._counted.get(refusal)
            if counted is None:
                self._counted[refusal] = Counted(self._note(seen, error, refusal), self.clock())
                return
            counted.count += 1
            if counted.count & (counted.count - 1) == 0:
                self._store_count(counted)

    def _room_for(self, refusal: Refusal) -> Refusal:
        """The refusal as it is counted, once those of the last window have been closed."""
        now = self.clock()
        for key, counted in [(key, it) for key, it in self._counted.items() if now - it.since >= WINDOW]:
            del self._counted[key]
            if counted.count & (counted.count - 1):
                self._store_count(counted)
        return refusal if refusal in self._counted or len(self._counted) < MOST_ENTRIES else OTHERS

    def _note(self, seen: Seen, error: HostError, refusal: Refusal) -> int:
        request, operation = seen.request, seen.operation
        journal = self.runtime.journal
        is_sign_in = operation is not None and operation.is_open and isinstance(error, Unauthenticated)
        known = {
            "status": error.status, "resource": operation.wire.model.name if operation and operation.wire else None,
            "key": "/".join(request.params.values())[:255] or None, "system": False,
        }  # fmt: skip
        with self.runtime.asked(origin_of(request)), self.runtime.writing(SYSTEM, request.id, "host") as ctx:
            if refusal is OTHERS:
                entry = journal.entry(ctx, "denied", "*", system=True)
                entry |= dict.fromkeys(("actor", "api_key", "session", "address", "agent", "request_id"))
            else:
                name = operation.id if operation is not None else request.method
                entry = journal.entry(ctx, "identity" if is_sign_in else "denied", name, **known)
            if isinstance(error, Unauthenticated) and error.subject is not None:
                entry |= {"resource": ACCOUNT, "key": error.subject}
            return journal.add(ctx, entry)

    def _store_count(self, counted: Counted) -> None:
        with self.runtime.writing(SYSTEM, plugin="host") as ctx:
            self.runtime.journal.set_count(ctx, counted.entry, counted.count)


def origin_of(request: Request) -> Origin:
    """Where a request comes from, in a form that any database stores."""
    agent = request.header("user-agent") or ""
    return Origin(
        request.remote[:LONGEST_ADDRESS],
        agent[:LONGEST_AGENT] if agent.isprintable() else _printable(agent),
        request.id,
        request.actor,
    )


def _printable(text: str) -> str:
    """A header as text: control characters and what is no UTF-8 leave marks."""
    clean = text.encode("latin-1", "replace").decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in clean[:LONGEST_AGENT])


def _is_tried(seen: Seen) -> bool:
    """Whether there was a credential at all: a stranger who has none is no news."""
    request = seen.request
    if seen.operation is not None and seen.operation.is_open:
        return True
    return request.header("authorization") is not None or request.header("cookie") is not None


def _network(address: str) -> str:
    """Whom an address stands for: with IPv6 everybody has 2**64 of them."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(parsed) if not isinstance(parsed, IPv6Address) else parsed.exploded[:19]
