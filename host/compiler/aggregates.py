"""SQL constructs that SQLite and PostgreSQL spell differently."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from host.fields.columns import DjangoInstant, DjangoUid, Instant, Uid


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


# --- values of other systems' tables ----------------------------------------------------------------------------------


class hosted(GenericFunction[Any]):
    """A value of a table that Django uses, too, in the form of the host's own tables, to be compared with theirs."""

    inherit_cache = True


@compiles(hosted)
def _hosted(element: hosted, compiler: Any, **options: Any) -> str:
    value: str = compiler.process(element.clauses, **options)
    return value


@compiles(hosted, "sqlite")
def _hosted_on_sqlite(element: hosted, compiler: Any, **options: Any) -> str:
    value = compiler.process(element.clauses, **options)
    if isinstance(element.type, Instant):
        return f"(substr(replace({value}, ' ', 'T') || '.000000', 1, 26) || 'Z')"
    bounds = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return "(" + " || '-' || ".join(f"substr({value}, {start}, {size})" for start, size in bounds) + ")"


class folded(GenericFunction[str]):
    """A text without regard to case, in a way on which every program agrees that uses an SQLite file.

    What `lower()` folds differs by program there, and an index over it would not be sound.
    """

    type = sa.Text()
    inherit_cache = True


@compiles(folded)
def _folded(element: folded, compiler: Any, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


@compiles(folded, "sqlite")
def _folded_on_sqlite(element: folded, compiler: Any, **options: Any) -> str:
    return f"{compiler.process(element.clauses, **options)} COLLATE NOCASE"


def as_hosted(value: Any) -> Any:
    """The value in the host's own form, if it is one that Django stores otherwise."""
    match getattr(value, "type", None):
        case DjangoInstant():
            return hosted(value, type_=Instant())
        case DjangoUid():
            return hosted(value, type_=Uid())
    return value


def alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Two values that are compared, in one form."""
    forms = [isinstance(getattr(side, "type", None), DjangoInstant | DjangoUid) for side in (left, right)]
    return (left, right) if forms[0] == forms[1] else (as_hosted(left), as_hosted(right))


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
    # OFFSET 0 keeps PostgreSQL from writing the value out three times, each a subquery to run.
    bounded = f"CASE WHEN n > {most} THEN {most} WHEN n < {least} THEN {least} ELSE n END"
    return f"(SELECT CAST({bounded} AS BIGINT) FROM (SELECT trunc(CAST({value} AS NUMERIC)) AS n OFFSET 0) AS it)"


@compiles(summed, "sqlite")
def _summed_on_sqlite(element: summed, compiler: Any, **options: Any) -> str:
    return f"sum(CAST({compiler.process(element.clauses, **options)} AS REAL))"


@compiles(summed, "postgresql")
def _summed_on_postgresql(element: summed, compiler: Any, **options: Any) -> str:
    return f"sum({compiler.process(element.clauses, **options)})"
