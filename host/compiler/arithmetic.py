"""Values of expressions that two databases compute differently, made alike: arithmetic, functions, declared types."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from host.compiler.aggregates import exact, quotient, remainder, whole
from host.compiler.clocks import age
from host.fields.columns import Exact, Span

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "coalesce": sa.func.coalesce, "lower": sa.func.lower, "upper": sa.func.upper,
    "age": age,
    "text": lambda number: sa.cast(number, sa.Text()),
    "length": lambda text: sa.func.length(text, type_=sa.Integer()),
    "abs": lambda number: sa.func.abs(number, type_=number.type),
    "round": lambda number, *places: exact(number, *(places or (sa.literal_column("0"),)), type_=Exact(15, 6)),
}  # fmt: skip


def computed(sign: str, left: Any, right: Any) -> Any:
    """Two values joined; a quotient is never whole-numbered, and absent where the divisor is zero."""
    if sign in ("/", "%"):
        function = quotient if sign == "/" else remainder
        return function(left, right, type_=Exact(15, 6))
    # PostgreSQL refuses what overflows a bigint or a double.
    return _OPERATORS[sign](_widened(left), _widened(right))


def _widened(side: Any) -> Any:
    is_literal = isinstance(side, sa.BindParameter)
    is_bounded = isinstance(getattr(side, "type", None), sa.Integer | sa.Float)
    return sa.cast(side, sa.Numeric()) if is_bounded and not is_literal else side


def settled(value: Any, column_type: sa.types.TypeEngine[Any] | None) -> Any:
    """A computed value as one of its declared type: what sums, quotients and mixed numbers give differs by database."""
    if isinstance(value, bool) or column_type is None:
        return sa.literal(value) if isinstance(value, bool) else value
    if isinstance(column_type, Exact):
        value = exact(value, sa.literal_column(str(column_type.scale)))
    elif isinstance(column_type, sa.BigInteger | Span):
        value = whole(value)
    elif isinstance(column_type, sa.Double):
        value = sa.cast(value, column_type)
    return sa.type_coerce(value, column_type)
