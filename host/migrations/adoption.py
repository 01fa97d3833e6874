"""Taking over the tables of another system, which goes on using them: compared, completed and stamped in one transaction.

Called by `hostwright db adopt`. What is in the way is told with what to do about it, and nothing is changed then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import sqlalchemy as sa

from host.database import Database
from host.migrations.additions import Addition, Offending, new_column, new_constraint, new_index, new_table
from host.migrations.blueprint import declared_shapes
from host.migrations.history import read_history
from host.migrations.ledger import LEDGER, VERSION_TABLE, read_ledger, record
from host.migrations.legacy import fits, has_key, is_indexed, is_met, parts
from host.migrations.owners import Owner, owner_named
from host.migrations.reflection import held_checks, read_shapes
from host.migrations.runner import exclusive
from host.migrations.search import rebuild
from host.migrations.shapes import ColumnShape, Constraint, ForeignKeyShape, Shapes, TableShape

Kind = Literal["compatible", "additive", "incompatible"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: as good as what is declared, missing and added, or in the way, and then what to do."""

    kind: Kind
    table: str
    what: str
    advice: str = ""
    sql: tuple[str, ...] = ()
    offending: Offending | None = None


@dataclass(frozen=True, slots=True)
class Adoption:
    """What was found and what became of it."""

    plugin: str
    findings: tuple[Finding, ...]
    revision: str | None
    outcome: Literal["adopted", "refused", "would adopt", "adopted before"]

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """What is in the way."""
        return tuple(
            each for each in self.findings if each.kind == "incompatible" or each.offending is not None
        )


def adopt(
    database: Database,
    owners: Sequence[Owner],
    name: str,
    *,
    dry_run: bool = False,
    others: Sequence[Finding] = (),
) -> Adoption:
    """Compare the tables with what a plugin declares, add what is missing and record that they are the plugin's.

    One transaction: everything, or nothing where something is in the way; `others` are what else was found.
    """
    database.check()
    owner = owner_named(owners, name)
    history = read_history(owner.folder)
    head = history[-1].id if history else None
    with exclusive(database.engine) as connection, connection.begin() as transaction:
        findings = (*_findings(connection, owner), *others)
        found = Adoption(name, findings, head, "adopted")
        is_known = _is_stamped(connection, name, head)
        if found.refusals or dry_run:
            transaction.rollback()
            outcome: Literal["refused", "would adopt"] = "refused" if found.refusals else "would adopt"
            return Adoption(name, findings, head, outcome)
        additions = [sql for each in findings for sql in each.sql]
        if is_known and not additions:
            transaction.rollback()
            return Adoption(name, findings, head, "adopted before")
        for sql in additions:
            connection.exec_driver_sql(sql.replace("%", "%%") if database.dialect == "postgresql" else sql)
        _index_words(connection, owner, findings)
        _stamp(connection, owner, head)
    return found


def _index_words(connection: sa.Connection, owner: Owner, findings: Sequence[Finding]) -> None:
    """Fill the tables of words that were added, once everything else is there."""
    added = {each.table for each in findings if each.sql}
    for table in owner.tables:
        if table.name in added and "search" in table.info:
            rebuild(connection, table.name, table.info["search"])


def _stamp(connection: sa.Connection, owner: Owner, head: str | None) -> None:
    """From here on the tables are the plugin's, at its last revision."""
    LEDGER.create(connection, checkfirst=True)
    record(connection, owner.name, head, {table.name: True for table in owner.tables})
    version = _version_table(owner.name)
    version.create(connection, checkfirst=True)
    connection.execute(version.delete())
    if head is not None:
        connection.execute(version.insert().values(version_num=head))


def _version_table(owner: str) -> sa.Table:
    name = VERSION_TABLE.format(owner)
    column = sa.Column("version_num", sa.String(32), nullable=False)
    return sa.Table(name, sa.MetaData(), column, sa.PrimaryKeyConstraint("version_num", name=f"{name}_pkc"))


def _is_stamped(connection: sa.Connection, owner: str, head: str | None) -> bool:
    version = _version_table(owner)
    if not sa.inspect(connection).has_table(version.name):
        return False
    return connection.execute(sa.select(version.c.version_num)).scalar() == head


# --- what differs -----------------------------------------------------------------------------------------------------


def _findings(connection: sa.Connection, owner: Owner) -> Iterator[Finding]:
    owner_of = read_ledger(connection)
    present: Shapes = read_shapes(connection)
    declared = declared_shapes(list(owner.tables), connection)
    for table in owner.tables:
        other = owner_of.get(table.name, owner.name)
        if other != owner.name:
            yield Finding(
                "incompatible", table.name, f"belongs to {other}", "give the resource another `table`"
            )
        elif table.name not in present:
            yield _added(connection, table.name, new_table(table, connection.dialect))
        else:
            yield from _compared(connection, table, present[table.name], declared[table.name])


def _added(connection: sa.Connection, table: str, addition: Addition) -> Finding:
    offending = addition.offending(connection)
    advice = "" if offending is None else "change these rows first"
    return Finding("additive", table, addition.what, advice, addition.statements, offending)


