"""Values for the way back: a column that a revision dropped returns empty, and may have been required.

What stood in it is gone; a neutral value lets the downgrade run. References and unique columns have none.
"""

from __future__ import annotations

import re
from dataclasses import replace

from host.migrations.hazards import enum_column
from host.migrations.shapes import ABSENT, CheckShape, ColumnShape, ForeignKeyShape, TableShape, UniqueShape

_VALUES: dict[str, object] = {
    "sa.String": "",
    "sa.Text": "",
    "sa.BigInteger": 0,
    "sa.Integer": 0,
    "sa.Double": 0.0,
    "sa.Boolean": False,
    "columns.Exact": 0,
    "columns.Json": {},
    "columns.Day": "1970-01-01",
    "columns.Instant": "1970-01-01T00:00:00+00:00",
    "columns.DjangoInstant": "1970-01-01T00:00:00+00:00",
    "columns.TimeOfDay": "00:00:00",
}


def with_neutral_values(shape: TableShape) -> TableShape:
    """Give every required column that can have one a value to be filled with."""
    tied = {
        name
        for constraint in shape.constraints
        if isinstance(constraint, UniqueShape | ForeignKeyShape)
        for name in constraint.columns
    }
    enums = {
        enum_column(check.sql): re.findall(r"'((?:[^']|'')*)'", check.sql)[0].replace("''", "'")
        for check in shape.constraints
        if isinstance(check, CheckShape) and enum_column(check.sql) is not None
    }
    columns = {
        name: column if column.nullable or name in tied else replace(column, backfill=_value(column, enums))
        for name, column in shape.columns.items()
    }
    return replace(shape, columns=columns)


def _value(column: ColumnShape, enums: dict[str | None, str]) -> object:
    return enums.get(column.name, _VALUES.get(column.code.partition("(")[0], ABSENT))
