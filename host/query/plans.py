"""A checked list query as SQL: one select for the page, and one for the total where it is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from host.access import Policy, as_sql
from host.compiler.expressions import Facts, Scope
from host.compiler.parents import Parent
from host.compiler.readers import Reader, compile_reader
from host.compiler.registry import Registry
from host.compiler.statements import Statement, compile_statement
from host.compiler.wires import CompiledWire, outputs
from host.database import Database
from host.query.conditions import asked_values, condition, filtered, found
from host.query.embedding import Embedded, plan_embeds
from host.query.expanding import Expansion, plan_expansion
from host.query.keyset import after_cursor, ordered
from host.query.parameters import ListQuery, Order
from host.query.search import RANK
from host.query.search_rows import Search

Parents = tuple[Parent, ...]
SCALAR_TOTAL = "postgresql"  # where the total is cheapest as a subselect of the page's statement


@dataclass(frozen=True)
class ListPlan:
    """Everything a list needs at run time. Behind the reader's columns the rows carry the order's values, then the total."""

    statement: Statement
    reader: Reader
    size: int
    order_width: int
    scope: str  # what its cursors are bound to
    expansions: tuple[Expansion, ...]
    total: Statement | None = None
    total_in_page: bool = False
    page: int | None = None
    is_reversed: bool = False  # the newest rows were fetched first, to be answered in the wire's order
    asked: Mapping[str, Any] = field(default_factory=dict)  # the values that the query compares with
    embeds: tuple[Embedded, ...] = ()
    is_unpaged: bool = False  # the first page counts itself where it is the whole


@dataclass(frozen=True)
class WholePlan:
    """A list without pages, for exports; `names` are the outer names in order."""

    statement: Statement
    reader: Reader
    names: tuple[str, ...]
    asked: Mapping[str, Any]
    embeds: tuple[Embedded, ...] = ()


@dataclass(frozen=True)
class Planner:
    """Compiles plans for one app."""

    registry: Registry
    policy: Policy
    database: Database

    def plan(
        self, wire: CompiledWire, query: ListQuery, facts: Facts, nulls: Sequence[bool] | None, under: Parents = ()
    ) -> ListPlan:  # fmt: skip
        """The plan of a query; `nulls` tells which values of the cursor are null, None when there is no cursor."""
        scope = self.policy.scope(wire.model, facts, known=under)
        reader = self._reader(wire, query, scope)
        expansions, extra_keys = self._expansions(wire, query, facts, scope)
        is_unpaged = wire.declared.page.unpaged is not None
        # The newest rows are the last ones, where the wire's order does not begin with them.
        by_offset = wire.declared.list.pages == "offset"
        is_reversed = is_unpaged and not by_offset and not query.order[0].is_descending
        order = (
            tuple(replace(step, is_descending=not step.is_descending) for step in query.order)
            if is_reversed
            else query.order
        )
        visible = self.policy.visible(wire.model, "list", facts, parents=under)
        conditions = [*visible, *self._asked(query, scope)]
        order_columns = self._order_columns(order, query, scope)
        behind = [*order_columns, *extra_keys]
        statement = sa.select(*reader.columns, *behind).select_from(reader.joined(self._rows(query, scope)))
        after = (
            [after_cursor(order, order_columns, nulls, self.database.dialect)] if nulls is not None else []
        )
        statement = statement.where(*conditions, *after).order_by(*self._order(order, order_columns))
        # Written out: PostgreSQL plans anew for every execution while it does not know the limit.
        statement = statement.limit(sa.literal_column(str(query.size + 1)))
        if query.page is not None:
            statement = statement.offset((query.page - 1) * query.size)
        elif query.offset:
            statement = statement.offset(query.offset)
        counted = sa.select(sa.func.count()).select_from(self._rows(query, scope))
        total = counted.where(*conditions)
        in_page = query.has_total and self.database.dialect == SCALAR_TOTAL
        if in_page:
            statement = statement.add_columns(total.scalar_subquery())
        return ListPlan(
            self._compiled(statement), reader, query.size, len(order_columns), order_scope(wire, order), expansions,
            self._compiled(total) if query.has_total or is_unpaged else None, in_page, query.page, is_reversed,
            embeds=self._embeds(wire, query, facts), is_unpaged=is_unpaged and not query.offset,
        )  # fmt: skip

    def single(self, wire: CompiledWire, query: ListQuery, facts: Facts, under: Parents = ()) -> ListPlan:
        """The plan of one row by key with embedded relations; its version stands where a list has its order."""
        model = wire.model
        scope = self.policy.scope(model, facts, known=under)
        reader = self._reader(wire, query, scope)
        expansions, extra_keys = self._expansions(wire, query, facts, scope)
        version = [scope.column(model.version.name)] if model.version else []
        keys = [
            scope.column(key.name) == sa.bindparam(f"key_{index}", type_=scope.column(key.name).type)
            for index, key in enumerate(model.keys)
        ]
        statement = sa.select(*reader.columns, *version, *extra_keys).select_from(reader.joined(model.table))
        statement = statement.where(*keys, *self.policy.visible(model, "get", facts, parents=under))
        embeds = self._embeds(wire, query, facts)
        return ListPlan(self._compiled(statement), reader, 1, len(version), "", expansions, embeds=embeds)

    def whole(self, wire: CompiledWire, query: ListQuery, facts: Facts, under: Parents = ()) -> WholePlan:
        """The plan of every row that a list query asks for, at once."""
        scope = self.policy.scope(wire.model, facts, known=under)
        reader = self._reader(wire, query, scope)
        order = self._order(query.order, self._order_columns(query.order, query, scope))
        visible = self.policy.visible(wire.model, "list", facts, parents=under)
        conditions = [*visible, *self._asked(query, scope)]
        rows = sa.select(*reader.columns).select_from(reader.joined(self._rows(query, scope)))
        statement = rows.where(*conditions).order_by(*order)
        names = tuple(output.key for output in outputs(wire, scope, query.fields))
        embeds = self._embeds(wire, query, facts)
        return WholePlan(
            self._compiled(statement), reader, names, asked_values(query, self.database.dialect), embeds
        )

    def _embeds(self, wire: CompiledWire, query: ListQuery, facts: Facts) -> tuple[Embedded, ...]:
        return plan_embeds(self.registry, self.policy, self.database, wire, facts, query.fields)

    def _reader(self, wire: CompiledWire, query: ListQuery, scope: Scope) -> Reader:
        return compile_reader(
            outputs(wire, scope, query.fields), self.registry.kinds, self.database.dialect, wire.form,
            self.registry.sign,
        )  # fmt: skip

    def _compiled(self, element: Any) -> Statement:
        return compile_statement(element, self.database.compiling)

    def _expansions(
        self, wire: CompiledWire, query: ListQuery, facts: Facts, scope: Scope
    ) -> tuple[tuple[Expansion, ...], list[Any]]:
        plans = [
            plan_expansion(self.registry, self.policy, self.database, wire, name, facts)
            for name in query.expand
        ]
        keys = [scope.column(plan.here) for plan in plans]
        return tuple(plans), keys

    def _asked(self, query: ListQuery, scope: Scope) -> list[Any]:
        conditions = [
            condition(item, filtered(item, scope), f"asked_{index}")
            for index, item in enumerate(query.filters)
        ]
        conditions += [found(f"word_{index}", query.searched, scope) for index in range(len(query.words))]
        search = self._search(query, scope)
        return [as_sql(item) for item in conditions] + ([search.condition()] if search is not None else [])

    def _search(self, query: ListQuery, scope: Scope) -> Search | None:
        index = scope.model.search if scope.model is not None and query.sought is not None else None
        return Search(index, query.sought, self.database.dialect) if index and query.sought else None

    def _rows(self, query: ListQuery, scope: Scope) -> Any:
        """The listed rows; where words are searched, with them."""
        assert scope.model is not None
        search = self._search(query, scope)
        return scope.model.table if search is None else search.rows(scope.model)

    def _order_columns(self, order: Sequence[Order], query: ListQuery, scope: Scope) -> list[Any]:
        search = self._search(query, scope)
        return [
            search.rank()
            if search is not None and step.attribute is RANK
            else scope.column(step.attribute.name)
            for step in order
        ]

    def _order(self, order: Sequence[Order], columns: Sequence[Any]) -> list[Any]:
        pairs = zip(order, columns, strict=True)
        return [ordered(column, step, self.database.dialect) for step, column in pairs]


def order_scope(wire: CompiledWire, order: Sequence[Order]) -> str:
    """What a cursor is bound to: the list and its order."""
    steps = ",".join(("-" if step.is_descending else "") + step.attribute.name for step in order)
    return f"{wire.model.name}/{wire.name}/{steps}"
