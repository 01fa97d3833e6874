"""One event of a device on its way into the log, and what every kind of event needs."""

from __future__ import annotations

from dataclasses import dataclass

from host.service.context import Context
from host.service.log_streams import Head, Pending
from host.service.logs import Subject
from host.sync.checking import Checks
from host.sync.incoming import Incoming
from host.sync.settling import settle, stored_row


class Refused(Exception):
    """An event that does not get into the log. `may_follow` says that another event could make it acceptable."""

    def __init__(self, code: str, detail: str, *, may_follow: bool = False) -> None:
        super().__init__(detail)
        self.code, self.detail, self.may_follow = code, detail, may_follow


@dataclass(frozen=True)
class Applying:
    """One event on its way into the log. `ctx` has its time; rules go by the host's."""

    ctx: Context
    subject: Subject
    event: Incoming
    pending: Pending
    head: Head
    checks: Checks

    @property
    def keys(self) -> tuple[str]:
        """The row's key."""
        return (self.subject.key,)

    @property
    def is_late(self) -> bool:
        """Whether it belongs before an event that is there."""
        return (
            self.subject.log.is_by_time and self.head.at is not None and self.pending.adding.at < self.head.at
        )


def settle_told(it: Applying) -> None:
    """Make the row what its events say, and tell the journal what has changed by that."""
    model = it.subject.logged.model
    before, after = settle(it.ctx, it.subject)
    if before is None or after is None:
        return
    told = it.subject.logged.values.keys()
    changed = {name: value for name, value in after.items() if name in told and before[name] != value}
    if changed:
        it.ctx.runtime.journal.updated(it.ctx, model, it.keys, before, changed, {})


def gone(it: Applying) -> Refused:
    """Why the row is not there: deleted, or hidden from the actor by a rule."""
    model = it.subject.logged.model
    row = stored_row(it.ctx, model, it.subject.key)
    if row is None or (model.deleted is not None and row[model.deleted.name] is not None):
        return Refused("deleted", f"this {model.spoken} has been deleted")
    return Refused("not_found", f"there is no such {model.spoken}")