def _compared(
    connection: sa.Connection, table: sa.Table, old: TableShape, new: TableShape
) -> Iterator[Finding]:
    for column in new.columns.values():
        yield from _column(connection, table, old.columns.get(column.name), column)
    yield from _others(connection, old, new)
    if not has_key(old, new):
        what = f"its key is {', '.join(old.key) or 'nothing'}, declared is {', '.join(new.key)}"
        yield Finding("incompatible", table.name, what, "declare the `key` that the table has")
    elif old.key != new.key:
        yield Finding("compatible", table.name, f"has a key of its own, {', '.join(old.key)}")
    held = held_checks(connection, table.name)
    for constraint in new.constraints:
        if not is_met(constraint, old, held):
            yield _constraint(connection, table, old, new, constraint)
    for index in new.indexes:
        if not is_indexed(index, old):
            addition = new_index(table, index, connection.dialect)
            yield _added(connection, table.name, _possible(addition, old, new))


def _constraint(
    connection: sa.Connection, table: sa.Table, old: TableShape, new: TableShape, wanted: Constraint
) -> Finding:
    if isinstance(wanted, ForeignKeyShape):
        is_there = any(
            isinstance(each, ForeignKeyShape) and each.columns == wanted.columns for each in old.constraints
        )
        if is_there or connection.dialect.name == "sqlite":
            return _reference(old, wanted)
    addition = new_constraint(table, wanted, old, connection.dialect)
    return _added(connection, table.name, _possible(addition, old, new))


def _possible(addition: Addition, old: TableShape, declared: TableShape) -> Addition:
    """The addition; what is not there yet contradicts nothing."""
    asked = " ".join(addition.groups[1]) if addition.groups is not None else ""
    is_new = any(word not in old.columns and word in declared.columns for word in re.findall(r"\w+", asked))
    return replace(addition, groups=None) if is_new else addition


def _reference(old: TableShape, wanted: ForeignKeyShape) -> Finding:
    columns = ", ".join(wanted.columns)
    live = next(
        (it for it in old.constraints if isinstance(it, ForeignKeyShape) and it.columns == wanted.columns),
        None,
    )
    if live is None:
        return Finding(
            "compatible", old.name, f"{columns} has no foreign key to {wanted.table}; the host looks itself"
        )
    what = f"{columns} refers to {live.table} with {live.on_delete or 'no action'} on delete"
    return Finding(
        "incompatible",
        old.name,
        what,
        f"declared is {wanted.table}, {wanted.on_delete}: declare what is there",
    )


def _column(
    connection: sa.Connection, table: sa.Table, live: ColumnShape | None, declared: ColumnShape
) -> Iterator[Finding]:
    place, name = table.name, declared.name
    if live is None:
        if declared.nullable:
            yield _added(connection, place, new_column(table.columns[name], connection.dialect))
        else:
            advice = "the other system could not fill it: declare it `nullable: true`, or add it there"
            yield Finding("incompatible", place, f"has no column {name}, which is required", advice)
        return
    if not fits(declared, live, connection.dialect.name):
        advice = _type_advice(declared, live)
        yield Finding("incompatible", place, f"{name} is {live.type}, declared is {declared.type}", advice)
    elif _is_shorter(declared, live):
        yield Finding("compatible", place, f"{name} is {live.type}, declared is {declared.type}")
    if live.nullable and not declared.nullable and name not in table.primary_key.columns:
        advice = "declare it `nullable: true`, or forbid null in the other system"
        yield Finding("incompatible", place, f"{name} may be null, declared is that it may not", advice)
    elif declared.nullable and not live.nullable:
        advice = 'declare it `nullable: false` with a default (`default: ""`), or `required`'
        yield Finding("incompatible", place, f"{name} may not be null, declared is that it may", advice)


def _is_shorter(declared: ColumnShape, live: ColumnShape) -> bool:
    return parts(declared.type) != parts(live.type) and declared.code.startswith(("sa.String", "sa.Text"))


def _type_advice(declared: ColumnShape, live: ColumnShape) -> str:
    size = parts(live.type)[1]
    if declared.code.startswith(("sa.String", "sa.Text")) and size is not None:
        return f"longer texts would not fit: declare `max: {size}`"
    if live.type == "TIMESTAMP WITHOUT TIME ZONE":
        return (
            "instants without a zone mean something else on every machine: let the other system store zones"
        )
    return "declare the type that the column has"


def _others(connection: sa.Connection, old: TableShape, new: TableShape) -> Iterator[Finding]:
    """Columns that only the other system knows: the host leaves them out of what it writes."""
    extra = [name for name in old.columns if name not in new.columns]
    filled = {column["name"] for column in sa.inspect(connection).get_columns(old.name) if _is_filled(column)}
    for name in extra:
        column = old.columns[name]
        if column.nullable or name in filled or (name,) == old.key:
            yield Finding("compatible", old.name, f"has a column {name} that is not declared")
        else:
            advice = "declare it as a field with a default: the host could make no rows without it"
            yield Finding(
                "incompatible", old.name, f"has a column {name} that is required and not declared", advice
            )


def _is_filled(column: object) -> bool:
    known: dict[str, object] = column  # type: ignore[assignment]  # a dictionary with known keys
    return known.get("default") is not None or known.get("identity") is not None
