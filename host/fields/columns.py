"""Column types with one meaning on SQLite and PostgreSQL. Their names occur in migration scripts: never rename one."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import orjson
import sqlalchemy as sa

from host.fields.durations import iso_duration


def instant_text(value: datetime) -> str:
    """UTC in RFC 3339 with a fixed width, so that texts sort as instants do."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def as_utc(value: datetime) -> datetime:
    """The same instant in UTC."""
    return value.astimezone(UTC)


class Instant(sa.types.TypeDecorator[datetime]):
    """A point in time: timestamptz, on SQLite a fixed-width RFC 3339 text in UTC. Takes and gives aware datetimes."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return sa.String(27) if dialect.name == "sqlite" else sa.DateTime(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        return instant_text(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if isinstance(value, str):
            parsed = datetime.fromisoformat(value)
            return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed
        return None if value is None else as_utc(value)


class Day(sa.types.TypeDecorator[date]):
    """A calendar day: date, on SQLite its ISO text."""

    impl = sa.Date
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return sa.String(10) if dialect.name == "sqlite" else sa.Date()

    def process_bind_param(self, value: date | None, dialect: sa.Dialect) -> Any:
        return value.isoformat() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> date | None:
        return date.fromisoformat(value) if isinstance(value, str) else value


class TimeOfDay(sa.types.TypeDecorator[time]):
    """A time without a day or a zone: time, on SQLite its ISO text, which sorts with or without a fraction."""

    impl = sa.Time
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return sa.String(15) if dialect.name == "sqlite" else sa.Time()

    def process_bind_param(self, value: time | None, dialect: sa.Dialect) -> Any:
        return value.isoformat() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> time | None:
        return time.fromisoformat(value) if isinstance(value, str) else value


class Span(sa.types.TypeDecorator[timedelta]):
    """A length of time, as whole microseconds in a bigint on both databases."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: sa.Dialect) -> int | None:
        return value // timedelta(microseconds=1) if value is not None else None

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> timedelta | None:
        return timedelta(microseconds=value) if value is not None else None


class Uid(sa.types.TypeDecorator[str]):
    """A UUID as canonical text: uuid, on SQLite char(36)."""

    impl = sa.String(36)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return sa.String(36) if dialect.name == "sqlite" else sa.Uuid(as_uuid=False)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else str(value)


class _Datetime(sa.types.UserDefinedType[str]):
    """The word by which Django's driver knows a column of instants on SQLite; what lies in it is text."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "DATETIME"


class DjangoInstant(Instant):
    """A point in time as Django stores it: timestamptz, on SQLite a text in UTC without a zone, and without a fraction of 0.

    Such texts sort as instants do, and the same instant is always the same text.
    """

    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return _Datetime() if dialect.name == "sqlite" else sa.DateTime(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return str(value.astimezone(UTC).replace(tzinfo=None))


class DjangoUid(Uid):
    """A UUID as Django stores it: uuid, on SQLite its 32 digits without dashes. Takes and gives the canonical text."""

    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return sa.CHAR(32) if dialect.name == "sqlite" else sa.Uuid(as_uuid=False)

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return value.replace("-", "") if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else str(uuid.UUID(str(value)))


class Exact(sa.types.TypeDecorator[Decimal]):
    """A decimal of at most 15 digits: numeric, on SQLite a double, which holds 15 decimal digits exactly."""

    impl = sa.Numeric
    cache_ok = True

    def __init__(self, precision: int = 15, scale: int = 2) -> None:
        super().__init__(precision=precision, scale=scale, asdecimal=True)
        self.precision = precision
        self.scale = scale
        self.quantum = Decimal(1).scaleb(-scale)

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "sqlite":
            return sa.Numeric(self.precision, self.scale, asdecimal=False)
        return sa.Numeric(self.precision, self.scale, asdecimal=True)

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return float(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Decimal | None:
        return (
            Decimal(repr(value) if isinstance(value, float) else value).quantize(self.quantum)
            if value is not None
            else None
        )


class _JsonB(sa.types.UserDefinedType[Any]):
    """jsonb that takes and gives texts, so that stored JSON reaches the answer without being parsed."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSONB"


class Json(sa.types.TypeDecorator[Any]):
    """A JSON document: jsonb, on SQLite text."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return sa.Text() if dialect.name == "sqlite" else _JsonB()

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else orjson.dumps(value, json_value, orjson.OPT_UTC_Z).decode()

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return orjson.loads(value) if isinstance(value, str | bytes) else value


class _Vector(sa.types.UserDefinedType[str]):
    """tsvector, given and answered as text."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "TSVECTOR"


class Words(sa.types.TypeDecorator[str]):
    """Words in the form of `host.fields.words.stored_words`: a vector, on SQLite text."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return sa.Text() if dialect.name == "sqlite" else _Vector()


def json_value(value: Any) -> Any:
    """The JSON form of a value inside a stored document: the one that `forms` reads back."""
    match value:
        case Decimal() | uuid.UUID():
            return str(value)
        case timedelta():
            return iso_duration(value // timedelta(microseconds=1))
    raise TypeError(f"{type(value).__name__} has no JSON form")
