"""Push: a batch of a device's events in one transaction, each accepted or refused with a reason.

The owner's stream is held from the beginning, so that nothing of it is decided twice. Events are carried out some at a
time under one savepoint; where one of them is refused, each of those has a savepoint of its own. An event that needs
another one of the batch is tried again after it, whatever order they came in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from host.access import as_sql
from host.errors import Forbidden, RequestError
from host.query.related import in_keys, key_list
from host.service.context import Context
from host.service.log_folding import read_time
from host.service.log_streams import RESERVED, Head, logging_of, taken
from host.service.log_waiting import store_waiting
from host.service.logs import CompiledLog, Subject
from host.sync.applying import apply
from host.sync.checking import Checks
from host.sync.incoming import Incoming, digest_of
from host.sync.points import SyncPoint
from host.sync.steps import Refused

AT_ONCE: Final = 50  # events under one savepoint
TRIES: Final = 3  # times that an event is tried which needs another one
MAY_FOLLOW: Final = frozenset(("reference",))  # what another event of the batch can mend


@dataclass
class Outcome:
    """What became of a batch: ids in the order in which they were decided."""

    accepted: dict[str, None] = field(default_factory=dict)
    reasons: dict[str, dict[str, Any]] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """As the device is told."""
        return {
            "accepted": list(self.accepted),
            "conflicts": list(self.reasons),
            "reasons": self.reasons,
        }


def push(ctx: Context, point: SyncPoint, events: Sequence[Incoming]) -> Outcome:
    """Carry out a batch in the context's transaction."""
    owner, outcome = point.owner(ctx), Outcome()
    if point.is_whole and ctx.runtime.policy.predicate(point.model, "create", ctx.facts) is False:
        raise Forbidden("you may not push here")
    taken(ctx, point.log, owner, reserve=RESERVED + 4 * len(events))
    ctx = replace(ctx, now=datetime.now(UTC))  # the wait for the stream may have been long
    before = _latest(ctx, point.log, owner)
    pushing = _Pushing(ctx, point, owner, outcome, _known(ctx, point.log, owner, events))
    waiting = list(events)
    for _ in range(TRIES):
        still = [event for part in _parts(waiting) for event in pushing.carry_out(part)]
        if not still or len(still) == len(waiting):
            break
        waiting = still
    ctx.transaction.known = None
    _check_rule(ctx, point, owner, before)
    return outcome


@dataclass
class _Pushing:
    ctx: Context
    point: SyncPoint
    owner: Any
    outcome: Outcome
    known: dict[str, set[str]]  # by id, the digests of what the log has of it
    undone: int = 0  # savepoints that had been rolled back when `transaction.known` was begun

    def carry_out(self, events: Sequence[Incoming]) -> list[Incoming]:
        """Decide some events; answers those that may be accepted later on."""
        fresh = [event for event in events if not self._is_decided(event)]
        if not fresh or self._all(fresh):
            return []
        return [event for event in fresh if not self._is_decided(event) and self._may_follow(event)]

    def _is_decided(self, event: Incoming) -> bool:
        """Whether the log has an event of this id: the same one is accepted again, another one is a conflict."""
        digests = self.known.get(event.id)
        if digests is None:
            return False
        if event.digest in digests:
            self.outcome.accepted[event.id] = None
        else:
            detail = "there is another event of this id"
            self.outcome.reasons[event.id] = {"code": "other_event", "detail": detail}
        return True

    def _all(self, events: Sequence[Incoming]) -> bool:
        """Carry out events that are all accepted; whether they are."""
        if len({event.id for event in events}) != len(events):
            return False
        self._look_up(events)
        try:
            with self.ctx.transaction.savepoint():
                self._apply(events)
        except (Refused, RequestError):
            return False
        for event in events:
            self._accept(event)
        return True

    def _may_follow(self, event: Incoming) -> bool:
        """Carry out one event; whether it is refused for now."""
        try:
            with self.ctx.transaction.savepoint():
                self._apply([event])
        except Refused as refused:
            self.outcome.reasons[event.id] = {"code": refused.code, "detail": refused.detail}
            return refused.may_follow
        except RequestError as error:
            self.outcome.reasons[event.id] = _reason(error)
            return any(it.code in MAY_FOLLOW for it in error.errors)
        self._accept(event)
        return False

    def _apply(self, events: Sequence[Incoming]) -> None:
        """Carry out events, and see whether the rules allow what has become of their rows."""
        work, checks = self.ctx.transaction, Checks(self.ctx)
        if work.known is None or self.undone != work.undone:  # what was there may have been undone
            work.known, self.undone = {}, work.undone
        for event in events:
            apply(self.ctx, self.point, self.owner, event, checks)
        checks.settle()

    def _accept(self, event: Incoming) -> None:
        self.known[event.id] = {event.digest}
        self.outcome.reasons.pop(event.id, None)  # it was only too early
        self.outcome.accepted[event.id] = None

    def _look_up(self, events: Sequence[Incoming]) -> None:
        """Find out about the rows of many events with one statement for each type."""
        heads, log = logging_of(self.ctx.transaction).heads, self.point.log
        for logged in self.point.types.values():
            keys = {event.key for event in events if event.type == logged.type}
            subjects = [Subject(logged, self.owner, key) for key in sorted(keys)]
            unknown = {it.key: it for it in subjects if it not in heads}
            if not unknown:
                continue
            statement = self.ctx.runtime.plans.statement((log.model, "heads"), lambda: _heads(self.ctx, log))
            listed = key_list(list(unknown), self.ctx.runtime.database.dialect)
            given = {"owner": self.owner, "type": logged.type, "keys": listed}
            store_waiting(self.ctx)
            heads.update((it, Head(0, None)) for it in unknown.values())
            for key, count, at in statement.run(self.ctx.transaction.driver, given).fetchall():
                heads[unknown[key]] = Head(count, read_time(self.ctx, log, at))


