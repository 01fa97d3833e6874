"""Changes of columns: what comes, what another type or a duty to have a value means for old rows."""

from __future__ import annotations

from collections.abc import Iterator

from host.migrations import codes, hazards
from host.migrations.calls import Call, escaped, quoted
from host.migrations.changes import Change
from host.migrations.hazards import Hazard, identifier
from host.migrations.shapes import ABSENT, ColumnShape, TableShape

# SQLite holds moments as texts, which it does not convert by itself.
_MOMENTS = {
    ("DATE", "TIMESTAMP WITH TIME ZONE"): "{} || 'T00:00:00.000000Z'",
    ("TIMESTAMP WITH TIME ZONE", "DATE"): "substr({}, 1, 10)",
}


def column_changes(table: hazards.Table, old: TableShape, new: TableShape) -> Iterator[Change]:
    """Return what happens to columns, except that some go."""
    for name, column in new.columns.items():
        before = old.columns.get(name)
        if before is None:
            yield from _added_column(table, column)
        elif before != column:
            yield from _altered_column(table, before, column)


def _added_column(table: hazards.Table, column: ColumnShape) -> Iterator[Change]:
    """A required column comes empty, is filled, and is required only then."""
    code = Call("batch.add_column", (codes.column_code(column, nullable=True),))
    hazard = hazards.added_required(table, column)
    yield Change(table.name, f"add column {table.name}.{column.name}", code, True, hazard)
    if not column.nullable:
        yield from _filled(table.name, column)
        yield _nullability(table.name, column)


def _altered_column(table: hazards.Table, old: ColumnShape, new: ColumnShape) -> Iterator[Change]:
    if old.type != new.type:
        yield from _retyped(table, old, new)
    if old.nullable and not new.nullable:
        yield from _filled(table.name, new)
        yield _nullability(table.name, new, hazards.required(table, new))
    elif old.nullable != new.nullable:
        yield _nullability(table.name, new)


def _retyped(table: hazards.Table, old: ColumnShape, new: ColumnShape) -> Iterator[Change]:
    place = f"{table.name}.{new.name}"
    hazard = hazards.retyped(table, old, new)
    length = hazards.is_narrowed_text(old, new)
    if length is not None:
        name = identifier(new.name)
        cut = f"{name} = substr({name}, 1, {length}) WHERE length({name}) > {length}"
        code = Call("op.execute", (quoted(f"UPDATE {identifier(table.name)} SET {cut}"),))
        yield Change(table.name, f"cut {place} to {length} characters", code)
    if (old.type, new.type) in _MOMENTS:
        value = _MOMENTS[old.type, new.type].format(identifier(new.name))
        sql = f"UPDATE {identifier(table.name)} SET {identifier(new.name)} = {value}"
        rewritten = Call("op.execute", (quoted(escaped(sql)),))
        yield Change(table.name, f"rewrite {place}", rewritten, only="sqlite")
    casting = f"postgresql_using={quoted(f'{identifier(new.name)}::{new.type}')}"
    arguments = (quoted(new.name), f"existing_type={old.code}", f"type_={new.code}", casting)
    summary = f"change {place} from {old.type} to {new.type}"
    yield Change(table.name, summary, Call("batch.alter_column", arguments), True, hazard)


def _nullability(table: str, column: ColumnShape, hazard: Hazard | None = None) -> Change:
    words = (quoted(column.name), f"existing_type={column.code}", f"nullable={column.nullable}")
    verb = "allow null in" if column.nullable else "require"
    code = Call("batch.alter_column", words)
    return Change(table, f"{verb} {table}.{column.name}", code, True, hazard)


def _filled(table: str, column: ColumnShape) -> Iterator[Change]:
    if column.backfill is not ABSENT:
        summary = f"fill {table}.{column.name} with {column.backfill!r}"
        yield Change(table, summary, codes.fill_code(table, column))
