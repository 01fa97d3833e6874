"""What a change would lose or contradict, as a count of rows that the database can be asked for before it
happens.

The queries name tables and columns as they are before the revision runs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from host.migrations.shapes import (
    ABSENT,
    CheckShape,
    ColumnShape,
    Constraint,
    ForeignKeyShape,
    Renames,
    UniqueShape,
)

Kind = Literal["always", "rows", "blocked"]
_LITERALS = re.compile(r"'(?:[^']|'')*'")
_LISTING = {"IN", "ANY", "ARRAY", "character", "varying", "text"}
_ORDER = ("SMALLINT", "INTEGER", "BIGINT")


@dataclass(frozen=True)
class Hazard:
    """A danger.

    `always` needs the flag, `rows` only if a row is at stake, `blocked` cannot run then at all.
    """

    what: str
    count: str
    kind: Kind


@dataclass(frozen=True)
class Table:
    """A table under its present name, and how its columns were called before."""

    name: str
    renames: Renames

    @property
    def old(self) -> str:
        """The quoted name before the revision."""
        return identifier(self.renames.old_table(self.name))

    def column(self, name: str) -> str:
        """The quoted name of a column before the revision."""
        return identifier(self.renames.old_column(self.name, name))

    def counting(self, condition: str) -> str:
        """A query that counts rows for which the condition holds."""
        return f"SELECT count(*) FROM {self.old} WHERE {condition}"


def identifier(name: str) -> str:
    """Quote a name if it needs it, as both databases understand."""
    reserved = {
        "order",
        "group",
        "user",
        "check",
        "default",
        "table",
        "index",
        "references",
        "to",
        "end",
        "limit",
    }
    is_plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in reserved
    return name if is_plain else '"' + name.replace('"', '""') + '"'


def dropped_table(table: Table) -> Hazard:
    """A table goes, with its rows."""
    return Hazard(f"drop table {table.name}", f"SELECT count(*) FROM {table.old}", "always")


def dropped_column(table: Table, column: ColumnShape) -> Hazard:
    """A column goes, with its values."""
    count = table.counting(f"{table.column(column.name)} IS NOT NULL")
    return Hazard(f"drop column {table.name}.{column.name}", count, "always")


def added_required(table: Table, column: ColumnShape) -> Hazard | None:
    """A column that may not be null comes to rows that have no value for it."""
    if column.nullable or column.backfill is not ABSENT:
        return None
    place = f"{table.name}.{column.name}"
    what = f"add required column {place}: give it a default, or fill it in a revision of your own"
    return Hazard(what, f"SELECT count(*) FROM {table.old}", "blocked")


def required(table: Table, column: ColumnShape) -> Hazard:
    """A column may not be null any more."""
    count = table.counting(f"{table.column(column.name)} IS NULL")
    place = f"{table.name}.{column.name}"
    if column.backfill is ABSENT:
        return Hazard(f"require {place}, which is empty in some rows: give it a default", count, "blocked")
    return Hazard(f"require {place}, filling empty ones with {column.backfill!r}", count, "rows")


def retyped(table: Table, old: ColumnShape, new: ColumnShape) -> Hazard | None:
    """A column gets another type that may not hold every value."""
    name = table.column(new.name)
    what = f"change {table.name}.{new.name} from {old.type} to {new.type}"
    before, after = _parts(old.type), _parts(new.type)
    if _is_wider(before, after):
        return None
    if after[0] == "VARCHAR" and before[0] in {"VARCHAR", "TEXT"} and after[1]:
        return Hazard(what, table.counting(f"length({name}) > {after[1][0]}"), "rows")
    if after[0] == before[0] == "NUMERIC" and len(after[1]) == 2:
        digits, places = after[1]
        lossy = f"round({name}, {places}) <> {name} OR abs({name}) >= 1e{digits - places}"
        return Hazard(what, table.counting(lossy), "rows")
    return Hazard(what, table.counting(f"{name} IS NOT NULL"), "always")


def _parts(kind: str) -> tuple[str, tuple[int, ...]]:
    name, _, sizes = kind.partition("(")
    return name, tuple(int(size) for size in re.findall(r"\d+", sizes))


def _is_wider(before: tuple[str, tuple[int, ...]], after: tuple[str, tuple[int, ...]]) -> bool:
    if (before[0], after[0]) == ("DATE", "TIMESTAMP WITH TIME ZONE"):
        return True
    if after[0] == "TEXT":
        return before[0] in {"VARCHAR", "CHAR", "UUID", *_ORDER}
    if before[0] in _ORDER and after[0] in _ORDER:
        return _ORDER.index(after[0]) >= _ORDER.index(before[0])
    if before[0] == after[0] == "VARCHAR":
        return not after[1] or bool(before[1] and after[1][0] >= before[1][0])
    if before[0] == after[0] == "NUMERIC" and len(before[1]) == len(after[1]) == 2:
        return after[1][1] >= before[1][1] and after[1][0] - after[1][1] >= before[1][0] - before[1][1]
    return False


def is_narrowed_text(old: ColumnShape, new: ColumnShape) -> int | None:
    """Return the new greatest length of a text that had more room before."""
    before, after = _parts(old.type), _parts(new.type)
    is_text = before[0] in {"VARCHAR", "TEXT"} and after[0] == "VARCHAR" and bool(after[1])
    return after[1][0] if is_text and not _is_wider(before, after) else None


# --- constraints --------------------------------------------------------------------------------------------


def removed_values(old: CheckShape, new: CheckShape) -> tuple[str, ...]:
    """Return the quoted values that an enum's check no longer takes; empty if the checks differ otherwise."""
    if enum_column(old.sql) is None or enum_column(old.sql) != enum_column(new.sql):
        return ()
    kept = set(_LITERALS.findall(new.sql))
    return tuple(dict.fromkeys(value for value in _LITERALS.findall(old.sql) if value not in kept))


