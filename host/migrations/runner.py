"""Run revisions: in the order of dependency, under one lock, each revision whole or not at all.

The scripts are Alembic's, the version table is one per owner. What a revision would lose stands in the script
and is counted in the database before it runs. Called by the commands, by boot in the embedded run, and by
`scratch`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from host.database import Database
from host.migrations.errors import MigrationError, Refused
from host.migrations.keeper import without_orphans
from host.migrations.ledger import LEDGER, VERSION_TABLE, is_own, read_ledger, record
from host.migrations.losses import ATTRIBUTES, Announcement, refuse_losses
from host.migrations.operations import operating
from host.migrations.owners import Owner, in_order, owner_named
from host.migrations.parts import shared_columns
from host.migrations.pending import pending
from host.migrations.reflection import read_names
from host.migrations.removal import empty_tables

LOCK_KEY = 0x486F7374
PATIENCE_MS = 60_000
Direction = Literal["upgrade", "downgrade"]


@dataclass(frozen=True, slots=True)
class Applied:
    """A revision that has been run."""

    owner: str
    revision: str
    message: str
    direction: Direction

    def __str__(self) -> str:
        return f"{self.direction} {self.owner} {self.revision}: {self.message}"


def upgrade(
    database: Database, owners: Sequence[Owner], *, allow_destructive: bool = False
) -> tuple[Applied, ...]:
    """Run every revision that the database does not have yet.

    Raises Refused before the first that loses rows.
    """
    database.check()
    if not pending(database, owners):
        return ()
    applied: list[Applied] = []
    with exclusive(database.engine) as connection:
        _refuse_foreign(connection, in_order(owners))
        if not allow_destructive:
            _refuse_announced(connection, in_order(owners))
        for owner in in_order(owners):
            applied += run(connection, owner, "upgrade", "head", allow_destructive=allow_destructive)
    return tuple(applied)


def downgrade(
    database: Database, owners: Sequence[Owner], name: str, revision: str, *, allow_destructive: bool = False
) -> tuple[Applied, ...]:
    """Take one owner back to a revision, or to `base`. Other owners stay as they are."""
    database.check()
    owner = owner_named(owners, name)
    with exclusive(database.engine) as connection:
        if revision == "base":
            with connection.begin():
                empty_tables(connection, name, allow_destructive=allow_destructive)
        return run(connection, owner, "downgrade", revision, allow_destructive=allow_destructive)


@contextmanager
def exclusive(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection for migrating; only one process at a time gets past its first statement."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            with engine.connect() as holder:
                holder.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_KEY)))
                yield connection
            return
        # Both pragmas do nothing inside a transaction, and must not return to the pool.
        connection.detach()
        driver: Any = connection.connection.dbapi_connection
        driver.execute("PRAGMA foreign_keys=OFF")
        driver.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
        yield connection


def run(
    connection: sa.Connection,
    owner: Owner,
    direction: Direction,
    target: str,
    *,
    allow_destructive: bool = True,
) -> tuple[Applied, ...]:
    """Run one owner's revisions up or down to a target, each in a transaction of its own."""
    if not owner.folder.is_dir():
        return ()
    script = ScriptDirectory(str(owner.folder), version_locations=[str(owner.folder)])
    applied: list[Applied] = []
    for _each in _planned(connection, owner, script, direction, target):
        with connection.begin():
            steps = _steps(connection, owner, script, direction, target)
            if not steps:  # another process was faster
                break
            applied.append(_apply(connection, owner, steps[0], direction, allow_destructive))
            target = _absolute(target, steps)
    return tuple(applied)


def _absolute(target: str, steps: Sequence[Any]) -> str:
    """A relative target (`-2`) becomes the revision that it meant at the first step."""
    return (steps[-1].to_revisions_no_deps or ("base",))[0] if target.startswith("-") else target


def _planned(
    connection: sa.Connection, owner: Owner, script: ScriptDirectory, direction: Direction, target: str
) -> Sequence[Any]:
    with connection.begin():
        LEDGER.create(connection, checkfirst=True)
        return _steps(connection, owner, script, direction, target)


