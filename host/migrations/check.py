"""What is left to do: declarations without script, scripts that did not run, a database that drifted."""

from __future__ import annotations

from collections.abc import Sequence

from host.database import Database
from host.migrations.comparison import Comparison
from host.migrations.owners import Owner, in_order
from host.migrations.pending import pending
from host.migrations.plan import plan
from host.migrations.scratch import scripted


def check(database: Database, owners: Sequence[Owner]) -> tuple[str, ...]:
    """Return one sentence for everything that is not in order; nothing means that all is."""
    database.check()
    unscripted = unscripted_changes(owners)
    findings = [
        f"{owner}: the declarations are ahead of the scripts ({'; '.join(summaries)});"
        f" run `hostwright db make {owner}`"
        for owner, summaries in unscripted.items()
    ]
    behind = pending(database, owners)
    findings += [f"{each}; run `hostwright db upgrade`" for each in behind]
    if not findings:
        drifted = plan(database, owners).steps
        findings += [
            f"{step.owner}: the database differs from its scripts: {step.summary}" for step in drifted
        ]
    return tuple(findings)


def unscripted_changes(owners: Sequence[Owner]) -> dict[str, tuple[str, ...]]:
    """Return what is declared and in no script, by owner."""
    with scripted(owners) as connection:
        comparison = Comparison(connection, owners)
        found = {owner.name: comparison.changes(owner) for owner in in_order(owners)}
    return {name: tuple(change.summary for change in changes) for name, changes in found.items() if changes}
