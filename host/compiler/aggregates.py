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
