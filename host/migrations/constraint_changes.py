"""Changes of a table's constraints, and what old rows have to do with them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from host.migrations import codes, hazards
from host.migrations.changes import Change
from host.migrations.errors import MigrationError
from host.migrations.hazards import Hazard
from host.migrations.shapes import ABSENT, CheckShape, Constraint, ForeignKeyShape, TableShape


def dropped_constraint(table: str, constraint: Constraint) -> Change:
    """A constraint goes; one of a foreign table's making may have no name to call it by."""
    if constraint.name is None:
        raise MigrationError(f"a constraint of {table} has no name: no script can drop it, do it by hand")
    code = codes.drop_constraint_code(constraint)
    return Change(table, f"drop constraint {constraint.name}", code, batch=True)


def added_constraint(table: str, constraint: Constraint, hazard: Hazard | None) -> Change:
    """A constraint comes; `hazard` counts the rows that contradict it."""
    code = codes.add_constraint_code(constraint)
    return Change(table, f"add constraint {constraint.name}", code, batch=True, hazard=hazard)


def contradiction(
    table: hazards.Table, old: TableShape, constraint: Constraint, known: frozenset[str]
) -> Hazard | None:
    """A constraint that only changes its name, or an enum's values, is contradicted by no row."""
    for before in old.constraints:
        if type(before) is type(constraint) and _without_name(before) == _without_name(constraint):
            return None
        if _is_same_enum(before, constraint):
            return None
    return hazards.contradicted(table, constraint, known)


def _is_same_enum(old: Constraint, new: Constraint) -> bool:
    if not isinstance(old, CheckShape) or not isinstance(new, CheckShape) or old.name != new.name:
        return False
    return bool(hazards.removed_values(old, new) or hazards.removed_values(new, old))


def _without_name(constraint: Constraint) -> tuple[object, ...]:
    if isinstance(constraint, CheckShape):
        return (constraint.sql,)
    if isinstance(constraint, ForeignKeyShape):
        return (constraint.columns, constraint.table, constraint.referred)
    return (constraint.columns,)


def enum_changes(
    table: hazards.Table, old: TableShape, new: TableShape, constraint: Constraint
) -> Iterator[tuple[Change, bool]]:
    """Rows with a value that an enum no longer knows get its default, or none.

    True stands for changes that come before those of the column: before it gets too narrow for the old
    values.
    """
    before = next((each for each in old.constraints if each.name == constraint.name), None)
    if not isinstance(before, CheckShape) or not isinstance(constraint, CheckShape):
        return
    values = hazards.removed_values(before, constraint)
    named = [column for name, column in new.columns.items() if re.search(rf"\b{name}\b", constraint.sql)]
    if not values or not named:
        return
    column = named[0]
    is_replaced = column.backfill is not ABSENT or column.nullable
    code = codes.refill_code(table.name, column, values) if is_replaced else None
    hazard = hazards.removed_enum_values(table, column.name, values, is_replaced=is_replaced)
    former = old.columns.get(column.name)
    is_narrowed = former is not None and hazards.is_narrowed_text(former, column) is not None
    summary = f"remove {', '.join(values)} from {table.name}.{column.name}"
    yield Change(table.name, summary, code, hazard=hazard), is_narrowed
