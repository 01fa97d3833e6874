"""What a driver's integrity error says: which constraint a write broke."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Violation:
    """A constraint that a write broke: its name where the driver tells it, else its columns."""

    kind: Literal["unique", "foreign_key", "check", "not_null", "range", "other"]
    constraint: str | None = None
    table: str | None = None
    columns: tuple[str, ...] = ()


_PG_KINDS: dict[str, Literal["unique", "foreign_key", "check", "not_null", "range"]] = {
    "23505": "unique", "23503": "foreign_key", "23001": "foreign_key", "23514": "check", "23502": "not_null",
    "22001": "range", "22003": "range",
}  # fmt: skip
_PG_KEY = re.compile(r"\(((?:\w+|\"[^\"]+\")(?:, (?:\w+|\"[^\"]+\"))*)\)=\(")
_SQLITE_FORMS = (
    ("unique", re.compile(r"UNIQUE constraint failed: index '(?P<constraint>\w+)'")),
    ("unique", re.compile(r"UNIQUE constraint failed: (?P<columns>.+)")),
    ("check", re.compile(r"CHECK constraint failed: (?P<constraint>\w+)")),
    ("not_null", re.compile(r"NOT NULL constraint failed: (?P<columns>.+)")),
    ("foreign_key", re.compile(r"FOREIGN KEY constraint failed")),
)


def violation_of(error: BaseException) -> Violation | None:
    """What a driver's (or SQLAlchemy's) integrity error says, or None when it is another error."""
    original = getattr(error, "orig", None) or error
    if isinstance(original, sqlite3.IntegrityError):
        return _sqlite_violation(str(original))
    state = getattr(original, "sqlstate", None)
    if state in _PG_KINDS:
        diagnosis: Any = original.diag  # type: ignore[union-attr]  # psycopg's, which is not imported for SQLite
        columns = (diagnosis.column_name,) if diagnosis.column_name else _told_columns(diagnosis)
        return Violation(_PG_KINDS[state], diagnosis.constraint_name, diagnosis.table_name, columns)
    return None


def _told_columns(diagnosis: Any) -> tuple[str, ...]:
    """The columns of a key, as the server tells them: constraints that another system made have names that say nothing."""
    match = _PG_KEY.search(diagnosis.message_detail or "") if diagnosis.sqlstate == "23505" else None
    return tuple(name.strip('" ') for name in match[1].split(",")) if match else ()


def _sqlite_violation(message: str) -> Violation:
    for kind, form in _SQLITE_FORMS:
        match = form.search(message)
        if match is None:
            continue
        found = match.groupdict()
        names = [name.strip() for name in (found.get("columns") or "").split(",") if name.strip()]
        table = names[0].partition(".")[0] if names else None
        columns = tuple(name.partition(".")[2] for name in names)
        return Violation(kind, found.get("constraint"), table, columns)  # type: ignore[arg-type]  # kinds of the table
    return Violation("other")
