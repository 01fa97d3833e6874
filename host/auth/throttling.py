"""Slowing down whoever guesses: failures are counted in the database, so that every process agrees.

An attempt is counted before it is made and taken back when it succeeds, so that many at once are as many. Whoever comes from
a network or a device where the account has signed in before has a counter of its own: what strangers do keeps nobody out there.
Unknown names share a bounded number of counters and are refused like known ones. `accounts` and the doors call it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from host.actor import SYSTEM
from host.auth.inserts import inserting
from host.auth.origins import Marks, Origin
from host.auth.pruning import prune
from host.errors import TooManyRequests
from host.service.context import Context
from host.service.runtime import Runtime
from host.settings import SignInSettings

ATTEMPT = "host.attempt"
KNOWN = "host.known_origin"
BUCKETS = 1 << 14  # of names that no account has
MOST_ORIGINS = 20  # remembered of one account
REMEMBERED = timedelta(days=90)
NOBODY = Origin()


@dataclass(frozen=True, slots=True)
class Subject:
    """One counter, and how many failures it takes before anybody has to wait."""

    name: str
    free: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted attempt; say `succeeded` or leave it a failure."""

    throttle: Throttle
    own: Subject
    shared: Subject | None
    origin: Origin

    def succeeded(self, account: str) -> None:
        """Forget the failures, and remember where the account has signed in."""
        self.throttle.succeed(self, account)


class Throttle:
    """The counters of one app."""

    def __init__(
        self, runtime: Runtime, settings: SignInSettings, secret: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self.marks = Marks(secret)
        self._runtime, self._settings, self._clock = runtime, settings, clock

    def attempt(self, what: str, name: str, account: str | None, origin: Origin | None) -> Attempt:
        """Count an attempt on an account (None: of a name that nobody has). Raises TooManyRequests."""
        origin = origin or NOBODY
        now = self._clock()
        with self._writing() as ctx:
            attempt = self._subjects(ctx, what, name, account, origin)
            self._count(ctx, attempt.own, now)
            if attempt.shared is not None:  # always second: two that wait for each other would be a deadlock
                self._count(ctx, attempt.shared, now)
        prune(self._runtime, now)
        return attempt

    def succeed(self, attempt: Attempt, account: str) -> None:
        """What follows an attempt that was right."""
        now = self._clock()
        table = self._runtime.registry.models[ATTEMPT].table
        with self._writing() as ctx:
            ctx.execute(table.delete().where(table.c.subject == attempt.own.name))
            if attempt.shared is not None:
                less = table.update().where(table.c.subject == attempt.shared.name, table.c.failures > 0)
                ctx.execute(less.values(failures=table.c.failures - 1))
            self._remember(ctx, account, self.marks.place(attempt.origin), now)

    def know(self, account: str, origin: Origin | None) -> None:
        """An account has been made, or has signed in without a password, from here."""
        with self._writing() as ctx:
            self._remember(ctx, account, self.marks.place(origin or NOBODY), self._clock())

    def welcome(self, account: str, origin: Origin | None) -> None:
        """An account has been made, or taken back, from here: forget its failures, and where else it was used."""
        known = self._runtime.registry.models[KNOWN].table
        self.unlock(account)
        with self._writing() as ctx:
            ctx.execute(known.delete().where(known.c.account == account))
            self._remember(ctx, account, self.marks.place(origin or NOBODY), self._clock())

    def unlock(self, account: str) -> int:
        """Forget every failure on an account; how many counters there were."""
        table = self._runtime.registry.models[ATTEMPT].table
        with self._writing() as ctx:
            of_account = table.c.subject.like(f"%:{account}:%")
            return int(ctx.execute(table.delete().where(of_account)).rowcount)

    # -- inside --

    def _writing(self) -> Any:  # a context manager of Context
        return self._runtime.writing(SYSTEM, plugin="host")

    def _subjects(
        self, ctx: Context, what: str, name: str, account: str | None, origin: Origin
    ) -> Attempt:  # fmt: skip
        place = self.marks.place(origin)
        address = Subject(f"{what}:address:{place}", self._settings.address_failures)
        is_known = self._is_known(
            ctx, account or "", place
        )  # also asked of nobody, who must not be told by the time
        if account is None:
            bucket = int(self.marks.digest("name", _folded(name)), 16) % BUCKETS
            return Attempt(
                self, Subject(f"{what}:unknown:{bucket}", self._settings.account_failures), address, origin
            )
        device = self.marks.device(origin, account)
        known = device or (place if is_known else None)
        form = (
            "address" if "@" in name else "name"
        )  # two counters, or they would tell which name has which address
        own = Subject(f"{what}:{account}:{known or form}", self._settings.account_failures)
        return Attempt(self, own, None if known else address, origin)

    def _is_known(self, ctx: Context, account: str, place: str) -> bool:
        table = self._runtime.registry.models[KNOWN].table
        found = sa.select(table.c.seen_at).where(table.c.account == account, table.c.origin == place)
        seen = ctx.execute(found).scalar()
        return seen is not None and seen > self._clock() - REMEMBERED

    def _count(self, ctx: Context, subject: Subject, now: datetime) -> None:
        table = self._runtime.registry.models[ATTEMPT].table
        counted = ctx.execute(_counting(table, ctx, subject.name, now, self._forgotten(now))).scalar()
        if counted is None:
            until = ctx.execute(
                sa.select(table.c.blocked_until).where(table.c.subject == subject.name)
            ).scalar()
            raise refused(max(1.0, (until - now).total_seconds()) if until is not None else 1.0)
        if counted > subject.free:
            wait = min(2.0 ** min(counted - subject.free, 30), self._settings.longest_wait)
            blocked = table.update().where(table.c.subject == subject.name)
            ctx.execute(blocked.values(blocked_until=now + timedelta(seconds=wait)))

    def _forgotten(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self._settings.memory + self._settings.longest_wait)

    def _remember(self, ctx: Context, account: str, place: str, now: datetime) -> None:
        table = self._runtime.registry.models[KNOWN].table
        made = inserting(ctx, table).values(account=account, origin=place, seen_at=now)
        keys = [table.c.account, table.c.origin]
        ctx.execute(made.on_conflict_do_update(index_elements=keys, set_={"seen_at": now}))
        newest = sa.select(table.c.origin).where(table.c.account == account)
        newest = newest.order_by(table.c.seen_at.desc()).limit(MOST_ORIGINS)
        ctx.execute(table.delete().where(table.c.account == account, table.c.origin.not_in(newest)))


def refused(seconds: float) -> TooManyRequests:
    """What is said to whoever has to wait, whatever the reason."""
    wait = max(1, round(seconds + 0.5))
    error = TooManyRequests(f"too many attempts failed; try again in {wait} seconds")
    error.headers = {"Retry-After": str(wait)}
    return error


def _counting(table: Any, ctx: Context, subject: str, now: datetime, expires: datetime) -> Any:
    """Count one more, from nothing when the last one is long ago; no row comes back while it is blocked."""
    values = {"subject": subject, "failures": 1, "blocked_until": now, "expires_at": expires}
    fresh = sa.case((table.c.expires_at <= now, 1), else_=table.c.failures + 1)
    return (
        inserting(ctx, table)
        .values(values)
        .on_conflict_do_update(
            index_elements=[table.c.subject],
            set_={"failures": fresh, "expires_at": expires},
            where=table.c.blocked_until <= now,
        )
        .returning(table.c.failures)
    )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()
