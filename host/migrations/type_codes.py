"""How a revision script writes types and values.

Scripts name the column types of `host.fields.columns`, which are never renamed, so that old revisions stay
valid.
"""

from __future__ import annotations

import re
from datetime import date, time, timedelta

import sqlalchemy as sa

from host.fields.durations import parse_duration
from host.migrations.calls import quoted

# What PostgreSQL calls the types that scripts write: the way back from a database to a script.
_PLAIN = {
    "TIMESTAMP WITH TIME ZONE": "columns.Instant()",
    "DATE": "columns.Day()",
    "TIME WITHOUT TIME ZONE": "columns.TimeOfDay()",
    "UUID": "columns.Uid()",
    "JSONB": "columns.Json()",
    "TSVECTOR": "columns.Words()",
    "BIGINT": "sa.BigInteger()",
    "INTEGER": "sa.Integer()",
    "SMALLINT": "sa.SmallInteger()",
    "BOOLEAN": "sa.Boolean()",
    "DOUBLE PRECISION": "sa.Double()",
    "FLOAT": "sa.Float()",
    "REAL": "sa.REAL()",
    "TEXT": "sa.Text()",
    "BYTEA": "sa.LargeBinary()",
    "BLOB": "sa.LargeBinary()",
    "VARCHAR": "sa.String()",
    "NUMERIC": "sa.Numeric()",
}
_SIZED = {"VARCHAR": "sa.String({})", "CHAR": "sa.CHAR({})", "NUMERIC": "columns.Exact({})"}
_MOMENTS = {
    "columns.Instant": "datetime",
    "columns.DjangoInstant": "datetime",
    "columns.Day": "date",
    "columns.TimeOfDay": "time",
}
# Types of SQLAlchemy that a script writes by their generic name.
_GENERIC = ("BigInteger", "Boolean", "Double", "Float", "Integer", "LargeBinary", "SmallInteger", "Text")


def type_code(text: str) -> str:
    """Write the type that a database answers."""
    match = re.fullmatch(r"(\w+)\(([\d,]+)\)", text)
    if match and match[1] in _SIZED:
        return _SIZED[match[1]].format(match[2].replace(",", ", "))
    return _PLAIN.get(text, "sa.types.NullType()")


def declared_type_code(kind: sa.types.TypeEngine[object]) -> str:
    """Write the type of a declared column."""
    if type(kind).__module__.startswith("host."):
        precision, scale = getattr(kind, "precision", None), getattr(kind, "scale", None)
        return f"columns.{type(kind).__name__}({'' if precision is None else f'{precision}, {scale}'})"
    if isinstance(kind, sa.String) and kind.length is not None:
        return f"sa.String({kind.length})"
    variants = {name: declared_type_code(each) for name, each in kind._variant_mapping.items()}
    added = "".join(f".with_variant({code}, {quoted(name)})" for name, code in variants.items())
    for name in _GENERIC:
        if isinstance(kind, getattr(sa, name)):
            return f"sa.{name}(){added}"
    return f"sa.{kind!r}{added}"


def value_code(value: object, kind: str) -> str:
    """Write a default as its column takes it."""
    name = kind.partition("(")[0]
    if name == "columns.Exact":
        return f"Decimal({quoted(str(value))})"
    if name == "columns.Span" and not isinstance(value, timedelta):
        value = parse_duration(str(value))
    if isinstance(value, timedelta):
        return f"timedelta(microseconds={value // timedelta(microseconds=1)})"
    if name in _MOMENTS:
        text = value.isoformat() if isinstance(value, date | time) else str(value)
        return f"{_MOMENTS[name]}.fromisoformat({quoted(text)})"
    return quoted(value) if isinstance(value, str) else repr(value)