def _steps(
    connection: sa.Connection, owner: Owner, script: ScriptDirectory, direction: Direction, target: str
) -> Sequence[Any]:
    heads = _context(connection, owner).get_current_heads()
    choose: Callable[[str, Any], list[Any]] = (
        script._upgrade_revs if direction == "upgrade" else script._downgrade_revs
    )
    try:
        return choose(target, heads)
    except CommandError as error:
        present = heads[0] if heads else "nothing"
        raise MigrationError(
            f"{owner.name}: the database is at {present} and cannot go to {target} with the scripts in"
            f" {owner.folder}: {error}"
        ) from error


def _context(connection: sa.Connection, owner: Owner, step: Any = None) -> MigrationContext:
    options = {
        "version_table": VERSION_TABLE.format(owner.name),
        "transactional_ddl": True,
        "fn": lambda _heads, _context: [step],
    }
    return MigrationContext.configure(connection, opts=options)


def _apply(
    connection: sa.Connection, owner: Owner, step: Any, direction: Direction, allow_destructive: bool
) -> Applied:
    module, revision = step.revision.module, step.revision.revision
    announcement = Announcement(owner.name, revision, module)
    refuse_losses(connection, announcement, direction, allow_destructive=allow_destructive)
    before, ledger = read_names(connection), read_ledger(connection)
    columns = shared_columns(connection, ledger, owner.name)
    free = before.difference(ledger) if direction == "upgrade" else frozenset()
    context = _context(connection, owner, step)
    try:
        with without_orphans(connection), operating(context, free) as adopted:
            context.run_migrations()
    except Refused:
        raise
    except Exception as error:
        reason = str(getattr(error, "orig", None) or getattr(error, "detail", None) or error).strip()
        raise MigrationError(
            f"{owner.name} {revision} ({direction}) failed and left nothing behind: {reason}"
        ) from error
    after = read_names(connection)
    changed = {table: table in after for table in (before ^ after) | adopted if not is_own(table)}
    now = shared_columns(connection, ledger, owner.name)
    changed |= {column: column in now for column in columns ^ now}
    heads = context.get_current_heads()
    record(connection, owner.name, heads[0] if heads else None, changed)
    if not heads:
        context._version.drop(connection)
    return Applied(owner.name, revision, (step.doc or "").strip(), direction)


def _refuse_foreign(connection: sa.Connection, owners: Sequence[Owner]) -> None:
    """Tables that another system uses are not taken over in passing: their rows have to be looked at first."""
    with connection.begin():
        free = read_names(connection).difference(read_ledger(connection))
    for owner in owners:
        foreign = [
            it.name for it in owner.tables if it.info.get("stored", "host") != "host" and it.name in free
        ]
        if foreign:
            raise MigrationError(
                f"{owner.name}: {', '.join(foreign)} were made by another system;"
                f" run `hostwright db adopt {owner.name}` first"
            )


def _refuse_announced(connection: sa.Connection, owners: Sequence[Owner]) -> None:
    """Name everything that the revisions to run are known to lose before the first of them runs."""
    losses = []
    with connection.begin():
        free = [it for it in read_names(connection).difference(read_ledger(connection)) if not is_own(it)]
    for owner in owners:
        if owner.folder.is_dir():
            script = ScriptDirectory(str(owner.folder), version_locations=[str(owner.folder)])
            steps = _planned(connection, owner, script, "upgrade", "head")
            with connection.begin():
                is_new = not free and not _context(connection, owner).get_current_heads()
                for step in steps:
                    announcement = Announcement(owner.name, step.revision.revision, step.revision.module)
                    announced = announcement.losses(connection, ATTRIBUTES["always"])
                    # Of an owner that has no tables yet, later revisions only lose what earlier ones make.
                    losses += [loss for loss in announced if not (is_new and loss.rows is None)]
    if losses:
        raise Refused(losses, "To lose it, run `hostwright db upgrade --allow-destructive`.")