def _parts(events: Sequence[Incoming]) -> Iterator[Sequence[Incoming]]:
    for start in range(0, len(events), AT_ONCE):
        yield events[start : start + AT_ONCE]


def _reason(error: RequestError) -> dict[str, Any]:
    errors = [{"pointer": it.pointer, "code": it.code, "detail": it.detail} for it in error.errors]
    return {"code": error.code, "detail": error.detail, **({"errors": errors} if errors else {})}


# --- what the log has -------------------------------------------------------------------------------------------------


def _known(ctx: Context, log: CompiledLog, owner: Any, events: Sequence[Incoming]) -> dict[str, set[str]]:
    """The events of these ids that the owner's stream has."""
    store_waiting(ctx)
    statement = ctx.runtime.plans.statement((log.model, "known"), lambda: _knowing(ctx, log))
    listed = key_list([event.id for event in events], ctx.runtime.database.dialect)
    rows = statement.run(ctx.transaction.driver, {"owner": owner, "keys": listed}).fetchall()
    found: dict[str, set[str]] = {}
    for id_, type_, key, word, data, digest in rows:
        # A device may send what it has pulled: the data are then those that the host has completed.
        whole = digest_of(type_, key, word, orjson.loads(data))
        found[id_] = {whole, digest} if digest is not None else {whole}
    return found


def _knowing(ctx: Context, log: CompiledLog) -> Any:
    owner = log.owner.column
    assert owner is not None
    columns = [log.column(role) for role in ("id", "type", "key", "event", "data", "digest")]
    is_theirs = owner == sa.bindparam("owner", type_=owner.type)
    return sa.select(*columns).where(is_theirs, in_keys(log.column("id"), ctx.runtime.database.dialect))


def _heads(ctx: Context, log: CompiledLog) -> Any:
    owner, type_, key, at = (log.owner.column, log.column("type"), log.column("key"), log.column("at"))
    assert owner is not None
    theirs = [
        owner == sa.bindparam("owner", type_=owner.type), type_ == sa.bindparam("type", type_=type_.type),
        in_keys(key, ctx.runtime.database.dialect),
    ]  # fmt: skip
    return sa.select(key, sa.func.count(), sa.func.max(at)).where(*theirs).group_by(key)


def _latest(ctx: Context, log: CompiledLog, owner: Any) -> int:
    """The key of the owner's last event, before any is added."""
    key, column = log.model.keys[0].column, log.owner.column
    assert key is not None and column is not None
    found: int | None = ctx.execute(sa.select(sa.func.max(key)).where(column == owner)).scalar_one()
    return found or 0


def _check_rule(ctx: Context, point: SyncPoint, owner: Any, before: int) -> None:
    """The log's own rule for adding events holds for all that were added, or none is."""
    if not point.is_whole or ctx.facts.is_system:
        return
    predicate = ctx.runtime.policy.predicate(point.log.model, "create", ctx.facts)
    key, column = point.log.model.keys[0].column, point.log.owner.column
    if predicate is True or key is None or column is None:
        return
    store_waiting(ctx)
    chosen = sa.select(sa.func.count()).select_from(point.log.model.table)
    refused = chosen.where(column == owner, key > before, sa.not_(as_sql(predicate)))
    if ctx.execute(refused).scalar_one():
        raise Forbidden(f"you may not push such {point.log.model.spoken_plural}")
