"""How a revision script writes columns, constraints, indexes and tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from host.migrations.calls import Call, Chain, escaped, listed, quoted
from host.migrations.shapes import (
    ABSENT,
    CheckShape,
    ColumnShape,
    Constraint,
    ForeignKeyShape,
    IndexShape,
    TableShape,
    Text,
    UniqueShape,
)
from host.migrations.type_codes import value_code

# SQLite numbers rows itself only in a key of exactly this type.
NUMBERING = 'sa.BigInteger().with_variant(sa.Integer(), "sqlite")'


def column_code(column: ColumnShape, *, nullable: bool | None = None) -> Call:
    """Write a column; `nullable` where it is for the moment another than the shape's."""
    may_be_null = column.nullable if nullable is None else nullable
    return Call("sa.Column", (quoted(column.name), column.code, f"nullable={may_be_null}"))


def table_code(table: TableShape) -> Call:
    """Write the creation of a table with its constraints, without its indexes."""
    parts: list[str | Call] = [quoted(table.name)]
    for column in table.columns.values():
        is_number = (column.name,) == table.key and column.code == "sa.BigInteger()"
        parts.append(column_code(replace(column, code=NUMBERING) if is_number else column))
    if table.key:
        names = [quoted(name) for name in table.key]
        parts.append(
            Call("sa.PrimaryKeyConstraint", (*names, f"name={quoted(table.key_name or 'pk_' + table.name)}"))
        )
    parts += [_inline(constraint) for constraint in table.constraints]
    parts += ["sqlite_autoincrement=True"] if table.is_counted else []
    return Call("op.create_table", tuple(parts), is_tall=True)


def _inline(constraint: Constraint) -> Call:
    name = f"name={quoted(constraint.name or '')}"
    if isinstance(constraint, UniqueShape):
        return Call("sa.UniqueConstraint", (*map(quoted, constraint.columns), name))
    if isinstance(constraint, ForeignKeyShape):
        referred = [f"{constraint.table}.{column}" for column in constraint.referred]
        return Call(
            "sa.ForeignKeyConstraint",
            (listed(constraint.columns), listed(referred), name, *_action(constraint)),
        )
    return Call("sa.CheckConstraint", (check_text(constraint.texts), name))


def _action(constraint: ForeignKeyShape) -> tuple[str, ...]:
    return () if constraint.on_delete is None else (f"ondelete={quoted(constraint.on_delete)}",)


def check_text(texts: Mapping[str, str]) -> str:
    """Write an expression, with a choice by database where each needs its own."""
    if len(set(texts.values())) == 1:
        return quoted(escaped(next(iter(texts.values()))))
    choices = ", ".join(f"{quoted(name)}: {quoted(escaped(text))}" for name, text in sorted(texts.items()))
    return f"{{{choices}}}[op.get_context().dialect.name]"


def add_constraint_code(constraint: Constraint) -> Call:
    """Write the addition of a constraint inside a batch."""
    name = quoted(constraint.name or "")
    if isinstance(constraint, UniqueShape):
        return Call("batch.create_unique_constraint", (name, listed(constraint.columns)))
    if isinstance(constraint, CheckShape):
        return Call("batch.create_check_constraint", (name, check_text(constraint.texts)))
    names = (name, quoted(constraint.table), listed(constraint.columns), listed(constraint.referred))
    return Call("batch.create_foreign_key", (*names, *_action(constraint)))


def drop_constraint_code(constraint: Constraint) -> Call:
    """Write the removal of a constraint inside a batch."""
    kinds = {UniqueShape: "unique", ForeignKeyShape: "foreignkey", CheckShape: "check"}
    return Call(
        "batch.drop_constraint", (quoted(constraint.name or ""), f"type_={quoted(kinds[type(constraint)])}")
    )


def index_code(table: str, index: IndexShape) -> Call:
    """Write the creation of an index; an expression in it is written as text."""
    parts = [_part(text) for text in index.texts]
    arguments = [quoted(index.name), quoted(table), f"[{', '.join(parts)}]", f"unique={index.unique}"]
    for database in ("sqlite", "postgresql"):
        where = index.where_texts.get(database, index.where_texts.get(""))
        arguments += [f"{database}_where={_text(where)}"] if where else []
    return Call("op.create_index", tuple(arguments))


def _part(text: Text) -> str:
    if isinstance(text, str):
        return quoted(text) if re.fullmatch(r"\w+", text) else _text(text)
    found = set(text.values())
    return _part(found.pop()) if len(found) == 1 else f"sa.text({check_text(text)})"


def _text(sql: str) -> str:
    return f"sa.text({quoted(escaped(sql))})"


def fill_code(table: str, column: ColumnShape) -> Call:
    """Write the filling of empty values with the column's default."""
    return _update(table, column, "is_(None)")


def refill_code(table: str, column: ColumnShape, values: Sequence[str]) -> Call:
    """Write the replacement of quoted values by the column's default, or by nothing."""
    words = [value[1:-1].replace("''", "'") for value in values]
    return _update(table, column, f"in_({listed(words)})")


def _update(table: str, column: ColumnShape, condition: str) -> Call:
    name = quoted(column.name)
    target = f"sa.table({quoted(table)}, sa.column({name}, {column.code}))"
    value = "None" if column.backfill is ABSENT else value_code(column.backfill, column.code)
    where, values = f"where(sa.column({name}).{condition})", f"values({{{name}: {value}}})"
    return Call("op.execute", (Chain(("sa", f"update({target})", where, values)),), is_tall=True)
