"""Embedding related rows: one more query per relation for a whole page, under the other resource's own rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from host.access import Policy
from host.compiler.embedding import shown_outputs
from host.compiler.expressions import Facts, Scope, referred
from host.compiler.models import Link
from host.compiler.readers import Reader, compile_reader
from host.compiler.registry import Registry
from host.compiler.statements import Statement, compile_statement
from host.compiler.wires import CompiledWire, outputs
from host.database import Database
from host.declaration.embeds import embedded_relation

MOST_RELATED = 100  # rows embedded for one row of the page


@dataclass(frozen=True)
class Expansion:
    """How one relation is embedded. Fetched rows carry the key of the row they belong to behind the reader's columns."""

    name: str  # the outer name
    here: str  # the attribute of the listed row that is matched
    is_many: bool
    statement: Statement
    reader: Reader
    dialect: str
    embeds: tuple[Embedded, ...] = ()  # of the related rows themselves

    def fetch(self, connection: Any, keys: Sequence[Any], values: dict[str, Any]) -> dict[Any, Any]:
        """The embedded row, or list of rows, by the key it belongs to."""
        wanted = list({key for key in keys if key is not None})
        if not wanted:
            return {}
        listed: Any = orjson.dumps(wanted, default=str).decode() if self.dialect == "sqlite" else wanted
        fetched = self.statement.run(connection, {**values, "keys": listed}).fetchall()
        built = self.reader.build([row[: self.reader.width] for row in fetched])
        for embedded in self.embeds:
            embedded.fill(connection, built, values)
        if not self.is_many:
            return {row[self.reader.width]: item for row, item in zip(fetched, built, strict=True)}
        found: dict[Any, list[Any]] = {}
        for row, item in zip(fetched, built, strict=True):
            found.setdefault(row[self.reader.width], []).append(item)
        return found


@dataclass(frozen=True)
class Embedded:
    """Related rows that a wire always answers: they take the place of the key that the row was read with."""

    key: str
    related: Expansion

    def fill(self, connection: Any, rows: Sequence[dict[str, Any]], values: Mapping[str, Any]) -> None:
        """Put the related rows into all rows, by one query."""
        shown = [row for row in rows if self.key in row]  # a `read` rule may keep it out
        found = self.related.fetch(connection, [row[self.key] for row in shown], dict(values))
        for row in shown:
            row[self.key] = found.get(row[self.key], [])


def plan_embeds(
    registry: Registry, policy: Policy, database: Database, wire: CompiledWire, facts: Facts,
    only: Collection[str] | None = None,
) -> tuple[Embedded, ...]:  # fmt: skip
    """Compile the queries of what a wire embeds of relations to many; `only` narrows it to outer names."""
    found = []
    for key, node in wire.declared.embed.items():
        link = wire.model.links.get(embedded_relation(key, node))
        if link is not None and (only is None or key in only):
            found.append(Embedded(key, _plan_embed(registry, policy, database, wire, key, facts)))
    return tuple(found)


def _plan_embed(
    registry: Registry, policy: Policy, database: Database, wire: CompiledWire, key: str, facts: Facts
) -> Expansion:  # fmt: skip
    node = wire.declared.embed[key]
    link = wire.model.links[embedded_relation(key, node)]
    target = registry.models[link.target]
    source = target.table.alias("related")
    scope = policy.scope(target, facts, source)
    reader = compile_reader(shown_outputs(wire, node, scope), registry.kinds, database.dialect, wire.form)
    order = [
        scope.column(name.removeprefix("-")).desc() if name.startswith("-") else scope.column(name)
        for name in node.sort
    ]
    visible = policy.visible(target, "get", facts, source)
    statement = many_related(link, scope, reader, visible, order, database.dialect)
    here = wire.model.keys[0].name
    return Expansion(key, here, True, _compiled(statement, database), reader, database.dialect)


def plan_expansion(
    registry: Registry, policy: Policy, database: Database, wire: CompiledWire, name: str, facts: Facts
) -> Expansion:  # fmt: skip
    """Compile the query that fetches a relation's rows for a page."""
    model = wire.model
    link = model.links.get(name)
    target_name = (
        link.target if link is not None else (model.attributes[name].relation or _no_relation(name)).to
    )
    target = registry.models[target_name]
    wires = registry.wires[target_name]
    target_wire = next((found for found in wires if found.name == wire.name), wires[0])
    source = target.table.alias("related")
    scope = policy.scope(target, facts, source)
    reader = compile_reader(
        outputs(target_wire, scope),
        registry.kinds,
        database.dialect,
        target_wire.form,
        registry.sign,
    )
    embeds = plan_embeds(registry, policy, database, target_wire, facts)
    visible = policy.visible(target, "get", facts, source)
    outer = wire.outer.get(name, name)
    if link is None:
        attribute = model.attributes[name]
        matched = referred(attribute, scope)
        related = sa.select(*reader.columns, matched).select_from(reader.joined(source))
        statement = related.where(in_keys(matched, database.dialect), *visible)
        return Expansion(outer, name, False, _compiled(statement, database), reader, database.dialect, embeds)
    statement = many_related(link, scope, reader, visible, (), database.dialect)
    here = model.keys[0].name
    return Expansion(outer, here, True, _compiled(statement, database), reader, database.dialect, embeds)


def _no_relation(name: str) -> Any:
    raise AssertionError(f"{name} is not a relation")  # the linker refuses it


def _compiled(statement: Any, database: Database) -> Statement:
    return compile_statement(statement, database.compiling)


def in_keys(column: Any, dialect: str) -> Any:
    """Membership in a list that is one parameter, so that the statement is the same for any number of keys."""
    keys: Any = sa.bindparam("keys", type_=sa.types.NullType())
    if dialect == "sqlite":
        return column.in_(sa.select(sa.column("value")).select_from(sa.func.json_each(keys)))
    kind = column.type.dialect_impl(postgresql.dialect())  # type: ignore[no-untyped-call]
    array = sa.cast(keys, postgresql.ARRAY(kind))
    return column == sa.func.any(array)


def many_related(
    link: Link, scope: Scope, reader: Reader, visible: Sequence[Any], order: Sequence[Any], dialect: str
) -> Any:  # fmt: skip
    """Related rows in an order, at most MOST_RELATED for each row of the page, the key of that row behind them."""
    assert scope.model is not None
    key = scope.column(scope.model.keys[0].name)
    joined: Any = reader.joined(scope.source)
    if link.back is not None:
        parent = scope.column(link.back)
    else:
        assert link.table is not None and link.there is not None
        parent = link.here
        joined = sa.join(joined, link.table, link.there == key)
    number = sa.func.row_number().over(partition_by=parent, order_by=[*order, key]).label("row_in_parent")
    labelled = [column.label(f"r{index}") for index, column in enumerate(reader.columns)]
    inner = (
        sa.select(*labelled, parent.label("parent_key"), number)
        .select_from(joined)
        .where(in_keys(parent, dialect), *visible)
        .subquery("ranked")
    )
    return (
        sa.select(*(inner.c[f"r{index}"] for index in range(reader.width)), inner.c.parent_key)
        .where(inner.c.row_in_parent <= MOST_RELATED)
        .order_by(inner.c.parent_key, inner.c.row_in_parent)
    )