def enum_column(sql: str) -> str | None:
    """Return the column of a check that does nothing but list its values, as either database writes it."""
    frame = _LITERALS.sub("", sql)
    words = set(re.findall(r"\w+", frame)) - _LISTING
    return words.pop() if len(words) == 1 and not set("<>!~+-") & set(frame) else None


def removed_enum_values(table: Table, column: str, values: Sequence[str], *, is_replaced: bool) -> Hazard:
    """Rows may have values that an enum no longer knows."""
    count = table.counting(f"{table.column(column)} IN ({', '.join(values)})")
    what = f"remove {', '.join(values)} from {table.name}.{column}"
    if is_replaced:
        return Hazard(f"{what}, replacing it in rows that have it", count, "rows")
    return Hazard(f"{what}: change the rows that have it first", count, "blocked")


def contradicted(table: Table, constraint: Constraint, known: frozenset[str]) -> Hazard | None:
    """Rows may contradict a constraint that comes; `known` are the columns that have values by then."""
    what = f"add {constraint.name}, which these rows contradict"
    if isinstance(constraint, UniqueShape):
        if not known.issuperset(constraint.columns):
            return None
        names = ", ".join(table.column(column) for column in constraint.columns)
        present = " AND ".join(f"{table.column(column)} IS NOT NULL" for column in constraint.columns)
        groups = f"SELECT 1 FROM {table.old} WHERE {present} GROUP BY {names} HAVING count(*) > 1"
        return Hazard(what, f"SELECT count(*) FROM ({groups}) AS duplicates", "blocked")
    if isinstance(constraint, ForeignKeyShape):
        return _orphans(table, constraint, what, known)
    words = set(re.findall(r"\w+", _LITERALS.sub("", table.renames.old_text(table.name, constraint.sql))))
    if len(set(constraint.texts.values())) != 1 or not words & {table.column(name) for name in known}:
        return None
    text = table.renames.old_text(table.name, next(iter(constraint.texts.values())))
    return Hazard(what, table.counting(f"NOT ({text})"), "blocked")


def _orphans(table: Table, key: ForeignKeyShape, what: str, known: frozenset[str]) -> Hazard | None:
    if not known.issuperset(key.columns):
        return None
    other = Table(key.table, table.renames)
    own = [f"here.{table.column(column)}" for column in key.columns]
    pairs = zip(own, key.referred, strict=True)
    match = " AND ".join(f"there.{other.column(referred)} = {column}" for column, referred in pairs)
    present = " AND ".join(f"{column} IS NOT NULL" for column in own)
    missing = f"NOT EXISTS (SELECT 1 FROM {other.old} there WHERE {match})"
    return Hazard(what, f"SELECT count(*) FROM {table.old} here WHERE {present} AND {missing}", "blocked")
