"""Everything compiled, frozen: what services, web and documents read. Printed by `hostwright show`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from host.compiler.models import Attribute, Model, Models
from host.compiler.readers import Sign
from host.compiler.tables import compile_tables
from host.compiler.wires import CompiledWire, compile_wire
from host.declaration.nodes import Declaration, Wire
from host.fields.kinds import Kinds

if TYPE_CHECKING:
    from host.compiler.schemas import Schemas


@dataclass(frozen=True, eq=False)
class Registry:
    """The shape of one app. Nothing is added after it is made."""

    declaration: Declaration
    kinds: Kinds
    metadata: sa.MetaData
    models: Models
    wires: Mapping[str, tuple[CompiledWire, ...]]  # by model name, the main one first
    sign: Sign | None = None  # makes addresses of files hold without a token; known once there is a secret

    def model(self, name: str) -> Model:
        """A model by qualified name; KeyError names it."""
        return self.models[name]

    def main_wire(self, model: Model) -> CompiledWire:
        """The wire that actions answer with where none is meant."""
        return self.wires[model.name][0]

    @cached_property
    def identity(self) -> Model | None:
        """The resource in whose table every account has a row, if there is one."""
        return next((model for model in self.models.values() if model.declared.identity is not None), None)

    @cached_property
    def loose_links(self) -> Mapping[str, tuple[sa.Column[Any], ...]]:
        """For each model, the columns of link tables that refer to it and that the database does not clear."""
        found: dict[str, list[sa.Column[Any]]] = {name: [] for name in self.models}
        for model in self.models.values():
            for link in model.links.values():
                sides = ((link.here, model.name), (link.there, link.target))
                for column, name in sides:
                    if column is not None and any(key.ondelete is None for key in column.foreign_keys):
                        found[name].append(column)
        return {name: tuple(columns) for name, columns in found.items()}

    @cached_property
    def referrers(self) -> Mapping[str, tuple[tuple[Model, Attribute], ...]]:
        """For each model, the to-one relations of other models that point at it."""
        found: dict[str, list[tuple[Model, Attribute]]] = {name: [] for name in self.models}
        for model in self.models.values():
            for attribute in model.attributes.values():
                if attribute.relation is not None:
                    found[attribute.relation.to].append((model, attribute))
        return {name: tuple(pairs) for name, pairs in found.items()}

    @cached_property
    def schemas(self) -> Schemas:
        """The marshmallow schemas, each made when it is first needed."""
        from host.compiler.schemas import Schemas  # commands that read no input do without marshmallow

        return Schemas(self.kinds)

    @cached_property
    def classes(self) -> Mapping[str, type[Any]]:
        """ORM classes over the tables, for plugins' own queries; mapped when first asked for."""
        from host.compiler.mapping import map_classes  # the ORM is not needed for serving

        return map_classes(self.models)


def compile_registry(declaration: Declaration, kinds: Kinds) -> Registry:
    """Compile a linked declaration."""
    metadata, models = compile_tables(declaration, kinds)
    wires = {
        name: tuple(
            compile_wire(wire_name, model, wire, models)
            for wire_name, wire in (model.declared.wires or {"main": Wire()}).items()
        )
        for name, model in models.items()
    }
    return Registry(declaration, kinds, metadata, models, wires)
