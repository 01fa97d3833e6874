"""What has to be done to get from one shape to another, in the order in which it has to be done.

The way back is the same question with the shapes exchanged. A change says it in words, as code of a revision
script, and with the rows it endangers. `plan` compares a database with the declarations, `make` the scripts
with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from host.migrations import codes, hazards
from host.migrations.calls import Call, quoted
from host.migrations.changes import Change
from host.migrations.column_changes import column_changes
from host.migrations.constraint_changes import (
    added_constraint,
    contradiction,
    dropped_constraint,
    enum_changes,
)
from host.migrations.errors import MigrationError
from host.migrations.hazards import identifier
from host.migrations.search import indexed, is_words, unindexed
from host.migrations.shapes import (
    Constraint,
    ForeignKeyShape,
    IndexShape,
    Renames,
    Shapes,
    TableShape,
    rename,
)


def difference(old: Shapes, new: Shapes, renames: Renames) -> tuple[Change, ...]:
    """Return the changes from old to new.

    `renames` may hold those of other owners, which references follow.
    """
    before = rename(old, renames)
    created = [name for name in _by_reference(new) if name not in before]
    dropped = [name for name in reversed(_by_reference(before)) if name not in new]
    late = {name: _late_references(new[name], created[position:]) for position, name in enumerate(created)}
    changes = list(_renamings(renames, before, new))
    # A new table may take the name of a renamed one, and with it the names of its indexes.
    early = {name for name in new if renames.old_table(name) != name and renames.old_table(name) in created}
    for name in sorted(early):
        changes += _removals(before[name], new[name])
    for name in created:
        changes += _creation(new[name], late[name])
    for name in created:
        changes += [added_constraint(name, key, None) for key in late[name]]
    for name in sorted(new.keys() & before.keys()):
        changes += [] if name in early else _removals(before[name], new[name])
        changes += _alteration(before[name], new[name], renames)
    for name in created:
        changes += indexed(new[name])
    for name in dropped:
        is_lost = not is_words(before[name])
        changes += [] if is_lost else [unindexed(name)]
        code = Call("op.drop_table", (quoted(name),))
        hazard = hazards.dropped_table(hazards.Table(name, renames)) if is_lost else None
        changes.append(Change(name, f"drop table {name}", code, hazard=hazard))
    return tuple(changes)


def _by_reference(shapes: Shapes) -> list[str]:
    """Sort tables so that each follows those it refers to, as far as they do not refer to each other."""
    ordered: dict[str, None] = {}

    def place(name: str, above: frozenset[str]) -> None:
        if name in shapes and name not in above and name not in ordered:
            keys = (each for each in shapes[name].constraints if isinstance(each, ForeignKeyShape))
            for key in sorted(keys, key=lambda key: key.table):
                place(key.table, above | {name})
            ordered[name] = None

    for name in sorted(shapes):
        place(name, frozenset())
    return list(ordered)


def _renamings(renames: Renames, before: Shapes, own: Shapes) -> Iterator[Change]:
    for old, new in renames.tables.items():
        if new not in own:
            continue
        code = Call("op.rename_table", (quoted(old), quoted(new)))
        yield Change(new, f"rename table {old} to {new}", code)
        yield from _renamed_key(before[new], own[new])
    for table, names in renames.columns.items():
        for old, new in names.items() if table in own else ():
            if new not in own[table].columns:  # another's, of a table that is shared
                continue
            words = (quoted(table), quoted(old), f"new_column_name={quoted(new)}")
            yield Change(table, f"rename column {table}.{old} to {new}", Call("op.alter_column", words))


def _renamed_key(old: TableShape, new: TableShape) -> Iterator[Change]:
    """PostgreSQL's keys have names that no two tables share; SQLite never looks at them."""
    if old.key_name and new.key_name and old.key_name != new.key_name:
        sql = f"ALTER INDEX IF EXISTS {identifier(old.key_name)} RENAME TO {identifier(new.key_name)}"
        code = Call("op.execute", (quoted(sql),))
        yield Change(new.name, f"rename the key of {new.name}", code, only="postgresql")


def _late_references(shape: TableShape, following: Sequence[str]) -> tuple[ForeignKeyShape, ...]:
    """Foreign keys to tables that are made later: two tables that refer to each other."""
    keys = (constraint for constraint in shape.constraints if isinstance(constraint, ForeignKeyShape))
    return tuple(key for key in keys if key.table in following and key.table != shape.name)


def _creation(shape: TableShape, late: Sequence[Constraint]) -> Iterator[Change]:
    constraints = tuple(each for each in shape.constraints if each not in late)
    first = TableShape(shape.name, shape.columns, shape.key, constraints)
    yield Change(shape.name, f"create table {shape.name}", codes.table_code(first))
    for index in shape.indexes:
        yield _added_index(shape.name, index)


def _removals(old: TableShape, new: TableShape) -> Iterator[Change]:
    for index in _missing(old.indexes, new.indexes):
        code = Call("op.drop_index", (quoted(index.name), f"table_name={quoted(new.name)}"))
        yield Change(new.name, f"drop index {index.name}", code)
    for constraint in _missing(old.constraints, new.constraints):
        yield dropped_constraint(new.name, constraint)


def _alteration(old: TableShape, new: TableShape, renames: Renames) -> Iterator[Change]:
    table = hazards.Table(new.name, renames)
    if old.key != new.key and old.key:
        raise MigrationError(
            f"the key of {new.name} changes from {', '.join(old.key)} to {', '.join(new.key)}:"
            " nobody but you knows what its rows become; write that revision by hand"
        )
    come = _missing(new.constraints, old.constraints)
    values = [change for constraint in come for change in enum_changes(table, old, new, constraint)]
    yield from (change for change, is_early in values if is_early)
    yield from column_changes(table, old, new)
    yield from (change for change, is_early in values if not is_early)
    known = frozenset(old.columns) & frozenset(new.columns)
    for constraint in come:
        yield added_constraint(new.name, constraint, contradiction(table, old, constraint, known))
    for name in old.columns.keys() - new.columns.keys():
        code = Call("batch.drop_column", (quoted(name),))
        hazard = hazards.dropped_column(table, old.columns[name])
        yield Change(new.name, f"drop column {new.name}.{name}", code, True, hazard)
    for index in _missing(new.indexes, old.indexes):
        yield _added_index(new.name, index)


_Named = TypeVar("_Named", Constraint, IndexShape)


def _missing(these: Sequence[_Named], those: Sequence[_Named]) -> list[_Named]:
    return sorted((each for each in these if each not in those), key=lambda each: str(each.name))


def _added_index(table: str, index: IndexShape) -> Change:
    kind = "unique index" if index.unique else "index"
    return Change(table, f"create {kind} {index.name}", codes.index_code(table, index))
