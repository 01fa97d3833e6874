"""Who owns tables and revisions: the host, every plugin and the site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from host.migrations.errors import MigrationError


@dataclass(frozen=True)
class Owner:
    """A plugin as the migrations see it: its declared tables and the folder of its revisions.

    `editable` says whether revisions may be written there without being asked for by name: true inside the
    site's own folder, false for installed packages.
    """

    name: str
    folder: Path
    tables: tuple[sa.Table, ...] = ()
    depends: tuple[str, ...] = ()
    editable: bool = True


def in_order(owners: Sequence[Owner]) -> tuple[Owner, ...]:
    """Return the owners so that each follows those it depends on. Refuses two owners of one table."""
    _refuse_shared(owners)
    known = {owner.name: owner for owner in owners}
    ordered: dict[str, Owner] = {}

    def place(owner: Owner, above: tuple[str, ...]) -> None:
        if owner.name in above:
            raise MigrationError(
                f"plugins depend on each other in a circle: {' → '.join([*above, owner.name])}"
            )
        for name in owner.depends:
            if name in known:
                place(known[name], (*above, owner.name))
        ordered.setdefault(owner.name, owner)

    for owner in owners:
        place(owner, ())
    return tuple(ordered.values())


def _refuse_shared(owners: Sequence[Owner]) -> None:
    owner_of: dict[str, str] = {}
    for owner in owners:
        for table in owner.tables:
            first = owner_of.setdefault(table.name, owner.name)
            if first != owner.name:
                raise MigrationError(f"the table {table.name} is declared by {first} and by {owner.name}")


def owner_named(owners: Sequence[Owner], name: str) -> Owner:
    """Return the owner of that name. Raises MigrationError for another."""
    for owner in owners:
        if owner.name == name:
            return owner
    raise MigrationError(
        f"no enabled plugin is called {name!r}; known: {', '.join(owner.name for owner in owners)}"
    )
