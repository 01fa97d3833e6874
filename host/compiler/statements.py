"""A statement compiled once by SQLAlchemy and then run as text on the driver's connection.

SQLAlchemy's own execution costs a multiple of the driver's; what it adds (typed binds) is kept here: the bind processors
of the column types are applied to the values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

Processor = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text, the values known when it was made (in driver form), and the names still wanted with their processors."""

    sql: str
    fixed: Mapping[str, Any]
    wanted: tuple[tuple[str, Processor | None], ...]

    def bind(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of one execution; `values` may hold more than is wanted."""
        bound = dict(self.fixed)
        for name, process in self.wanted:
            value = values[name]
            bound[name] = process(value) if process is not None and value is not None else value
        return bound

    def run(self, connection: Any, values: Mapping[str, Any]) -> Any:
        """Execute on a driver connection and answer its cursor."""
        return connection.execute(self.sql, self.bind(values))


def compile_statement(element: Any, dialect: sa.Dialect) -> Statement:
    """Compile a select, insert, update or delete. Binds without a value stay wanted."""
    compiled = element.compile(dialect=dialect)
    absent = {bind.key: None for bind in compiled.bind_names if bind.required}
    state = compiled.construct_expanded_state(absent)  # an `IN` gets a parameter for each of its values
    fixed: dict[str, Any] = {}
    wanted: list[tuple[str, Processor | None]] = []
    for bind, name in compiled.bind_names.items():
        process = bind.type.dialect_impl(dialect).bind_processor(dialect)
        if bind.required:
            wanted.append((name, process))
            continue
        for part in state.parameter_expansion.get(name, (name,)):
            value = state.parameters[part]
            fixed[part] = process(value) if process is not None and value is not None else value
    return Statement(state.statement, fixed, tuple(wanted))
