"""The checked service of one resource for plugins' code: native rows as dictionaries, every rule in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from host.compiler.models import Model
from host.compiler.statements import compile_statement
from host.errors import NotFound
from host.service import sets, writing
from host.service.context import Context
from host.service.randoms import with_drawn

Row = dict[str, Any]


@dataclass(frozen=True)
class Records:
    """Rows of one resource as the context's actor may see and change them, inside its transaction."""

    ctx: Context
    model: Model

    def get(self, *keys: Any) -> Row:
        """The row with this key. Raises NotFound when there is none for this actor."""
        found = self.find(*keys)
        if found is None:
            raise NotFound(f"there is no such {self.model.spoken}")
        return found

    def find(self, *keys: Any) -> Row | None:
        """The row with this key, or None."""
        self.ctx.transaction.flush()
        plan = self.ctx.runtime.plans.row(self.model, self.ctx.facts)
        found = plan.fetch(self.ctx.transaction.driver, keys, self.ctx.values)
        return found.row() if found is not None else None

    def find_all(self, *conditions: Any, sort: str = "", limit: int = 1000, **equal: Any) -> list[Row]:
        """Rows that fulfil SQLAlchemy conditions over the resource's table, and whose attributes equal these values."""
        self.ctx.transaction.flush()
        reader = self.ctx.runtime.plans.reader(self.model, self.ctx.facts)
        statement = sa.select(*reader.columns).where(*self.visible(), *conditions, *self._equal(equal))
        order = [self._column(name.lstrip("-")) for name in sort.split(",") if name]
        directed = [
            column.desc() if name.startswith("-") else column
            for name, column in zip(sort.split(","), order, strict=False)
        ]
        statement = statement.order_by(
            *directed, *(key.column for key in self.model.keys if key.column is not None)
        ).limit(limit)
        run = compile_statement(statement, self.ctx.runtime.database.compiling)
        return reader.build(run.run(self.ctx.transaction.driver, self.ctx.values).fetchall())

    def count(self, *conditions: Any, **equal: Any) -> int:
        """How many such rows the actor may list."""
        counted = sa.select(sa.func.count()).select_from(self.model.table)
        return int(
            self.ctx.execute(counted.where(*self.visible(), *conditions, *self._equal(equal))).scalar_one()
        )

    def visible(self) -> list[Any]:
        """The conditions of the rows that the actor may list, for statements of one's own run by `ctx.execute`."""
        return self.ctx.runtime.policy.visible(self.model, "list", self.ctx.facts)

    def create(self, values: Mapping[str, Any]) -> Row:
        """Store a new row; also fields that only the server sets may be given here."""
        return writing.create(self.ctx, self.model, values).row

    def update(self, keys: Any, values: Mapping[str, Any]) -> Row:
        """Change a row by its key."""
        return writing.update(self.ctx, self.model, _key_tuple(keys), values).row

    def update_all(self, *conditions: Any, values: Mapping[str, Any], limit: int = 1000) -> int:
        """Set the same values in so many of the rows that fulfil SQLAlchemy conditions; answers how many there were.

        One statement, and every row is noted and told of as by `update`; but `prepare` is not called, and it is for the
        system alone: a job's `ctx`, or `ctx.as_system()`.
        """
        return sets.update_all(self.ctx, self.model, conditions, values, limit)

    def redraw(self, keys: Any, *names: str) -> Row:
        """Give fields that are drawn at random (`random`) new values, e.g. a join code that too many know."""
        key = _key_tuple(keys)
        return with_drawn(
            self.ctx, self.model, names, lambda drawn: writing.update(self.ctx, self.model, key, drawn).row
        )

    def delete(self, keys: Any) -> Row:
        """Remove a row by its key; answers it as it was."""
        return writing.delete(self.ctx, self.model, _key_tuple(keys))

    def lock(self, keys: Any) -> Row:
        """The row, held against other writers until the transaction ends, if the actor may update it."""
        return writing.locked(self.ctx, self.model, _key_tuple(keys), "update")[0]

    def _equal(self, equal: Mapping[str, Any]) -> list[Any]:
        return [self._column(name) == value for name, value in equal.items()]

    def _column(self, name: str) -> Any:
        return self.ctx.runtime.policy.scope(self.model, self.ctx.facts).column(name)


def _key_tuple(keys: Any) -> tuple[Any, ...]:
    return keys if isinstance(keys, tuple) else (keys,)
