"""`INSERT … ON CONFLICT`, as the database at hand writes it. `throttling` and `links` call it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from host.service.context import Context


def inserting(ctx: Context, table: sa.Table) -> Any:
    """An insert that may say what happens when the row is there already."""
    insert = postgresql.insert if ctx.runtime.database.dialect == "postgresql" else sqlite.insert
    return insert(table)
