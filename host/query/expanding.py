"""Embedding related rows: one more query per relation for a whole page, under the other resource's own rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from host.access import Policy
from host.compiler.expressions import Facts, referred
from host.compiler.readers import Reader, compile_reader
from host.compiler.registry import Registry
from host.compiler.statements import Statement, compile_statement
from host.compiler.wires import CompiledWire, outputs
from host.database import Database
from host.query.embedding import Embedded, plan_embeds
from host.query.related import in_keys, key_list, many_related


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
        width, keys = self.reader.width, key_list(wanted, self.dialect)
        fetched = self.statement.run(connection, {**values, "keys": keys}).fetchall()
        built = self.reader.build([row[:width] for row in fetched])
        for embedded in self.embeds:
            embedded.fill(connection, built, values)
        if not self.is_many:
            return {row[width]: item for row, item in zip(fetched, built, strict=True)}
        found: dict[Any, list[Any]] = {}
        for row, item in zip(fetched, built, strict=True):
            found.setdefault(row[width], []).append(item)
        return found


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
