"""How long ago an instant is: the one function of expressions that looks at the clock."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from host.fields.columns import Instant


class seconds_between(GenericFunction[float]):  # SQL functions are lower case
    """Seconds from the first instant to the second, below zero where the second is earlier."""

    type = sa.Double()
    inherit_cache = True


@compiles(seconds_between, "sqlite")
def _on_sqlite(element: seconds_between, compiler: Any, **options: Any) -> str:
    first, second = (compiler.process(clause, **options) for clause in element.clauses)
    # Julian days hold milliseconds, which is finer than an age is asked for.
    return f"((julianday({second}) - julianday({first})) * 86400.0)"


@compiles(seconds_between, "postgresql")
def _on_postgresql(element: seconds_between, compiler: Any, **options: Any) -> str:
    first, second = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST(EXTRACT(EPOCH FROM ({second} - {first})) AS DOUBLE PRECISION)"


def age(instant: Any) -> Any:
    """Seconds from an instant to the moment of the request; absent where the instant is."""
    return seconds_between(instant, sa.bindparam("now", type_=Instant()))
