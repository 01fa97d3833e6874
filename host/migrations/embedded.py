"""Migrations of the embedded run: what `hostwright run` does so that a declaration just works.

Scripts that exist are run. A declaration that is ahead of them gets its script written and run, if it belongs
to the site's own folder and loses nothing; everything else is left to the commands, with the one to run.
"""

from __future__ import annotations

from collections.abc import Sequence

from host.database import Database
from host.migrations.changes import Change
from host.migrations.comparison import Comparison
from host.migrations.errors import MigrationError
from host.migrations.losses import count_rows
from host.migrations.owners import Owner, in_order
from host.migrations.pending import pending


def prepare_embedded(database: Database, owners: Sequence[Owner]) -> list[str]:
    """Bring the database to the declarations and return a line for everything that was done.

    Raises MigrationError, with the command to run, where that would lose data or write into an installed
    package.
    """
    done: list[str] = []
    if pending(database, owners):
        done += _upgrade(database, owners)
    for owner in _ahead(database, owners):
        done += _make(database, owner, owners)
    return done + (_upgrade(database, owners) if pending(database, owners) else [])


def _ahead(database: Database, owners: Sequence[Owner]) -> list[Owner]:
    """The owners whose declared tables the database does not have; needs no Alembic."""
    with database.engine.connect() as connection, connection.begin() as transaction:
        comparison = Comparison(connection, owners)
        ahead = [owner for owner in in_order(owners) if comparison.changes(owner)]
        transaction.rollback()
    return ahead


def _upgrade(database: Database, owners: Sequence[Owner]) -> list[str]:
    from host.migrations.runner import upgrade  # Alembic only when there is something to run

    return [str(applied) for applied in upgrade(database, owners)]


def _make(database: Database, owner: Owner, owners: Sequence[Owner]) -> list[str]:
    from host.migrations.scratch import scripted  # Alembic only when there is something to make
    from host.migrations.script import describe, write_script

    with scripted(owners) as connection:
        comparison = Comparison(connection, owners)
        changes, way_back = comparison.changes(owner), comparison.way_back(owner)
    if not changes:
        return [f"{owner.name}: the database differs from its scripts; `hostwright db plan` says how"]
    risks = _risks(database, changes)
    if not owner.editable:
        raise MigrationError(
            f"the installed plugin {owner.name} declares tables that its scripts do not make"
        )
    if risks:
        raise MigrationError(
            f"{owner.name}: not done by itself, because it may lose data: {'; '.join(risks)}."
            f" Run `hostwright db make {owner.name}`, read the script,"
            " then `hostwright db upgrade --allow-destructive`"
        )
    path = write_script(owner, describe(changes), changes, way_back)
    return [f"wrote {path}: {describe(changes)}"]


def _risks(database: Database, changes: Sequence[Change]) -> list[str]:
    """What the changes would lose or contradict with the rows that the database has now."""
    with database.engine.connect() as connection, connection.begin():
        hazards = [change.hazard for change in changes if change.hazard is not None]
        return [each.what for each in hazards if each.kind == "always" or count_rows(connection, each.count)]
