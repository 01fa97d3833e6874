"""Constants of expressions beside a column: the texts that stand for days, instants and durations become what they mean."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from host.declaration.nodes import Field
from host.fields.columns import Day, Instant, Span, TimeOfDay
from host.fields.durations import parse_duration
from host.fields.kinds import parse_date, parse_instant, parse_time


def constant(value: Any, column_type: sa.types.TypeEngine[Any]) -> Any:
    """The constant as a SQL value of the column's type; the linker has checked that it is one."""
    return sa.literal(_native(value, column_type) if isinstance(value, str) else value, type_=column_type)


def _native(text: str, column_type: sa.types.TypeEngine[Any]) -> Any:
    match column_type:
        case Day():
            return parse_date(text, Field(type="date"))
        case Instant():
            return parse_instant(text, Field(type="datetime"))
        case TimeOfDay():
            return parse_time(text, Field(type="time"))
        case Span():
            return parse_duration(text)
    return text
