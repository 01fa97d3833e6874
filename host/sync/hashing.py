"""A hash of all events of a stream, by which a device sees whether it has them all without pulling.

SHA-256 in hex over the id and the time of each event, in the order of the times and then of the ids; a time is written
as Dart's `toIso8601String` has it: UTC, three digits behind the second or six where they are needed, `Z`. What was hashed
is kept for each stream, so that only what came since has to be read, as long as it came in the order of its times.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Final

import sqlalchemy as sa

from host.access import declared_rule
from host.service.context import Context
from host.sync.points import SyncPoint
from host.sync.pulling import visible

MOST_KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class Digest:
    """What a device compares."""

    hash: str
    count: int
    last_at: str | None  # the latest time of an event


@dataclass(frozen=True, slots=True)
class _Kept:
    sequence: int  # the greatest key that is in it
    last: tuple[str, str]  # time and id of the last event that is in it
    count: int
    state: Any  # hashlib's, which can be copied and gone on with


NOTHING: Final = _Kept(0, ("", ""), 0, hashlib.sha256())


@dataclass(frozen=True, eq=False)
class Digests:
    """The hashes of the streams of one point."""

    point: SyncPoint
    _kept: OrderedDict[Any, _Kept] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, ctx: Context) -> Digest:
        """The hash of everything that the actor could pull."""
        owner = self.point.owner(ctx)
        before = self._known(owner) if self._is_plain(ctx) else NOTHING
        after = _extended(before, _events(ctx, self.point, owner, before.sequence))
        if after is None:  # something belongs before what was hashed
            after = _extended(NOTHING, _events(ctx, self.point, owner, 0)) or NOTHING
        self._keep(owner, after)
        return Digest(after.state.hexdigest(), after.count, after.last[0] or None)

    def _is_plain(self, ctx: Context) -> bool:
        """Whether what was visible once stays so: the rule is about the owner alone."""
        rule = declared_rule(self.point.model.declared.access, "list")
        return rule in (("owner",), ("authenticated",)) or not self.point.is_whole

    def _known(self, owner: Any) -> _Kept:
        with self._lock:
            return self._kept.get(owner, NOTHING)

    def _keep(self, owner: Any, kept: _Kept) -> None:
        with self._lock:
            self._kept[owner] = kept
            self._kept.move_to_end(owner)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)


def time_text(value: Any) -> str:
    """A time as Dart writes it."""
    text = value if isinstance(value, str) else _fixed(value)
    return f"{text[:-4]}Z" if text.endswith("000Z") else text


def _fixed(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _events(ctx: Context, point: SyncPoint, owner: Any, after: int) -> list[tuple[int, str, str]]:
    """Key, time and id of the events behind a key, by time and id."""
    statement = ctx.runtime.plans.statement((point.model, "hash", ctx.facts), lambda: _hashing(ctx, point))
    given = {**ctx.values, "owner": owner, "after": after}
    rows = statement.run(ctx.transaction.driver, given).fetchall()
    return [(key, time_text(at), id_) for key, at, id_ in rows]


def _hashing(ctx: Context, point: SyncPoint) -> Any:
    key, at, id_ = point.log.model.keys[0].column, point.log.column("at"), point.log.column("id")
    assert key is not None
    behind = key > sa.bindparam("after", type_=key.type)
    return sa.select(key, at, id_).where(*visible(ctx, point), behind).order_by(at, id_)


def _extended(before: _Kept, events: list[tuple[int, str, str]]) -> _Kept | None:
    """With these events behind; None where one of them belongs before."""
    if not events:
        return before
    if (_sortable(events[0][1]), events[0][2]) < (_sortable(before.last[0]), before.last[1]):
        return None
    state = before.state.copy()
    state.update("".join([f"{id_}{at}" for _, at, id_ in events]).encode())
    last = events[-1]
    greatest = max(event[0] for event in events)
    return _Kept(greatest, (last[1], last[2]), before.count + len(events), state)


def _sortable(text: str) -> str:
    """Of one width again: three digits sort before six."""
    return f"{text[:-1]}000Z" if len(text) == 24 else text
