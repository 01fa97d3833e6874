"""Rows that a wire always answers inside its own, several for each: one query fills them into a whole page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
import sqlalchemy as sa

from host.access import Policy
from host.compiler.embedding import shown_outputs
from host.compiler.expressions import Facts, Scope
from host.compiler.models import Link
from host.compiler.readers import Reader, compile_reader
from host.compiler.registry import Registry
from host.compiler.statements import Statement, compile_statement
from host.compiler.wires import CompiledWire
from host.database import Database
from host.declaration.embeds import embedded_relation
from host.query.related import MOST_RELATED, key_list, many_related, places_by_related

Row = dict[str, Any]


class Embedded(Protocol):
    """What the rows of a page were read with under a key gives way to related rows."""

    def fill(self, connection: Any, rows: Sequence[Row], values: Mapping[str, Any]) -> None:
        """Put the related rows into all rows, by one query."""


@dataclass(frozen=True)
class PointingBack:
    """Rows that point back: each belongs to one row, whose key stands in its place."""

    key: str
    statement: Statement
    reader: Reader
    dialect: str

    def fill(self, connection: Any, rows: Sequence[Row], values: Mapping[str, Any]) -> None:
        """Put the related rows into all rows."""
        shown = [row for row in rows if self.key in row]  # a `read` rule may keep it out
        keys = key_list([row[self.key] for row in shown], self.dialect)
        width = self.reader.width
        found: dict[Any, list[Row]] = {}
        fetched = self.statement.run(connection, {**values, "keys": keys}).fetchall() if shown else []
        for row, item in zip(fetched, self.reader.build([row[:width] for row in fetched]), strict=True):
            found.setdefault(row[width], []).append(item)
        for row in shown:
            row[self.key] = found.get(row[self.key], [])


@dataclass(frozen=True)
class Linked:
    """Rows linked through a table: many rows may share one, so each is read once, with the places of the rows it is linked to."""

    key: str
    statement: Statement
    reader: Reader

    def fill(self, connection: Any, rows: Sequence[Row], values: Mapping[str, Any]) -> None:
        """Put the related rows into all rows."""
        shown = [row for row in rows if self.key in row]
        keys = orjson.dumps([row[self.key] for row in shown], default=str).decode()
        width = self.reader.width
        related: list[list[Row]] = [[] for _ in shown]
        fetched = self.statement.run(connection, {**values, "keys": keys}).fetchall() if shown else []
        for row, item in zip(fetched, self.reader.build([row[:width] for row in fetched]), strict=True):
            for place in orjson.loads(row[width]):
                related[place].append(item)
        for row, items in zip(shown, related, strict=True):
            row[self.key] = items if len(items) <= MOST_RELATED else items[:MOST_RELATED]


def plan_embeds(
    registry: Registry, policy: Policy, database: Database, wire: CompiledWire, facts: Facts,
    only: Collection[str] | None = None,
) -> tuple[Embedded, ...]:  # fmt: skip
    """Compile the queries of what a wire embeds of relations to many; `only` narrows it to outer names."""
    found = []
    for key, node in wire.declared.embed.items():
        link = wire.model.links.get(embedded_relation(key, node))
        if link is not None and (only is None or key in only):
            found.append(_plan(registry, policy, database, wire, key, link, facts))
    return tuple(found)


def _plan(
    registry: Registry, policy: Policy, database: Database, wire: CompiledWire, key: str, link: Link, facts: Facts
) -> Embedded:  # fmt: skip
    node, dialect = wire.declared.embed[key], database.dialect
    target = registry.models[link.target]
    source = target.table.alias("related")
    scope = policy.scope(target, facts, source)
    shown = shown_outputs(wire, node, scope)
    reader = compile_reader(shown, registry.kinds, dialect, wire.form, registry.sign)
    visible, order = policy.visible(target, "get", facts, source), _order(node.sort, scope)
    if link.table is None:
        statement = many_related(link, scope, reader, visible, order, dialect)
        return PointingBack(key, compile_statement(statement, database.compiling), reader, dialect)
    own = scope.column(target.keys[0].name)
    linked = places_by_related(link, dialect)
    rows = sa.select(*reader.columns, linked.c.places)
    joined = sa.join(reader.joined(source), linked, linked.c.related_key == own)
    statement = rows.select_from(joined).where(*visible).order_by(*order, own)
    return Linked(key, compile_statement(statement, database.compiling), reader)


def _order(names: Sequence[str], scope: Scope) -> list[Any]:
    columns = [(scope.column(name.removeprefix("-")), name.startswith("-")) for name in names]
    return [column.desc() if is_descending else column for column, is_descending in columns]
