"""SQL constructs that SQLite and PostgreSQL spell differently."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class json_array(GenericFunction[str]):  # SQL functions are lower case
    """The values of a column over the rows, as the text of a JSON array in their order; `[]` for no rows."""

    type = sa.Text()
    inherit_cache = True


@compiles(json_array, "sqlite")
def _on_sqlite(element: json_array, compiler: Any, **options: Any) -> str:
    # The primary key of a link table is (here, there), so the scan gives its order.
    return f"json_group_array({compiler.process(element.clauses, **options)})"


@compiles(json_array, "postgresql")
def _on_postgresql(element: json_array, compiler: Any, **options: Any) -> str:
    value = compiler.process(element.clauses, **options)
    return f"coalesce(json_agg({value} ORDER BY {value}), '[]')::text"


# --- arithmetic -------------------------------------------------------------------------------------------------------


class quotient(GenericFunction[Any]):
    """Division that is never whole-numbered, and absent where the divisor is zero."""

    inherit_cache = True


class remainder(GenericFunction[Any]):
    """The remainder with the dividend's sign, absent where the divisor is zero."""

    inherit_cache = True


class exact(GenericFunction[Any]):
    """A number rounded to places, the same on both databases whatever its parts are."""

    inherit_cache = True


class whole(GenericFunction[Any]):
    """A number without its fraction, as a bigint; the greatest or least one where it is beyond."""

    inherit_cache = True


class summed(GenericFunction[Any]):
    """A sum that cannot overflow; absent for no rows."""

    inherit_cache = True


def _parts(element: Any, compiler: Any, options: Any) -> list[str]:
    return [compiler.process(clause, **options) for clause in element.clauses]


@compiles(quotient, "sqlite")
def _quotient_on_sqlite(element: quotient, compiler: Any, **options: Any) -> str:
    over, under = _parts(element, compiler, options)
    return f"(({over}) * 1.0 / NULLIF({under}, 0))"


@compiles(quotient, "postgresql")
def _quotient_on_postgresql(element: quotient, compiler: Any, **options: Any) -> str:
    over, under = _parts(element, compiler, options)
    return f"(CAST({over} AS NUMERIC) / NULLIF(CAST({under} AS NUMERIC), 0))"


@compiles(remainder, "sqlite")
def _remainder_on_sqlite(element: remainder, compiler: Any, **options: Any) -> str:
    over, under = _parts(element, compiler, options)
    return f"(({over}) - ({under}) * CAST(({over}) * 1.0 / NULLIF({under}, 0) AS INTEGER))"


@compiles(remainder, "postgresql")
def _remainder_on_postgresql(element: remainder, compiler: Any, **options: Any) -> str:
    over, under = _parts(element, compiler, options)
    return f"mod(CAST({over} AS NUMERIC), NULLIF(CAST({under} AS NUMERIC), 0))"


@compiles(exact, "sqlite")
def _exact_on_sqlite(element: exact, compiler: Any, **options: Any) -> str:
    value, places = _parts(element, compiler, options)
    return f"round({value}, {places})"


@compiles(exact, "postgresql")
def _exact_on_postgresql(element: exact, compiler: Any, **options: Any) -> str:
    value, places = _parts(element, compiler, options)
    return f"round(CAST({value} AS NUMERIC), {places})"


@compiles(whole, "sqlite")
def _whole_on_sqlite(element: whole, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS INTEGER)"


@compiles(whole, "postgresql")
def _whole_on_postgresql(element: whole, compiler: Any, **options: Any) -> str:
    value = compiler.process(element.clauses, **options)
    most, least = 2**63 - 1, -(2**63)
    bounded = f"CASE WHEN n > {most} THEN {most} WHEN n < {least} THEN {least} ELSE n END"
    return f"(SELECT CAST({bounded} AS BIGINT) FROM (SELECT trunc(CAST({value} AS NUMERIC)) AS n) AS it)"


@compiles(summed, "sqlite")
def _summed_on_sqlite(element: summed, compiler: Any, **options: Any) -> str:
    return f"sum(CAST({compiler.process(element.clauses, **options)} AS REAL))"


@compiles(summed, "postgresql")
def _summed_on_postgresql(element: summed, compiler: Any, **options: Any) -> str:
    return f"sum({compiler.process(element.clauses, **options)})"
