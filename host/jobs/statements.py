"""Statements over the job table, compiled once and run on the driver's connection. `claims`, `endings` and `reaping` use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from host.compiler.statements import Statement
from host.fields.columns import Instant
from host.service.jobs import among
from host.service.runtime import Runtime
from host.service.tasks import JOB

FAILURE: Final = "host.job_failure"
STEP: Final = "host.job_step"
_INSTANT: Final = Instant()


def job_table(runtime: Runtime) -> sa.Table:
    """`host_job`."""
    return runtime.registry.model(JOB).table


def failure_table(runtime: Runtime) -> sa.Table:
    """`host_job_failure`."""
    return runtime.registry.model(FAILURE).table


def step_table(runtime: Runtime) -> sa.Table:
    """`host_job_step`."""
    return runtime.registry.model(STEP).table


def kept(runtime: Runtime, key: str, make: Callable[[sa.Table], Any]) -> Statement:
    """A statement over the job table, compiled when first needed."""
    return runtime.plans.statement((JOB, key), lambda: make(job_table(runtime)))


@contextmanager
def own_transaction(runtime: Runtime) -> Iterator[Any]:
    """A driver connection in a transaction of its own, whatever this thread has open."""
    with runtime.database.writing() as connection:
        yield connection.connection.dbapi_connection


def instant(raw: Any) -> datetime:
    """A point in time that a driver has answered."""
    found = _INSTANT.process_result_value(raw, None)  # type: ignore[arg-type]  # it asks for no dialect here
    assert found is not None  # the columns that it is called for hold one
    return found


def value(column: sa.Column[Any], name: str | None = None) -> sa.BindParameter[Any]:
    """A parameter of the column's type, by the column's name where nothing else is said."""
    return sa.bindparam(name or column.name, type_=column.type)


def of_try(table: sa.Table) -> list[Any]:
    """The conditions that fence a try: this row, this attempt, and nobody has taken it away."""
    columns = table.c
    return [
        columns.id == value(columns.id, "job"),
        columns.attempt == value(columns.attempt, "try"),
        among(columns.state, ("running",)),
    ]


def listed(runtime: Runtime, column: sa.Column[Any], name: str, kind: str) -> Any:
    """Whether a column's value is in a list that is given as one parameter; `kind` is PostgreSQL's name of its type."""
    if runtime.database.dialect == "postgresql":
        return column == sa.func.any(sa.cast(sa.bindparam(name, type_=sa.Text()), _Array(kind)))
    return column.in_(sa.text(f"SELECT value FROM json_each(:{name})"))


def listing(runtime: Runtime, values: list[str]) -> Any:
    """The parameter that `listed` wants."""
    if runtime.database.dialect == "postgresql":
        return "{" + ",".join(f'"{it}"' for it in values) + "}"
    return orjson.dumps(values).decode()


class _Array(sa.types.UserDefinedType[Any]):
    """An array of PostgreSQL, given as its text."""

    cache_ok = True

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def get_col_spec(self, **_: Any) -> str:
        return f"{self.kind}[]"
